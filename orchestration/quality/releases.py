"""Releases of the size breaker: who let which change be published, and why.

Belongs here: giving and finding releases in the ops store, beside the approvals of syncs (a release
is an approval whose destination is the published file). Does not belong here: the rules
(orchestration/quality/breaker.py).

A release holds for the size that was seen, a tenth more or less, against the file that is published
now; with the next published file it is spent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from math import sqrt
from typing import Any

from sqlalchemy import select

from ingestion.errors import UsageError
from orchestration.home import Home
from orchestration.ops import schema
from orchestration.ops.store import Store, insert_new, to_micros
from orchestration.publishing.reader import read_build
from orchestration.quality.results import BREAKER_PREFIX, CheckResult

DESTINATION = "published"
TOLERANCE = 0.10
NOISE = 3.0
ALL = "all"


@dataclass(frozen=True)
class Release:
    """One subject of the breaker (`vip`, `orders` …) let through at about the size seen."""

    subject: str
    observed: float
    person: str
    reason: str

    def covers(self, result: CheckResult) -> bool:
        """Whether this release is about that result, at about that size."""
        if result.observed is None or result.name != BREAKER_PREFIX + self.subject:
            return False
        seen = abs(self.observed)
        return abs(result.observed - self.observed) <= max(TOLERANCE * seen, NOISE * sqrt(seen))


def release(
    home: Home, store: Store, subject: str, *, person: str, reason: str, released_at: datetime
) -> list[str]:
    """Let what the breaker stopped in the last run be published after all.

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
        UsageError: no name or reason, or the breaker did not stop that.
    """
    if not person.strip() or not reason.strip():
        raise UsageError(
            "A release needs the name of a person and a reason.", "Give both, in words."
        )
    stopped = _stopped_in_last_run(store) if home.published.exists() else {}
    if not stopped or subject not in {*stopped, ALL}:
        list_of = ", ".join(sorted(stopped)) or "nothing"
        raise UsageError(
            f"The size breaker did not stop `{subject}` in the last run.", f"It stopped: {list_of}."
        )
    names = sorted(stopped) if subject == ALL else [subject]
    baseline = read_build(home.published)[0]
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
    given = list(releases)
    return [_released(result, given) for result in results]


def _released(result: CheckResult, releases: list[Release]) -> CheckResult:
    found = next((r for r in releases if not result.passed and r.covers(result)), None)
    if found is None:
        return result
    sentence = f"{result.sentence} Released by {found.person}: {found.reason}"
    return replace(result, passed=True, sentence=sentence, hint="")


def _stopped_in_last_run(store: Store) -> dict[str, float]:
    """What the breaker stopped in the run whose audit is the newest, with the sizes seen."""
    query = (
        select(schema.audits.c.record)
        .join(schema.runs, schema.runs.c.run_id == schema.audits.c.run_id)
        .order_by(schema.runs.c.started_at.desc(), schema.runs.c.run_id)
        .limit(1)
    )
    with store.read() as connection:
        record = connection.execute(query).scalar()
    checks: list[dict[str, Any]] = json.loads(record)["checks"] if record else []
    return {
        check["name"].removeprefix(BREAKER_PREFIX): check["observed"]
        for check in checks
        if check["kind"] == "breaker" and not check["passed"]
    }
