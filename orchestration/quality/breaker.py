"""The size breaker: a change too large to be true stops the run before anything is published.

Belongs here: the rules, in numbers. Does not belong here: measuring
(orchestration/quality/measures.py) and releases by a named person (releases.py beside it).

The baseline is the last *published* file, never the candidate and never an average that includes
it (RELIABILITY A11). Without a published file there is nothing to compare and nothing stops.

Rules for a group of people (segment, stage, buyers, contactable), from `min_size` members on:

- empty where it was not before: always stops;
- shrinks by more than `max_shrink`, or grows by more than `max_growth` beyond the growth of the
  shop's people: stops;
- loses or gains more than `max_removals` in people who did nothing: stops.

All shares are per week (they compound over longer gaps and never tighten below a week), and chance
gets three standard deviations on top. Segments over a window may lose the stays that were due,
change by their daily share of the window, and grow up to fourfold by fresh activity (Black Friday);
a second run as of the same moment has no such excuse.

Rules for the past: figures up to the earlier `as_of` may move by a tenth, and at most a tenth of
its orders, visits and messages may be restated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

from ingestion.config import Breaker, Settings
from orchestration.home.layout import Home
from orchestration.ops.store import Store
from orchestration.published.candidate import Candidate
from orchestration.published.checks import BREAKER_PREFIX, CheckResult
from orchestration.quality.measures import (
    GroupChange,
    Measures,
    PastChange,
    both_open,
    measure,
    read_thresholds,
)
from orchestration.quality.releases import apply_releases, baseline_of, find_releases
from orchestration.run.dbt import read_manifest, target_path

NOISE = 3.0  # allowance for chance, in square roots of the number that is expected
BURST = 4.0  # how many times busier than usual a day may be
TURNOVER_SLACK = 1.25  # how uneven the daily share of a window may be
PAST_TOLERANCE = 0.10


def check_sizes(
    home: Home, candidate: Candidate, settings: Settings, store: Store
) -> list[CheckResult]:
    """Compare a candidate with the published file; one result per group and figure."""
    if not home.published.exists():
        return [_first_build()]
    with both_open(home.published, candidate.path) as connection:
        manifest = read_manifest(target_path(home) / "manifest.json")
        thresholds = read_thresholds(connection, "new")
        measures = measure(connection, windows(manifest.segments, thresholds))
    return apply_releases(judge(measures, settings), find_releases(store, baseline_of(home)))


def windows(
    segments: Mapping[str, Mapping[str, Any]], thresholds: Mapping[str, int]
) -> dict[str, float]:
    """The days of every segment over a window, as its file says (`window_days`).

    That is a number, or the name of a threshold that follows the shop's own rhythm.
    """
    window_days = {name: meta.get("window_days") for name, meta in segments.items()}
    days = {name: thresholds.get(str(value), value) for name, value in window_days.items()}
    return {name: float(number) for name, number in days.items() if isinstance(number, int | float)}


def judge(measures: Measures, settings: Settings) -> list[CheckResult]:
    """Apply the rules to what was measured."""
    results = [
        _result(
            change.name,
            change.table,
            change.after,
            _group_problem(change, measures, settings),
            measures.moved,
        )
        for change in measures.groups
        if change.before or change.after
    ]
    results += [
        _result(
            change.name,
            change.table,
            change.after if change.restated is None else change.restated,
            _past_problem(change, measures, settings.breaker),
        )
        for change in measures.past
    ]
    return results


def _first_build() -> CheckResult:
    return CheckResult(
        kind="breaker",
        name=f"{BREAKER_PREFIX}first_build",
        table="",
        passed=True,
        sentence="Nothing was published before, so there is no size to compare with.",
    )


def _result(
    name: str, table: str, observed: float, problem: str, moved: Sequence[str] = ()
) -> CheckResult:
    rhythm = (
        f" The shop's own rhythm moved {', '.join(moved)} (marts.shop_rhythm); a number under"
        " [models] in regulars.toml holds a threshold still."
        if moved
        else ""
    )
    return CheckResult(
        kind="breaker",
        name=f"{BREAKER_PREFIX}{name}",
        table=table,
        passed=not problem,
        observed=float(observed),
        sentence=problem,
        hint=(
            "If the change is right, a person releases it with"
            f" `regulars release {name} --by NAME --reason TEXT` and runs again;"
            f" else mend the source or model.{rhythm}"
            if problem
            else ""
        ),
    )


def _group_problem(change: GroupChange, measures: Measures, settings: Settings) -> str:
    """The first rule that a group breaks, as a sentence; empty if none."""
    return next(_group_problems(change, measures, settings), "")


def _group_problems(change: GroupChange, measures: Measures, settings: Settings) -> Iterator[str]:
    limits, own = settings.breaker, settings.segments.get(change.name)
    shrink = own.max_shrink if own and own.max_shrink is not None else limits.max_shrink
    grow = own.max_growth if own and own.max_growth is not None else limits.max_growth
    idle_out = max(limits.max_removals, shrink if own and own.max_shrink is not None else 0.0)
    idle_in = max(limits.max_removals, grow if own and own.max_growth is not None else 0.0)
    weeks = max(1.0, measures.days / 7)
    base = max(change.before, limits.min_size, 1)
    turnover, burst = _natural(change, measures.days)
    sentence = f"{change.name} went from {change.before:,} to {change.after:,} people"
    if change.before >= max(limits.min_size, 1) and change.after == 0:
        yield f"{sentence}: empty."
    if change.before >= limits.min_size:
        lost = change.before - change.after
        if lost > _with_chance(_less(shrink, weeks) * change.before + turnover):
            yield f"{sentence}, {lost / change.before:.0%} fewer (more than {shrink:.0%})."
        if change.removed_idle > _with_chance(_less(idle_out, weeks) * change.before + turnover):
            yield (
                f"{sentence}; {change.removed_idle:,} left without having done anything"
                f" (more than {idle_out:.0%})."
            )
    if change.entered_idle > _with_chance(_more(idle_in, weeks) * base + turnover):
        yield (
            f"{sentence}; {change.entered_idle:,} entered without having done anything"
            f" (more than {idle_in:.0%})."
        )
    people = max(1.0, measures.people_after / max(measures.people_before, 1))
    allowed = (1 + _more(grow, weeks)) * people * burst - 1
    if change.after - base > _with_chance(allowed * base):
        yield f"{sentence}, {change.after / base - 1:.0%} more (more than {grow:.0%})."


def _natural(change: GroupChange, days: float) -> tuple[float, float]:
    """What a window explains: members who come and go by themselves, and a busy day's growth."""
    if change.window_days is None or days == 0:
        return 0.0, 1.0
    share = min(1.0, days / change.window_days)
    leaving = max(float(change.due), TURNOVER_SLACK * share * change.before)
    return leaving, 1.0 + (BURST - 1.0) * share


def _past_problem(change: PastChange, measures: Measures, limits: Breaker) -> str:
    if change.rows < max(limits.min_size, 1):
        return ""
    noise = NOISE / sqrt(change.rows)
    weeks = max(1.0, measures.days / 7) if change.settles else 1.0
    moved = (change.after - change.before) / abs(change.before) if change.before else 0.0
    figures = f"{change.what} up to the last published moment went from"
    figures += f" {change.before:,.0f} to {change.after:,.0f}"
    if moved < -_less(PAST_TOLERANCE, weeks) - noise:
        return f"The {figures}, {-moved:.0%} fewer; the past should stay as it was."
    if change.may_grow and moved > _more(PAST_TOLERANCE, weeks) + noise:
        return f"The {figures}, {moved:.0%} more; the past should stay as it was."
    if change.restated is not None and change.restated > (PAST_TOLERANCE + noise) * change.rows:
        share = change.restated / change.rows
        return (
            f"{change.restated:,} {change.what} ({share:.0%}) up to the last published moment are"
            " not there as they were (time, currency or amount)."
        )
    return ""


def _with_chance(expected: float) -> float:
    return expected + NOISE * sqrt(max(expected, 1.0))


def _less(share: float, weeks: float) -> float:
    return float(1 - (1 - share) ** weeks)


def _more(share: float, weeks: float) -> float:
    return float((1 + share) ** min(weeks, 520.0) - 1)
