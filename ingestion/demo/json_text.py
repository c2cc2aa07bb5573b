"""SQL that writes JSON as text, from a shape of Python dicts and lists.

Belongs here: turning a shape into one SQL expression. Does not belong here: what is written.

DuckDB's `to_json` of nested structs costs several times what one `concat` of the same text does,
and the shop's orders and events are its largest rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingestion.duckdb import literal


@dataclass(frozen=True)
class Word:
    """A text that is the same in every row."""

    value: str


@dataclass(frozen=True)
class Quoted:
    """A text of a row, behind the same beginning in every row: never null, nothing to escape."""

    sql: str
    beginning: str = ""


@dataclass(frozen=True)
class Maybe:
    """A value that leaves nothing behind where it is null, nor its key; never an object's first."""

    sql: str


# A text among shapes is SQL whose value is JSON already, and never null.
Shape = (
    str
    | Word
    | Quoted
    | Maybe
    | bool
    | int
    | float
    | None
    | Mapping[str, "Shape"]
    | Sequence["Shape"]
)


def json_sql(shape: Shape) -> str:
    """One SQL expression whose value is the shape's JSON text.

    Pieces are joined by one `concat`, which is linear in their length as `||` is not.
    """
    joined: list[tuple[bool, str]] = []
    for is_fixed, piece in _pieces(shape):
        if is_fixed and joined and joined[-1][0]:
            joined[-1] = (True, joined[-1][1] + piece)
        else:
            joined.append((is_fixed, piece))
    sql = [literal(piece) if is_fixed else piece for is_fixed, piece in joined]
    return sql[0] if len(sql) == 1 else f"concat({', '.join(sql)})"


def text(sql: str) -> str:
    """Any text or a null, as JSON."""
    return f"coalesce(to_json({sql})::text, 'null')"


def when(condition: str, shape: Shape, otherwise: Shape = None) -> str:
    """The shape where the condition holds, and else another."""
    return f"case when {condition} then {json_sql(shape)} else {json_sql(otherwise)} end"


def rows(shape: Shape, order: str, condition: str = "true") -> str:
    """An aggregate: an array of the shape of each row for which the condition holds."""
    listed = f"string_agg({json_sql(shape)}, ',' order by {order}) filter (where {condition})"
    return f"'[' || coalesce({listed}, '') || ']'"


def _pieces(shape: Shape) -> Iterator[tuple[bool, str]]:
    """Whether each piece is the same in every row, and the piece itself or its SQL."""
    if isinstance(shape, str):
        yield False, shape
    elif isinstance(shape, Quoted):
        yield True, f'"{shape.beginning}'
        yield False, shape.sql
        yield True, '"'
    elif isinstance(shape, Word):
        yield True, json.dumps(shape.value, ensure_ascii=False)
    elif isinstance(shape, Mapping):
        for index, (key, value) in enumerate(shape.items()):
            start = f"{',' if index else '{'}{json.dumps(key)}:"
            if isinstance(value, Maybe):
                yield False, f"coalesce({literal(start)} || to_json({value.sql})::text, '')"
            else:
                yield True, start
                yield from _pieces(value)
        yield True, "}" if shape else "{}"
    elif isinstance(shape, Sequence):
        for index, value in enumerate(shape):
            yield True, "," if index else "["
            yield from _pieces(value)
        yield True, "]" if shape else "[]"
    else:
        yield True, json.dumps(shape)
