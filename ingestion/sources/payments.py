"""Payments: which card paid for which order (a payment provider's charge export).

What: one row per payment attempt, with the card's fingerprint, never its number.
Format: CSV, JSON Lines or Parquet. Key: order_id, provider, fingerprint, paid_at.
Lateness: rows of any age are taken.
Bad day: no order id or an unknown currency: quarantine; an amount that is no number is left empty,
and so is a card's own number where its fingerprint belongs.
Data flow: DIR/payments/ -> raw_payments.payments
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import Column, TableSpec

PAYMENTS = TableSpec(
    name="payments",
    envelopes=("payments", "data"),
    description="One row per version of a payment.",
    columns=(
        Column("order_id", required=True, expected=True),
        Column("provider"),
        Column("fingerprint", is_token=True),
        Column("billing_email"),
        Column("billing_name"),
        Column("status", expected=True),
        Column("amount", "money"),
        Column("currency", currency=True, restricts=True),
        Column("paid_at", "timestamp"),
    ),
    numbers=("order_id",),
)

SOURCE = FolderSource("payments", "Payments with the card's fingerprint.", (PAYMENTS,))
