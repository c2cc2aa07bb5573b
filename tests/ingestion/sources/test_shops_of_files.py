"""Files of a further shop: its numbers carry its name, its money is its own, no more is changed."""

from __future__ import annotations

from typing import Any

import pytest

from ingestion.check import look_through
from ingestion.config import Quarantine, Settings
from ingestion.errors import UsageError
from ingestion.quarantine import replay
from ingestion.sources.orders.mapping import read_mapping

ACCEPTING = Quarantine(max_source_share=1.0, accept=("*",))
SETTINGS = Settings(shop_files={"*/outlet/*": "outlet"}, quarantine=ACCEPTING)
MAPPING = """
columns: {order_id: Nr, ordered_at: When, customer_ref: Customer, email: Mail, sku: Code,
          quantity: Qty, unit_price: Price}
returns: {when: order_id starts with C}
currency: GBP
for_shop:
  outlet: {currency: EUR, timezone: Europe/Berlin}
"""
HEADER = "Nr,When,Customer,Mail,Code,Qty,Price\n"
LINE = "1001,2026-05-01 10:00:00,7,mia@one.example,A,1,5.00\n"
EXPORT = (
    "Name,Email,Financial Status,Currency,Subtotal,Total,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem price\n"
)


@pytest.fixture(autouse=True)
def two_shops(shop: Any) -> None:
    """The shop has a second one, whose files lie in folders called outlet."""
    shop.settings = SETTINGS


def test_equal_lines_of_two_shops_are_two_orders_each_in_its_own_money(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/a.csv", HEADER + LINE)
    shop.write("orders/outlet/a.csv", HEADER + LINE + LINE.replace("1001", "C1002"))
    shop.run("orders")
    rows = shop.query(
        "select order_id, id_scope, customer_ref, currency, hour(ordered_at), is_return, email "
        "from raw_orders.order_lines order by order_id"
    )
    assert rows == [
        ("1001", None, "7", "GBP", 10, False, "mia@one.example"),
        ("outlet:1001", "outlet", "outlet:7", "EUR", 8, False, "mia@one.example"),
        # What marks a return is looked for in the number as the shop wrote it.
        ("outlet:C1002", "outlet", "outlet:7", "EUR", 8, True, "mia@one.example"),
    ]
    keys = shop.query("select count(distinct line_key), count(*) from raw_orders.order_lines")
    assert keys == [(3, 3)]


def test_orders_payments_and_lists_of_a_further_shop_carry_its_name(shop: Any, make: Any) -> None:
    for folder in ("", "outlet/"):
        shop.write(f"orders/{folder}a.jsonl", make.lines(make.order(1001)))
        shop.write(f"payments/{folder}a.csv", "order_id,status\n1001,paid\n")
        shop.write(f"contacts/{folder}a.csv", "email,customer_ref\nmia@one.example,7\n")
        shop.write(
            f"consents/{folder}a.csv",
            "identifier_type,identifier_value,channel,purpose,status,occurred_at\n"
            "orders_customer_id,7,email,marketing,revoked,2026-05-01\n"
            f"email,{folder[:1]}x@one.example,email,marketing,revoked,2026-05-01\n",
        )
    for source in ("orders", "payments", "contacts", "consents"):
        shop.run(source)
    found = [
        shop.query(f"select {column} from raw_{table} order by 1")
        for column, table in (
            ("order_id, id_scope", "orders.orders"),
            ("order_id", "payments.payments"),
            ("customer_ref", "contacts.contacts"),
            ("identifier_value", "consents.consents"),
        )
    ]
    assert found == [
        [("1001", None), ("outlet:1001", "outlet")],
        [("1001",), ("outlet:1001",)],
        [("7",), ("outlet:7",)],
        [("7",), ("outlet:7",), ("ox@one.example",), ("x@one.example",)],
    ]


def test_an_export_of_a_further_shop_is_its_own(shop: Any) -> None:
    shop.settings = Settings(shop_files={"outlet*": "outlet"}, quarantine=ACCEPTING)
    line = "#1001,{},paid,{},5.00,5.00,2026-05-01 10:00:00 +0000,1,Tea,5.00\n"
    shop.write("main.csv", EXPORT + line.format("mia@one.example", "GBP"))
    shop.write("outlet.csv", EXPORT + line.format("otto@two.example", "EUR"))
    shop.run("orders")
    rows = shop.query("select order_id, currency, email from raw_orders.order_lines order by 1")
    assert rows == [
        ("#1001", "GBP", "mia@one.example"),
        ("outlet:#1001", "EUR", "otto@two.example"),
    ]


def test_a_number_that_has_the_name_already_gets_no_second_one(shop: Any) -> None:
    shop.write("payments/outlet/a.csv", "order_id,status\noutlet:1001,paid\n 1002 ,paid\n")
    shop.run("payments")
    rows = shop.query("select order_id from raw_payments.payments order by 1")
    assert rows == [("outlet:1001",), ("outlet:1002",)]


def test_a_column_says_the_shop_of_each_line_in_the_words_of_the_file(shop: Any) -> None:
    shop.write(
        "orders/mapping.yml",
        "columns: {order_id: Nr, ordered_at: When, quantity: Qty, unit_price: Price,\n"
        "          shop_id: Store, currency: Cur}\n"
        "shop_names: {High Street: shop, Berlin: outlet}\n",
    )
    shop.write(
        "orders/a.csv",
        "Nr,When,Qty,Price,Store,Cur\n"
        "1,2026-05-01,1,5.00,High Street,GBP\n"
        "1,2026-05-01,1,5.00,berlin,EUR\n"
        "1,2026-05-01,1,5.00,Paris,EUR\n"
        "2,2026-05-01,1,5.00,,GBP\n",
    )
    counts = shop.run("orders")
    rows = shop.query("select order_id, id_scope from raw_orders.order_lines order by 1")
    assert rows == [("1", None), ("2", None), ("outlet:1", "outlet")]
    # A shop that nobody explained is neither of the two.
    assert counts["order_lines"].quarantined == 1
    held = shop.query("select reason, field from raw_orders.quarantine")
    assert held == [("unknown_value", "shop_id")]


def test_a_file_found_to_be_of_another_shop_is_read_again_as_its_own(shop: Any, make: Any) -> None:
    shop.settings = Settings()
    shop.write("orders/outlet/a.jsonl", make.lines(make.order(1001)))
    shop.write("orders/a.jsonl", make.lines(make.order(1001, total_price="9.00")))
    shop.run("orders")
    assert shop.query("select order_id from raw_orders.orders") == [("1001",), ("1001",)]
    shop.settings = SETTINGS
    shop.run("orders")
    again = shop.query("select order_id, _file from raw_orders.orders order by 1")
    assert again == [("1001", "orders/a.jsonl"), ("outlet:1001", "orders/outlet/a.jsonl")]
    shop.settings = Settings()
    shop.run("orders")
    assert shop.query("select order_id from raw_orders.orders") == [("1001",), ("1001",)]


def test_a_row_that_is_tried_again_is_of_the_shop_of_its_file(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    bad = LINE.replace("2026-05-01", "01.05.2026")
    shop.write("orders/a.csv", HEADER + bad)
    shop.write("orders/outlet/a.csv", HEADER + bad)
    shop.run("orders")
    shop.write("orders/mapping.yml", MAPPING + 'formats: {ordered_at: "%d.%m.%Y %H:%M:%S"}\n')
    counts = replay(shop.context(), "orders")
    assert sum(count.loaded for count in counts) == 2
    rows = shop.query("select order_id, currency from raw_orders.order_lines order by 1")
    assert rows == [("1001", "GBP"), ("outlet:1001", "EUR")]


def test_check_says_which_shop_a_file_is_of(shop: Any) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/a.csv", HEADER + LINE)
    shop.write("orders/outlet/a.csv", HEADER + LINE)
    look = look_through(shop.context().folder, SETTINGS)
    taken = {file.path: (file.taken_for, file.tables[0].currencies) for file in look.files}
    assert taken == {
        "orders/a.csv": ("orders/order_lines by orders/mapping.yml", {"GBP"}),
        "orders/outlet/a.csv": (
            "orders/order_lines by orders/mapping.yml, of the shop outlet",
            {"EUR"},
        ),
    }


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("for_shop: {outlet: {curency: EUR}}", "`for_shop.outlet.curency` is wrong"),
        ("for_shop: {outlet: {currency: XXQ}}", "`for_shop.outlet.currency` is wrong"),
        ("for_shop: {shop: {currency: EUR}}", "`for_shop.shop` is wrong"),
        ("shop_names: {Berlin: outlet}", "`shop_names` needs `columns.shop_id`"),
    ],
)
def test_a_mapping_with_a_mistake_about_shops_is_told(more: str, sentence: str) -> None:
    text = MAPPING.partition("for_shop:")[0] + more
    with pytest.raises(UsageError) as told:
        read_mapping(text)
    assert sentence in told.value.message


def test_lines_of_several_shops_need_their_currency_said() -> None:
    text = "columns: {order_id: Nr, ordered_at: W, quantity: Q, unit_price: P, shop_id: S}"
    with pytest.raises(UsageError, match="must say the currency"):
        read_mapping(text)
