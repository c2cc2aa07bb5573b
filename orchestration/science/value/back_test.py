"""The back-test: what the models would have said in the shop's past, beside what then happened.

At each origin, a day of the past, the models are fitted to what was known then and judged on the
horizon after it, beside naive rules that need no model. A target is published where the better of
the two order models beats the best rule, surely (paired over people), and its intervals hold what
they promise; otherwise it is withheld with a reason (verdicts).

Belongs here: at which origins the models are judged. Does not belong here: the models, judging at
one origin (judging), or who reads the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestration.science.value.buyers import Sales
from orchestration.science.value.judging import (
    MARGIN,
    ORDERS,
    SPEND,
    TARGETS,
    WINDOWS,
    judge,
    judge_windows,
    model_name,
)
from orchestration.science.verdicts import (
    UNKNOWN_COST,
    Decision,
    Judgement,
    Verdict,
    decide,
    drift,
    origins_between,
)


def origins(sales: Sales, as_of: int, horizon: int) -> list[int]:
    """The days of the past to predict from (`origins_between`); none of a shop without orders."""
    if not len(sales.ordered):
        return []
    return origins_between(int(sales.ordered.min()), as_of, horizon)


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
    decisions[MARGIN] = _of_spend(judgements, decisions[SPEND])
    return Verdict(decisions, tuple(judgements))


def _of_spend(judgements: Sequence[Judgement], spend: Decision) -> Decision:
    """Whether margin is published: it is a share of the spend, so by the model of that alone."""
    own = decide([j for j in judgements if j.model == spend.model], MARGIN)
    if own.reason == UNKNOWN_COST:
        return own
    return Decision(spend.model, spend.reason or own.reason)


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
