"""Identity drift: whether who is who has changed more than a shop changes between two runs.

Belongs here: the rules over ops.identity_metrics. Does not belong here: counting (the models) and
the sizes of segments (breaker.py beside it). Figures and kinds only, never a value of anybody's.

- One person with more identifiers than `max_person` is most likely several people run together:
  that stops the run.
- A measure that moved by more than `max_drift` beyond the growth of the shop's people, from
  `min_size` on and with three standard deviations for chance, is a warning; so are more merges and
  splits in one run than `max_changed` of all people.
"""

from __future__ import annotations

from math import sqrt

import duckdb

from ingestion.config import Identity
from orchestration.home.layout import Home
from orchestration.published.candidate import Candidate
from orchestration.published.checks import CheckResult, Severity
from orchestration.published.reader import open_locked
from orchestration.quality.breaker import NOISE

NAME = "identity_drift"
TABLE = "ops.identity_metrics"
Metrics = dict[tuple[str, str], int]

# What a run did, and what grows with no measure of people; both are judged apart or not at all.
FLOWS = ("born", "carried_over", "merged", "split", "gone")
APART = (*FLOWS, "people", "largest_person")


def check_identity(home: Home, candidate: Candidate, limits: Identity) -> list[CheckResult]:
    """Judge the candidate's identity, alone and against the last published file."""
    with open_locked(candidate.path) as connection:
        after = read_metrics(connection)
    before: Metrics = {}
    if home.published.exists():
        with open_locked(home.published) as connection:
            before = read_metrics(connection)
    return judge_identity(before, after, limits)


def read_metrics(connection: duckdb.DuckDBPyConnection) -> Metrics:
    """The measures of the run that made a file; none where it is older than they are."""
    try:
        rows = connection.execute(
            f"select metric, kind, value from {TABLE} where run_id = (select run_id from ops.build)"
        ).fetchall()
    except (duckdb.BinderException, duckdb.CatalogException):
        return {}
    return {(str(metric), str(kind)): int(value) for metric, kind, value in rows}


def judge_identity(before: Metrics, after: Metrics, limits: Identity) -> list[CheckResult]:
    """Apply the rules: one result for the largest person, one per measure that can be compared."""
    results = [_largest(after, limits)]
    if not before or not after:
        return results
    results.append(_changed(before, after, limits))
    growth = max(_people(after), 1) / max(_people(before), 1)
    for metric, kind in sorted({*before, *after}):
        if metric not in APART:
            old, new = before.get((metric, kind), 0), after.get((metric, kind), 0)
            results.append(_drift(f"{metric}.{kind}", old, new, growth, limits))
    return results


def _people(metrics: Metrics) -> int:
    return sum(value for (metric, _), value in metrics.items() if metric == "people")


def _largest(after: Metrics, limits: Identity) -> CheckResult:
    sizes = [value for (metric, _), value in after.items() if metric == "largest_person"]
    largest = max(sizes, default=0)
    return _result(
        "largest_person",
        largest,
        f"One person has {largest:,} identifiers, more than {limits.max_person:,}:"
        " most likely several people run together."
        if largest > limits.max_person
        else "",
        "Block the value that joins them in identity_rules.csv, or, if the person is real, raise"
        " `max_person` under [identity] in regulars.toml; then run again.",
        "blocking",
    )


def _changed(before: Metrics, after: Metrics, limits: Identity) -> CheckResult:
    changed = sum(after.get((metric, "all"), 0) for metric in ("merged", "split"))
    allowed = _with_chance(limits.max_changed * _people(before))
    return _result(
        "changed_people",
        changed,
        f"{changed:,} people were merged or split in this run, more than"
        f" {limits.max_changed:.0%} of all."
        if changed > max(allowed, limits.min_size)
        else "",
        "marts.fct_identity_changes says by which evidence.",
    )


def _drift(name: str, old: int, new: int, growth: float, limits: Identity) -> CheckResult:
    expected = old * growth
    moved = abs(new - expected)
    too_far = max(old, new) >= limits.min_size and moved > _with_chance(limits.max_drift * expected)
    return _result(
        name,
        new,
        f"{name} went from {old:,} to {new:,}, not to the {expected:,.0f} of a steady shop."
        if too_far
        else "",
        "A source, a rule or the data changed; compare ops.identity_health of both files.",
    )


def _with_chance(expected: float) -> float:
    return expected + NOISE * sqrt(max(expected, 1.0))


def _result(
    name: str, observed: int, problem: str, hint: str, severity: Severity = "warning"
) -> CheckResult:
    return CheckResult(
        kind="suite",
        name=f"{NAME}.{name}",
        table=TABLE,
        passed=not problem,
        severity=severity,
        observed=float(observed),
        sentence=problem,
        hint=hint if problem else "",
    )
