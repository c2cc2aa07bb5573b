"""What each buyer is worth in the time ahead: predicted where the back-test proved it, else not.

Belongs here: joining the verdict on the shop's past with the models of today. Does not belong here:
the models, the verdict, or files (files.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.science.value.back_test import Verdict, back_test
from orchestration.science.value.buyers import Buyers, Ints, Sales, buyers_on
from orchestration.science.value.fitting import Floats, NotConvergedError
from orchestration.science.value.judging import (
    ALIVE,
    LEAST_REPEAT_BUYERS,
    NEXT_ORDER,
    NOT_CONVERGED,
    ORDERS,
    SPEND,
    TARGETS,
    TOO_FEW_REPEAT_BUYERS,
)
from orchestration.science.value.outlook import HIGH, LOW, Outlook, fit

# The last bits of a sum may differ between machines, so they are not published
MONEY_DIGITS = 4
DIGITS = 6


@dataclass(frozen=True)
class Predictions:
    """One row per buyer; NaN is what is not predicted.

    `wait` are days until an order is as likely as not to have come, within the horizon. `reasons`
    says for each target why nothing is published of it; None where it is.
    """

    person: Ints
    spend: Floats
    spend_low: Floats
    spend_high: Floats
    alive: Floats
    orders: Floats
    wait: Floats
    models: dict[str, str | None]
    reasons: dict[str, str | None]
    verdict: Verdict


def predict(sales: Sales, as_of: int, horizon: int) -> Predictions:
    """Predict every buyer's next `horizon` days as of a day, by the models that its past chose."""
    verdict = back_test(sales, as_of, horizon)
    buyers = buyers_on(sales, as_of)
    reasons = {target: decision.reason for target, decision in verdict.decisions.items()}
    outlooks: dict[str, Outlook] = {}
    for target in TARGETS:
        model = verdict.decisions[target].model
        if reasons[target] is None and model and model not in outlooks:
            outlook = _outlook(buyers, horizon, model)
            if isinstance(outlook, str):
                reasons[target] = outlook
            else:
                outlooks[model] = outlook
    by_target = {
        target: outlooks.get(verdict.decisions[target].model or "") if why is None else None
        for target, why in reasons.items()
    }
    nothing = np.full(len(buyers), np.nan)
    of_spend, orders = by_target[SPEND], by_target[ORDERS]
    alive, next_order = by_target[ALIVE], by_target[NEXT_ORDER]
    spend = of_spend.spend if of_spend else None
    return Predictions(
        person=buyers.person,
        spend=spend.mean.round(MONEY_DIGITS) if spend else nothing,
        spend_low=spend.quantile(LOW).round(MONEY_DIGITS) if spend else nothing,
        spend_high=spend.quantile(HIGH).round(MONEY_DIGITS) if spend else nothing,
        alive=alive.alive.round(DIGITS) if alive else nothing,
        orders=orders.orders.round(DIGITS) if orders else nothing,
        wait=_within(next_order.wait, horizon) if next_order else nothing,
        models={target: decision.model for target, decision in verdict.decisions.items()},
        reasons=reasons,
        verdict=verdict,
    )


def _outlook(buyers: Buyers, horizon: int, model: str) -> Outlook | str:
    """What the model of today says, or why it cannot."""
    if buyers.repeat_buyers < LEAST_REPEAT_BUYERS:
        return TOO_FEW_REPEAT_BUYERS
    try:
        models = fit(buyers, may_leave_at_first=model == "mbg_nbd")
    except NotConvergedError:
        return NOT_CONVERGED
    return models.outlook(buyers, horizon)


def _within(wait: Floats, horizon: int) -> Floats:
    """Whole days, where they lie within the horizon."""
    return np.where(wait <= horizon, np.ceil(wait.round(DIGITS)), np.nan)
