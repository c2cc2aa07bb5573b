"""Refusals that a destination heard itself, asked for before any plan: the gate then has them.

Belongs here: since when it is asked, and recording what it says. Does not belong here: how a
destination is asked (its own file), carrying a refusal to one.

Data flow: a destination's unsubscriptions and suppressions -> `suppressions` of the store.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from ingestion.errors import RegularsError
from orchestration.activation.pace import Pace
from orchestration.destinations.base import (
    Destination,
    Outcome,
    RetryLaterError,
    TellsWithdrawals,
    own_words,
)
from orchestration.ops import schema
from orchestration.ops.permission.refusals import record_refusals
from orchestration.ops.push_subscriptions import end_subscriptions
from orchestration.ops.store import Store, upsert

FIRST = timedelta(days=30)  # what came before is looked at as each batch leaves
OVERLAP = timedelta(hours=1)  # clocks differ, and what was said a moment ago may show up late


def hear(store: Store, destination: Destination, pace: Pace, at: datetime) -> RegularsError | None:
    """Record who refused at a destination since it was last asked; why it could not be, if so.

    Where it cannot be asked now, the next time asks for that time as well.
    """
    if not isinstance(destination, TellsWithdrawals):
        return None
    try:
        with own_words(destination.name):
            since = _asked_at(store, destination.name, at) - OVERLAP
            withdrawals = [asdict(each) for each in destination.withdrawals_since(since)]
    except RetryLaterError as error:
        pace.heed(error)
        return None
    except RegularsError as error:
        return error
    with store.write() as connection:
        record_refusals(connection, withdrawals, destination.name, at)
        mark = {"key": _key(destination.name), "value": at.isoformat()}
        upsert(connection, schema.meta, [mark])
    return None


def hear_outcomes(
    connection: Connection, name: str, outcomes: Iterable[Outcome], at: datetime
) -> None:
    """Record what answers tell of beside their rows, in the transaction of those rows: refusals,
    and push subscriptions that are gone."""
    known_outcomes = list(outcomes)
    withdrawals = [
        asdict(each.withdrawal) for each in known_outcomes if each.withdrawal is not None
    ]
    if withdrawals:
        record_refusals(connection, withdrawals, name, at)
    end_subscriptions(connection, [each.gone for each in known_outcomes if each.gone], at)


def _asked_at(store: Store, name: str, at: datetime) -> datetime:
    query = select(schema.meta.c.value).where(schema.meta.c.key == _key(name))
    with store.read() as connection:
        value = connection.execute(query).scalar()
    return min(datetime.fromisoformat(value), at) if value else at - FIRST


def _key(name: str) -> str:
    return f"withdrawals_heard:{name}"
