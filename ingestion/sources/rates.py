"""Exchange rates into the shop's currency, per day.

Format: CSV, JSON Lines or Parquet. Key: date, currency; the latest counts.
Lateness: rows of any age are taken.
Bad day: an unknown currency, or a rate that is not a number above zero: quarantine; amounts in a
currency without a rate stay NULL with a reason.
Data flow: DIR/rates/ -> raw_rates.rates
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import Column, TableSpec

RATES = TableSpec(
    name="rates",
    description="One row per version of a currency's rate on a day.",
    columns=(
        Column("date", "date", required=True, expected=True),
        Column("currency", currency=True, required=True, expected=True),
        Column("rate", "rate", required=True, expected=True, minimum=0, exclusive=True),
    ),
)

SOURCE = FolderSource("rates", "Exchange rates per day.", (RATES,))
