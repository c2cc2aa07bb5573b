"""Order lines under a mapping: meanings, ids of repeats, a mapping that is wrong or changed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.config import Quarantine, Settings
from ingestion.errors import UsageError
from ingestion.files import reader as files
from ingestion.sources.orders.mapping import read_mapping

MAPPING = """
columns: {order_id: Invoice, ordered_at: When, customer_ref: Customer, sku: Code,
          quantity: Qty, unit_price: Price, country: Country}
clean: {customer_ref: integer_text}
returns: {when: "order_id starts with C or quantity < 0"}
currency: GBP
timezone: Europe/London
sales_channel: online
"""
HEADER = "Invoice,When,Customer,Code,Qty,Price,Country,Note\n"
LINE = "1,2011-06-15 12:00:00,17850.0,85123A,6,2.55,United Kingdom,x\n"


def test_what_a_line_means(shop: Any, make: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write(
        "orders/a.csv",
        HEADER + LINE + "C2,2011-01-15 12:00:00,,M,-1,-5.00,France,\n"
        "3,2011-01-15 12:00:00,,M,1,-11062.06,France,\n",
    )
    counts = shop.run("orders")
    assert make.four(counts["order_lines"]) == (3, 3, 0, 0)
    assert make.four(counts["orders"]) == (0, 0, 0, 0)
    assert counts["order_lines"].ignored_columns == ("Note",)
    rows = shop.query(
        "select order_id, ordered_at, customer_ref, quantity, unit_price, currency, sales_channel, "
        "is_return, _line from raw_orders.order_lines order by _line"
    )
    assert rows == [
        ("1", datetime(2011, 6, 15, 11), "17850", Decimal("6.0000"), Decimal("2.5500"), "GBP",
         "online", False, 2),
        ("C2", datetime(2011, 1, 15, 12), None, Decimal("-1.0000"), Decimal("-5.0000"), "GBP",
         "online", True, 3),
        ("3", datetime(2011, 1, 15, 12), None, Decimal("1.0000"), Decimal("-11062.0600"), "GBP",
         "online", False, 4),
    ]  # fmt: skip


@pytest.mark.parametrize("batch_rows", [1, 3, 1000])
def test_a_repeated_line_is_a_second_line_but_a_repeated_file_is_not(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    monkeypatch.setattr(files, "BATCH_ROWS", batch_rows)
    shop.write("orders/mapping.yml", MAPPING)
    other = LINE.replace("85123A", "B")
    shop.write("orders/a.csv", HEADER + LINE + LINE + other + LINE)
    assert make.four(shop.run("orders")["order_lines"]) == (4, 4, 0, 0)
    shop.write("orders/copy-of-a.csv", HEADER + LINE + LINE + other + LINE)
    assert make.four(shop.run("orders")["order_lines"]) == (4, 0, 0, 4)
    shop.write("orders/a.csv", HEADER + LINE + other + LINE + LINE + LINE)
    assert make.four(shop.run("orders")["order_lines"]) == (5, 1, 0, 4)


def test_repeats_across_batches_of_one_file(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Parquet file in many batches counts its repeats from beginning to end."""
    monkeypatch.setattr(files, "BATCH_ROWS", 4)
    shop.write("orders/mapping.yml", MAPPING)
    row = dict(zip(HEADER.strip().split(","), LINE.strip().split(","), strict=True))
    rows = [{**row, "Code": code} for code in "ABAACBAABDAAAA"]
    path = shop.input / "orders" / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert make.four(shop.run("orders")["order_lines"]) == (14, 14, 0, 0)
    pq.write_table(pa.Table.from_pylist(rows[::-1]), shop.input / "orders" / "b.parquet")
    assert make.four(shop.run("orders")["order_lines"]) == (14, 0, 0, 14)


def test_a_line_id_is_a_key(shop: Any, make: Any) -> None:
    mapping = MAPPING.replace("order_id: Invoice", "order_id: Invoice, line_id: Note")
    shop.write("orders/mapping.yml", mapping)
    shop.write("orders/a.csv", HEADER + LINE + LINE)
    assert make.four(shop.run("orders")["order_lines"]) == (2, 1, 0, 1)


def test_a_mapping_that_names_a_column_that_is_not_there(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING.replace("Code", "StockCode"))
    shop.write("orders/a.csv", HEADER + LINE)
    shop.write("orders/b.csv", HEADER + LINE)
    with pytest.raises(UsageError) as caught:
        shop.run("orders")
    text = str(caught.value)
    assert caught.value.exit_code == 2
    for part in ("orders/mapping.yml", "'StockCode'", "orders/a.csv", "Invoice, When, Customer"):
        assert part in text
    shop.write("orders/mapping.yml", MAPPING)
    assert shop.run("orders")["order_lines"].received == 2


def test_one_file_with_a_renamed_column_is_held_back(shop: Any, make: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/a.csv", HEADER + LINE)
    shop.run("orders")
    shop.write("orders/b.csv", HEADER.replace("Qty", "Quantity") + LINE)
    shop.write("orders/c.csv", HEADER + LINE)
    assert make.four(shop.run("orders")["order_lines"]) == (2, 0, 1, 1)
    assert shop.quarantine("orders")[0][2] == "missing_column"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("Qty", "[Qty]"), ("columns.quantity", "string")),
        (("Invoice", "No"), ("`columns`", "order_id's header as false", "quote it")),
        (("quantity: Qty, ", ""), ("must say where quantity stands",)),
        (("sku: Code", "skuu: Code"), ("columns.skuu",)),
        (("currency: GBP", "currency: GBX"), ("`currency`", "ISO 4217")),
        (("Europe/London", "London"), ("`timezone`", "Europe/London")),
        (("quantity < 0", "quantity below 0"), ("`returns`", "'below' is not a comparison")),
        (("quantity < 0", "amount < 0"), ("'amount' is not a column", "order_id")),
        (("integer_text", "intger"), ("`clean.customer_ref`",)),
        (("currency:", "curency:"), ("`curency`",)),
        (("columns: {", "columns: {{"), ("not valid YAML", "line")),
    ],
)
def test_a_mapping_with_a_mistake_names_it(shop: Any, change: Any, words: tuple[str, ...]) -> None:
    shop.write("orders/mapping.yml", MAPPING.replace(*change))
    shop.write("orders/a.csv", HEADER + LINE)
    with pytest.raises(UsageError) as caught:
        shop.run("orders")
    assert all(word in str(caught.value) for word in ("orders/mapping.yml", *words)), caught.value


def test_a_mapping_in_another_encoding_is_named(shop: Any) -> None:
    shop.write("orders/mapping.yml", (MAPPING + "# caf\u00e9").encode("latin-1"))
    shop.write("orders/a.csv", "Invoice\n1\n")
    with pytest.raises(UsageError, match=r"orders/mapping.yml is not UTF-8 at line \d"):
        shop.run("orders")


def test_lines_without_a_mapping_stand_under_our_own_names(shop: Any, make: Any) -> None:
    shop.write("orders/a.csv", "order_id,ordered_at,quantity,unit_price\n1,2026-01-01,1,2\n")
    assert make.four(shop.run("orders")["order_lines"]) == (1, 1, 0, 0)


def test_foreign_names_without_a_mapping_say_what_to_write(shop: Any) -> None:
    shop.write("orders/a.csv", HEADER + LINE)
    with pytest.raises(UsageError, match=r"no column order_id and there is no orders/mapping.yml"):
        shop.run("orders")


def test_a_changed_mapping_reads_its_lines_again(shop: Any, make: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/a.csv", HEADER + LINE + LINE.replace("2.55", "much"))
    shop.write("orders/b.jsonl", make.lines(make.order()))
    shop.run("orders")
    shop.write("orders/mapping.yml", "# only a comment\n" + MAPPING)
    assert make.four(shop.run("orders")["order_lines"]) == (0, 0, 0, 0)
    shop.write("orders/mapping.yml", MAPPING.replace("Europe/London", "UTC"))
    counts = shop.run("orders")
    assert make.four(counts["order_lines"]) == (2, 1, 1, 0)
    assert make.four(counts["orders"]) == (0, 0, 0, 0)
    assert shop.query("select ordered_at from raw_orders.order_lines") == [
        (datetime(2011, 6, 15, 12),)
    ]
    assert len(shop.quarantine("orders")) == 1
    assert make.four(shop.run("orders")["order_lines"]) == (0, 0, 0, 0)


def test_orders_and_lines_take_turns_without_mixing(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dlt goes round the tables of a source, batch by batch; each keeps its own rows and counts."""
    monkeypatch.setattr(files, "BATCH_ROWS", 2)
    shop.settings = Settings(quarantine=Quarantine(accept=("*",)))
    shop.write("orders/mapping.yml", MAPPING)
    row = dict(zip(HEADER.strip().split(","), LINE.strip().split(","), strict=True))
    rows = [{**row, "Code": code, "Qty": "x" if code == "B" else "1"} for code in "AABAABAABAAB"]
    pq.write_table(pa.Table.from_pylist(rows), shop.input / "orders" / "a.parquet")
    for number in range(6):
        documents = (make.order(number), make.order(100 + number, currency="XXY"), "{bad")
        shop.write(f"orders/{number}.jsonl", make.lines(*documents))
    counts = shop.run("orders")
    assert make.four(counts["orders"]) == (18, 6, 12, 0)
    assert make.four(counts["order_lines"]) == (12, 8, 4, 0)
    held = shop.query("select table_name, count(*) from raw_orders.quarantine group by all")
    assert sorted(held) == [("order_lines", 4), ("orders", 12)]
    ids = "count(distinct _row_id), count(distinct sku)"
    assert shop.query(f"select {ids} from raw_orders.order_lines") == [(8, 1)]


@pytest.mark.parametrize("text", ["[" * 5000, "a: " + "{b: " * 5000])
def test_a_deep_mapping_is_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"nested too deeply|not valid YAML"):
        read_mapping(text)
