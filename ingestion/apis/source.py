"""API sources: from a declaration and a function that pulls pages to one dlt resource per table.

A source that talks to an API declares its tables like a folder source, its section of the settings,
`pull`, which yields (endpoint, objects) page by page, and `check`, which asks a small question.
Typing, quarantine, duplicates and the conservation law are then the same as for files. The cursor
lives in `state`, which dlt keeps with the load: it moves only when the rows it stands for have
arrived.

Belongs here: the bridge to dlt. Does not belong here: HTTP, any vendor's names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import pyarrow as pa

from ingestion.apis.connection import Check
from ingestion.config import ApiSettings, Settings
from ingestion.errors import AccessDeniedError
from ingestion.landing.batch import RawBatch
from ingestion.landing.fields import TableSpec
from ingestion.landing.intake import Intake
from ingestion.landing.raw_tables import table_resource

Page = tuple[str, list[dict[str, Any]]]
Own = TypeVar("Own", bound=ApiSettings)


@dataclass(frozen=True)
class Pull(Generic[Own]):
    """What a pull may know: the table wanted, its settings, the run's time and its own memory.

    Args:
        table: name of the table to pull.
        settings: the source's own section of the settings.
        as_of: the run's time, UTC without zone.
        state: what earlier runs left here; JSON values only, changed in place.
        remarks: what a person should know of this pull, a sentence each without its full stop.
    """

    table: str
    settings: Own
    as_of: datetime
    state: dict[str, Any]
    remarks: list[str] = field(default_factory=list)


@contextmanager
def left_out_if_denied(request: Pull[Any], *, is_optional: bool) -> Iterator[None]:
    """Leave out what the credentials may not read, with a remark, where a shop can do without it.

    Raises:
        AccessDeniedError: it cannot.
    """
    try:
        yield
    except AccessDeniedError as error:
        if not is_optional:
            raise
        request.remarks.append(error.sentences.rstrip("."))


@dataclass(frozen=True)
class ApiSource(Generic[Own]):
    """A source whose rows come from an API.

    Args:
        name: the source's name; its tables live in schema `raw_<name>`.
        description: what it is, for people.
        tables: its tables.
        settings: the class of its section in the settings; its defaults are a source that is off.
        pull: yields the pages of one table; raises `SourceError` where a page cannot be trusted.
        check: asks the API whether it accepts the credentials, and what they may read; findings
            for `doctor --connect`, without anything the server said.
    """

    name: str
    description: str
    tables: tuple[TableSpec, ...]
    settings: type[Own]
    pull: Callable[[Pull[Own]], Iterator[Page]]
    check: Callable[[Own], list[Check]]

    def own(self, settings: Settings) -> Own:
        """The source's section of the shop's settings."""
        return settings.section(self.name, self.settings)

    def usual_variables(self) -> dict[str, str]:
        """The names of the variables that hold its secrets, by their setting, unless it is told."""
        fields = self.settings.model_fields.items()
        return {name: field.default for name, field in fields if name.endswith("_env")}

    def dlt_source(self, intake: Intake, settings: Settings, as_of: datetime) -> Any:
        """The dlt source: one resource per table, merged on `_row_id`."""
        import dlt

        own = self.own(settings)

        def rows(spec: TableSpec) -> Iterator[Any]:
            state = dlt.current.resource_state(spec.name)
            request = Pull(spec.name, own, as_of, state)
            yield from intake.admit(spec, json_batches(self.pull(request)))
            intake.tallies[spec.name].source_remarks += request.remarks

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
