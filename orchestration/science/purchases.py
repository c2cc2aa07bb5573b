"""Who bought which product on which day, as the steps of the science read it of the warehouse.

Belongs here: the shape, and reading it. Does not belong here: any method.

Data flow: warehouse.duckdb (marts.fct_order_lines, fct_orders, dim_products, read-only) -> arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.duckdb import connect
from orchestration.home.layout import Home

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

READS = ("fct_orders", "fct_order_lines", "dim_products")
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
class Purchases:
    """One row per person, product and day; people and products are numbered from 0."""

    person: Ints
    product: Ints
    day: Ints

    def until(self, day: int) -> Purchases:
        """What was known at the end of a day."""
        known = self.day <= day
        return Purchases(self.person[known], self.product[known], self.day[known])


@dataclass(frozen=True)
class Products:
    """The shop's products in the order of their ids; `category` is NULL's own number where none."""

    ids: list[str]
    category: Ints
    has_category: Flags
    declared: Floats


@dataclass(frozen=True)
class Bought:
    """The shop's customers who bought something, its products, and who bought what on which day."""

    customers: list[str]
    products: Products
    purchases: Purchases


def read_purchases(home: Home) -> Bought:
    """What was bought of the products that the shop has, by its customers."""
    with connect(home.warehouse, read_only=True) as connection:
        rows = connection.execute(PRODUCTS).fetchall()
        bought = connection.execute(PURCHASES).fetchnumpy()
    ids, categories, declared = zip(*rows, strict=True) if rows else ((), (), ())
    _, category = np.unique([name or "" for name in categories], return_inverse=True)
    number = {product: row for row, product in enumerate(ids)}
    customers, person = np.unique(bought["customer_id"].astype(str), return_inverse=True)
    product = [number[each] for each in bought["product_id"].astype(str).tolist()]
    days = np.array([np.nan if each is None or each <= 0 else each for each in declared])
    return Bought(
        customers.tolist(),
        Products(
            list(ids),
            category.astype(np.int64),
            np.array([name is not None for name in categories], dtype=np.bool_),
            days.astype(np.float64),
        ),
        Purchases(
            person.astype(np.int64),
            np.array(product, dtype=np.int64),
            np.asarray(bought["day"], dtype=np.int64),
        ),
    )
