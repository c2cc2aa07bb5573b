"""Tables of the day's decisions and of who is held out."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "contact_decisions",
        Column("customer_id", Text, primary_key=True),
        Column("decided_for", BigInteger, primary_key=True),
        Column("class", Text, primary_key=True),
        Column("segment", Text, nullable=False),
        Column("channel", Text, nullable=False),
        Column("address_kind", Text, nullable=True),
        Column("message_kind", Text, nullable=False),
        Column("send_at", BigInteger, nullable=True),
        Column("not_after", BigInteger, nullable=True),
        Column("held_until", BigInteger, nullable=True),
        Column("outcome", Text, nullable=False),
        Column("reason", Text, nullable=True),
        Column("is_plain", Boolean, nullable=False),
        Column("is_standing", Boolean, nullable=False),
        Column("rivals", Text, nullable=False),
    )
    op.create_index("ix_contact_decisions_day", "contact_decisions", ["decided_for"])
    op.create_table(
        "holdouts",
        Column("customer_id", Text, primary_key=True),
        Column("holdout", Text, primary_key=True),
        Column("is_held_out", Boolean, nullable=False),
        Column("assigned_at", BigInteger, nullable=False),
    )
