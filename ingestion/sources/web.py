"""Web events in Segment's Spec: what visitors did, as Segment, RudderStack and Jitsu export it.

What: identify, page, screen, track, group and alias calls, one JSON object each.
Format: JSON Lines or JSON arrays; CSV and Parquet with the same names work too.
Key: `messageId`; a message sent again with other content is a further version.
Lateness: rows of any age are taken, whenever their file appears.
Bad day: an event without `anonymousId` and `userId` or without a time goes to quarantine
(`no_identifier`, `missing_value`); its file goes on. A price that is not a number and an unknown
touchpoint are left out and counted; where the device's clock says no possible time, the time of
sending or of arrival stands in.
Data flow: DIR/web/ -> raw_web.events
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import LOWER, Column, RowCheck, TableSpec
from ingestion.vocabulary import TOUCHPOINTS

EVENTS = TableSpec(
    name="events",
    description="One row per version of a web event.",
    columns=(
        Column(
            "type",
            required=True,
            allowed=("identify", "page", "screen", "track", "alias", "group"),
            transform=LOWER,
        ),
        Column("message_id", sources=("messageId",), required=True),
        Column("anonymous_id", sources=("anonymousId",)),
        Column("user_id", sources=("userId",)),
        Column("previous_id", sources=("previousId",)),
        Column("event"),
        Column(
            "occurred_at",
            "timestamp",
            sources=("timestamp", "originalTimestamp", "sentAt", "receivedAt"),
            required=True,
            first_readable=True,
        ),
        Column("sent_at", "timestamp", sources=("sentAt",)),
        Column("received_at", "timestamp", sources=("receivedAt",)),
        Column("properties", "json"),
        Column("traits", "json"),
        Column("context", "json"),
        Column("price", "money", sources=("properties.price",), stored=False),
        Column("quantity", "money", sources=("properties.quantity",), stored=False),
        Column("results", "integer", sources=("properties.results",), minimum=0, stored=False),
        Column("load_ms", "money", sources=("context.page.load_ms",), minimum=0, stored=False),
        Column(
            "touchpoint",
            sources=("context.touchpoint",),
            allowed=TOUCHPOINTS,
            transform=LOWER,
            stored=False,
        ),
    ),
    row_checks=(
        RowCheck("no_identifier", "anonymous_id", "anonymous_id is null and user_id is null"),
        RowCheck("missing_value", "event", "type = 'track' and coalesce(trim(event), '') = ''"),
    ),
)

SOURCE = FolderSource("web", "Web events in Segment's Spec.", (EVENTS,))
