"""What each buyer is worth in the time ahead: predicted where the back-test proved it, else not.

Belongs here: joining the verdict on the shop's past with the models of today. Does not belong here:
the models, the verdict, or files (files.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from orchestration.science.measures import HIGH, LOW
from orchestration.science.value.back_test import back_test, drift_ahead
from orchestration.science.value.buyers import Buyers, Ints, Sales, buyers_on
from orchestration.science.value.draws import churn_interval
from orchestration.science.value.fitting import Floats
from orchestration.science.value.judging import (
    ALIVE,
    MARGIN,
    NEXT_ORDER,
    ORDERS,
    SPEND,
    TARGETS,
    WINDOWS,
    fit_or_reason,
)
from orchestration.science.value.margins import margin_share
from orchestration.science.value.outlook import Models
from orchestration.science.verdicts import Verdict

# The last bits of a sum may differ between machines, so they are not published
MONEY_DIGITS = 4
DIGITS = 6


@dataclass(frozen=True)
class Predictions:
    """One row per buyer; NaN is what is not predicted.

    `margin` is what stays of `spend`, by the shop's share of the last horizon.
    `wait` are days until an order is as likely as not to have come, within the horizon; `churn` is
    the chance of no order within it, with its interval; `buys` has the chance of an order within
    each window. `reasons` says for each target why nothing is published of it; None where it is.
    """

    person: Ints
    spend: Floats
    spend_low: Floats
    spend_high: Floats
    margin: Floats
    alive: Floats
    orders: Floats
    wait: Floats
    churn: Floats
    churn_low: Floats
    churn_high: Floats
    buys: dict[str, Floats]
    models: dict[str, str | None]
    reasons: dict[str, str | None]
    verdict: Verdict


def predict(sales: Sales, as_of: int, horizon: int) -> Predictions:
    """Predict every buyer's next `horizon` days as of a day, by the models that its past chose."""
    verdict = back_test(sales, as_of, horizon)
    buyers = buyers_on(sales, as_of)
    models, reasons = _fitted(buyers, verdict)
    outlooks = {id(each): each.outlook(buyers, horizon) for each in models.values()}
    year = {target: outlooks[id(models[target])] for target in TARGETS if target in models}
    nothing = np.full(len(buyers), np.nan)
    spend = year[SPEND].spend if SPEND in year else None
    share = margin_share(sales.until(as_of), as_of, horizon)
    if isinstance(share, str):
        reasons[MARGIN] = reasons[MARGIN] or share
    margin = nothing
    if spend and not isinstance(share, str) and reasons[MARGIN] is None:
        margin = spend.mean * share
    churn, low, high = nothing, nothing, nothing
    if ALIVE in year:
        order_model = models[ALIVE].orders
        churn = 1 - year[ALIVE].buys
        drift = drift_ahead(sales, verdict, as_of, horizon, order_model.name)
        distinct, row_of = buyers.histories.grouped()
        low, high = (each[row_of] for each in churn_interval(order_model, distinct, horizon, drift))
    return Predictions(
        person=buyers.person,
        spend=spend.mean.round(MONEY_DIGITS) if spend else nothing,
        spend_low=spend.quantile(LOW).round(MONEY_DIGITS) if spend else nothing,
        spend_high=spend.quantile(HIGH).round(MONEY_DIGITS) if spend else nothing,
        margin=margin.round(MONEY_DIGITS),
        alive=year[ALIVE].alive.round(DIGITS) if ALIVE in year else nothing,
        orders=year[ORDERS].orders.round(DIGITS) if ORDERS in year else nothing,
        wait=_within(year[NEXT_ORDER].wait, horizon) if NEXT_ORDER in year else nothing,
        churn=churn.round(DIGITS),
        # The middle of the draws and the fitted parameters differ a little
        churn_low=np.minimum(low, churn).round(DIGITS),
        churn_high=np.maximum(high, churn).round(DIGITS),
        buys=_chances_to_buy(buyers, models, 1 - churn),
        models={target: decision.model for target, decision in verdict.decisions.items()},
        reasons=reasons,
        verdict=verdict,
    )


def _chances_to_buy(
    buyers: Buyers, models: Mapping[str, Models], in_a_year: Floats
) -> dict[str, Floats]:
    """The chance of an order within each window, NaN where it is not published.

    Windows may have different models; none says more than a longer one.
    """
    chances: dict[str, Floats] = {}
    most = in_a_year
    for target, days in sorted(WINDOWS.items(), key=lambda window: -window[1]):
        own = np.full(len(buyers), np.nan)
        if target in models:
            own = np.fmin(models[target].chance_to_buy(buyers, days), most)
            most = own
        chances[target] = own.round(DIGITS)
    return chances


def _fitted(buyers: Buyers, verdict: Verdict) -> tuple[dict[str, Models], dict[str, str | None]]:
    """The models of today by target, where one is published, and why not by target."""
    by_name: dict[str, Models | str] = {}
    models: dict[str, Models] = {}
    reasons: dict[str, str | None] = {}
    for target, decision in verdict.decisions.items():
        reasons[target] = decision.reason
        if decision.reason is None and decision.model:
            if decision.model not in by_name:
                by_name[decision.model] = fit_or_reason(buyers, decision.model)
            fitted = by_name[decision.model]
            if isinstance(fitted, str):
                reasons[target] = fitted
            else:
                models[target] = fitted
    return models, reasons


def _within(wait: Floats, horizon: int) -> Floats:
    """Whole days, where they lie within the horizon."""
    return np.where(wait <= horizon, np.ceil(wait.round(DIGITS)), np.nan)
