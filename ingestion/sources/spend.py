"""Marketing spend: what each marketing channel, campaign and programme cost on each day.

Format: CSV, JSON Lines or Parquet. Key: date, marketing_channel, campaign, programme,
currency; the latest counts.
Lateness: rows of any age; platforms restate the last days.
Bad day: no date or channel, a cost that is not a number, an unknown currency: quarantine.
Data flow: DIR/spend/ -> raw_spend.spend
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import Column, TableSpec

SPEND = TableSpec(
    name="spend",
    description="One row per version of a marketing channel's campaign on a day.",
    columns=(
        Column("date", "date", required=True, expected=True),
        Column("marketing_channel", required=True, expected=True),
        Column("campaign"),
        Column("programme"),
        Column("cost", "money", required=True, expected=True),
        Column("currency", currency=True, restricts=True),
        # What the sender says that it brought; nothing is counted by it.
        Column("claimed_orders", "integer", minimum=0),
        Column("claimed_value", "money", minimum=0),
    ),
)

SOURCE = FolderSource("spend", "Marketing spend per day.", (SPEND,))
