"""What is read of a warehouse and written for dbt: returns, rates, the same bytes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from ingestion.config import Shop
from orchestration.home.layout import Home
from orchestration.science.value.buyers import buyers_on
from orchestration.science.value.files import FILES, read_sales, write_predictions
from orchestration.science.verdicts import REASONS
from tests.orchestration.science.value.shops import drawn_shop

AS_OF = dt.datetime(2026, 6, 30, 12)
UTC = Shop(timezone="UTC")
START = dt.date(2023, 9, 1)
ORDERS = """create schema marts; create table marts.fct_orders (
    customer_id text, ordered_date date, refunded_at timestamp, is_counted boolean,
    is_kept boolean, net_sales_shop decimal(18,4), returns_shop decimal(18,4),
    margin_shop decimal(18,4))"""
# What the goods of every order cost
COST = 3


def home_of(root: Path, rows: list[tuple[object, ...]]) -> Home:
    home = Home(root / "home").create()
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(ORDERS)
        if rows:
            connection.executemany(
                f"insert into marts.fct_orders select *, #6 - {COST} from (values (?,?,?,?,?,?,?))",
                rows,
            )
    return home


def many(count: int = 150) -> list[tuple[object, ...]]:
    shop = drawn_shop(count, 1030, seed=2)
    return [
        (f"c{person:04}", START + dt.timedelta(int(day)), None, True, True, round(amount, 2), 0)
        for person, day, amount in zip(shop.person, shop.ordered, shop.amount, strict=True)
    ]


def day(text: str) -> int:
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days


def test_a_return_counts_on_the_shops_own_day(tmp_path: Path) -> None:
    late = dt.datetime(2026, 3, 1, 23, 30)
    rows = [
        ("a", dt.date(2026, 2, 1), late, True, True, 60, 40),
        ("a", dt.date(2026, 4, 1), None, True, False, -25, 0),  # a document of returns
        ("b", dt.date(2026, 4, 1), None, True, False, -25, 0),  # without any order before it
        ("c", dt.date(2026, 4, 1), None, False, False, 99, 0),  # cancelled
        (None, dt.date(2026, 4, 1), None, True, True, 99, 0),
    ]
    home = home_of(tmp_path, rows)
    ids, sales = read_sales(home, "Asia/Tokyo")
    assert ids == ["a"]
    assert sales.known.tolist() == [day("2026-02-01"), day("2026-03-02"), day("2026-04-01")]
    assert sales.amount.tolist() == [100.0, -40.0, -25.0]
    assert sales.margin is not None
    assert sales.margin.tolist() == [57.0, 0.0, -28.0]
    assert buyers_on(sales, day("2026-06-30")).histories.repeats.tolist() == [0]
    assert read_sales(home, "UTC")[1].known.tolist()[1] == day("2026-03-01")


def test_whoever_has_an_amount_without_a_rate_is_left_out(tmp_path: Path) -> None:
    rows = [
        ("a", dt.date(2026, 2, 1), None, True, True, None, None),
        ("a", dt.date(2026, 3, 1), None, True, True, 10, 0),
        ("b", dt.date(2026, 3, 1), None, True, True, 10, 0),
    ]
    assert read_sales(home_of(tmp_path, rows), "UTC")[0] == ["b"]


def test_the_files_say_the_figures_and_their_proof(tmp_path: Path) -> None:
    home = home_of(tmp_path, many())
    verdict = write_predictions(home, AS_OF, Shop(timezone="Europe/London"))
    values, likely, tests = (pq.read_table(home.science / f"{name}.parquet") for name in FILES)
    assert values.num_rows == len({row[0] for row in many()})
    assert set(values["as_of_date"].to_pylist()) == {AS_OF.date()}
    assert verdict["people"] == values.num_rows
    assert likely["customer_id"] == values["customer_id"]
    for row in likely.to_pylist():
        assert (row["churn_risk"] is None) == (row["null_reason"] is not None)
        assert row["churn_risk"] is None or 0 <= row["low"] <= row["churn_risk"] <= row["high"] <= 1
    published = values["predicted_clv_365d"].null_count == 0
    assert set(values["null_reason"].to_pylist()) <= ({None} if published else set(REASONS))
    assert values["margin_365d"].null_count == values["predicted_clv_365d"].null_count
    assert values["margin_null_reason"] == values["null_reason"]
    for row in tests.to_pylist():
        assert row["is_published"] == (row["null_reason"] is None)
    expected = values["predicted_next_order_at"].to_pylist()
    assert all(when is None or when >= dt.datetime(2026, 6, 30) for when in expected)


def test_the_same_warehouse_gives_the_same_bytes(tmp_path: Path) -> None:
    homes = [home_of(tmp_path / name, rows) for name, rows in (("x", many()), ("y", many()[::-1]))]
    for home in homes:
        write_predictions(home, AS_OF, UTC)
    for name in FILES:
        one, other = ((home.science / f"{name}.parquet").read_bytes() for home in homes)
        assert one == other


def test_an_empty_shop_has_its_reason(tmp_path: Path) -> None:
    home = home_of(tmp_path, [])
    assert write_predictions(home, AS_OF, UTC)["people"] == 0
    rows = pq.read_table(home.science / "prediction_backtests.parquet").to_pylist()
    assert {row["null_reason"] for row in rows} == {"history_too_short"}
    assert len(rows) == 8
