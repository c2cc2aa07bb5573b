"""What the segments' own files say that a site shows their members: slots and a landing page.

Belongs here: reading it from the published file, again after each run. Does not belong here: what
the settings say of it (`destinations.onsite`), who is a member.

Data flow: marts.dim_segments -> contents in order of priority.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import duckdb

from ingestion.duckdb import has_column
from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.published.reader import open_published


class DeclaredContent(NamedTuple):
    """What members of a segment are shown: the key of a landing page, and of each slot."""

    segment: str
    landing_page: str | None
    slots: dict[str, str]


def content_in_words(landing_page: str | None, slots: Mapping[str, str]) -> str:
    """ "landing page: club, hero: thanks"; empty where nothing is said."""
    pages = [f"landing page: {landing_page}"] if landing_page else []
    return ", ".join([*pages, *(f"{slot}: {key}" for slot, key in sorted(slots.items()))])


def read_content(connection: duckdb.DuckDBPyConnection) -> tuple[DeclaredContent, ...]:
    """Of each segment that says something, the lowest priority first; none of an older file."""
    if not has_column(connection, "marts", "dim_segments", "slots"):
        return ()
    rows = connection.execute(
        "select segment, landing_page, slots from marts.dim_segments"
        " where landing_page is not null or slots <> '{}' order by priority, segment"
    ).fetchall()
    return tuple(DeclaredContent(segment, page, json.loads(slots)) for segment, page, slots in rows)


@dataclass
class PublishedContent:
    """The same of a home, read once for each published file."""

    home: Home
    _version: tuple[int, int] | None = field(default=None, init=False)
    _content: tuple[DeclaredContent, ...] = field(default=(), init=False)

    def read(self) -> tuple[DeclaredContent, ...]:
        """What is published now; nothing where nothing is, or where it cannot be read."""
        version = _version_of(self.home)
        if version != self._version:
            try:
                with open_published(self.home) as connection:
                    content = read_content(connection)
            except RegularsError:
                content = ()
            self._version, self._content = version, content
        return self._content


def _version_of(home: Home) -> tuple[int, int] | None:
    """What differs after each swap of the file; None where there is none."""
    try:
        status = home.published.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
