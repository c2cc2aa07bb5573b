"""The code of segments in a published file, and whom the code before it makes members of the same
data.

Belongs here: the two tables, writing and reading them. Does not belong here: which code is compared
with which, and running it (orchestration/quality/earlier_code.py); what a plan makes of it
(orchestration/activation/code_effect.py).

The first table holds SQL alone. The second holds only the people whom a change of code concerns, so
it is empty where no code has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import duckdb
import pyarrow as pa

from ingestion.duckdb import has_table, literal, name
from orchestration.home.layout import Home
from orchestration.published.reader import open_published

CODE, EFFECTS = "segment_code", "segment_code_effects"
# How the code of a segment differs from the code that its audiences were last sent by
SAME, CHANGED, NEW = "same", "changed", "new"
FIRST, NOT_RUN = "first", "not_run"
APART = (SAME, CHANGED, NEW)  # of these the effect of the code is known

_COMMENTS = {
    CODE: (
        "One row per segment: the SQL that made it, and the SQL that its audiences were last sent"
        " by; moments that follow the run's as_of stand as {as_of}.",
        {
            "segment": "The segment, without seg_.",
            "code": "The SQL that made it.",
            "earlier_code": "The SQL that its audiences were last sent by; of one that was never"
            " sent, the first that is known. NULL where the segment was not there.",
            "comparison": "same, changed, new (the segment was not there), first (no earlier code"
            " is known), not_run (the earlier code does not run on today's tables).",
        },
    ),
    EFFECTS: (
        "One row per segment and person whom the change of its code concerns: what the earlier code"
        " makes of the same data where that differs from what stands in the segment.",
        {
            "segment": "The segment, without seg_.",
            "customer_id": "The resolved person.",
            "was_member": "Whether the earlier code makes the person a member.",
            "reason": "The reason by the earlier code; NULL where it has none.",
            "context": "The context by the earlier code, JSON; NULL where it has none.",
        },
    ),
}
EFFECT_SHAPE = pa.schema(
    [
        ("segment", pa.string()),
        ("customer_id", pa.string()),
        ("was_member", pa.bool_()),
        ("reason", pa.string()),
        ("context", pa.string()),
    ]
)


@dataclass(frozen=True)
class SegmentCode:
    """The SQL of one segment, the SQL that it is compared with, and how the two differ."""

    segment: str
    code: str
    earlier_code: str | None
    comparison: str


@dataclass(frozen=True)
class ComparedCode:
    """The code of every segment; whom the changes concern, in the shape `EFFECT_SHAPE`."""

    codes: tuple[SegmentCode, ...]
    effects: pa.Table = field(default_factory=EFFECT_SHAPE.empty_table)


def add_segment_code(connection: duckdb.DuckDBPyConnection, compared: ComparedCode) -> None:
    """Write both tables, with their comments, into an open candidate."""
    rows = [vars(each) for each in compared.codes]
    shape = pa.schema([(column, pa.string()) for column in _COMMENTS[CODE][1]])
    connection.execute("create schema if not exists ops")
    for table, content in (
        (CODE, pa.Table.from_pylist(rows, shape)),
        (EFFECTS, compared.effects),
    ):
        connection.register("content", content)
        connection.execute(f"create table ops.{table} as from content order by all")
        connection.unregister("content")
        description, columns = _COMMENTS[table]
        connection.execute(f"comment on table ops.{table} is {literal(description)}")
        for column, words in columns.items():
            connection.execute(f"comment on column ops.{table}.{column} is {literal(words)}")


def codes_of(connection: duckdb.DuckDBPyConnection) -> Mapping[str, SegmentCode]:
    """The code of each segment of an open file; empty for a file that does not say."""
    if not has_table(connection, "ops", CODE):
        return {}
    rows = connection.execute(
        f"select segment, code, earlier_code, comparison from ops.{CODE}"
    ).fetchall()
    return {row[0]: SegmentCode(*row) for row in rows}


def published_codes(home: Home) -> Mapping[str, SegmentCode]:
    """The code of each segment that is published; empty where nothing is, or nothing says."""
    if not home.published.exists():
        return {}
    with open_published(home) as connection:
        return codes_of(connection)


def members_of(
    connection: duckdb.DuckDBPyConnection, segment: str, *, by_earlier_code: bool = False
) -> str:
    """SQL of the members of a segment: its table, or what the earlier code makes of the same data.

    Args:
        connection: the file, opened.
        segment: its name, without seg_.
        by_earlier_code: which of the two; the same where no code has changed.
    """
    table = name("segments", f"seg_{segment}")
    if not (by_earlier_code and has_table(connection, "ops", EFFECTS)):
        return table
    concerned = f"from ops.{EFFECTS} where segment = {literal(segment)}"
    return (
        f"(select customer_id, reason, context from {table}"
        f" where customer_id not in (select customer_id {concerned})"
        f" union all select customer_id, reason, context {concerned} and was_member)"
    )


def as_first(codes: Iterable[SegmentCode]) -> tuple[SegmentCode, ...]:
    """The same with nothing to compare with: the next build compares with these."""
    return tuple(replace(each, earlier_code=each.code, comparison=FIRST) for each in codes)
