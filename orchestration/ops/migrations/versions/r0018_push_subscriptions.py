"""Where browsers take push notices, with the keys to encrypt them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "push_subscriptions",
        Column("device", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("endpoint", "p256dh", "auth")),
        *(Column(name, BigInteger, nullable=False) for name in ("subscribed_at", "seen_at")),
        Column("gone_at", BigInteger),
    )
