"""Who ran what, and who was refused it."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "commands",
        Column("command_id", Text, primary_key=True),
        Column("command", Text, nullable=False),
        Column("about", Text),
        *(
            Column(name, Text, nullable=False)
            for name in ("run_by", "role", "interface", "outcome")
        ),
        Column("run_at", BigInteger, nullable=False),
    )
