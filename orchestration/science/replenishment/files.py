"""What replenishment reads of the warehouse, and the Parquet file that the models read of it.

Belongs here: columns and files. Does not belong here: any method.

Data flow: warehouse.duckdb (marts.fct_order_lines, fct_orders, dim_products, read-only) ->
`$REGULARS_HOME/science/replenishment_intervals.parquet`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa

from ingestion.config import Shop
from ingestion.duckdb import connect
from orchestration.home.layout import Home
from orchestration.science.parquet import figures, write_tables
from orchestration.science.replenishment.gaps import Ints, Purchases
from orchestration.science.replenishment.judging import Findings, findings
from orchestration.science.replenishment.rhythm import Floats

INTERVALS = "replenishment_intervals"
FILES = (INTERVALS,)
READS = ("fct_orders", "fct_order_lines", "dim_products")
PRODUCT, CATEGORY, DECLARED = "product", "category", "declared"

PRODUCTS = """
select product_id, category, cast(replenish_after_days as double) as declared
from marts.dim_products
order by product_id
"""
# What came back whole was not used up
PURCHASES = """
select lines.customer_id, lines.product_id,
    orders.ordered_date - date '1970-01-01' as day
from marts.fct_order_lines as lines
join marts.fct_orders as orders
    on lines.order_id = orders.order_id and lines.order_source = orders.order_source
where orders.is_kept and lines.line_kind = 'goods' and not lines.is_return_line
    and lines.quantity > coalesce(lines.returned_quantity, 0)
    and lines.customer_id is not null
    and lines.product_id in (select product_id from marts.dim_products)
group by all
order by all
"""


@dataclass(frozen=True)
class Products:
    """The shop's products in the order of their ids; `category` is NULL's own number where none."""

    ids: list[str]
    category: Ints
    has_category: np.typing.NDArray[np.bool_]
    declared: Floats


def write_intervals(home: Home, as_of: datetime, shop: Shop) -> dict[str, str | int]:
    """Find and judge the interval of every product and write the file.

    Args:
        home: whose.
        as_of: the run's "now", naive UTC.
        shop: in whose time zone days are counted.

    Returns:
        How many products have an interval, by where it is from.
    """
    today = as_of.replace(tzinfo=UTC).astimezone(shop.zone).date()
    products, purchases = read_purchases(home)
    table = interval_table(products, purchases, today)
    write_tables(home, {INTERVALS: table})
    bases = table["basis"].to_pylist()
    return {basis: bases.count(basis) for basis in (PRODUCT, CATEGORY, DECLARED)}


def read_purchases(home: Home) -> tuple[Products, Purchases]:
    """The shop's products, and who bought which of them on which day."""
    with connect(home.warehouse, read_only=True) as connection:
        rows = connection.execute(PRODUCTS).fetchall()
        bought = connection.execute(PURCHASES).fetchnumpy()
    ids, categories, declared = zip(*rows, strict=True) if rows else ((), (), ())
    _, category = np.unique([name or "" for name in categories], return_inverse=True)
    number = {product: row for row, product in enumerate(ids)}
    _, person = np.unique(bought["customer_id"].astype(str), return_inverse=True)
    product = [number[each] for each in bought["product_id"].astype(str).tolist()]
    days = np.array([np.nan if each is None or each <= 0 else each for each in declared])
    return Products(
        list(ids),
        category.astype(np.int64),
        np.array([name is not None for name in categories], dtype=np.bool_),
        days.astype(np.float64),
    ), Purchases(
        person.astype(np.int64),
        np.array(product, dtype=np.int64),
        np.asarray(bought["day"], dtype=np.int64),
    )


def interval_table(products: Products, purchases: Purchases, today: date) -> pa.Table:
    """One row per product: its interval and where it is from, and what was found and judged."""
    count = len(products.ids)
    day = today.toordinal() - date(1970, 1, 1).toordinal()
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
