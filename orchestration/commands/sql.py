"""`regulars sql`: a question to the published file, answered as a table or JSON.

Belongs here: which file is asked, and the layout of an answer. Does not belong here: what may be
asked (published/reader), what a masked copy has (published/masked).
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from orchestration.commands.tables import TABLES
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from orchestration.ops.tombstones import Hasher
from orchestration.published.masked import masked_copy
from orchestration.published.reader import QueryResult, query_file, query_published

SHOWN = 200
# DuckDB's own answer names the tables of one schema, and none stands there.
_SHOW_TABLES = re.compile(r"\s*show\s+tables\s*;?\s*", re.IGNORECASE)


def print_query(
    home: Home, query: str, out: Console, *, as_json: bool, masked: bool = False
) -> None:
    """Answer `query`, or list the tables when it is empty or asks for them.

    Args:
        home: the shop's home.
        query: one read-only statement.
        out: where to print.
        as_json: print JSON, whole.
        masked: ask the copy without personal data instead of the published file.
    """
    if not query or _SHOW_TABLES.fullmatch(query):
        query = TABLES
    rows = None if as_json else SHOWN
    result = (
        query_file(masked_copy(home, _masking_key(home)), query, max_rows=rows)
        if masked
        else query_published(home, query, max_rows=rows)
    )
    if as_json:
        sys.stdout.write(_as_json(result) + "\n")
    else:
        out.print(_as_table(result))
        if result.truncated:
            out.print(f"Only the first {SHOWN} rows are shown; add a LIMIT or use --json.")


def _masking_key(home: Home) -> str:
    """What identifiers of a masked copy are hashed with: the home's own, and no tombstone's."""
    with open_store(home) as store, store.read() as connection:
        return Hasher(connection).other("masked copy")


def _as_table(result: QueryResult) -> Table:
    table = Table(header_style="bold")
    for number, name in enumerate(result.columns):
        sample = result.rows[0][number] if result.rows else None
        justify: Literal["right", "left"] = "right" if _is_number(sample) else "left"
        table.add_column(name, justify=justify, overflow="fold")  # every character of it
    for row in result.rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    return table


def _as_json(result: QueryResult) -> str:
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    return json.dumps(rows, default=str, ensure_ascii=False, indent=2)


def _is_number(value: Any) -> bool:
    return (not isinstance(value, bool) and isinstance(value, int | float)) or _is_decimal(value)


def _is_decimal(value: Any) -> bool:
    return type(value).__name__ == "Decimal"
