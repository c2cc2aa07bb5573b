"""Refusals that are known here, told to destinations that can be told, before anything is sent.

What the gate counts as a no on a channel for marketing is told to each such destination once, the
newest first and so many in one sync, and noted with what it answered. One that could not be told,
or is not seen there yet, is tried again by each sync; telling it twice changes nothing, so a kill
between the two is no loss. A newer permission with its evidence ends a refusal before it is told,
and whoever agreed there later than they refused here is left as they are.

Belongs here: which refusals a destination is to be told of, and what came of it. Does not belong
here: how it is told (its own file), what it heard itself (`withdrawals`), permission (the gate).

Data flow: suppressions, consent_events -> a destination -> `withdrawals_written` of the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, tuple_, union_all

from ingestion.errors import RegularsError
from ingestion.vocabulary import EVERY, Reason
from orchestration.activation.gate import ADDRESS_TYPES, Key, Policy, load_states
from orchestration.activation.pace import Pace
from orchestration.activation.people import addresses_of_people
from orchestration.destinations.base import (
    Destination,
    Outcome,
    RetryLaterError,
    TakesWithdrawals,
    Withdrawal,
    as_code,
    own_words,
    reason_of,
)
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.permission.untold import OPEN
from orchestration.ops.store import Store, from_micros, in_parts, to_micros, upsert
from orchestration.ops.tombstones import FORGOTTEN

PURPOSE = "marketing"
DONE, ENDED = "done", "ended"
_STATES = {"delivered": DONE, "accepted": "accepted", "rejected": "left"}
WAITING = "waiting"
# What weighs more where a refusal is about several addresses of a person.
_WORST = (WAITING, "accepted", "left", DONE)


@dataclass(frozen=True)
class Refusal:
    """A no on a channel: the fact that says so, and the addresses that it is about."""

    refusal_id: str
    channel: str
    reason: str
    refused_at: datetime
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What came of telling one refusal: its state, and how or why as a code."""

    refusal: Refusal
    state: str
    answer: str


def write_withdrawals(
    store: Store, home: Home, destination: Destination, pace: Pace, at: datetime
) -> RegularsError | None:
    """Tell a destination every refusal that it does not know of; why it could not be told, if so.

    Where it is busy or down, what is left waits for the next sync; that is no error.
    """
    if not isinstance(destination, TakesWithdrawals):
        return None
    due = []
    for channel in sorted(destination.withdrawal_channels):
        own = _due(store, home, destination.name, channel, at)
        _end_others(store, destination.name, channel, own, at)
        due += own
    due.sort(key=lambda each: (each.refused_at, each.refusal_id), reverse=True)
    due = due[: destination.withdrawals_per_sync]
    for start in range(0, len(due), destination.withdrawals_at_once):
        some = due[start : start + destination.withdrawals_at_once]
        try:
            pace.take()
            with own_words(destination.name):
                answers = _answers(destination, some)
        except RegularsError as error:
            left = [Answer(each, WAITING, as_code(reason_of(error))) for each in due[start:]]
            _record(store, destination.name, left, at)
            pace.heed(error)
            return None if isinstance(error, RetryLaterError) else error
        _record(store, destination.name, answers, at)
    return None


def _answers(destination: TakesWithdrawals, refusals: Sequence[Refusal]) -> list[Answer]:
    """Tell some refusals, an address each, and put together what is of one refusal."""
    asked = {
        f"{number}.{position}": _withdrawal(refusal, address)
        for number, refusal in enumerate(refusals)
        for position, address in enumerate(refusal.addresses)
    }
    outcomes = {outcome.key: outcome for outcome in destination.withdraw(asked)}
    answers = []
    for number, refusal in enumerate(refusals):
        own = [
            _answered(outcomes.get(f"{number}.{position}"))
            for position in range(len(refusal.addresses))
        ]
        answers.append(Answer(refusal, *min(own, key=lambda each: _WORST.index(each[0]))))
    return answers


def _answered(outcome: Outcome | None) -> tuple[str, str]:
    if outcome is None:
        return WAITING, "no_answer"
    return _STATES.get(outcome.status, WAITING), as_code(outcome.reason or "not_said")


def _withdrawal(refusal: Refusal, address: str) -> Withdrawal:
    [kind, *_] = ADDRESS_TYPES[refusal.channel]
    return Withdrawal(kind, address, refusal.channel, PURPOSE, refusal.reason, refusal.refused_at)


def _due(store: Store, home: Home, destination: str, channel: str, at: datetime) -> list[Refusal]:
    """The refusals in force on a channel that a destination is not known to know of.

    A no that was said under an address is about that address; one under another identifier, such
    as a login, about all addresses of the person.
    """
    [kind, *_] = ADDRESS_TYPES[channel]
    with store.read() as connection:
        newest = {
            (row[1], row[2]): row for row in connection.execute(_newest(destination, channel))
        }
        states = load_states(connection, newest, Policy(channel, PURPOSE), to_micros(at))
    reasons = {
        key: state.opt_out
        for key, state in states.items()
        if key in newest and state.opt_out not in (None, Reason.FORGOTTEN)
    }
    others = [key for key in reasons if key[0] != kind]
    addresses_by_key = addresses_of_people(home, others, kind) if others else {}
    addresses_by_key |= {key: [key[1]] for key in reasons if key[0] == kind}
    return [
        Refusal(newest[key][0], channel, str(reason), from_micros(newest[key][3]), tuple(addresses))
        for key, reason in reasons.items()
        if (addresses := addresses_by_key.get(key))
    ]


def _newest(destination: str, channel: str) -> Select[Any]:
    """The newest refusal of each identifier on a channel, unless it is known at a destination."""
    facts = union_all(*_facts(channel)).subquery()
    newest_first = func.row_number().over(
        partition_by=(facts.c.identifier_type, facts.c.identifier_value),
        order_by=(facts.c.occurred_at.desc(), facts.c.refusal_id.desc()),
    )
    ranked = select(facts, newest_first.label("place")).subquery()
    written = schema.withdrawals_written.c
    known = select(written.refusal_id).where(
        written.destination == destination, written.channel == channel, written.state == DONE
    )
    return select(
        ranked.c.refusal_id, ranked.c.identifier_type, ranked.c.identifier_value,
        ranked.c.occurred_at,
    ).where(ranked.c.place == 1, ranked.c.refusal_id.not_in(known))  # fmt: skip


def _facts(channel: str) -> Iterator[Select[Any]]:
    """Every no on a channel; a bounce is none, and whoever is forgotten has no address here."""
    for table, key, reason in (
        (schema.suppressions, "suppression_id", "reason"),
        (schema.consent_events, "consent_event_id", "status"),
    ):
        column = table.c
        yield select(
            column[key].label("refusal_id"),
            column.identifier_type,
            column.identifier_value,
            column.occurred_at,
        ).where(
            column.channel.in_((channel, EVERY)),
            column.purpose.in_((PURPOSE, EVERY)),
            column[reason].not_in(("granted", str(Reason.HARD_BOUNCE))),
            ~column.identifier_value.startswith(FORGOTTEN),
        )


def _end_others(
    store: Store, destination: str, channel: str, due: Sequence[Refusal], at: datetime
) -> None:
    """Note that refusals which waited are in force no more."""
    table = schema.withdrawals_written
    still = {refusal.refusal_id for refusal in due}
    query = select(table).where(
        table.c.destination == destination,
        table.c.channel == channel,
        table.c.state.in_(OPEN),
    )
    with store.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    over = [row for row in rows if row["refusal_id"] not in still]
    if over:
        ended = {"state": ENDED, "answer": "no_longer", "last_tried_at": to_micros(at)}
        with store.write() as connection:
            upsert(connection, table, [row | ended for row in over])


def _record(store: Store, destination: str, answers: Sequence[Answer], at: datetime) -> None:
    now = to_micros(at)
    with store.write() as connection:
        before = _before(connection, destination, answers)
        rows = []
        for each in answers:
            refusal = each.refusal
            key = (refusal.channel, refusal.refusal_id)
            tried, first = before.get(key, (0, now))
            rows.append({
                "destination": destination,
                "channel": refusal.channel,
                "refusal_id": refusal.refusal_id,
                "reason": refusal.reason,
                "refused_at": to_micros(refusal.refused_at),
                "state": each.state,
                "answer": each.answer,
                "attempts": tried + 1,
                "first_tried_at": first,
                "last_tried_at": now,
                "done_at": now if each.state == DONE else None,
            })  # fmt: skip
        upsert(connection, schema.withdrawals_written, rows)


def _before(
    connection: Connection, destination: str, answers: Sequence[Answer]
) -> Mapping[Key, tuple[int, int]]:
    """How often each was tried before, and when first."""
    table = schema.withdrawals_written.c
    attempts: dict[Key, tuple[int, int]] = {}
    keys = sorted((each.refusal.channel, each.refusal.refusal_id) for each in answers)
    for some in in_parts(keys):
        pair = tuple_(table.channel, table.refusal_id)
        query = select(table.channel, table.refusal_id, table.attempts, table.first_tried_at)
        query = query.where(table.destination == destination, pair.in_(some))
        attempts |= {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(query)}
    return attempts
