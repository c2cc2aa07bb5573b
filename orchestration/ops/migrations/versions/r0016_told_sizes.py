"""Sizes that destinations tell without saying who it is, and the share that they matched."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column

revision = "0016"
down_revision = "0015"

MAY_BE_UNKNOWN = ("held_count", "missing_count", "surplus_count")


def upgrade() -> None:
    """Let counts be unknown, and add the share."""
    with op.batch_alter_table("audience_sizes") as table:
        for name in MAY_BE_UNKNOWN:
            table.alter_column(name, existing_type=BigInteger, nullable=True, server_default=None)
        table.add_column(Column("matched_percent", BigInteger, nullable=True))
