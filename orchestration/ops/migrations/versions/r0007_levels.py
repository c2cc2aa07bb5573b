"""How far a permission to personalise goes: none, segment or full."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; earlier permissions were given without a level."""
    op.add_column("consent_events", Column("level", Text, nullable=True))
