"""One pulse: from what arrived to the outbox and the site's feed, without a run.

Belongs here: the order of the steps. Does not belong here: any of them.

Steps: read the new rows -> lay them over what is published -> judge the triggers as of
this moment -> record the stays that began and ended -> sync the triggers, as every sync does: the
gate and the day's decision are asked for each, and once more for each batch. Neither raw nor the
warehouse is opened, and the home's lock is left to the run that may hold it; the lock of sending is
taken. A run loads the same rows later; a plan of what is then published keeps to the stays that a
pulse recorded after its moment (`later_stays`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import duckdb

from ingestion.config import Settings
from ingestion.duckdb import connect
from ingestion.errors import RegularsError, UsageError
from orchestration.activation.contact_day import read_contact_day
from orchestration.activation.delivery import Delivery, DeliveryContext, Synced, moment
from orchestration.activation.moments import running, stopped
from orchestration.activation.people import Target, targets
from orchestration.activation.plan import Plan
from orchestration.activation.planned import note_planned, planned_since
from orchestration.activation.pulse.arrivals import Arrivals, note_read, read_arrivals
from orchestration.activation.pulse.latest import note_judged
from orchestration.activation.pulse.overlay import Laid, Overlay
from orchestration.activation.pulse.touched import touched_people
from orchestration.activation.pulse.triggers import Triggers, Turned
from orchestration.activation.tickets import pairs_with_open_tickets
from orchestration.destinations import check_destinations
from orchestration.home import lock
from orchestration.home.kind import is_demo
from orchestration.home.layout import OWNER_ONLY, Home
from orchestration.home.scratch import PULSE, scratch_folder, sweep
from orchestration.ops import schema
from orchestration.ops.adoption import check_own_home
from orchestration.ops.continuity import check_continuity
from orchestration.ops.store import Store, open_store, rows_of, to_micros, upsert
from orchestration.ops.unread_sources import what_is_unread
from orchestration.published.reader import (
    OVERLAY,
    attach_base,
    base_of,
    not_published,
    open_published,
    read_build,
)
from orchestration.run.run import Send, clock
from orchestration.segments.files import MEND, sentence
from orchestration.segments.rendering import SegmentFaultError


@dataclass(frozen=True)
class OverlaidHome(Home):
    """A home whose published file has what arrived laid over it."""

    overlay: Path = Path()

    @property
    def published(self) -> Path:
        """The overlay, whose base is the published file."""
        return self.overlay


@dataclass(frozen=True)
class Pulse:
    """What a pulse came to.

    `laid`: the events that no published run has; `deliveries`: per pair what was sent, or would be;
    `waits`: a sentence where nothing may be sent now, else empty.
    """

    as_of: datetime
    arrivals: Arrivals
    laid: Laid
    turned: Turned
    deliveries: tuple[Delivery, ...] = field(default=())
    waits: str = ""


def pulse(
    home: Home,
    settings: Settings,
    *,
    at: datetime | None = None,
    send: Send = "no",
    read_at: datetime | None = None,
) -> Pulse:
    """Read, judge and, where it is asked for, send.

    Args:
        home: the shop's.
        settings: the shop's.
        at: the moment that is judged, naive UTC; now, and of the pretend shop what is published.
        send: who may receive: nobody, destinations whose settings say so, or all.
        read_at: the machine's moment at which rows are read; now.

    Raises:
        BusyError: another process is sending.
        RegularsError: nothing is published, or this is a copied home; or destinations failed, once
            all others were tried.
        UsageError: a segment's file is wrong.
    """
    if not home.published.exists():
        raise not_published(home)
    check_destinations(settings, home)
    check_continuity(home)
    begun = at or moment(home)
    with lock.hold(home.sending_lock), open_store(home) as store:
        check_own_home(store, home)
        arrivals = read_arrivals(home, settings, store, read_at or clock())
        with _overlaid(home, settings, store, arrivals, begun) as (overlaid, laid, turned):
            outcome = Pulse(begun, arrivals, laid, turned)
            # The pretend shop's clock stands still between runs, and so does a moment that is asked
            # for.
            now = stopped(begun) if at or is_demo(home) else running(begun)
            context = DeliveryContext(overlaid, settings, store, now, asked=send)
            pairs = [each for each in targets(overlaid, settings) if each.segment in turned.entered]
            planning = Planning.of(context, pairs, turned)
            if send == "no":
                planned = (Delivery.planned(planning.plan(each)) for each in pairs)
                return replace(outcome, deliveries=tuple(d for d in planned if d.changes))
            if waits := what_is_unread(store):
                return replace(outcome, waits=waits)
            with store.write() as connection:
                upsert(connection, schema.segment_memberships, rows_of(turned.stays))
                note_read(connection, arrivals.notes)
                note_judged(connection, turned.entered, begun)
            synced = planning.send(pairs)
    synced.raise_failures()
    return replace(outcome, deliveries=tuple(Delivery.sent(report) for report in synced.reports))


@dataclass(frozen=True)
class Planning:
    """How a pulse plans its pairs: each once, and of those that were planned for everybody on this
    day and by this file only the people whom something has happened to since.

    `whole`: knows everybody; `some`: knows those people; `settled`: the pairs of `some`; `open`:
    pairs whose destination has to be asked what came of something.
    """

    whole: DeliveryContext
    some: DeliveryContext
    settled: frozenset[tuple[str, str]]
    open: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, context: DeliveryContext, pairs: Iterable[Target], turned: Turned) -> Planning:
        """What is known of these pairs; reads of the published file no more than is needed."""
        home, at = context.home, context.now()
        with open_published(home), context.store.read() as store:
            _, run_id, _ = read_build(home.published)
            since = planned_since(store, pairs, run_id, at)
            waiting = frozenset(pairs_with_open_tickets(store))
            if not since:
                return cls(context, context, frozenset(), waiting)
            people = touched_people(
                home, store, turned, since=min(since.values()), at=to_micros(at)
            )
            day = read_contact_day(home, people, settings=context.settings)
        return cls(context, replace(context, read=day), frozenset(since), waiting)

    def plan(self, target: Target) -> Plan:
        """What a sync of the pair would do now."""
        return self._context(target).plan(target)

    def send(self, pairs: Iterable[Target]) -> Synced:
        """Sync the pairs that have something to send, or to be asked about."""
        reports, failures = [], []
        for target in pairs:
            if not self.whole.may_send(target.destination):
                continue
            synced = self._context(target).sync_planned(self._to_sync(target))
            reports += synced.reports
            failures += synced.failures
        return Synced(reports, failures)

    def _to_sync(self, target: Target) -> Iterator[tuple[Target, Plan | None]]:
        if (target.segment, target.destination) in self.open:
            yield target, None
            return
        context, at = self._context(target), self.whole.now()
        plan = context.plan(target)
        if plan.changes:
            yield target, plan
        elif context.day.only is None:
            with context.store.write() as connection:
                note_planned(connection, context.day, plan, at)

    def _context(self, target: Target) -> DeliveryContext:
        pair = target.segment, target.destination
        return self.some if pair in self.settled else self.whole


@contextmanager
def _overlaid(
    home: Home, settings: Settings, store: Store, arrivals: Arrivals, at: datetime
) -> Iterator[tuple[OverlaidHome, Laid, Turned]]:
    """The home with what arrived laid over its published file, held open; gone afterwards."""
    sweep(home.root, PULSE)
    with scratch_folder(home.root, PULSE) as folder:
        overlaid = OverlaidHome(home.root, folder / OVERLAY)
        # A link: a run may publish another file meanwhile, and this one stays what it is
        os.link(home.published, base_of(overlaid.overlay))
        try:
            with connect(overlaid.overlay) as connection:
                overlaid.overlay.chmod(OWNER_ONLY)
                connection.execute("set timezone = 'UTC'")
                attach_base(connection, overlaid.overlay)
                laid = Overlay(connection, settings.dbt_vars(), at).lay(arrivals.rows)
                with store.read() as facts:
                    turned = Triggers(connection, settings.dbt_vars(), at).judge(facts)
        except SegmentFaultError as error:
            raise UsageError(sentence(error), MEND) from error
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            raise RegularsError(
                "What is published is of an earlier version, without all that conditions read.",
                "Run `regulars run` once, then try again.",
            ) from error
        with open_published(overlaid):
            yield overlaid, laid, turned
