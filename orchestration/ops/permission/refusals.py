"""Refusals that others know of, as suppressions: of destinations, and of a restored home.

Belongs here: the fact made of such a statement, leaving out whoever is forgotten, appending. Does
not belong here: asking (`orchestration.activation.withdrawals`, `orchestration.backup`), reading
sources (`consent_facts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from orchestration.ops.permission.consents import append_facts, receipt_id
from orchestration.ops.store import to_micros
from orchestration.ops.tombstones import forgotten_among

Fact = Mapping[str, Any]
WHO = ("identifier_type", "identifier_value", "channel", "purpose")


def suppression(refusal: Fact, source: str, at: datetime) -> Fact:
    """The row of a refusal; the same statement always has the same id.

    Args:
        refusal: who (`WHO`), `reason`, and `occurred_at` in naive UTC.
        source: who says so.
        at: when we heard of it.
    """
    fact = {
        **{name: refusal[name] for name in WHO},
        "reason": refusal["reason"],
        "occurred_at": to_micros(refusal["occurred_at"]),
        "source": source,
    }
    receipt = receipt_id("suppression", *(str(value) for value in fact.values()))
    return {"suppression_id": receipt, **fact, "recorded_at": to_micros(at)}


def without_forgotten(connection: Connection, rows: Sequence[Fact]) -> list[Fact]:
    """The rows of whoever is not forgotten."""
    keys = {(row["identifier_type"], row["identifier_value"]) for row in rows}
    gone = forgotten_among(connection, keys)
    return [row for row in rows if (row["identifier_type"], row["identifier_value"]) not in gone]


def record_refusals(
    connection: Connection, refusals: Iterable[Fact], source: str, at: datetime
) -> int:
    """Append refusals in the caller's transaction; how many were new."""
    rows = without_forgotten(connection, [suppression(each, source, at) for each in refusals])
    return append_facts(connection, (), rows)[1]
