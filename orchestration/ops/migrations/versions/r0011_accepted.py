"""What a destination accepted and applies later, and what it may have applied out of order."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Text, false, text

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the columns; no destination of an earlier version accepted anything for later."""
    op.add_column("outbox", Column("ticket", Text, nullable=True))
    op.add_column("outbox", Column("accepted_at", BigInteger, nullable=True))
    op.add_column("outbox", Column("consent_receipt_id", Text, nullable=True))
    op.create_index(
        "ix_outbox_ticket",
        "outbox",
        ["destination", "segment"],
        sqlite_where=text("ticket is not null"),
        postgresql_where=text("ticket is not null"),
    )
    op.add_column(
        "audience_states", Column("in_doubt", Boolean, nullable=False, server_default=false())
    )
