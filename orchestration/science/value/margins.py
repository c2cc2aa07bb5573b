"""What stays of net sales after the goods are paid: the shop's share of it, and people's sums.

The margin of an order counts on its day, with what came back of it since, as far as it is known
today: a share of returns that came later changes the margin and the net sales of the order alike.

Belongs here: adding up margins that are known. Does not belong here: what goods cost
(dbt_project), or forecasting (outlook, judging).
"""

from __future__ import annotations

import numpy as np

from orchestration.science.value.buyers import Sales
from orchestration.science.value.fitting import Floats, sums
from orchestration.science.verdicts import NOTHING_PAID, UNKNOWN_COST


def margin_share(sales: Sales, until: int, horizon: int) -> float | str:
    """The share of margin in the net sales of the orders of so many days until a day.

    Returns why there is none where the cost of an order is unknown, or nothing was paid.
    """
    rows = _ordered(sales, until - horizon, until)
    if sales.margin is None or np.isnan(sales.margin[rows]).any():
        return UNKNOWN_COST
    spent = float(sales.amount[rows].sum())
    return float(sales.margin[rows].sum()) / spent if spent > 0 else NOTHING_PAID


def margins(sales: Sales, after: int, until: int, size: int) -> Floats | None:
    """The margin of each person's orders after one day and until another; None where unknown.

    `size` is one more than the highest number of a person.
    """
    rows = _ordered(sales, after, until)
    if sales.margin is None or np.isnan(sales.margin[rows]).any():
        return None
    return sums(sales.person[rows], sales.margin[rows], size)


def _ordered(sales: Sales, after: int, until: int) -> np.ndarray:
    return (sales.ordered > after) & (sales.ordered <= until)
