"""Facts of an order on one of its lines, columns that stand twice, rules over any column."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ingestion.config import Settings
from ingestion.errors import SourceError, UsageError
from ingestion.files import reader as files
from ingestion.pipelines import run_source

MAPPING = """
columns: {order_id: Name, ordered_at: Paid at, email: Email, status: State, currency: Cur,
          sku: Sku, quantity: Qty, unit_price: Price}
currency: GBP
"""
HEADER = "Name,Paid at,Email,State,Cur,Sku,Qty,Price,Kind\n"
START = "2026-01-05 10:00,a@x.example"


def facts(shop: Any, text: str, mapping: str = MAPPING) -> list[Any]:
    shop.write("orders/mapping.yml", mapping)
    shop.write("orders/a.csv", HEADER + text)
    shop.run("orders")
    found: list[Any] = shop.query(
        "select order_id, sku, ordered_at, email, status, currency from raw_orders.order_lines "
        "order by order_id, sku"
    )
    return found


@pytest.mark.parametrize("batch_rows", [1, 2, 1000])
def test_further_lines_take_over_what_the_first_says(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    monkeypatch.setattr(files, "BATCH_ROWS", batch_rows)
    day = datetime(2026, 1, 5, 10)
    found = facts(
        shop,
        "1,2026-01-05 10:00,a@x.example,paid,EUR,A,1,20,\n"
        "2,,,,,A,1,5,\n"
        "1,,,,,B,1,30,\n"
        "2,2026-01-05 10:00,b@x.example,,USD,B,1,5,\n"
        "3,2026-01-05 10:00,,,,A,1,5,\n",
    )
    assert found == [
        ("1", "A", day, "a@x.example", "paid", "EUR"),
        ("1", "B", day, "a@x.example", "paid", "EUR"),
        ("2", "A", day, "b@x.example", None, "USD"),
        ("2", "B", day, "b@x.example", None, "USD"),
        ("3", "A", day, None, None, "GBP"),
    ]
    shop.write("orders/b.csv", (shop.input / "orders/a.csv").read_text())
    assert make.four(shop.run("orders")["order_lines"]) == (5, 0, 0, 5)


def test_a_status_of_lines_is_not_taken_for_the_orders(shop: Any) -> None:
    found = facts(
        shop,
        f"1,{START},back,EUR,A,1,20,\n1,{START},,EUR,B,1,20,\n"
        f"2,{START},,EUR,A,1,5,\n2,{START},back,EUR,B,1,5,\n",
    )
    assert [(row[0], row[1], row[4]) for row in found] == [
        ("1", "A", "back"), ("1", "B", None), ("2", "A", None), ("2", "B", "back")
    ]  # fmt: skip


def test_facts_stay_within_their_file(shop: Any) -> None:
    facts(shop, f"1,{START},paid,EUR,A,1,20,\n")
    shop.write("orders/b.csv", HEADER + "1,2026-01-05 10:00,,,EUR,B,1,20,\n")
    shop.run("orders")
    assert shop.query("select email from raw_orders.order_lines where sku = 'B'") == [(None,)]


def test_a_used_column_that_stands_twice_with_two_values_refuses_its_file(shop: Any) -> None:
    shop.settings = Settings()
    shop.write("orders/mapping.yml", MAPPING)
    twice = HEADER.replace("Kind", "Price")
    row = f"1,{START},paid,EUR,A,1,20,"
    shop.write("orders/a.csv", twice + f"{row}99\n")
    with pytest.raises(SourceError, match="duplicate_column in unit_price"):
        shop.run("orders")
    shop.write("orders/a.csv", twice + f"{row}20\n{row.replace(',20,', ',,30')}\n")
    shop.run("orders")
    assert shop.query("select unit_price::int from raw_orders.order_lines order by 1") == [
        (20,), (30,)
    ]  # fmt: skip


def test_two_columns_of_one_name_are_both_looked_at(shop: Any, make: Any) -> None:
    shop.write("contacts/a.csv", "email,first_name,Email\na@x.example,Ann,\n,Ben,b@x.example\n")
    assert make.four(shop.run("contacts")["contacts"]) == (2, 2, 0, 0)
    assert shop.query("select email from raw_contacts.contacts order by 1") == [
        ("a@x.example",), ("b@x.example",)
    ]  # fmt: skip


def test_headers_as_newsletter_systems_write_them(shop: Any) -> None:
    shop.write("contacts/a.csv", "Email Address,FNAME,Last Name,ZIP\na@x.example,Ann,Lee,N1\n")
    shop.run("contacts")
    columns = "email, first_name, last_name, postcode, attributes"
    assert shop.query(f"select {columns} from raw_contacts.contacts") == [
        ("a@x.example", "Ann", "Lee", "N1", None)
    ]


def test_a_rule_over_a_column_that_is_none_of_ours(shop: Any, make: Any) -> None:
    rule = "returns: {when: \"'Kind' = refund or Kind is empty and quantity < 0\"}\n"
    start = f"{START},paid,EUR"
    facts(shop, f"1,{start},A,1,5,Refund\n2,{start},A,1,5,Sale\n", MAPPING + rule)
    is_return = "select order_id, is_return from raw_orders.order_lines order by 1"
    assert shop.query(is_return) == [("1", True), ("2", False)]
    # What the rule reads is part of the line: a change of it is a further version.
    shop.write("orders/b.csv", HEADER + f"2,{start},A,1,5,Refund\n")
    assert make.four(shop.run("orders")["order_lines"]) == (1, 1, 0, 0)


def test_a_rule_over_a_column_that_no_file_has(shop: Any) -> None:
    rule = "returns: {when: '\"Financial Status\" = refunded'}\n"
    with pytest.raises(UsageError, match=r"for returns\.when, which orders/a\.csv does not"):
        facts(shop, f"1,{START},,EUR,A,1,5,\n", MAPPING + rule)


def test_the_day_of_an_order_begins_at_the_shops_midnight(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/a.csv", HEADER + "1,2026-01-05,,,,A,1,5,\n2,2026-01-05 10:00,,,,A,1,5,\n")
    context = shop.context()
    run_source("orders", replace(context, folder=replace(context.folder, zone="America/New_York")))
    found = shop.query("select ordered_at from raw_orders.order_lines order by order_id")
    assert found == [(datetime(2026, 1, 5, 5),), (datetime(2026, 1, 5, 10),)]
