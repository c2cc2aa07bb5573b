"""What the science reads of the warehouse, and the Parquet files that the models read of it.

Belongs here: columns and files. Does not belong here: any method, or when it is asked.

Data flow: warehouse.duckdb (marts.fct_orders, read-only) -> `$REGULARS_HOME/science/*.parquet`,
each written whole and renamed, read by dbt's second call as the source `science`.
"""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa

from ingestion.config import Shop
from ingestion.duckdb import connect
from orchestration.home.layout import Home
from orchestration.science.parquet import day_number, figures, today_of, write_tables
from orchestration.science.value.buyers import Sales
from orchestration.science.value.judging import ALIVE, MARGIN, SPEND, TARGETS, WINDOWS
from orchestration.science.value.value import Predictions, predict
from orchestration.science.verdicts import back_test_table

HORIZON = 365
HORIZONS = {**dict.fromkeys(TARGETS, HORIZON), **WINDOWS}
VALUE, PREDICTIONS = "customer_value", "customer_predictions"
BACK_TESTS = "prediction_backtests"
FILES = (VALUE, PREDICTIONS, BACK_TESTS)
# As fct_customer_rfm adds up: an order counts on its day, what comes back on its own. A document of
# returns without its order belongs to the last order before it. Whoever has an amount without a
# rate is left out.
SALES = """
with orders as (
    select *, greatest(
        coalesce(cast(timezone($zone, timezone('UTC', refunded_at)) as date), ordered_date),
        ordered_date
    ) as returned_date
    from marts.fct_orders
    where is_counted and customer_id is not null and customer_id not in (
        select customer_id from marts.fct_orders
        where is_counted and net_sales_shop is null and customer_id is not null
    )
),
changes as (
    select customer_id, ordered_date, ordered_date as known_date,
        net_sales_shop + returns_shop as amount, margin_shop as margin
    from orders where is_kept
    union all
    select customer_id, ordered_date, returned_date, -returns_shop, 0
    from orders where is_kept and returns_shop <> 0
    union all
    select documents.customer_id, kept.ordered_date, documents.ordered_date,
        documents.net_sales_shop, documents.margin_shop
    from (select * from orders where not is_kept) as documents
    asof join (select distinct customer_id, ordered_date from orders where is_kept) as kept
        on documents.customer_id = kept.customer_id and documents.ordered_date >= kept.ordered_date
)
select customer_id, ordered_date - date '1970-01-01' as ordered,
    known_date - date '1970-01-01' as known, cast(amount as double) as amount,
    coalesce(cast(margin as double), 'nan') as margin
from changes
order by customer_id, ordered, known, amount, margin
"""


def write_predictions(home: Home, as_of: datetime, shop: Shop) -> dict[str, str | int]:
    """Predict from the warehouse as it is and write the files.

    Args:
        home: whose.
        as_of: the run's "now", naive UTC.
        shop: in whose time zone days are counted.

    Returns:
        How many people there are, and for each target whether it is published and why not.
    """
    today = today_of(as_of, shop)
    ids, sales = read_sales(home, shop.timezone)
    predictions = predict(sales, day_number(today), HORIZON)
    write_tables(
        home,
        {
            VALUE: value_table(predictions, ids, today),
            PREDICTIONS: prediction_table(predictions, ids, today),
            BACK_TESTS: back_test_table(predictions.verdict, today, HORIZONS),
        },
    )
    words = {
        target: f"withheld: {reason}" if reason else f"published, by {predictions.models[target]}"
        for target, reason in predictions.reasons.items()
    }
    return {"people": len(predictions.person), **words}


def read_sales(home: Home, zone: str) -> tuple[list[str], Sales]:
    """The customers, in order, and the shop's sales by their numbers."""
    with connect(home.warehouse, read_only=True) as connection:
        columns = connection.execute(SALES, {"zone": zone}).fetchnumpy()
    customers, person = np.unique(columns["customer_id"].astype(str), return_inverse=True)
    return customers.tolist(), Sales(
        person.astype(np.int64),
        np.asarray(columns["ordered"], dtype=np.int64),
        np.asarray(columns["known"], dtype=np.int64),
        np.asarray(columns["amount"], dtype=np.float64),
        np.asarray(columns["margin"], dtype=np.float64),
    )


def value_table(predictions: Predictions, ids: list[str], today: date) -> pa.Table:
    """One row per buyer: what is predicted of them, or why nothing is."""
    count = len(predictions.person)
    midnight = np.datetime64(today, "us")
    missing = np.isnan(predictions.wait)
    days = np.where(missing, 0, predictions.wait).astype("timedelta64[D]")
    return pa.table(
        {
            "customer_id": pa.array([ids[person] for person in predictions.person], pa.string()),
            "as_of_date": pa.array([today] * count, pa.date32()),
            "predicted_clv_365d": figures(predictions.spend),
            "predicted_clv_low": figures(predictions.spend_low),
            "predicted_clv_high": figures(predictions.spend_high),
            "margin_365d": figures(predictions.margin),
            "probability_alive": figures(predictions.alive),
            "expected_orders_365d": figures(predictions.orders),
            "predicted_next_order_at": pa.array(midnight + days, pa.timestamp("us"), mask=missing),
            "null_reason": pa.array([predictions.reasons[SPEND]] * count, pa.string()),
            "margin_null_reason": pa.array([predictions.reasons[MARGIN]] * count, pa.string()),
        }
    )


def prediction_table(predictions: Predictions, ids: list[str], today: date) -> pa.Table:
    """One row per buyer: how likely they are to stay away, and to buy soon."""
    count = len(predictions.person)
    reason = predictions.reasons[ALIVE]
    model = None if reason else predictions.models[ALIVE]
    return pa.table(
        {
            "customer_id": pa.array([ids[person] for person in predictions.person], pa.string()),
            "as_of_date": pa.array([today] * count, pa.date32()),
            "churn_risk": figures(predictions.churn),
            "low": figures(predictions.churn_low),
            "high": figures(predictions.churn_high),
            **{target: figures(chance) for target, chance in predictions.buys.items()},
            "model": pa.array([model] * count, pa.string()),
            "null_reason": pa.array([reason] * count, pa.string()),
        }
    )
