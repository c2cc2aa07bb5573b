"""Releases of a size that stopped a run: who let it be published, and why.

Belongs here: giving and finding releases in the ops store, beside the approvals of syncs (a release
is an approval whose destination is the published file). Does not belong here: the rules
(orchestration/quality/breaker.py).

A release holds for the size that was seen, a tenth more or less, against the file that is published
now (or none, before the first publication); with the next published file it is spent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from math import sqrt
from typing import Any

from sqlalchemy import select

from ingestion.errors import UsageError
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.runs import AuditLog
from orchestration.ops.store import Store, insert_new, to_micros
from orchestration.published.checks import CheckResult
from orchestration.published.reader import read_build

DESTINATION = "published"
NOTHING_PUBLISHED = "none"  # the baseline before the first publication
TOLERANCE = 0.10
NOISE = 3.0
ALL = "all"


@dataclass(frozen=True)
class Release:
    """One subject (`vip`, `orders` …) let through at about the size seen."""

    subject: str
    observed: float
    person: str
    reason: str

    def covers(self, result: CheckResult) -> bool:
        """Whether this release is about that result, at about that size."""
        if result.observed is None or result.subject != self.subject:
            return False
        seen = abs(self.observed)
        return abs(result.observed - self.observed) <= max(TOLERANCE * seen, NOISE * sqrt(seen))


def release(
    home: Home, store: Store, subject: str, *, person: str, reason: str, released_at: datetime
) -> list[str]:
    """Let a size that stopped the last run be published after all.

    Args:
        home: whose published file is the baseline.
        store: keeps the release.
        subject: the name in the message, such as `vip`, or `all`.
        person: who decides.
        reason: why the change is right.
        released_at: when, naive UTC.

    Returns:
        The names that were released.

    Raises:
        UsageError: no name or reason, or no size of that name stopped the last run.
    """
    if not person.strip() or not reason.strip():
        raise UsageError(
            "A release needs the name of a person and a reason.", "Give both, in words."
        )
    stopped = _stopped_in_last_run(store)
    if not stopped:
        raise UsageError(
            f"The size of `{subject}` did not stop the last run, and no other size did.",
            "What stopped it, if anything did, is in its message: data or a model to mend.",
        )
    if subject not in {*stopped, ALL}:
        raise UsageError(
            f"The size of `{subject}` did not stop the last run.",
            f"What did, and can be released: {', '.join(sorted(stopped))}.",
        )
    names = sorted(stopped) if subject == ALL else [subject]
    baseline = baseline_of(home)
    rows = [
        {
            "plan_hash": f"size:{baseline}:{stopped[name]!r}",
            "segment": name,
            "destination": DESTINATION,
            "approved_by": person.strip(),
            "reason": reason.strip(),
            "approved_at": to_micros(released_at),
        }
        for name in names
    ]
    with store.write() as connection:
        insert_new(connection, schema.approvals, rows)
    return names


def baseline_of(home: Home) -> str:
    """The build that is published now, which releases are given against."""
    return read_build(home.published)[0] if home.published.exists() else NOTHING_PUBLISHED


def find_releases(store: Store, baseline: str) -> list[Release]:
    """The releases given against this published build."""
    columns = schema.approvals.c
    query = (
        select(columns.plan_hash, columns.segment, columns.approved_by, columns.reason)
        .where(columns.destination == DESTINATION)
        .where(columns.plan_hash.like(f"size:{baseline}:%"))
        .order_by(columns.approved_at, columns.segment)
    )
    with store.read() as connection:
        rows = connection.execute(query).all()
    return [
        Release(str(subject), float(str(text).rpartition(":")[2]), str(person), str(reason))
        for text, subject, person, reason in rows
    ]


def apply_releases(
    results: Iterable[CheckResult], releases: Iterable[Release]
) -> list[CheckResult]:
    """Let results pass that a person released, and say who and why."""
    known_releases = list(releases)
    return [_released(result, known_releases) for result in results]


def _released(result: CheckResult, releases: list[Release]) -> CheckResult:
    granted = next((r for r in releases if not result.passed and r.covers(result)), None)
    if granted is None:
        return result
    sentence = f"{result.sentence} Released by {granted.person}: {granted.reason}"
    return replace(result, passed=True, sentence=sentence, hint="")


def _stopped_in_last_run(store: Store) -> dict[str, float]:
    """The sizes that stopped the run whose audit is the newest, by subject."""
    record = AuditLog(store).newest_audit()
    stored: list[dict[str, Any]] = record["checks"] if record else []
    checks = [CheckResult.from_json(check) for check in stored]
    return {
        check.subject: check.observed
        for check in checks
        if check.stops and check.subject and check.observed is not None
    }
