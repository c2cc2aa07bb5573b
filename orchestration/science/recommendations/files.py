"""The Parquet files that the models read of recommendations.

Belongs here: columns and files. Does not belong here: any method; what may not be recommended, and
kinds that need no method (dbt_project/models/marts/recommendations).

Data flow: warehouse.duckdb (orchestration/science/purchases.py, read-only) ->
`$REGULARS_HOME/science/{recommendation_scores,recommendation_backtests}.parquet`.
"""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa

from ingestion.config import Shop
from orchestration.home.layout import Home
from orchestration.science.parquet import day_number, day_of, today_of, write_tables
from orchestration.science.purchases import Bought, read_purchases
from orchestration.science.recommendations.judging import METHODS, Verdict, judged
from orchestration.science.recommendations.methods import Owned, best

SCORES, BACK_TESTS = "recommendation_scores", "recommendation_backtests"
FILES = (SCORES, BACK_TESTS)
# More than are shown: what is out of stock or unfit is taken out later
SCORED = 30


def write_scores(home: Home, as_of: datetime, shop: Shop) -> dict[str, str | int]:
    """Choose the method by the shop's past, score products for every buyer, write both files.

    Args:
        home: whose.
        as_of: the run's "now", naive UTC.
        shop: in whose time zone days are counted.

    Returns:
        Which method is used, and of how many of how many people each was right.
    """
    today = today_of(as_of, shop)
    bought = read_purchases(home)
    people, products = len(bought.customers), len(bought.products.ids)
    verdict = judged(bought.purchases, people, products)
    write_tables(
        home,
        {
            SCORES: score_table(bought, verdict.method, today),
            BACK_TESTS: back_test_table(verdict, today),
        },
    )
    right: dict[str, str | int] = {f"{each} right": n for each, n in verdict.right.items()}
    return {"method": verdict.method, "people": verdict.people, **right}


def score_table(bought: Bought, method: str, today: date) -> pa.Table:
    """One row per buyer and product that they may like next, best first."""
    people, products = len(bought.customers), len(bought.products.ids)
    owned = Owned(bought.purchases, day_number(today), people, products)
    product, score = best(method, owned, np.arange(people), SCORED)
    rows, places = np.nonzero(product >= 0)
    count = len(rows)
    customers = np.array(bought.customers, dtype=object)
    ids = np.array(bought.products.ids, dtype=object)
    return pa.table(
        {
            "customer_id": pa.array(customers[rows], pa.string()),
            "product_id": pa.array(ids[product[rows, places]], pa.string()),
            "score": pa.array(score[rows, places], pa.float64()),
            "method": pa.array([method] * count, pa.string()),
            "as_of_date": pa.array([today] * count, pa.date32()),
        }
    )


def back_test_table(verdict: Verdict, today: date) -> pa.Table:
    """One row per method: how often it was right, and whether it is used."""
    origin = None if verdict.cut is None else day_of(verdict.cut)
    shares = [
        round(verdict.right[method] / verdict.people, 6) if verdict.people else None
        for method in METHODS
    ]
    count = len(METHODS)
    return pa.table(
        {
            "method": pa.array(METHODS, pa.string()),
            "origin_date": pa.array([origin] * count, pa.date32()),
            "people": pa.array([verdict.people] * count, pa.int64()),
            "right_count": pa.array([verdict.right[each] for each in METHODS], pa.int64()),
            "hit_rate_10": pa.array(shares, pa.float64()),
            "is_published": pa.array([each == verdict.method for each in METHODS], pa.bool_()),
            "null_reason": pa.array([verdict.reasons[each] for each in METHODS], pa.string()),
            "as_of_date": pa.array([today] * count, pa.date32()),
        }
    )
