"""Email events in the shape of SendGrid's Event Webhook: what became of each message sent.

What: processed, delivered, deferred, open, click, bounce, dropped, spamreport, unsubscribe and the
group events. Custom arguments are read flat or under `unique_args`.
Format: JSON arrays (as posted) or JSON Lines; CSV and Parquet with the same names work too.
Key: `sg_event_id`.
Lateness: rows of any age are taken, whenever their file appears.
Bad day: an event without address, time or id, or of an unknown kind, goes to quarantine.
Data flow: DIR/email/ -> raw_email.events
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import LOWER, Column, TableSpec

KINDS = (
    "processed",
    "delivered",
    "deferred",
    "open",
    "click",
    "bounce",
    "dropped",
    "spamreport",
    "unsubscribe",
    "group_unsubscribe",
    "group_resubscribe",
)

EVENTS = TableSpec(
    name="events",
    description="One row per version of an email event.",
    may_refuse=True,
    columns=(
        Column("email", required=True),
        Column("occurred_at", "timestamp", sources=("timestamp",), required=True),
        Column("event", required=True, allowed=KINDS, transform=LOWER),
        Column("sg_event_id", required=True),
        Column("sg_message_id"),
        Column("category", "json"),
        Column("url"),
        Column("useragent"),
        Column("ip"),
        Column("reason"),
        Column("type", kept_as_written=True),
        Column("bounce_classification", kept_as_written=True),
        Column("asm_group_id"),
        Column("sg_machine_open", "boolean"),
        Column("marketing_campaign_id"),
        Column("campaign_id", sources=("campaign_id", "unique_args.campaign_id")),
        Column("flow_id", sources=("flow_id", "unique_args.flow_id")),
        Column("sending_domain", sources=("sending_domain", "unique_args.sending_domain")),
        Column("message_kind", sources=("message_kind", "unique_args.message_kind")),
        Column("variant", sources=("variant", "unique_args.variant")),
        Column("unique_args", "json"),
    ),
)

SOURCE = FolderSource("email", "Email events in SendGrid's shape.", (EVENTS,))
