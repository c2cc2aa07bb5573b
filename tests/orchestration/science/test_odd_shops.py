"""Every step of the science on the warehouses of odd shops: finite figures, or NULL with a reason.

Belongs here: shops that have little, or something odd. Does not belong here: what a method makes of
a sound shop (the folders beside this file), or what models make of the files (tests/dbt/marts).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ingestion.config import Shop
from orchestration.home.layout import Home
from orchestration.science.experiments.files import BEFORE, SINCE
from orchestration.science.steps import STEPS, run_step

AS_OF = dt.datetime(2026, 6, 30, 12)
TODAY = AS_OF.date()
UTC = Shop(timezone="UTC")
SIGNALS = [
    "visited",
    "clicked",
    "viewed",
    "searched",
    "returned_to",
    "wishlisted",
    "carted",
    "checked_out",
]
OUTCOMES = (*SINCE, *(f"{metric}_before" for metric in BEFORE))
TABLES = {
    "marts.fct_orders": "order_id text, order_source text, customer_id text, ordered_date date,"
    " refunded_at timestamp, is_counted boolean, is_kept boolean, net_sales_shop decimal(18,4),"
    " returns_shop decimal(18,4), margin_shop decimal(18,4)",
    "marts.fct_order_lines": "order_id text, order_source text, customer_id text, product_id text,"
    " category text, line_kind text, is_return_line boolean, quantity decimal(18,4),"
    " returned_quantity decimal(18,4), gross_sales decimal(18,4)",
    "marts.dim_products": "product_id text, category text, replenish_after_days bigint",
    "marts.fct_customer_journey_stages": "customer_id text, stage_number bigint,"
    " entered_at timestamp",
    "marts.fct_touchpoints": "touchpoint_id text, customer_id text, orders_before bigint,"
    " is_counted boolean, marketing_channel text, order_id text, occurred_at timestamp",
    "marts.fct_experiment_outcomes": "experiment_outcome_id text, kind text, experiment text,"
    " assigned_at timestamp, measured_until timestamp, planned_days bigint, planned_share double,"
    " is_treated boolean, " + ", ".join(f"{name} decimal(18,4)" for name in OUTCOMES),
    "intermediate.int_intent_features": "customer_id text, as_of_date date, "
    + ", ".join(f"{s}_weight double, {s}_count bigint" for s in SIGNALS)
    + ", last_signal_date date, order_day_count bigint, last_ordered_date date",
}


@dataclass(frozen=True)
class Order:
    """An order of one line; `net` and `returns` in the shop's currency, NULL without a rate."""

    customer: str
    day: dt.date
    product: str = "tea"
    category: str | None = "Drinks"
    net: float | None = 20.0
    returns: float | None = 0.0
    margin: float | None = 8.0
    is_kept: bool = True


def usual(people: int = 24, products: int = 3, days: int = 620) -> list[Order]:
    """People who order every thirty to eighty days from their first order on."""
    rng = np.random.default_rng(7)
    orders = []
    for person in range(people):
        day, gap = int(rng.integers(0, days // 2)), int(rng.integers(30, 80))
        while day < days:
            product = f"p{int(rng.integers(0, products))}"
            when = TODAY - dt.timedelta(days - day)
            amount = float(rng.integers(10, 60))
            orders.append(Order(f"c{person:02}", when, product, net=amount, margin=amount / 2))
            day += gap + int(rng.integers(0, 9))
    return orders


def changed(**values: Any) -> list[Order]:
    """The usual shop with something the same in every order."""
    return [replace(order, **values) for order in usual()]


def since(day: dt.date, change: Callable[[Order], Order]) -> list[Order]:
    """The usual shop, in which something is otherwise from a day on."""
    return [change(order) if order.day >= day else order for order in usual()]


YEAR_BEGAN = dt.date(2026, 1, 1)
WEEKS = [TODAY - dt.timedelta(days) for days in range(0, 600, 5)]
# What nothing can be predicted of, whatever it looks like
LITTLE = {
    "nobody": [],
    "three customers": usual(people=3),
    "only returns": changed(net=-20.0, margin=-8.0, is_kept=False),
    "all returned": changed(net=0.0, returns=30.0, margin=0.0),
    "one order each": [Order(f"c{n:03}", TODAY - dt.timedelta(n * 3)) for n in range(200)],
    "one day": changed(day=TODAY - dt.timedelta(300)),
    "today": changed(day=TODAY),
    "a month old": [
        Order(f"c{n % 40:02}", TODAY - dt.timedelta(n % 29), f"p{n % 3}") for n in range(200)
    ],
    "price 0": changed(net=0.0, margin=0.0),
    "no rate": changed(net=None, returns=None, margin=None),
}
ODD = LITTLE | {
    "one product": usual(products=1),
    "no category": changed(category=None),
    "no cost": changed(margin=None),
    "sold at a loss": changed(margin=-50.0),
    "half by one": [
        *(Order("whale", day, net=900.0) for day in WEEKS),
        *(Order(f"c{n % 60:02}", day) for n, day in enumerate(WEEKS)),
    ],
    "some without a rate": since(YEAR_BEGAN, lambda o: replace(o, net=None, margin=None)),
    "a product renamed": since(YEAR_BEGAN, lambda o: replace(o, product=f"{o.product}-new")),
    "a category split": since(
        YEAR_BEGAN, lambda o: replace(o, category="Green" if o.product == "p0" else "Black")
    ),
}


def home_of(root: Path, orders: list[Order], *, has_web: bool = True) -> Home:
    """The warehouse of a shop; with web, somebody puts in the cart before each order."""
    home = Home(root / "home").create()
    products = {order.product: order.category for order in orders}
    rows: dict[str, list[dict[str, Any]]] = {
        "marts.fct_orders": [order_row(*each) for each in enumerate(orders)],
        "marts.fct_order_lines": [line_row(*each) for each in enumerate(orders)],
        "marts.dim_products": [{"product_id": p, "category": c} for p, c in products.items()],
        "marts.fct_customer_journey_stages": stage_rows(orders),
        "marts.fct_touchpoints": [touch_row(*each) for each in enumerate(orders) if has_web],
        "marts.fct_experiment_outcomes": outcome_rows(orders),
        "intermediate.int_intent_features": [signal_row(each) for each in orders if has_web],
    }
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema marts; create schema intermediate")
        for name, columns in TABLES.items():
            connection.execute(f"create table {name} ({columns})")
            if rows[name]:
                connection.register("rows", pa.Table.from_pylist(rows[name]))
                connection.execute(f"insert into {name} by name select * from rows")
    return home


def order_row(number: int, order: Order) -> dict[str, Any]:
    return {
        "order_id": f"o{number:04}",
        "order_source": "s",
        "customer_id": order.customer,
        "ordered_date": order.day,
        "is_counted": True,
        "is_kept": order.is_kept,
        "net_sales_shop": order.net,
        "returns_shop": order.returns,
        "margin_shop": order.margin,
    }


def line_row(number: int, order: Order) -> dict[str, Any]:
    return {
        "order_id": f"o{number:04}",
        "order_source": "s",
        "customer_id": order.customer,
        "product_id": order.product,
        "category": order.category,
        "line_kind": "goods",
        "is_return_line": not order.is_kept,
        "quantity": 1,
        "returned_quantity": int(bool(order.returns)),
        "gross_sales": order.net,
    }


def touch_row(number: int, order: Order) -> dict[str, Any]:
    return {
        "touchpoint_id": f"t{number:04}",
        "customer_id": order.customer,
        "orders_before": number,
        "is_counted": True,
        "marketing_channel": ("email", "direct")[number % 2],
        "order_id": f"o{number:04}" if order.is_kept else None,
        "occurred_at": dt.datetime.combine(order.day, dt.time(9)),
    }


def signal_row(order: Order) -> dict[str, Any]:
    day = order.day - dt.timedelta(2)
    weights = {f"{signal}_weight": 1.0 / n for n, signal in enumerate(SIGNALS, 1)}
    counts = {f"{signal}_count": 1 for signal in SIGNALS}
    row = {"customer_id": order.customer, "as_of_date": day, "last_signal_date": day}
    return row | weights | counts


def stage_rows(orders: list[Order]) -> list[dict[str, Any]]:
    first = {order.customer: order.day for order in sorted(orders, key=lambda o: o.day)[::-1]}
    return [
        {
            "customer_id": customer,
            "stage_number": 4,
            "entered_at": dt.datetime.combine(day, dt.time(9)),
        }
        for customer, day in first.items()
    ]


def outcome_rows(orders: list[Order]) -> list[dict[str, Any]]:
    """Every other buyer was held out from the first day on; nobody did anything since."""
    nothing = dict.fromkeys(OUTCOMES, 0)
    return [
        {
            "experiment_outcome_id": customer,
            "kind": "holdout",
            "experiment": "global",
            "assigned_at": AS_OF - dt.timedelta(60),
            "measured_until": AS_OF,
            "planned_days": 28,
            "planned_share": 0.1,
            "is_treated": number % 2 == 0,
        }
        | nothing
        for number, customer in enumerate(sorted({order.customer for order in orders}))
    ]


def written(home: Home) -> dict[str, pa.Table]:
    """Every file of every step, once all have ended without an error."""
    errors = {step.name: run_step(step, home, AS_OF, UTC).error for step in STEPS}
    assert errors == dict.fromkeys(errors)
    return {
        file: pq.read_table(home.science / f"{file}.parquet")
        for step in STEPS
        for file in step.files
    }


# A figure and the reason that stands where it does not
PROVEN = {
    "customer_value": [
        ("predicted_clv_365d", "null_reason"),
        ("margin_365d", "margin_null_reason"),
    ],
    "customer_predictions": [("churn_risk", "null_reason")],
    "customer_intent": [("intent", "null_reason"), ("next_stage_28d", "next_stage_null_reason")],
    "next_category": [("next_category", "null_reason")],
}


def check(files: dict[str, pa.Table]) -> None:
    """No figure is infinite or no number; each is there or has a reason, never both."""
    for name, table in files.items():
        for column in table.schema:
            if pa.types.is_floating(column.type):
                finite = pc.all(pc.is_finite(table[column.name].drop_null())).as_py()
                assert finite is not False, (name, column.name)
    for name, pairs in PROVEN.items():
        for row in files[name].to_pylist():
            for figure, reason in pairs:
                assert (row[figure] is None) == (row[reason] is not None), (name, figure)
    for name in ("prediction_backtests", "category_backtests", "intent_backtests"):
        for row in files[name].to_pylist():
            assert row["is_published"] == (row["null_reason"] is None), name


# Shops in which models are fitted to many days of the past, seconds each
LONG = {
    *("all returned", "one product", "no category", "sold at a loss"),
    *("a product renamed", "a category split"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.faults) if n in LONG else n for n in ODD]
)
def test_an_odd_shop_has_finite_figures_or_reasons(name: str, tmp_path: Path) -> None:
    files = written(home_of(tmp_path, ODD[name]))
    check(files)
    value, likely, next_ones = (
        files[file] for file in ("customer_value", "customer_predictions", "next_category")
    )
    if name in LITTLE:
        assert value["predicted_clv_365d"].null_count == len(value)
        assert value["margin_365d"].null_count == len(value)
        # That people come back is known of a shop that gives everything away
        assert name == "price 0" or likely["churn_risk"].null_count == len(likely)
        assert next_ones["next_category"].null_count == len(next_ones)
    if name == "no cost":
        assert set(value["margin_null_reason"].to_pylist()) == {"unknown_cost"}


@pytest.mark.faults
def test_the_files_are_equal_at_one_thread_and_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RELIABILITY B11, of what is worked out between dbt's two calls."""
    home = home_of(tmp_path, usual())
    open_file = duckdb.connect
    files = []
    for threads in (1, 2):
        monkeypatch.setattr(
            duckdb,
            "connect",
            lambda *words, threads=threads, config=None, **more: open_file(
                *words, config={**(config or {}), "threads": threads}, **more
            ),
        )
        written(home)
        files.append({path.name: path.read_bytes() for path in home.science.iterdir()})
    assert files[0] == files[1]
    assert len(files[0]) == sum(len(step.files) for step in STEPS)


def test_a_shop_without_web_has_no_signals_and_no_channels(tmp_path: Path) -> None:
    files = written(home_of(tmp_path, ODD["one order each"], has_web=False))
    check(files)
    assert (len(files["customer_intent"]), len(files["channel_effects"])) == (0, 0)
    assert {row["is_published"] for row in files["intent_backtests"].to_pylist()} == {False}
