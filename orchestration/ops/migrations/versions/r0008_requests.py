"""A table of questions: that somebody was asked for a permission."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "consent_requests",
        Column("consent_request_id", Text, primary_key=True),
        Column("identifier_type", Text, nullable=False),
        Column("identifier_value", Text, nullable=False),
        Column("channel", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("occurred_at", BigInteger, nullable=False),
        Column("source", Text, nullable=False),
        Column("wording_version", Text, nullable=True),
        Column("recorded_at", BigInteger, nullable=False),
    )
