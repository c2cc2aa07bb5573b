"""A table of what people said of rows of unknown fate."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "resolutions",
        Column("idempotency_key", Text, ForeignKey("outbox.idempotency_key"), primary_key=True),
        Column("attempt", BigInteger, primary_key=True),
        Column("answer", Text, nullable=False),
        Column("decided_by", Text, nullable=False),
        Column("decided_at", BigInteger, nullable=False),
    )
