"""API sources: from a declaration and a function that pulls pages to one dlt resource per table.

A source that talks to an API declares its tables like a folder source and gives `pull`, which
yields (endpoint, objects) page by page. Typing, quarantine, duplicates and the conservation law
are then the same as for files. The cursor lives in `state`, which dlt keeps with the load: it
moves only when the rows it stands for have arrived.

Belongs here: the bridge to dlt. Does not belong here: HTTP, any vendor's names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dlt
import pyarrow as pa

from ingestion.config import Settings
from ingestion.landing.batch import RawBatch
from ingestion.landing.fields import TableSpec
from ingestion.landing.intake import Intake
from ingestion.landing.raw_tables import table_resource

Page = tuple[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Pull:
    """What a pull may know: the table wanted, the settings, the run's time and its own memory.

    Args:
        table: name of the table to pull.
        settings: the shop's settings.
        as_of: the run's time, UTC without zone.
        state: what earlier runs left here; JSON values only, changed in place.
    """

    table: str
    settings: Settings
    as_of: datetime
    state: dict[str, Any]


@dataclass(frozen=True)
class ApiSource:
    """A source whose rows come from an API.

    Args:
        name: the source's name; its tables live in schema `raw_<name>`.
        description: what it is, for people.
        tables: its tables.
        pull: yields the pages of one table; raises `SourceError` where a page cannot be trusted.
    """

    name: str
    description: str
    tables: tuple[TableSpec, ...]
    pull: Callable[[Pull], Iterator[Page]]

    def dlt_source(self, intake: Intake, settings: Settings, as_of: datetime) -> Any:
        """The dlt source: one resource per table, merged on `_row_id`."""

        def rows(spec: TableSpec) -> Iterator[Any]:
            state = dlt.current.resource_state(spec.name)
            pages = self.pull(Pull(spec.name, settings, as_of, state))
            yield from intake.admit(spec, json_batches(pages))

        resources = [table_resource(spec, rows(spec)) for spec in self.tables]
        return dlt.source(lambda: resources, name=self.name)()


def json_batches(
    pages: Iterable[tuple[str, list[dict[str, Any]]]], per_batch: int = 50_000
) -> Iterator[RawBatch]:
    """Objects pulled from an API as batches; each page is (endpoint, objects).

    The endpoint stands as `_file` beside the row, the position in the pull as `_line`.
    """
    files: list[str] = []
    texts: list[str] = []
    line = 0
    for endpoint, objects in pages:
        files += [endpoint] * len(objects)
        texts += [json.dumps(item, ensure_ascii=False, sort_keys=True) for item in objects]
        if len(texts) >= per_batch:
            yield _api_batch(files, texts, line)
            line += len(texts)
            files, texts = [], []
    if texts:
        yield _api_batch(files, texts, line)


def _api_batch(files: list[str], texts: list[str], line: int) -> RawBatch:
    numbers = pa.array(range(line + 1, line + 1 + len(texts)), pa.int64())
    table = {"_file": files, "_line": numbers, "_raw": pa.array(texts, pa.large_string())}
    return RawBatch(pa.table(table))
