"""`regulars tables`: what is published, with the descriptions that travel with it.

Belongs here: the list of tables and the columns of one. Does not belong here: their rows (sql) and
the descriptions themselves, which stand in the models' files.
"""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from typing import Any

from rich.console import Console
from rich.table import Table

from ingestion.errors import UsageError
from orchestration.home.layout import Home
from orchestration.published.reader import open_published

TABLES = """
select schema_name || '.' || table_name as "table", estimated_size as "rows",
       coalesce(comment, '') as "one row per ..."
from duckdb_tables() where schema_name in ('marts', 'segments', 'activity', 'ops')
order by all
"""
COLUMNS = """
select column_name, data_type, coalesce(comment, '')
from duckdb_columns() where schema_name || '.' || table_name = ?
order by column_index
"""
Facts = tuple[Any, ...]
TABLE_FACTS = ("table", "rows", "one row per ...")
COLUMN_FACTS = ("column", "type", "what it is")


def print_tables(home: Home, name: str, out: Console, *, as_json: bool) -> None:
    """All tables, or what one of them holds, column by column.

    Raises:
        UsageError: no such table; those with a similar name.
    """
    if not name:
        _print(TABLE_FACTS, list_tables(home), out, as_json=as_json)
        return
    (table, rows, description), columns = describe(home, name)
    if not as_json:
        out.print(f"{table}, {rows:,} rows. {description}")
    _print(COLUMN_FACTS, columns, out, as_json=as_json)


def list_tables(home: Home) -> list[Facts]:
    """The `TABLE_FACTS` of each published table.

    Raises:
        RegularsError: nothing is published yet.
    """
    with open_published(home) as published:
        return list(published.execute(TABLES).fetchall())


def describe(home: Home, name: str) -> tuple[Facts, list[Facts]]:
    """A table's `TABLE_FACTS`, and the `COLUMN_FACTS` of each of its columns.

    Raises:
        UsageError: no such table; those with a similar name.
        RegularsError: nothing is published yet.
    """
    with open_published(home) as published:
        tables = {row[0]: row for row in published.execute(TABLES).fetchall()}
        table = _named(name.strip(), list(tables))
        return tables[table], published.execute(COLUMNS, [table]).fetchall()


def _named(name: str, tables: list[str]) -> str:
    """The table of that name, with or without its schema."""
    short = {table.partition(".")[2]: table for table in tables}
    known = {**short, **{table: table for table in tables}}
    if table := known.get(name.lower()):
        return table
    close = sorted({known[each] for each in get_close_matches(name.lower(), known, n=5)})
    raise UsageError(
        f"There is no table `{name}`.",
        (f"Did you mean {' or '.join(close)}? " if close else "")
        + "`regulars tables` lists what is there.",
    )


def _print(names: tuple[str, str, str], rows: list[Facts], out: Console, *, as_json: bool) -> None:
    if as_json:
        listed = [dict(zip(names, row, strict=True)) for row in rows]
        sys.stdout.write(json.dumps(listed, ensure_ascii=False, indent=2) + "\n")
        return
    table = Table(*names, header_style="bold")
    for column in table.columns:
        column.overflow = "fold"  # every character of it
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    out.print(table)
