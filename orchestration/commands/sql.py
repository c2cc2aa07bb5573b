"""`regulars sql`: a question to the published file, answered as a table or JSON.

Belongs here: which file is asked, and the layout of an answer. Does not belong here: what may be
asked (published/reader), what a masked copy has (published/masked).
"""

from __future__ import annotations

import json
import re
import sys
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from orchestration.commands.answering import answer_apart
from orchestration.commands.tables import TABLES
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from orchestration.ops.tombstones import Hasher
from orchestration.published.masked import masked_copy
from orchestration.published.reader import (
    QueryResult,
    not_published,
    query_file,
    query_published,
    require_question,
)

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
    require_question(query)
    if not home.published.exists():
        raise not_published(home)
    file = masked_copy(home, _masking_key(home)) if masked else home.published
    text = answer_apart(
        {
            "file": str(file),
            "home": "" if masked else str(home.root),
            "query": query,
            "as_json": as_json,
            "width": out.width,
            "colour": out.color_system if out.is_terminal else None,
        }
    )
    (sys.stdout if as_json else out.file).write(text)


def answer(
    file: str, home: str, query: str, *, as_json: bool, width: int, colour: str | None
) -> str:
    """The text to print; asked in the process that can do nothing else (`answering`).

    Args:
        file: what is asked.
        home: whose published file that is; empty for a masked copy.
        query: one read-only statement.
        as_json: all rows as JSON, else a table of the first ones.
        width: of the page, in characters.
        colour: the terminal's, as rich names it; None for none.
    """
    rows = None if as_json else SHOWN
    result = (
        query_published(Home(Path(home)), query, max_rows=rows)
        if home
        else query_file(Path(file), query, max_rows=rows)
    )
    if as_json:
        return _as_json(result) + "\n"
    out = Console(
        file=StringIO(),
        width=width,
        markup=False,
        highlight=False,
        soft_wrap=True,
        force_terminal=colour is not None,
        color_system=colour,  # type: ignore[arg-type]
    )
    with out.capture() as page:
        out.print(_as_table(result))
        if result.truncated:
            out.print(f"Only the first {SHOWN} rows are shown; add a LIMIT or use --json.")
    return page.get()


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
