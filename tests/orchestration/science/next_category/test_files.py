"""What is read of a warehouse for the next category, and the files: main category, same bytes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from ingestion.config import Shop
from orchestration.home.layout import Home
from orchestration.science.next_category.files import (
    FILES,
    read_baskets,
    write_next_categories,
)

AS_OF = dt.datetime(2026, 6, 30, 12)
TABLES = """create schema marts;
create table marts.fct_orders (order_id text, order_source text, customer_id text,
    ordered_date date, is_kept boolean, is_counted boolean);
create table marts.fct_order_lines (order_id text, order_source text, category text,
    gross_sales decimal(18,4), is_return_line boolean)"""


def home_of(root: Path, lines: list[tuple[str, dt.date, str | None, int, bool]]) -> Home:
    """Lines as (customer, day, category, gross, is_kept), one order each a day."""
    home = Home(root / "home").create()
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(TABLES)
        for customer, day, kept in {(line[0], line[1], line[4]) for line in lines}:
            order = [f"{customer}{day}{kept}", "s", customer, day, kept, True]
            connection.execute("insert into marts.fct_orders values (?,?,?,?,?,?)", order)
        for customer, day, category, gross, kept in lines:
            line = [f"{customer}{day}{kept}", "s", category, gross, False]
            connection.execute("insert into marts.fct_order_lines values (?,?,?,?,?)", line)
    return home


def test_the_main_category_of_a_day_is_where_most_was_spent(tmp_path: Path) -> None:
    day = dt.date(2026, 3, 1)
    home = home_of(
        tmp_path,
        [
            ("a", day, "Kitchen", 20, True),
            ("a", day, "Garden", 15, True),
            ("a", day, "Garden", 15, True),
            ("a", day, None, 99, True),
            ("b", day, "Kitchen", 5, True),
            ("b", day, "Bath", 5, True),
            ("c", day, "Bath", 5, False),  # cancelled
        ],
    )
    ids, names, baskets = read_baskets(home)
    assert ids == ["a", "b"]
    assert [names[number] for number in baskets.category] == ["Garden", "Bath"]


def test_a_shop_without_orders_has_its_reason(tmp_path: Path) -> None:
    home = home_of(tmp_path, [])
    verdict = write_next_categories(home, AS_OF, Shop())
    assert verdict == {"people": 0, "next_category": "withheld: history_too_short"}
    rows, tests = (pq.read_table(home.science / f"{name}.parquet") for name in FILES)
    assert rows.num_rows == 0
    assert tests["null_reason"].to_pylist() == ["history_too_short"]


def test_the_same_warehouse_gives_the_same_bytes(tmp_path: Path) -> None:
    first = dt.date(2025, 7, 1)
    lines = [
        (f"c{p:02}", first + dt.timedelta(p % 9 + 30 * m), "ABC"[(p + m) % 3], 10, True)
        for p in range(60)
        for m in range(12)
    ]
    homes = [home_of(tmp_path / name, rows) for name, rows in (("x", lines), ("y", lines[::-1]))]
    for home in homes:
        verdict = write_next_categories(home, AS_OF, Shop())
        assert verdict["next_category"] == "published, by after_last"
    for name in FILES:
        one, other = ((home.science / f"{name}.parquet").read_bytes() for home in homes)
        assert one == other
    last = pq.read_table(homes[0].science / "next_category.parquet").to_pylist()[1]
    assert (last["customer_id"], last["next_category"]) == ("c01", "ABC"[(1 + 12) % 3])
