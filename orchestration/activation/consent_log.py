"""Everything the store knows of permission, as one CSV file.

Belongs here: the file's columns and how it gets to disk. Does not belong here: single permissions
(`orchestration.ops.permission.consents`) or what they amount to (`gate`).

The file has the columns of `consents/` in docs/formats.md, so another home reads it as its input;
a suppression stands in it with its reason as its status. `fact`, `recorded_at` and `receipt` are
told beside them and read by nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Select, literal, null, select

from ingestion.errors import UsageError
from orchestration.destinations.base import Payload
from orchestration.destinations.tables import write_table
from orchestration.home.whole_file import whole_file
from orchestration.ops import schema
from orchestration.ops.store import Store, from_micros

COLUMNS = (
    *("identifier_type", "identifier_value", "channel", "purpose", "level", "status"),
    *("occurred_at", "source", "wording_version", "expires_at", "proof", "lawful_basis"),
    *("fact", "recorded_at", "receipt"),
)
_TIMES = ("occurred_at", "expires_at", "recorded_at")


def write_consent_log(store: Store, path: Path) -> dict[str, int]:
    """Write all consent events, suppressions and questions to `path`; returns the rows of each.

    The file is readable by its owner alone, and there whole or not at all.

    Raises:
        UsageError: there is such a file already, or none can be written there.
    """
    if path.exists():
        raise UsageError(f"{path} is there already.", "Name another file, or move that one away.")
    counts = dict.fromkeys(_QUERIES, 0)
    try:
        with whole_file(path) as stream, store.read() as connection:
            write_table(stream, "csv", COLUMNS, _rows(connection, counts))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}).", "Name a file in a folder of yours."
        ) from error
    return counts


def _rows(connection: Connection, counts: dict[str, int]) -> Iterator[Payload]:
    """The rows of all tables, each in the order of time and receipt; `counts` grows with them."""
    for name, query in _QUERIES.items():
        for row in connection.execute(query()).mappings():
            counts[name] += 1
            yield {**row, **{time: _written(row[time]) for time in _TIMES}}


def _consents() -> Select[tuple[object, ...]]:
    table = schema.consent_events.c
    return select(
        *(table[column] for column in COLUMNS[: COLUMNS.index("fact")]),
        literal("consent").label("fact"),
        table.recorded_at,
        table.consent_event_id.label("receipt"),
    ).order_by(table.occurred_at, table.consent_event_id)


def _suppressions() -> Select[tuple[object, ...]]:
    table = schema.suppressions.c
    absent = ("level", "wording_version", "expires_at", "proof", "lawful_basis")
    return select(
        *(table[column] for column in COLUMNS[:4]),
        table.reason.label("status"),
        table.occurred_at,
        table.source,
        *(null().label(column) for column in absent),
        literal("suppression").label("fact"),
        table.recorded_at,
        table.suppression_id.label("receipt"),
    ).order_by(table.occurred_at, table.suppression_id)


def _requests() -> Select[tuple[object, ...]]:
    table = schema.consent_requests.c
    absent = ("expires_at", "proof", "lawful_basis")
    return select(
        *(table[column] for column in COLUMNS[:4]),
        null().label("level"),
        literal("requested").label("status"),
        table.occurred_at,
        table.source,
        table.wording_version,
        *(null().label(column) for column in absent),
        literal("request").label("fact"),
        table.recorded_at,
        table.consent_request_id.label("receipt"),
    ).order_by(table.occurred_at, table.consent_request_id)


_QUERIES = {"consents": _consents, "suppressions": _suppressions, "requests": _requests}


def _written(micros: int | None) -> str | None:
    if micros is None:
        return None
    return f"{from_micros(micros).isoformat(timespec='microseconds')}Z"
