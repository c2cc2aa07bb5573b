"""The Parquet file that the models read of replenishment.

Belongs here: columns and files. Does not belong here: any method.

Data flow: warehouse.duckdb (orchestration/science/purchases.py, read-only) ->
`$REGULARS_HOME/science/replenishment_intervals.parquet`.
"""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa

from ingestion.config import Shop
from orchestration.home.layout import Home
from orchestration.science.parquet import day_number, figures, today_of, write_tables
from orchestration.science.purchases import Floats, Products, Purchases, read_purchases
from orchestration.science.replenishment.judging import Findings, findings

INTERVALS = "replenishment_intervals"
FILES = (INTERVALS,)
PRODUCT, CATEGORY, DECLARED = "product", "category", "declared"


def write_intervals(home: Home, as_of: datetime, shop: Shop) -> dict[str, str | int]:
    """Find and judge the interval of every product and write the file.

    Args:
        home: whose.
        as_of: the run's "now", naive UTC.
        shop: in whose time zone days are counted.

    Returns:
        How many products have an interval, by where it is from.
    """
    today = today_of(as_of, shop)
    bought = read_purchases(home)
    table = interval_table(bought.products, bought.purchases, today)
    write_tables(home, {INTERVALS: table})
    bases = table["basis"].to_pylist()
    return {basis: bases.count(basis) for basis in (PRODUCT, CATEGORY, DECLARED)}


def interval_table(products: Products, purchases: Purchases, today: date) -> pa.Table:
    """One row per product: its interval and where it is from, and what was found and judged."""
    count = len(products.ids)
    day = day_number(today)
    own = findings(purchases, day, products.declared, np.arange(count))
    shared = findings(purchases, day, products.declared, products.category)
    days, basis = _chosen(products, own, shared)
    return pa.table(
        {
            "product_id": pa.array(products.ids, pa.string()),
            "as_of_date": pa.array([today] * count, pa.date32()),
            "interval_days": figures(days),
            "basis": pa.array(basis, pa.string()),
            "found_days": figures(own.days),
            "category_days": figures(_of_category(products, shared.days)),
            "declared_days": figures(products.declared),
            "repeat_buyer_count": pa.array(own.repeat_buyers),
            "comeback_count": pa.array(own.judged),
            "found_right_count": pa.array(own.right),
            "declared_right_count": pa.array(own.declared_right),
            "null_reason": pa.array(own.reasons, pa.string()),
        }
    )


def _chosen(products: Products, own: Findings, shared: Findings) -> tuple[Floats, list[str | None]]:
    """The interval of each product, in whole days, and its basis."""
    is_shared = shared.is_used[products.category] & products.has_category
    of_category = _of_category(products, shared.days)
    days = np.select([own.is_used, is_shared], [own.days, of_category], products.declared)
    basis = np.select(
        [own.is_used, is_shared, ~np.isnan(products.declared)], [PRODUCT, CATEGORY, DECLARED], ""
    )
    return np.maximum(days.round(), 1), [word or None for word in basis.tolist()]


def _of_category(products: Products, days: Floats) -> Floats:
    return np.where(products.has_category, days[products.category], np.nan)
