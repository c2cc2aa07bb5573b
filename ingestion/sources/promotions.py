"""Promotions and vouchers: what was on offer when, and which code was redeemed by whom.

Format: CSV, JSON Lines or Parquet. Key: promotion_id, code, customer_ref, redeemed_at.
Lateness: rows of any age are taken.
Bad day: no promotion id, or a date outside 1990-2100: quarantine.
Data flow: DIR/promotions/ -> raw_promotions.promotions
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import Column, TableSpec

PROMOTIONS = TableSpec(
    name="promotions",
    description="One row per version of a promotion or voucher.",
    columns=(
        Column("promotion_id", required=True, expected=True),
        Column("name"),
        Column("category"),
        Column("product_id"),
        # Without them an offer would have begun, would never end, or would be unused still.
        Column("starts_at", "timestamp", restricts=True),
        Column("ends_at", "timestamp", restricts=True),
        Column("code"),
        Column("customer_ref"),
        Column("redeemed_at", "timestamp", restricts=True),
    ),
)

SOURCE = FolderSource("promotions", "Promotions and vouchers.", (PROMOTIONS,))
