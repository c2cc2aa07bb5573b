"""Stays that began or ended after the moment of what is published, as pulses recorded them.

Belongs here: whose, for plans that read the published file, and which of two records of one stay
counts once a run has published its own. Does not belong here: recording them
(orchestration/activation/pulse), stays of runs (commit.py).

A run records stays at its own moment, so any other moment is a pulse's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, select

from orchestration.ops import schema
from orchestration.ops.store import to_micros

_stays = schema.segment_memberships


@dataclass(frozen=True)
class LaterStays:
    """Who entered a segment and is there, and who left it and is not."""

    entered: frozenset[str]
    left: frozenset[str]


def later_stays(connection: Connection, segment: str, as_of: datetime) -> LaterStays:
    """What pulses recorded of a segment after a moment."""
    moment, runs = to_micros(as_of), _moments_of_runs()
    of_segment = select(_stays.c.customer_id).where(_stays.c.segment == segment)
    began = of_segment.where(
        _stays.c.entered_at > moment,
        _stays.c.left_at.is_(None),
        _stays.c.entered_at.not_in(runs),
    )
    ended = of_segment.where(_stays.c.left_at > moment, _stays.c.left_at.not_in(runs))
    entered = frozenset[str](connection.execute(began).scalars())
    there = frozenset[str](
        connection.execute(of_segment.where(_stays.c.left_at.is_(None))).scalars()
    )
    gone = frozenset[str](connection.execute(ended).scalars())
    return LaterStays(entered, gone - there)


def later_ends(connection: Connection, as_of: datetime) -> list[dict[str, Any]]:
    """The stays that pulses ended after a moment, as the store has them."""
    query = select(_stays).where(
        _stays.c.left_at > to_micros(as_of), _stays.c.left_at.not_in(_moments_of_runs())
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def drop_doubled(
    connection: Connection, current: Iterable[tuple[str, str]], as_of: datetime
) -> None:
    """Forget what pulses began of stays that a run has published as well: the run's counts.

    Args:
        connection: the store's, in the transaction that commits the run.
        current: segment and person of each stay that the run began.
        as_of: the run's moment.
    """
    query = select(_stays.c.segment, _stays.c.customer_id, _stays.c.entered_at).where(
        _stays.c.entered_at > to_micros(as_of), _stays.c.entered_at.not_in(_moments_of_runs())
    )
    published = set(current)
    for segment, customer_id, entered_at in connection.execute(query).tuples().all():
        if (segment, customer_id) in published:
            connection.execute(
                delete(_stays).where(
                    _stays.c.segment == segment,
                    _stays.c.customer_id == customer_id,
                    _stays.c.entered_at == entered_at,
                )
            )


def _moments_of_runs() -> Select[tuple[int]]:
    return select(schema.runs.c.as_of)
