"""What back-tests say: judgements of models at days of the past, the verdict, and its table.

Belongs here: origins, what a judgement holds, the decision what is published and why not. Does not
belong here: any model, or how errors and coverage are measured (measures).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.parquet import day_of

Floats = NDArray[np.float64]
NO_MODEL = "none"
TOO_FEW_REPEAT_BUYERS = "too_few_repeat_buyers"
NOT_CONVERGED = "did_not_converge"
NOTHING_PAID = "nothing_paid"
UNKNOWN_COST = "unknown_cost"
TOO_FEW_SIGNALS = "too_few_signals"
HISTORY_TOO_SHORT = "history_too_short"
LOSES = "loses_to_baseline"
NOT_SURE = "not_surely_better"
MISSES = "interval_misses"
LESS_EXACT = "other_model_is_better"
REASONS = (
    HISTORY_TOO_SHORT,
    TOO_FEW_REPEAT_BUYERS,
    TOO_FEW_SIGNALS,
    NOT_CONVERGED,
    NOTHING_PAID,
    UNKNOWN_COST,
    LOSES,
    NOT_SURE,
    MISSES,
    LESS_EXACT,
)
MOST_ORIGINS = 4
# A model is surely better where its mean advantage is so many standard errors above nothing (90 %)
SURELY = 1.28
# Intervals that are right nine times in ten are right so many standard errors less often than that
# once in a hundred
RIGHT = 0.9
UNLIKELY = 2.33
# How far a shop as a whole comes out beside what its past says (the standard deviation of the
# logarithm): as measured on ten pretend shops, more where the past is shorter than the horizon,
# until earlier origins of the shop itself say otherwise; it counts as so many origins
USUAL_DRIFT = 0.13
USUAL_DRIFT_WEIGHT = 2
# Of so many random groups
GROUPS = 50
# What the intervals of a target are judged by
OF_TOTALS, OF_PEOPLE, OF_NOTHING = "totals", "people", "nothing"


@dataclass(frozen=True)
class Judgement:
    """One model at one origin, on one target, over a horizon of days.

    `error` is the root mean squared error per person (days of mean absolute error for the next
    order); `coverage` is the share of totals of random groups within their 90 % intervals, and
    `coverage_people` that of single people by the randomised probability transform. `advantages`
    are per person, the best rule's loss less the model's. `judged_by` is which of the two coverages
    decides. What cannot be said is None: all of it where there is a `reason`.
    """

    model: str
    target: str
    origin: int
    horizon: int
    people: int
    error: float | None = None
    baseline_error: float | None = None
    baseline: str | None = None
    predicted_total: float | None = None
    actual_total: float | None = None
    coverage: float | None = None
    coverage_people: float | None = None
    reason: str | None = None
    advantages: Floats | None = None
    judged_by: str = OF_TOTALS


@dataclass(frozen=True)
class Decision:
    """The model that is best on a target, why it is withheld if it is."""

    model: str | None
    reason: str | None


@dataclass(frozen=True)
class Verdict:
    """What may be published, by target, and what that rests on."""

    decisions: dict[str, Decision]
    judgements: tuple[Judgement, ...]

    @property
    def unjudged(self) -> list[str]:
        """The targets that no origin could judge."""
        judged = {j.target for j in self.judgements}
        return [target for target in self.decisions if target not in judged]

    def publishes(self, target: str, model: str) -> bool:
        """Whether what the model says of the target is published."""
        return self.decisions[target] == Decision(model, None)

    def why_not(self, target: str, model: str) -> str | None:
        """Why what the model says of the target is not published."""
        decision = self.decisions[target]
        if self.publishes(target, model) or decision.model == model:
            return decision.reason
        own = [j for j in self.judgements if (j.target, j.model) == (target, model)]
        return _reason(own) or LESS_EXACT


def origins_between(first: int, as_of: int, horizon: int) -> list[int]:
    """The days of the past to predict from, the latest first: a whole horizon lies after each.

    They lie half a horizon apart, with a whole horizon before each. A shop too young for that gets
    one with at least half a horizon before it: with less, hardly anybody can have come back.

    Args:
        first: the day of the shop's first order.
        as_of: today.
        horizon: days.
    """
    last = as_of - horizon
    days = list(range(last, first + horizon - 1, -(horizon + 1) // 2))
    if not days and last >= first + horizon // 2:
        days = [last]
    return days[:MOST_ORIGINS]


def drift(judgements: Sequence[Judgement], until: int, horizon: int, seen: int) -> float:
    """How far the shop as a whole comes out beside a forecast, as far as was known by a day.

    The root mean square of ln(actual / predicted) over the origins whose horizon had ended, and of
    the usual drift, which is the greater the shorter the history of `seen` days.
    """
    ended = [
        float(np.log(j.actual_total / j.predicted_total))
        for j in judgements
        if j.origin + horizon <= until and j.actual_total and j.predicted_total
        if j.actual_total > 0 and j.predicted_total > 0
    ]
    usual = USUAL_DRIFT * max(1.0, horizon / max(seen, 1))
    squares = usual**2 * USUAL_DRIFT_WEIGHT + float(np.square(ended).sum())
    return float(np.sqrt(squares / (USUAL_DRIFT_WEIGHT + len(ended))))


def decide(judgements: Sequence[Judgement], target: str) -> Decision:
    """The better model on a target over all origins, of those that may be published if any may."""
    by_model: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        if judgement.target == target:
            by_model.setdefault(judgement.model, []).append(judgement)
    if not by_model:
        return Decision(None, HISTORY_TOO_SHORT)
    reasons = {name: _reason(own) for name, own in by_model.items()}
    model = min(
        by_model, key=lambda name: (reasons[name] is not None, _pooled(by_model[name]), name)
    )
    return Decision(model, reasons[model])


def _pooled(judgements: list[Judgement]) -> float:
    """A model's squared error over all origins; infinite where it could not say anything."""
    return sum(np.inf if j.error is None else float(j.people * j.error**2) for j in judgements)


def _reason(judgements: list[Judgement]) -> str | None:
    """Why a target is withheld, over all origins; None where it may be published."""
    if failed := next((j.reason for j in judgements if j.reason), None):
        return failed
    advantages = np.concatenate([j.advantages for j in judgements if j.advantages is not None])
    if worse := why_not_better(advantages):
        return worse
    if any(j.judged_by == OF_NOTHING for j in judgements):
        return None
    covered = [share for j in judgements if (share := _coverage(j)) is not None]
    if not covered or np.mean(covered) < _least_coverage(len(covered)):
        return MISSES
    return None


def why_not_better(advantages: Floats) -> str | None:
    """Why a model is not surely better than a rule (advantages, one per person); None if it is."""
    if not len(advantages) or advantages.mean() <= 0:
        return LOSES
    if advantages.mean() < SURELY * advantages.std() / np.sqrt(len(advantages)):
        return NOT_SURE
    return None


def _least_coverage(origins_judged: int) -> float:
    """The share of intervals that must have been right, of fifty at each origin."""
    return RIGHT - UNLIKELY * float(np.sqrt(RIGHT * (1 - RIGHT) / (GROUPS * origins_judged)))


def _coverage(judgement: Judgement) -> float | None:
    """The share of intervals that held, of whatever the target is judged by."""
    return judgement.coverage_people if judgement.judged_by == OF_PEOPLE else judgement.coverage


def back_test_table(verdict: Verdict, today: date, horizons: Mapping[str, int]) -> pa.Table:
    """One row per model, target and origin; one without a model for targets of no origin.

    `horizons` are the days of each target.
    """
    judged: list[dict[str, object]] = [
        {
            "model": j.model,
            "target": j.target,
            "origin_date": day_of(j.origin),
            "horizon_days": j.horizon,
            "people": j.people,
            "error": _rounded(j.error),
            "baseline_error": _rounded(j.baseline_error),
            "baseline": j.baseline,
            "predicted_total": _rounded(j.predicted_total),
            "actual_total": _rounded(j.actual_total),
            "coverage_90": _rounded(j.coverage),
            "coverage_90_people": _rounded(j.coverage_people),
            "is_published": verdict.publishes(j.target, j.model),
            "null_reason": verdict.why_not(j.target, j.model),
        }
        for j in verdict.judgements
    ]
    rows: list[dict[str, object]] = judged + [
        {"model": NO_MODEL, "target": target, "horizon_days": horizons[target]}
        | {"people": 0, "is_published": False, "null_reason": verdict.decisions[target].reason}
        for target in verdict.unjudged
    ]
    table = pa.Table.from_pylist(rows, schema=_BACK_TESTS)
    return table.append_column("as_of_date", pa.array([today] * len(rows), pa.date32()))


_BACK_TESTS = pa.schema(
    [
        ("model", pa.string()),
        ("target", pa.string()),
        ("origin_date", pa.date32()),
        ("horizon_days", pa.int64()),
        ("people", pa.int64()),
        ("error", pa.float64()),
        ("baseline_error", pa.float64()),
        ("baseline", pa.string()),
        ("predicted_total", pa.float64()),
        ("actual_total", pa.float64()),
        ("coverage_90", pa.float64()),
        ("coverage_90_people", pa.float64()),
        ("is_published", pa.bool_()),
        ("null_reason", pa.string()),
    ]
)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
