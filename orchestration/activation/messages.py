"""What a destination that sends messages is to say: one message per person, stay and channel.

Belongs here: wording the messages of a plan, and leaving out what was said already. Does not belong
here: the difference of audiences (`plan`), templates (`orchestration.messages`), sending.

A message cannot be taken back or changed, so nothing but an addition is ever queued. What counts as
said: whatever stands in the ledger, and every row that was accepted, may have arrived or was
refused, since the person's stay in the segment began; of the ids that were merged into theirs or
that they were split off from too. The place in `audience_states` stays until the stay is over, and
then ends without a word. A new stay is looked at by the next sync: it is a new contact, with all
that the decision asks of one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select, update

from orchestration.activation.people import MESSAGE, People, Target
from orchestration.destinations.base import Payload
from orchestration.ops import schema

# Rows that may have arrived, or that the destination refused: neither is tried again in one stay.
SAID_STATES = ("sending", "accepted", "unknown", "dead")


@dataclass(frozen=True)
class News:
    """Of what is wanted: what is to be said, how many had it, and whose stay is over."""

    wanted: dict[str, Payload]
    said_count: int
    ended: tuple[str, ...]


def worded(
    target: Target, people: People, payloads: Mapping[str, Payload], plain: Collection[str]
) -> dict[str, Payload]:
    """The payloads with the message of each, without whoever none can be worded for.

    Args:
        target: of a destination that sends messages.
        people: the segment's.
        payloads: what may be known of each person who is wanted, the address among it.
        plain: who may be told no more than is plain.
    """
    assert target.writer is not None  # noqa: S101 - the caller asks for messages alone
    worded_payloads: dict[str, Payload] = {}
    for customer_id, payload in payloads.items():
        country = str(people.members[customer_id].get("country_code") or "")
        written = target.writer.write(payload, country=country, is_plain=customer_id in plain)
        if written.message is not None:
            own = {**payload, MESSAGE: written.message}
            worded_payloads[customer_id] = {column: own[column] for column in target.columns}
    return worded_payloads


def unsaid(
    connection: Connection,
    target: Target,
    wanted: Mapping[str, Payload],
    standing: Collection[str],
    entered_at: Mapping[str, int],
    aliases: Mapping[str, str],
    splits: Mapping[str, Mapping[str, int]],
) -> News:
    """What was not said yet in the stay of each person.

    Args:
        connection: the store's.
        target: of a destination that sends messages.
        wanted: what each person would be told.
        standing: who has the place of somebody who was told, or a row that was refused.
        entered_at: since when each member has been in the segment, microseconds.
        aliases: merged ids, each with the one that stays.
        splits: by id, the ids that it was split off from, each with until when.
    """
    last_said = _last_messages(connection, target, aliases, splits)
    was_told = {
        customer_id
        for customer_id, since in entered_at.items()
        if last_said.get(customer_id, -1) >= since
    }
    over = {
        customer_id
        for customer_id in standing
        if customer_id not in entered_at
        or (customer_id in last_said and last_said[customer_id] < entered_at[customer_id])
    }
    left = {
        customer_id: payload
        for customer_id, payload in wanted.items()
        if customer_id not in was_told and customer_id not in standing
    }
    return News(left, len(wanted) - len(left), tuple(sorted(over)))


def close_messages(connection: Connection, target: Target, ids: Collection[str]) -> None:
    """Close whatever is open for people who are forgotten: nothing more is sent or asked."""
    rows, states = schema.outbox, schema.audience_states
    here = (rows.c.destination == target.destination) & (rows.c.segment == target.segment)
    open_ = rows.c.state.in_(schema.OPEN_STATES) | rows.c.ticket.is_not(None)
    there = (states.c.destination == target.destination) & (states.c.segment == target.segment)
    for customer_id in ids:
        connection.execute(
            update(rows)
            .where(here, open_, rows.c.customer_id == customer_id)
            .values(state="superseded", payload=None, ticket=None)
        )
        connection.execute(
            update(states)
            .where(there, states.c.customer_id == customer_id)
            .values(is_member=False, payload=None, in_doubt=False)
        )


def _last_messages(
    connection: Connection,
    target: Target,
    aliases: Mapping[str, str],
    splits: Mapping[str, Mapping[str, int]],
) -> dict[str, int]:
    """When each person was last told something of this segment by this destination."""
    last_said: dict[str, int] = {}
    heirs = defaultdict[str, list[tuple[str, int]]](list)
    for heir, earlier in splits.items():
        for customer_id, until in earlier.items():
            heirs[customer_id].append((heir, until))
    for customer_id, moment in _deliveries(connection, target):
        whose = {aliases.get(customer_id, customer_id)}
        whose |= {heir for heir, until in heirs.get(customer_id, ()) if moment <= until}
        for each in whose:
            last_said[each] = max(moment, last_said.get(each, moment))
    return last_said


def _deliveries(connection: Connection, target: Target) -> list[tuple[str, int]]:
    ledger, rows = schema.deliveries.c, schema.outbox.c
    arrived = (
        select(ledger.customer_id, func.max(ledger.delivered_at))
        .where(ledger.destination == target.destination, ledger.segment == target.segment)
        .where(ledger.operation == "added")
        .group_by(ledger.customer_id)
    )
    tried = (
        select(rows.customer_id, func.max(rows.updated_at))
        .where(rows.destination == target.destination, rows.segment == target.segment)
        .where(
            rows.operation == "added",
            or_(rows.state.in_(SAID_STATES), rows.ticket.is_not(None)),
        )
        .group_by(rows.customer_id)
    )
    return [
        (str(who), int(when))
        for query in (arrived, tried)
        for who, when in connection.execute(query).tuples()
    ]
