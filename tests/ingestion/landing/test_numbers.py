"""Numbers as people and programs write them, and what of a file decides how they are read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.config import Quarantine, Settings
from ingestion.errors import SourceError, UsageError
from ingestion.landing.numbers import plain_number

MAPPING = "columns: {order_id: Nr, ordered_at: When, sku: Code, quantity: Qty, unit_price: Price}\n"
HEADER = "Nr;When;Code;Qty;Price\n"


def read(text: str, form: Any) -> str | None:
    with duckdb.connect() as connection:
        row = connection.execute(f"select {plain_number('x', form)} from (select ? as x)", [text])
        value: str | None = (row.fetchone() or (None,))[0]
        return value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.50", "12.50"), ("1,234.50", "1234.50"), ("1,234,567", "1234567"), ("£12.50", "12.50"),
        ("US$ 1,234.5", "1234.5"), ("12.50 GBP", "12.50"), ("1'234.50", "1234.50"),
        ("1,23,456.00", "123456.00"), ("(12.50)", "-12.50"), ("12.50-", "-12.50"),
        ("-£3", "-3"), ("\u22123.5", "-3.5"), ("0.125", "0.125"), ("12.-", "12"),
        ("£(5.00)", "-5.00"), ("(£5.00)", "-5.00"), ("£(5.00", None), ("-£(5.00)", None),
        ("１２．５０", "12.50"), ("１２,５０", "12.50"), ("٣٫٥", "3.5"), ("１，２３４", None),
        ("12,50", "12.50"), ("1.234,50", "1234.50"), ("1.234.567", "1234567"), ("12,50 €", "12.50"),
        ("1 234,50", "1234.50"), ("1\u00a0234,50 kr", "1234.50"), ("0,125", "0.125"),
        ("1e3", "1e3"), ("1.250", None), ("1,250", None), ("12.5.0", None), ("1.5k", None),
        ("2kg", None), ("(12", None), ("--5", None), ("1,2,3", None), ("12 50", None),
    ],
)  # fmt: skip
def test_a_number_that_can_be_read_one_way_only(text: str, number: str | None) -> None:
    assert read(text, "own") == number


def test_signs_that_are_known_read_what_else_means_two_things() -> None:
    forms = ("point", "comma", "json")
    assert [read("1.250", form) for form in forms] == ["1.250", "1250", "1.250"]
    assert [read("1,250", form) for form in forms] == ["1250", "1.250", None]


def lines(shop: Any, *rows: str, header: str = HEADER, mapping: str = MAPPING) -> list[Any]:
    shop.write("orders/mapping.yml", mapping)
    shop.write("orders/a.csv", header + "".join(f"{row}\n" for row in rows))
    shop.run("orders")
    found: list[Any] = shop.query(
        "select quantity::double, unit_price::double from raw_orders.order_lines order by order_id"
    )
    return found


def test_one_value_decides_for_its_column_and_its_file(shop: Any) -> None:
    rows = ("1;2026-01-01;A;1;12,50", "2;2026-01-01;A;1.000;1.250", "3;2026-01-01;A;2;7")
    assert lines(shop, *rows) == [(1, 12.5), (1000, 1250), (2, 7)]


def test_points_beside_commas_between_thousands(shop: Any) -> None:
    rows = ('1,2026-01-01,A,1,"1,234.50"', "2,2026-01-01,A,1,£1.250")
    assert lines(shop, *rows, header=HEADER.replace(";", ",")) == [(1, 1234.5), (1, 1.25)]


@pytest.mark.parametrize("row", ["1;2026-01-01;A;1;1.250", "1;2026-01-01;A;1.000;12"])
def test_what_nothing_decides_is_refused_with_the_settings_to_say(shop: Any, row: str) -> None:
    shop.settings = Settings()
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/a.csv", HEADER + row + "\n2;2026-01-01;A;1;3\n")
    with pytest.raises(SourceError, match=r"orders/a.csv cannot be read \(ambiguous_number"):
        shop.run("orders")
    shop.write("orders/good.csv", HEADER + "9;2026-01-01;A;1;9,5\n")
    shop.settings = Settings(quarantine=Quarantine(accept=("orders/a.csv",)))
    shop.run("orders")
    ((file, line, reason, field),) = shop.quarantine("orders")
    assert (file, line, reason) == ("orders/a.csv", 0, "ambiguous_number")
    assert "say `decimal` and `thousands` in orders/mapping.yml" in field
    shop.write("orders/mapping.yml", MAPPING + 'decimal: ","\nthousands: "."\n')
    shop.run("orders")
    found = shop.query("select max(quantity * unit_price)::int from raw_orders.order_lines")
    assert found in ([(1250,)], [(12000,)])
    assert shop.quarantine("orders") == []


def test_a_column_that_says_both_is_read_value_by_value(shop: Any) -> None:
    rows = ("1;2026-01-01;A;1;12,50", "2;2026-01-01;A;1;12.50")
    assert lines(shop, *rows) == [(1, 12.5), (1, 12.5)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('decimal: ";"', ("decimal",)),
        ('decimal: ","\nthousands: ","', ("`decimal` and `thousands`",)),
    ],
)
def test_signs_that_cannot_be(shop: Any, change: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        lines(shop, "1;2026-01-01;A;1;1", mapping=MAPPING + change + "\n")
    assert all(word in str(caught.value) for word in words)


def test_numbers_that_a_parquet_file_keeps_as_numbers_mean_one_thing(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    row = {"Nr": "1", "When": "2026-01-01", "Code": "A", "Qty": 1.125, "Price": Decimal("1.250")}
    pq.write_table(pa.Table.from_pylist([row]), shop.input / "orders" / "a.parquet")
    shop.run("orders")
    found = shop.query("select quantity::double, unit_price::double from raw_orders.order_lines")
    assert found == [(1.125, 1.25)]


def test_prices_costs_and_rates_with_commas(shop: Any) -> None:
    products = "product_id;sku;name;category;price\n1;A;Mug;K;10,00\n2;B;J;K;5\n"
    shop.write("products/a.csv", products)
    shop.write("spend/a.csv", "date;marketing_channel;cost\n2026-01-01;ads;1.234,50\n")
    shop.write("rates/a.csv", "date;currency;rate\n2026-01-01;EUR;0,855\n")
    for source in ("products", "spend", "rates"):
        (count,) = shop.run(source).values()
        assert count.quarantined == 0
    assert shop.query("select price::double from raw_products.products order by product_id") == [
        (10,), (5,)
    ]  # fmt: skip
    assert shop.query("select cost::double from raw_spend.spend") == [(1234.5,)]
    assert shop.query("select rate::double from raw_rates.rates") == [(0.855,)]


def test_a_product_keeps_its_row_where_its_price_may_be_two(shop: Any, make: Any) -> None:
    shop.write("products/a.csv", "product_id;sku;name;category;price\n1;A;Mug;Kitchen;1.250\n")
    (count,) = shop.run("products").values()
    assert (make.four(count), count.emptied) == ((1, 1, 0, 0), {"price": 1})
    # Our own layout has decimal points; a comma is its delimiter.
    shop.write("products/b.csv", "product_id,sku,name,category,price\n2,A,Mug,Kitchen,1.250\n")
    shop.run("products")
    assert shop.query("select price::double from raw_products.products order by product_id") == [
        (None,), (1.25,)
    ]  # fmt: skip


def test_digits_that_are_not_kept_are_said(shop: Any) -> None:
    shop.write(
        "orders/a.csv",
        "order_id,ordered_at,quantity,unit_price,line_amount\n"
        "1,2026-01-01,41833,0.00274902,115.00\n"
        "2,2026-01-01,1,2.5500000000000003,0.00274902\n",
    )
    count = shop.run("orders")["order_lines"]
    assert (count.loaded, count.cut) == (2, {"line_amount": 1})
    assert count.remarks() == ["1 number with more digits than are kept (line_amount 1)"]
    assert shop.query("select unit_price from raw_orders.order_lines where order_id = '1'") == [
        (Decimal("0.002749020000"),)
    ]


def test_an_amount_beyond_any_is_put_aside(shop: Any) -> None:
    rows = ("1;2026-01-01;A;1;5,5", "2;2026-01-01;A;1;123456789012345678")
    assert lines(shop, *rows) == [(1, 5.5)]
    assert shop.quarantine("orders") == [("orders/a.csv", 3, "number_out_of_range", "unit_price")]
