"""Small boards for the scorecard's tests: a truth, a found partition, some records.

Belongs here: filling the tables that measures and rivals read. Does not belong here: assertions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.vocabulary import IDENTIFIER_TYPES
from orchestration.scorecard import inputs, measures
from orchestration.scorecard.rivals import Rival

_ROW_COLUMNS = (
    "person integer, identifier_type varchar, identifier_value varchar, value integer,"
    " evidence integer, trouble varchar, is_exclusive boolean"
)


@dataclass(frozen=True)
class Own:
    """A person's identifier in the truth; `evidence` is theirs alone, counted from 0."""

    person: int
    value: str
    trouble: str = "none"
    evidence: int = 0
    is_shared: bool = False
    type: str = "email"


def fill(board: Any, owns: Sequence[Own], found: Mapping[str, str | None]) -> None:
    """Put truth and found on the board, keyed by the value alone, and tabulate."""
    names = sorted({own.value for own in owns})
    owners = {name: {own.person for own in owns if own.value == name} for name in names}
    board.execute(f"create or replace temp table truth ({_ROW_COLUMNS})")
    rows = [
        (
            *(own.person, own.type, own.value, names.index(own.value) + 1),
            own.person * 100 + own.evidence,
            own.trouble,
            not own.is_shared and len(owners[own.value]) == 1,
        )
        for own in owns
    ]
    if rows:
        board.executemany("insert into truth values (?, ?, ?, ?, ?, ?, ?)", rows)
    types = {own.value: own.type for own in owns}
    write_bridge(
        board, "found", [(types.get(name, "email"), name, who) for name, who in found.items()]
    )
    measures.tabulate(board)


def write_bridge(board: Any, name: str, rows: Iterable[tuple[str, str, str | None]]) -> None:
    board.execute(
        f"create or replace temp table {name}"
        " (identifier_type varchar, identifier_value varchar, customer_id varchar)"
    )
    if rows := list(rows):
        board.executemany(f"insert into {name} values (?, ?, ?)", rows)


def tell(board: Any, records: Sequence[Mapping[str, str]]) -> None:
    """Put records on the board, in time order; each maps identifier types to values."""
    keys: dict[tuple[str, str], int] = {}
    for record in records:
        for item in record.items():
            keys.setdefault(item, len(keys) + 1)
    columns = ", ".join(f"{name} bigint" for name in IDENTIFIER_TYPES)
    board.execute(
        f"create or replace temp table records (record bigint, last_seen_at timestamp, {columns})"
    )
    for number, record in enumerate(records, start=1):
        values = [keys[name, record[name]] if name in record else None for name in IDENTIFIER_TYPES]
        marks = ", ".join("?" * len(values))
        board.execute(
            f"insert into records values"
            f" ({number}, timestamp '2026-01-01' + interval {number} hour, {marks})",
            values,
        )
    board.execute(
        "create or replace temp table identifiers"
        " (identifier bigint, identifier_type varchar, identifier_value varchar)"
    )
    board.executemany(
        "insert into identifiers values (?, ?, ?)", [(key, *item) for item, key in keys.items()]
    )
    inputs.list_sightings(board)


def groups(board: Any, rival: Rival) -> set[frozenset[str]]:
    """The values that the rule gives to one customer each."""
    from orchestration.scorecard.rivals import find

    find(board, rival)
    return {
        frozenset(values)
        for (values,) in board.execute(
            "select list(identifier_value) from found group by customer_id"
        ).fetchall()
    }
