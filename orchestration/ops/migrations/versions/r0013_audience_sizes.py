"""What destinations said they have, beside what the ledger knew."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0013"
down_revision = "0012"

COUNTS = ("held_count", "ledger_count", "missing_count", "surplus_count")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "audience_sizes",
        Column("destination", Text, primary_key=True),
        Column("segment", Text, primary_key=True),
        Column("asked_at", BigInteger, primary_key=True),
        *(Column(name, BigInteger, nullable=False, server_default="0") for name in COUNTS),
    )
