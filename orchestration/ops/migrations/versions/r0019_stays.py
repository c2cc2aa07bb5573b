"""Why people entered a segment, why they left it, and when its conditions held no more."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the columns; until now every stay ended when its conditions held no more."""
    op.add_column("segment_memberships", Column("left_at", BigInteger, nullable=True))
    for name in ("programme", "entry_reason", "exit_reason", "goal"):
        op.add_column("segment_memberships", Column(name, Text, nullable=True))
    op.execute("update segment_memberships set left_at = exited_at")
