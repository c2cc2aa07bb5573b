"""The back-test: what the models would have said in the shop's past, beside what then happened.

At each origin, a day of the past, the models are fitted to what was known then and judged on the
horizon after it, beside naive rules that need no model. A target is published where the better of
the two order models beats the best rule, surely (paired over people), and its intervals hold what
they promise; otherwise it is withheld with a reason. The reasons are `REASONS`.

Belongs here: origins, rules, errors, coverage, the verdict. Does not belong here: the models, or
who reads the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orchestration.science.value.buyers import Sales
from orchestration.science.value.fitting import Floats
from orchestration.science.value.judging import (
    GROUPS,
    NEXT_ORDER,
    NOT_CONVERGED,
    NOTHING_PAID,
    ORDERS,
    SPEND,
    TARGETS,
    TOO_FEW_REPEAT_BUYERS,
    WINDOWS,
    Judgement,
    judge,
    judge_windows,
    model_name,
)

HISTORY_TOO_SHORT = "history_too_short"
LOSES = "loses_to_baseline"
NOT_SURE = "not_surely_better"
MISSES = "interval_misses"
LESS_EXACT = "other_model_is_better"
REASONS = (
    HISTORY_TOO_SHORT,
    TOO_FEW_REPEAT_BUYERS,
    NOT_CONVERGED,
    NOTHING_PAID,
    LOSES,
    NOT_SURE,
    MISSES,
    LESS_EXACT,
)
MOST_ORIGINS = 4
# A model is surely better where its mean advantage is so many standard errors above nothing (90 %)
SURELY = 1.28
# How far a shop as a whole comes out beside what its past says (the standard deviation of the
# logarithm): as measured on ten pretend shops, more where the past is shorter than the horizon,
# until earlier origins of the shop itself say otherwise; it counts as so many origins
USUAL_DRIFT = 0.13
USUAL_DRIFT_WEIGHT = 2
# Intervals that are right nine times in ten are right so many standard errors less often than that
# once in a hundred
RIGHT = 0.9
UNLIKELY = 2.33


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


def origins(sales: Sales, as_of: int, horizon: int) -> list[int]:
    """The days of the past to predict from, the latest first: a whole horizon lies after each.

    They lie half a horizon apart, with a whole horizon before each. A shop too young for that gets
    one with at least half a horizon before it: with less, hardly anybody can have come back.
    """
    if not len(sales.ordered):
        return []
    return origins_between(int(sales.ordered.min()), as_of, horizon)


def origins_between(first: int, as_of: int, horizon: int) -> list[int]:
    """The same of a shop whose first order was on a day."""
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


def back_test(sales: Sales, as_of: int, horizon: int) -> Verdict:
    """Judge both order models on the shop's own past and decide what may be published.

    Args:
        sales: the shop's sales; what is later than `as_of` is not looked at.
        as_of: today.
        horizon: days.
    """
    known = sales.until(as_of)
    judgements: list[Judgement] = []
    year = {ORDERS: horizon, SPEND: horizon}
    for origin in reversed(origins(known, as_of, horizon)):
        for is_mbg in (False, True):
            drifts = _drifts(known, judgements, origin, year, model_name(may_leave_at_first=is_mbg))
            judgements += judge(known, origin, horizon, drifts, may_leave_at_first=is_mbg)
    for origin in reversed(origins(known, as_of, max(WINDOWS.values()))):
        for is_mbg in (False, True):
            drifts = _drifts(
                known, judgements, origin, WINDOWS, model_name(may_leave_at_first=is_mbg)
            )
            judgements += judge_windows(known, origin, drifts, may_leave_at_first=is_mbg)
    decisions = {target: decide(judgements, target) for target in (*TARGETS, *WINDOWS)}
    return Verdict(decisions, tuple(judgements))


def _drifts(
    sales: Sales,
    judgements: Sequence[Judgement],
    until: int,
    horizons: Mapping[str, int],
    model: str,
) -> dict[str, float]:
    """How far the shop may move on each of these targets, by what was known of a model by a day."""
    seen = until - int(sales.ordered.min())
    return {
        target: drift(
            [j for j in judgements if (j.model, j.target) == (model, target)], until, horizon, seen
        )
        for target, horizon in horizons.items()
    }


def drift_ahead(sales: Sales, verdict: Verdict, as_of: int, horizon: int, model: str) -> float:
    """How far the shop may move within the horizon from today."""
    return _drifts(sales, verdict.judgements, as_of, {ORDERS: horizon}, model)[ORDERS]


def decide(judgements: list[Judgement], target: str) -> Decision:
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
    if not all(j.has_interval for j in judgements):
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
    """What the intervals are judged by: totals, or people where there is no total."""
    return judgement.coverage_people if judgement.target == NEXT_ORDER else judgement.coverage
