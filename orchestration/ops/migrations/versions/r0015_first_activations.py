"""When each pair was synced first, so that a segment that begins to be sent has a baseline.

Of pairs that were synced before, what was published then is left open: nobody is their baseline,
and what they sent goes on.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0015"
down_revision = "0013"


def upgrade() -> None:
    """Add the table, with the pairs there are."""
    op.create_table(
        "first_activations",
        Column("destination", Text, primary_key=True),
        Column("segment", Text, primary_key=True),
        Column("as_of", BigInteger),
        Column("activated_at", BigInteger, nullable=False),
    )
    op.execute(
        "insert into first_activations (destination, segment, activated_at)"
        " select destination, segment, min(started_at) from sync_runs"
        " group by destination, segment"
    )
