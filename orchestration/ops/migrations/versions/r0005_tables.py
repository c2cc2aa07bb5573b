"""The tables as they were when migrations began, whichever earlier version a store has.

Versions 1 to 5 only added tables, and columns with a default; one of them added a table without a
number of its own. So whatever is missing is added, and a store without anything gets all of it.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, inspect, text

revision = "0005"
down_revision = None

TABLES = Path(__file__).with_suffix(".sql").read_text("utf-8")
ADDED = (
    ("run_sources", "values_emptied", BigInteger(), "0"),
    ("outbox", "in_doubt", Boolean(), "false"),
)


def upgrade() -> None:
    """Create what is missing; a version before migrations began then refuses the store."""
    present = set(inspect(op.get_bind()).get_table_names())
    for statement in filter(None, map(str.strip, TABLES.split(";"))):
        op.execute(statement)
    for table, column, kind, default in ADDED:
        if table in present and column not in _columns(table):
            added = Column(column, kind, nullable=False, server_default=text(default))
            op.add_column(table, added)
    op.execute("delete from meta where key = 'schema_version'")
    op.execute("insert into meta (key, value) values ('schema_version', '6')")


def _columns(table: str) -> set[str]:
    return {column["name"] for column in inspect(op.get_bind()).get_columns(table)}
