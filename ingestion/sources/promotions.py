"""Promotions and vouchers: what was on offer when, and which code was redeemed by whom.

Format: CSV, JSON Lines or Parquet. Key: promotion_id, code and whose it is.
Lateness: rows of any age are taken.
Bad day: no promotion id, a date outside 1990-2100, half an identifier or an unknown currency:
quarantine. A value that is no number is left empty.
Data flow: DIR/promotions/ -> raw_promotions.promotions
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import LOWER, Column, RowCheck, TableSpec
from ingestion.vocabulary import IDENTIFIER_TYPES

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
        Column("value_percent", "money", minimum=0),
        Column("value_amount", "money", minimum=0),
        Column("currency", currency=True, restricts=True),
        Column("for_segment"),
        # Whose voucher it is; without it anybody's.
        Column("identifier_type", allowed=IDENTIFIER_TYPES, transform=LOWER, restricts=True),
        Column("identifier_value", restricts=True),
        Column("customer_ref"),
        Column("issued_at", "timestamp"),
        Column("valid_until", "timestamp", restricts=True),
        Column("redeemed_at", "timestamp", restricts=True),
        Column("redeemed_order_id"),
    ),
    numbers=("promotion_id", "product_id", "customer_ref", "redeemed_order_id"),
    row_checks=(
        RowCheck(
            "no_identifier",
            "identifier_value",
            "(identifier_type is null) <> (identifier_value is null)",
        ),
    ),
)

SOURCE = FolderSource("promotions", "Promotions and vouchers.", (PROMOTIONS,))
