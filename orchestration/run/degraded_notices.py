"""What is degraded in a home now, and telling people once when it begins and once when it ends.

Belongs here: which facts are asked for, and when a notice leaves. Does not belong here: the rules
(degraded.py), and how a notice leaves (notify.py).

What people were told is recorded once a notice has left. Where no way of the settings took it, the
next run tries again; a kill between the two repeats it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ingestion.config import Settings
from ingestion.registry import enabled_sources
from orchestration.ops.degraded_facts import (
    Facts,
    KnownDegradation,
    read_facts,
    read_told,
    record_told,
)
from orchestration.ops.store import Store
from orchestration.run.degraded import Degradation, degradations, news, over_sentence
from orchestration.run.notify import SENT, DegradedNotice, send_notice


def what_is_degraded(
    store: Store, settings: Settings, *, at: datetime, as_of: datetime
) -> list[Degradation]:
    """What is degraded now, whether or not anybody was told.

    Args:
        store: the operational store.
        settings: the limits, and which sources and destinations are switched on.
        at: now by the clock of deliveries, naive UTC.
        as_of: now by the data.
    """
    return _now(store, settings, at, as_of)[1]


def tell_what_is_degraded(
    store: Store,
    settings: Settings,
    *,
    run_id: str,
    at: datetime,
    as_of: datetime,
    say: Callable[[str], None],
) -> None:
    """Send one notice of all that began or ended since the last one; none where nothing did."""
    facts, current, known = _now(store, settings, at, as_of)
    new = news(facts, current, known)
    if new.begun or new.over:
        for each in new.over:
            say(over_sentence(each))
        ways = send_notice(settings, DegradedNotice(run_id, as_of, new.begun, new.over))
        for way, outcome in ways.items():
            say(f"Notice of what is degraded by {way}: {outcome}.")
        if ways and SENT not in ways.values():
            return
    if new.notices != known:
        record_told(store, new.notices)


def _now(
    store: Store, settings: Settings, at: datetime, as_of: datetime
) -> tuple[Facts, list[Degradation], tuple[KnownDegradation, ...]]:
    known = read_told(store)
    facts = read_facts(
        store,
        at=at,
        as_of=as_of,
        sources=enabled_sources(settings),
        destinations=[name for name, each in settings.destinations.items() if each.enabled],
    )
    return facts, degradations(facts, settings.degraded, {each.key for each in known}), known
