"""What the next category is read of, and the Parquet files that the models read of it.

Belongs here: columns and files. Does not belong here: the rules.

Data flow: warehouse.duckdb (marts.fct_orders, marts.fct_order_lines) ->
`$REGULARS_HOME/science/{next_category,category_backtests}.parquet`.
"""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa

from ingestion.config import Shop
from ingestion.duckdb import connect
from orchestration.home.layout import Home
from orchestration.science.next_category.rules import (
    HORIZON,
    NEXT_CATEGORY,
    Baskets,
    NextCategories,
    next_categories,
)
from orchestration.science.parquet import day_number, today_of, write_tables
from orchestration.science.verdicts import back_test_table

BACK_TESTS = "category_backtests"
FILES = (NEXT_CATEGORY, BACK_TESTS)
READS = ("fct_orders", "fct_order_lines")
# An order day's main category is the one on which most was spent; what came back is no less wanted
BASKETS = """
select orders.customer_id, orders.ordered_date - date '1970-01-01' as day, lines.category
from marts.fct_orders as orders
inner join marts.fct_order_lines as lines
    on orders.order_id = lines.order_id and orders.order_source = lines.order_source
where orders.is_kept and orders.is_counted and orders.customer_id is not null
    and lines.category is not null and not lines.is_return_line
group by orders.customer_id, orders.ordered_date, lines.category
qualify row_number() over (
    partition by orders.customer_id, orders.ordered_date
    order by sum(lines.gross_sales) desc nulls last, lines.category
) = 1
order by orders.customer_id, day
"""


def write_next_categories(home: Home, as_of: datetime, shop: Shop) -> dict[str, str | int]:
    """Name buyers' next categories from the warehouse as it is and write both files.

    Returns:
        How many people there are, and whether anything is published and why not.
    """
    today = today_of(as_of, shop)
    ids, names, baskets = read_baskets(home)
    result = next_categories(baskets, day_number(today))
    tests = back_test_table(result.verdict, today, {NEXT_CATEGORY: HORIZON})
    table = category_table(result, ids, names, today)
    write_tables(home, {NEXT_CATEGORY: table, BACK_TESTS: tests})
    word = f"withheld: {result.reason}" if result.reason else f"published, by {result.model}"
    return {"people": len(result.person), NEXT_CATEGORY: word}


def read_baskets(home: Home) -> tuple[list[str], list[str], Baskets]:
    """The customers and the categories, each in order, and what was bought by their numbers."""
    with connect(home.warehouse, read_only=True) as connection:
        columns = connection.execute(BASKETS).fetchnumpy()
    ids, person = np.unique(columns["customer_id"].astype(str), return_inverse=True)
    names, category = np.unique(columns["category"].astype(str), return_inverse=True)
    day = np.asarray(columns["day"], dtype=np.int64)
    order = np.lexsort((day, person))
    baskets = Baskets(person[order].astype(np.int64), day[order], category[order].astype(np.int64))
    return ids.tolist(), names.tolist(), baskets


def category_table(
    result: NextCategories, ids: list[str], names: list[str], today: date
) -> pa.Table:
    """One row per buyer of anything that has a category."""
    count = len(result.person)
    return pa.table(
        {
            "customer_id": pa.array([ids[person] for person in result.person], pa.string()),
            "as_of_date": pa.array([today] * count, pa.date32()),
            NEXT_CATEGORY: pa.array(
                [names[number] if number >= 0 else None for number in result.category], pa.string()
            ),
            "model": pa.array([None if result.reason else result.model] * count, pa.string()),
            "null_reason": pa.array([result.reason] * count, pa.string()),
        }
    )
