"""When destinations were called, and until when they asked to be left alone."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "destination_calls",
        Column("destination", Text, primary_key=True),
        Column("called_at", BigInteger, primary_key=True),
    )
    op.create_table(
        "destination_pauses",
        Column("destination", Text, primary_key=True),
        Column("paused_until", BigInteger, nullable=False),
        Column("asked_at", BigInteger, nullable=False),
    )
