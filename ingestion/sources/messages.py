"""Messages: the steps of messages on any channel, from whatever system sent them.

What: sent, delivered, opened, clicked, failed, bounced, unsubscribed and replied, one row each.
Format: CSV, JSON Lines or Parquet. Key: message_id, channel, identifier, event, occurred_at, url.
Lateness: rows of any age are taken.
Bad day: no message, person, channel or time, or an unknown event: quarantine; a refusal counts from
there too. Of a reply's text it is only kept whether it asks to stop: the text itself reaches
neither the raw table nor quarantine.
Data flow: DIR/messages/ -> raw_messages.messages
"""

from __future__ import annotations

from ingestion.duckdb import literal
from ingestion.files.source import FolderSource
from ingestion.landing.fields import IDENTIFIER_COLUMNS, LOWER, Column, TableSpec
from ingestion.landing.replies import OPT_OUT, VERDICT
from ingestion.vocabulary import CHANNELS

EVENTS = (
    "sent",
    "delivered",
    "opened",
    "clicked",
    "failed",
    "bounced",
    "unsubscribed",
    "replied",
)

MESSAGES = TableSpec(
    name="messages",
    envelopes=("messages", "data"),
    description="One row per version of a step of a message.",
    may_refuse=True,
    columns=(
        Column("message_id", required=True, expected=True),
        Column("channel", required=True, expected=True, allowed=CHANNELS, transform=LOWER),
        *IDENTIFIER_COLUMNS,
        Column("event", required=True, expected=True, allowed=EVENTS, transform=LOWER),
        Column("occurred_at", "timestamp", required=True, expected=True),
        Column("campaign_id"),
        Column("flow_id"),
        Column("message_kind", transform=LOWER),
        Column("segment"),
        Column("variant"),
        Column("url"),
        Column("reason", kept_as_written=True),
        Column("text", reduced=VERDICT, stored=False, is_content=True),
    ),
    derived=(
        (
            "is_opt_out_reply",
            "boolean",
            # What the shop wrote may say how to stop; whatever else was written, a person did.
            f"coalesce(text, '') = {literal(OPT_OUT)} and coalesce(event, '') not in "
            "('sent', 'delivered', 'opened', 'clicked', 'failed', 'bounced')",
        ),
    ),
)

SOURCE = FolderSource("messages", "Steps of messages on any channel.", (MESSAGES,))
