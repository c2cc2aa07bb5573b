"""The answer to one question of `regulars sql`, as the text to print: a table or JSON.

Belongs here: asking the file and the layout of what it says. Does not belong here: which file is
asked (`sql`), the process in which that is done (`answering`), what may be asked
(published/reader).
"""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from orchestration.home.layout import Home
from orchestration.published.reader import QueryResult, query_file, query_published

SHOWN = 200


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
    result = ask(Path(file), home, query, None if as_json else SHOWN)
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


def ask(file: Path, home: str, query: str, max_rows: int | None) -> QueryResult:
    """The rows of one question to a home's published file, or where no home is named to `file`."""
    if home:
        return query_published(Home(Path(home)), query, max_rows=max_rows)
    return query_file(file, query, max_rows=max_rows)


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
