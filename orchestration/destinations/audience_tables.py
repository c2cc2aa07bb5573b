"""The tables of the `sql` destination: what they are, making them, and telling what became of them.

| table | one row per | why |
|---|---|---|
| `regulars_audience_members` | destination, segment, member | read by whoever wants audiences |
| `…_versions` | destination, segment, person ever sent | an older row changes nothing |
| `…_columns` | column that was made here | one that was renamed is not made anew |

Belongs here: the shape of the tables. Does not belong here: what is written into them (`sql`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from ingestion.errors import RegularsError

MEMBERS = "regulars_audience_members"
OURS = ("destination", "segment", "customer_id", "version", "sync_started_at")
IN_PAYLOAD = ("customer_id", "segment")  # of ours, those that a payload says as well
_KEY = sa.String(200)


@dataclass(frozen=True)
class AudienceTables:
    """The three tables, with a column for each field of a payload."""

    members: sa.Table
    versions: sa.Table
    columns: sa.Table
    fields: tuple[str, ...]


class DriftError(RegularsError):
    """The tables are not as they were made; nothing was written."""


def audience_tables(members_table: str, columns: Sequence[str]) -> AudienceTables:
    """The tables as they should be.

    Args:
        members_table: name of the members' table, perhaps with its schema before it
            (`schema.table`); the names of the others begin with it.
        columns: of a batch.

    Raises:
        RegularsError: a field has the name of a column of ours.
    """
    schema, _, name = members_table.rpartition(".")
    fields = tuple(column for column in columns if column not in IN_PAYLOAD)
    taken = sorted(set(fields) & set(OURS))
    if taken:
        raise RegularsError(
            f"The column {taken[0]!r} of {name} is ours, and a trait has that name.",
            "Give the trait another name, or take it out of the destination's `columns`.",
        )
    metadata = sa.MetaData(schema=schema or None)
    members = sa.Table(
        name,
        metadata,
        *_keys(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("sync_started_at", sa.DateTime, nullable=False),
        *(sa.Column(field, sa.Text) for field in fields),
    )
    versions = sa.Table(
        f"{name}_versions",
        metadata,
        *_keys(),
        sa.Column("sync_started_us", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("is_member", sa.Boolean, nullable=False),
    )
    made = sa.Table(
        f"{name}_columns", metadata, sa.Column("column_name", sa.String(200), primary_key=True)
    )
    return AudienceTables(members, versions, made, fields)


def exist(connection: sa.Connection, tables: AudienceTables) -> bool:
    """Whether the members' table is there."""
    return sa.inspect(connection).has_table(tables.members.name, schema=tables.members.schema)


def prepare(connection: sa.Connection, tables: AudienceTables) -> None:
    """Make what is missing: the tables, and a column for each new field.

    Raises:
        DriftError: a table or a column is there and is not as it was made.
    """
    was_there = exist(connection, tables)
    tables.members.metadata.create_all(connection)
    made = _listed(connection, tables)
    if was_there:
        new = _new_columns(connection, tables, made)
        operations = Operations(MigrationContext.configure(connection))
        for field in new:
            operations.add_column(
                tables.members.name, sa.Column(field, sa.Text), schema=tables.members.schema
            )
    unlisted = [field for field in tables.fields if field not in made]
    if unlisted:
        connection.execute(
            sa.insert(tables.columns), [{"column_name": field} for field in unlisted]
        )


def written_fields(connection: sa.Connection, tables: AudienceTables) -> tuple[str, ...]:
    """The fields that were ever written and still have a column, in order."""
    if not exist(connection, tables):
        return ()
    there = {
        column["name"]
        for column in sa.inspect(connection).get_columns(
            tables.members.name, schema=tables.members.schema
        )
    }
    return tuple(sorted(_listed(connection, tables) & there))


def _listed(connection: sa.Connection, tables: AudienceTables) -> set[str]:
    return {str(row[0]) for row in connection.execute(sa.select(tables.columns.c.column_name))}


def _new_columns(connection: sa.Connection, tables: AudienceTables, made: set[str]) -> list[str]:
    """The fields that have no column yet, if all others are as they were made."""
    members = tables.members
    there = {
        str(column["name"]): column
        for column in sa.inspect(connection).get_columns(members.name, schema=members.schema)
    }
    lost = [name for name in OURS if name not in there]
    if lost:
        raise DriftError(
            f"The table {members.name} has no column {lost[0]!r}; Regulars did not make it so.",
            "Give the destination another `table`, or take that one away.",
        )
    renamed = [field for field in tables.fields if field in made and field not in there]
    if renamed:
        raise DriftError(
            f"The table {members.name} has no column {renamed[0]!r} any more.",
            f"Give it its name back; or delete the name from {tables.columns.name}, and it is made"
            " anew.",
        )
    for name, column in there.items():
        if name in tables.fields and not isinstance(column["type"], sa.String):
            raise DriftError(
                f"The column {name!r} of {members.name} is no text.",
                "Change it back to text; a view may give it another type.",
            )
        is_strange = name not in OURS and name not in tables.fields and name not in made
        if is_strange and not column["nullable"] and column.get("default") is None:
            raise DriftError(
                f"The column {name!r} of {members.name} must be filled, and Regulars has nothing"
                " for it.",
                "Let it be empty, or give it a default.",
            )
    return [field for field in tables.fields if field not in there]


def _keys() -> list[sa.Column[str]]:
    return [
        sa.Column(name, _KEY, primary_key=True)
        for name in ("destination", "segment", "customer_id")
    ]
