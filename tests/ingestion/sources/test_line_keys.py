"""Keys of order lines without ids: a corrected line is a version, a second line is not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from ingestion.files import reader as files
from ingestion.quarantine import replay

MAPPING = """
columns: {order_id: Order, ordered_at: When, email: Mail, sku: Code, product_name: Goods,
          quantity: Qty, unit_price: Price}
"""
HEADER = "Order,When,Mail,Code,Goods,Qty,Price\n"
# What staging makes of the versions: the newest file's, in a total order.
LATEST = """
select order_id, email, quantity, unit_price from raw_orders.order_lines
qualify row_number() over (
    partition by order_id, coalesce(line_id, line_key, _row_id)
    order by _dlt_load_id desc, _file desc, _line desc, _row_id desc) = 1
order by all
"""


def line(code: str, *, mail: str = "a@x.example", qty: object = 1, price: object = 5) -> str:
    return f"7,2026-01-05 10:00:00,{mail},{code},Cup,{qty},{price}\n"


def latest(shop: Any, *columns: str) -> list[tuple[Any, ...]]:
    return shop.query(f"select {', '.join(columns)} from ({LATEST}) order by all")


def test_a_corrected_line_takes_the_place_of_the_older_one(shop: Any, make: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/1.csv", HEADER + line("A") + line("B") + line("A", qty=2))
    shop.run("orders")
    fixed = {"mail": "b@x.example", "price": 6}
    second = line("A", qty=3, **fixed)
    shop.write("orders/2.csv", HEADER + line("A", **fixed) + line("B", **fixed) + second)
    assert make.four(shop.run("orders")["order_lines"]) == (3, 3, 0, 0)
    assert shop.query("select count(*) from raw_orders.order_lines") == [(6,)]
    assert latest(shop, "email", "quantity::int", "unit_price::int") == [
        ("b@x.example", 1, 6), ("b@x.example", 1, 6), ("b@x.example", 3, 6)
    ]  # fmt: skip


def test_a_line_that_a_later_file_puts_before_another_costs_neither(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/1.csv", HEADER + line("A", qty=1))
    shop.run("orders")
    shop.write("orders/2.csv", HEADER + line("A", qty=5) + line("A", qty=1))
    shop.run("orders")
    assert latest(shop, "quantity::int") == [(1,), (5,)]


def test_goods_that_come_back_are_no_version_of_those_sold(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/1.csv", HEADER + line("A"))
    shop.run("orders")
    shop.write("orders/2.csv", HEADER + line("A", qty=-1))
    shop.run("orders")
    assert latest(shop, "quantity::int") == [(-1,), (1,)]


def test_without_a_code_the_name_tells_goods_apart(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/1.csv", HEADER + line("") + line("").replace("Cup", "Jar"))
    shop.run("orders")
    shop.write("orders/2.csv", HEADER + line("", price=8))
    shop.run("orders")
    assert latest(shop, "unit_price::int") == [(5,), (8,)]


@pytest.mark.parametrize("batch_rows", [1, 2, 1000])
def test_keys_do_not_depend_on_batches(
    shop: Any, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    monkeypatch.setattr(files, "BATCH_ROWS", batch_rows)
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/1.csv", HEADER + "".join(line(code, qty=2) for code in "ABAAB"))
    shop.run("orders")
    keys = "count(*), count(distinct line_key), count(distinct _row_id)"
    assert shop.query(f"select {keys} from raw_orders.order_lines") == [(5, 5, 5)]
    shop.write("orders/2.csv", HEADER + "".join(line(code, qty=3) for code in "ABAAB"))
    shop.run("orders")
    assert latest(shop, "quantity::int") == [(3,)] * 5


def test_a_store_of_an_older_version_is_widened_and_its_lines_read_again(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/1.csv", HEADER + line("A", price="0.00274902"))
    shop.run("orders")
    with duckdb.connect(str(shop.raw)) as raw:
        for schema in ("raw_orders", "raw_orders_staging"):
            raw.execute(f"alter table {schema}.order_lines alter unit_price type decimal(18,4)")
        raw.execute("update raw_orders.order_lines set line_key = null")
        raw.execute("update raw_orders._files set fingerprint = 'older' where path like '%declar%'")
    shop.run("orders")
    found = shop.query("select unit_price, line_key is not null from raw_orders.order_lines")
    assert found == [(Decimal("0.002749020000"), True)]


def test_a_replayed_line_takes_no_other_lines_place(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    held = line("A", qty=2).replace("7,2026", "7,at 2026")
    shop.write("orders/1.csv", HEADER + line("A") + held)
    shop.run("orders")
    assert len(shop.quarantine("orders")) == 1
    with duckdb.connect(str(shop.raw)) as raw:
        raw.execute("update raw_orders.quarantine set raw_text = replace(raw_text, 'at ', '')")
    (count,) = replay(shop.context())
    assert count.loaded == 1
    assert latest(shop, "quantity::int") == [(1,), (2,)]
