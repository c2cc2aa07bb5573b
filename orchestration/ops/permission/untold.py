"""Refusals that a destination is to be told of and does not know yet, in counts.

Belongs here: asking the store for them. Does not belong here: telling
(`orchestration.activation.withdrawals_written`), who they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from orchestration.ops import schema
from orchestration.ops.store import Store, from_micros

OPEN = ("waiting", "accepted", "left")


@dataclass(frozen=True)
class Untold:
    """Refusals of one channel that a destination does not know of, for one reason.

    `since`: when the first of them was tried first.
    """

    destination: str
    channel: str
    state: str
    answer: str
    count: int
    since: datetime


def untold_refusals(store: Store) -> list[Untold]:
    """All of them, by destination, channel and reason."""
    table = schema.withdrawals_written.c
    what = (table.destination, table.channel, table.state, table.answer)
    query = select(*what, func.count(), func.min(table.first_tried_at))
    query = query.where(table.state.in_(OPEN)).group_by(*what).order_by(*what)
    with store.read() as connection:
        rows = connection.execute(query).all()
    return [Untold(row[0], row[1], row[2], row[3], row[4], from_micros(row[5])) for row in rows]


def told_count(store: Store) -> int:
    """How many refusals are known where they can be told."""
    table = schema.withdrawals_written.c
    query = select(func.count()).where(table.state == "done")
    with store.read() as connection:
        return int(connection.execute(query).scalar_one())
