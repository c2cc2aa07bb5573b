"""The queries behind the pages: one file of `sql/` each, by its name.

Belongs here: finding and asking them. Does not belong here: what a page makes of the rows.

The comment that a file begins with says what it answers. Values are bound by name (`$segment`);
`{table}` stands for a segment's own table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from ingestion.duckdb import dicts

FOLDER = Path(__file__).parent / "sql"
Row = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """One query. `about`: what it answers."""

    name: str
    about: str
    sql: str


@cache
def queries() -> dict[str, Query]:
    """All of them by name."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.sql"))}


def ask(
    connection: duckdb.DuckDBPyConnection, name: str, *, table: str = "", **values: Any
) -> list[Row] | None:
    """The rows of a query; None where the build has no such table or column.

    Args:
        connection: the build.
        name: of the query.
        table: what `{table}` stands for, quoted.
        values: by their names in the query.
    """
    sql = queries()[name].sql
    try:
        return dicts(connection.execute(sql.replace("{table}", table), values or None))
    except (duckdb.CatalogException, duckdb.BinderException):
        return None  # a build of an earlier version


def _read(path: Path) -> Query:
    lines = path.read_text("utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    about = " ".join(line.removeprefix("--").strip() for line in lines[:first])
    return Query(path.stem, about, "\n".join(lines[first:]).strip())
