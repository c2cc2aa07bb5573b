"""Releasing: what a day's decision put off goes out when its time has come.

Where a destination has accepted something and not answered, it is asked as well, and what the
answer makes necessary goes out at once: a removal does not wait for the next run.

Belongs here: which pairs have something due, and sending it. Does not belong here: the decision and
the gate, which are asked again, and when this is called (orchestration/defs/release.py).

It reads what is published and the operational store alone, under the lock of sending: a run may
pull and model meanwhile, except while it reads refusals that nobody has recorded yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from ingestion.config import Settings
from orchestration.activation.delivery import Delivery, DeliveryContext, clock_of
from orchestration.activation.people import Target, targets
from orchestration.activation.plan import Plan
from orchestration.activation.pulse.latest import judged_lately
from orchestration.activation.tickets import pairs_with_open_tickets
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.adoption import check_own_home
from orchestration.ops.store import Store, open_store, to_micros
from orchestration.ops.unread_sources import what_is_unread


@dataclass(frozen=True)
class Due:
    """What waits for a release: segments that have somebody due, and how many people that is.

    `unanswered`: segment and destination wherever a destination has to be asked. `left`: segments
    that pulses keep up to date, and release with what arrived since the last run.
    """

    segments: tuple[str, ...]
    people: int
    unanswered: frozenset[tuple[str, str]] = frozenset()
    left: frozenset[str] = frozenset()

    @property
    def is_nothing(self) -> bool:
        """Whether no release is needed."""
        return not self.segments and not self.unanswered


def what_is_due(store: Store, at: int) -> Due:
    """Rows of decisions that were put off until now (microseconds), and are still worth it.

    The latest decision of a person and class counts; one that went out since is no difference any
    more, so asking again costs a plan and sends nothing.
    """
    with store.read() as connection:
        rows = due_rows(connection, at)
        unanswered = pairs_with_open_tickets(connection)
    segments = tuple(sorted({segment for segment, _ in rows}))
    return Due(segments, len({who for _, who in rows}), frozenset(unanswered))


def due_rows(connection: Connection, at: int) -> list[tuple[str, str]]:
    """Segment and person of each contact that was put off until now, and is still worth it."""
    table = schema.contact_decisions.c
    latest = select(table.decided_for).order_by(table.decided_for.desc()).limit(1)
    query = select(table.segment, table.customer_id).where(
        table.decided_for == latest.scalar_subquery(),
        table.outcome == "deferred",
        table.send_at <= at,
        table.not_after.is_(None) | (table.not_after > at),
    )
    return [(segment, who) for segment, who in connection.execute(query).tuples()]


def release_due(home: Home, settings: Settings) -> list[Delivery]:
    """Send what is due to the destinations whose settings say `send = true`.

    Returns what each pair came to; empty where nothing is due or refusals are being read.

    Raises:
        BusyError: another process is sending.
        RegularsError: this is a copied home; or destinations failed, once all others were tried.
    """
    with lock.hold(home.sending_lock), open_store(home) as store:
        check_own_home(store, home)
        now = clock_of(home)
        due = what_is_due(store, to_micros(now()))
        if due.is_nothing or what_is_unread(store):
            return []
        with store.read() as connection:
            due = replace(due, left=judged_lately(connection, now()))
        context = DeliveryContext(home, settings, store, now, asked="scheduled")
        synced = context.sync_planned(_to_sync(context, targets(home, settings), due))
    synced.raise_failures()
    return [Delivery.sent(report) for report in synced.reports]


def _to_sync(
    context: DeliveryContext, chosen: Iterable[Target], due: Due
) -> Iterator[tuple[Target, Plan | None]]:
    """The pairs that need a sync, with the plan where one was made."""
    for target in chosen:
        if target.segment in due.left or not context.may_send(target.destination):
            continue
        if (target.segment, target.destination) in due.unanswered:
            yield target, None
        elif target.segment in due.segments and (plan := context.plan(target)).changes:
            yield target, plan
