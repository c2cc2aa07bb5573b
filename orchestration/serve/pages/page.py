"""What a page is: its name, its addresses, and what each of them shows.

Belongs here: the shapes that every page has. Does not belong here: any page, and HTTP (`site`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

import duckdb

from ingestion.config import Settings
from ingestion.errors import RegularsError
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home
from orchestration.report.figures import Build
from orchestration.run.run import clock
from orchestration.serve.pages.queries import Row, ask

ROWS = 50  # of a list that goes on on a next page


class MissingError(RegularsError):
    """There is nothing of that name."""


class ElsewhereError(Exception):
    """The answer stands at another address."""

    def __init__(self, path: str) -> None:
        """Keep the address."""
        self.path = path
        super().__init__(path)


@dataclass(frozen=True)
class Part:
    """A part of a list: `number` of `of` parts, each of `ROWS` rows; `total` rows in all."""

    number: int
    total: int

    @property
    def of(self) -> int:
        """How many parts there are; at least one."""
        return max(ceil(self.total / ROWS), 1)

    @property
    def offset(self) -> int:
        """How many rows come before."""
        return (self.number - 1) * ROWS


@dataclass(frozen=True)
class Asked:
    """One question: the build that answers it, and what the address says.

    `parameters`: of path and query. `missing`: queries that this build has no tables for.
    """

    connection: duckdb.DuckDBPyConnection
    build: Build
    home: Home
    settings: Settings
    parameters: Mapping[str, str] = field(default_factory=dict)
    is_masked: bool = False
    may_edit: bool = False
    missing: list[str] = field(default_factory=list)

    def rows(self, query: str, *, table: str = "", **values: Any) -> list[Row]:
        """The rows of a query; none where the build has no such table, which the page then says."""
        rows = ask(self.connection, query, table=table, **values)
        if rows is None:
            self.missing.append(query)
        return rows or []

    def row(self, query: str, **values: Any) -> Row:
        """The only row of a query; empty where there is none."""
        return next(iter(self.rows(query, **values)), {})

    def part(self, total: int) -> Part:
        """The part of a list that is asked for by `part`; the nearest that there is."""
        text = self.parameters.get("part", "1")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
        return Part(min(max(number, 1), Part(1, total).of), total)

    @property
    def now(self) -> datetime:
        """The moment, naive UTC; that of the pretend shop is the build's."""
        return self.build.as_of if is_demo(self.home) else clock()


@dataclass(frozen=True)
class Document:
    """An answer that is no page of ours: a file to keep, or a document with a style of its own.

    `name`: of the file to keep; none where it is shown.
    """

    content: bytes
    media_type: str
    name: str = ""


@dataclass(frozen=True)
class View:
    """One address. `read` gives the template what it shows, or a document in its place.

    Raises of `read`: RegularsError, which is answered with its sentences.
    """

    path: str
    template: str
    read: Callable[[Asked], Mapping[str, object] | Document]


@dataclass(frozen=True)
class Change:
    """What was posted by an editor: the fields of the form, and who it is, for the record."""

    home: Home
    settings: Settings
    fields: Mapping[str, str]
    by: str
    is_masked: bool = False


@dataclass(frozen=True)
class Form:
    """An address that changes something or hands personal data out.

    `command`: as at the terminal, for the record. `fields`: the form's, exactly; those of `about`
    are recorded, so none of them names a person. `do` makes the change.
    """

    path: str
    template: str
    command: str
    fields: Sequence[str]
    do: Callable[[Change], Mapping[str, object] | Document]
    about: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """One page. `path`: its first address, for the menu."""

    title: str
    path: str
    views: Sequence[View]
    forms: Sequence[Form] = ()
