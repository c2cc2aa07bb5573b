"""Which refusals destinations were told of, and which wait."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "withdrawals_written",
        Column("destination", Text, primary_key=True),
        Column("channel", Text, primary_key=True),
        Column("refusal_id", Text, primary_key=True),
        Column("reason", Text, nullable=False),
        Column("refused_at", BigInteger, nullable=False),
        Column("state", Text, nullable=False),
        Column("answer", Text, nullable=False),
        Column("attempts", BigInteger, nullable=False, server_default="0"),
        Column("first_tried_at", BigInteger, nullable=False),
        Column("last_tried_at", BigInteger, nullable=False),
        Column("done_at", BigInteger),
    )
