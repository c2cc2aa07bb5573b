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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import duckdb

from ingestion.config import Settings
from ingestion.duckdb import connect
from ingestion.errors import RegularsError, UsageError
from orchestration.activation.delivery import Delivery, DeliveryContext, moment
from orchestration.activation.moments import running, stopped
from orchestration.activation.people import Target, targets
from orchestration.activation.pulse.arrivals import Arrivals, note_read, read_arrivals
from orchestration.activation.pulse.latest import note_judged
from orchestration.activation.pulse.overlay import Laid, Overlay
from orchestration.activation.pulse.triggers import Triggers, Turned
from orchestration.destinations import check_destinations
from orchestration.home import lock
from orchestration.home.kind import is_demo
from orchestration.home.layout import OWNER_ONLY, Home
from orchestration.home.scratch import PULSE, scratch_folder, sweep
from orchestration.ops import schema
from orchestration.ops.adoption import check_own_home
from orchestration.ops.continuity import check_continuity
from orchestration.ops.store import Store, open_store, rows_of, upsert
from orchestration.ops.unread_sources import what_is_unread
from orchestration.published.reader import (
    OVERLAY,
    attach_base,
    base_of,
    not_published,
    open_published,
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
            if send == "no":
                planned = tuple(Delivery.planned(context.plan(each)) for each in pairs)
                return replace(outcome, deliveries=tuple(d for d in planned if d.changes))
            if waits := what_is_unread(store):
                return replace(outcome, waits=waits)
            with store.write() as connection:
                upsert(connection, schema.segment_memberships, rows_of(turned.stays))
                note_read(connection, arrivals.notes)
                note_judged(connection, turned.entered, begun)
            synced = context.sync_each(each for each in pairs if _has_changes(context, each))
    synced.raise_failures()
    return replace(outcome, deliveries=tuple(Delivery.sent(report) for report in synced.reports))


def _has_changes(context: DeliveryContext, target: Target) -> bool:
    return context.may_send(target.destination) and bool(context.plan(target).changes)


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
