"""Telling people once when runs begin to fail, and once when one publishes again.

Belongs here: when a notice leaves. Does not belong here: what is in it, and how it leaves
(notify.py); what is degraded while runs go on (degraded_notices.py).

A run every hour that fails for one cause for a night is one notice. Each further cause is told
once. What people were told is recorded once a notice has left: where no way of the
settings took it, the next run tries again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from ingestion.config import Settings
from orchestration.ops.runs import Failing, read_failing, record_failing
from orchestration.ops.store import Store
from orchestration.run.notify import SENT, CanBeSent, Notice, PublishedAgainNotice, send_notice

Say = Callable[[str], None]


def tell_of_failure(
    store: Store, settings: Settings, notice: Notice, *, at: datetime, say: Say
) -> None:
    """Send the notice of a failed run, unless people know that runs fail for these causes.

    Args:
        store: where it is recorded.
        settings: the ways.
        notice: what is told.
        at: now by the clock, naive UTC.
        say: hears what became of it.
    """
    known = read_failing(store)
    causes = _causes(notice)
    if known is not None and causes <= known.causes:
        say(f"Fails since run {known.run_id}, which was told; no further notice.")
        return
    ways = _send(settings, notice, "Failure notice", say)
    if _has_left(ways):
        first = known or Failing(notice.run_id, at)
        record_failing(store, replace(first, causes=first.causes | causes))


def tell_of_success(
    store: Store, settings: Settings, *, run_id: str, as_of: datetime, say: Say
) -> None:
    """Send the notice that a run published again, where people were told that runs fail."""
    known = read_failing(store)
    if known is None:
        return
    notice = PublishedAgainNotice(run_id, as_of, known.run_id, known.since)
    if _has_left(_send(settings, notice, "Notice that runs publish again", say)):
        record_failing(store, None)


def _causes(notice: Notice) -> frozenset[str]:
    """The kind of error, the steps and the checks; never how many rows a check found."""
    return frozenset((notice.error, *notice.steps, *(name for name, _ in notice.failed)))


def _send(settings: Settings, notice: CanBeSent, title: str, say: Say) -> Mapping[str, str]:
    ways = send_notice(settings, notice)
    for way, outcome in ways.items():
        say(f"{title} by {way}: {outcome}.")
    return ways


def _has_left(ways: Mapping[str, str]) -> bool:
    """Whether some way took it; so it counts where there is none."""
    return not ways or SENT in ways.values()
