"""Shopify's order export, beside what the shop's API says of the same orders."""

from __future__ import annotations

import csv
import io
import random
from datetime import datetime
from pathlib import Path

import pytest

from ingestion.config import Settings
from ingestion.errors import UsageError
from ingestion.input_folder import open_input, said_of_input
from tests.exports.conftest import SAMPLES, ExportShop

pytestmark = pytest.mark.faults

SAMPLE = "shopify_orders_export.csv"
API = Path(__file__).parent / "shopify_orders_api.json"
# Counted by hand: gross sales, discounts, returns, net sales, shipping, taxes, currency, is no sale
TOTALS = {
    # 2 x 30 + 40 with a fifth of VAT in what is paid for them, 90, and in 4.95 shipping; 10 off
    "5550000001001": ("85.00", "10.00", "0.00", "75.00", "4.12", "15.83", "GBP", False),
    # 50 + 24 with 12.33 VAT, shipped free; the 24 given back, 4 of them VAT
    "5550000001002": ("61.67", "0.00", "20.00", "41.67", "0.00", "8.33", "GBP", False),
    "5550000001003": ("30.00", "0.00", "30.00", "0.00", "0.00", "0.00", "GBP", True),
    # A code that freed the shipping takes nothing off the goods
    "5550000001004": ("20.00", "0.00", "0.00", "20.00", "0.00", "0.00", "EUR", False),
    "5550000001005": ("25.33", "2.00", "0.00", "23.33", "0.00", "4.67", "GBP", False),
    # A gift card of 25 is no sale of goods
    "5550000001006": ("15.00", "0.00", "0.00", "15.00", "5.00", "4.00", "GBP", False),
    "5550000001007": ("12.50", "0.00", "12.50", "0.00", "0.00", "0.00", "GBP", True),
    # Prices without tax; 54 given back are 50 and their tax
    "5550000001008": ("100.00", "0.00", "50.00", "50.00", "10.00", "4.00", "GBP", False),
}
# What is left of the first order after so much money went back
MONEY_BACK = [
    ("36.00", ("85.00", "10.00", "30.00", "45.00", "4.12", "9.83")),
    ("90.00", ("85.00", "10.00", "75.00", "0.00", "4.12", "0.83")),
    ("94.95", ("85.00", "10.00", "75.00", "0.00", "0.00", "0.00")),
]


def test_totals_are_those_counted_by_hand(all_exports: ExportShop) -> None:
    assert all_exports.orders("5550000001") == TOTALS


def test_the_api_says_the_same_of_the_same_shop(
    all_exports: ExportShop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shop = ExportShop(tmp_path_factory.mktemp("api"), Settings())
    shop.write("orders/page.json", API.read_bytes())  # a saved page of the REST API
    assert shop.run("orders")["orders.orders"].loaded == len(TOTALS)
    shop.model()
    assert shop.orders() == all_exports.orders("5550000001")


@pytest.mark.parametrize(("refunded", "totals"), MONEY_BACK)
def test_money_back_for_shipping_takes_the_tax_within_it(
    exports: ExportShop, refunded: str, totals: tuple[str, ...]
) -> None:
    rows = list(csv.DictReader(io.StringIO((SAMPLES / SAMPLE).read_text("utf-8"))))
    rows = [row for row in rows if row["Name"] == "#1001"]
    rows[0]["Refunded Amount"] = refunded
    changed = io.StringIO()
    writer = csv.DictWriter(changed, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    exports.write("orders_export.csv", changed.getvalue())
    exports.run("orders")
    exports.model()
    assert exports.orders()["5550000001001"][:6] == totals


def test_every_line_has_the_facts_of_its_order(exports: ExportShop) -> None:
    exports.put(SAMPLE)
    exports.run("orders")
    assert exports.raw(
        "select distinct order_id, ordered_at, email, phone, first_name, last_name, status,"
        " sales_channel from raw_orders.order_lines where order_id = '5550000001001'"
    ) == [
        (
            *("5550000001001", datetime(2025, 9, 1, 7), "ann@example.com", "+44 7700 900101"),
            *("Ann", "Lee Jones", "paid", "online"),
        )
    ]


def test_a_ticked_box_is_a_wish_with_its_date_and_an_unticked_one_is_none(
    exports: ExportShop,
) -> None:
    exports.put(SAMPLE)
    exports.run("consents")
    assert exports.raw(
        "select identifier_value, channel, purpose, status, occurred_at, source"
        " from raw_consents.consents order by 1"
    ) == [
        ("ann@example.com", "email", "marketing", "granted", datetime(2025, 9, 1, 7), "checkout"),
        ("eve@example.com", "email", "marketing", "granted", datetime(2025, 9, 5, 8), "checkout"),
    ]


def test_a_header_in_another_order_with_further_columns_is_the_same(exports: ExportShop) -> None:
    rows = list(csv.DictReader(io.StringIO((SAMPLES / SAMPLE).read_text("utf-8"))))
    header = [*rows[0], "Metafield: shop.note"]
    random.Random(7).shuffle(header)
    shuffled = io.StringIO()
    writer = csv.DictWriter(shuffled, header, restval="x")
    writer.writeheader()
    writer.writerows(rows)
    exports.put(SAMPLE)
    exports.write("elsewhere/deep/orders.csv", shuffled.getvalue())
    count = exports.run("orders")["orders.order_lines"]
    lines = len(rows) - 1  # without the gift card
    assert (count.received, count.loaded, count.quarantined) == (2 * lines, lines, 0)


def test_the_same_export_twice_and_an_overlapping_one_add_nothing(exports: ExportShop) -> None:
    exports.put(SAMPLE)
    exports.run("orders")
    first = (SAMPLES / SAMPLE).read_text("utf-8").splitlines()
    exports.write("exports/again.csv", "\n".join(first))
    exports.write("exports/overlap.csv", "\n".join([first[0], *first[3:6]]))
    count = exports.run("orders")["orders.order_lines"]
    assert (count.loaded, count.quarantined) == (0, 0)


def test_a_corrected_address_is_a_new_version_of_the_same_line(exports: ExportShop) -> None:
    exports.put(SAMPLE)
    exports.run("orders")
    text = (SAMPLES / SAMPLE).read_text("utf-8").replace("dan@example.com", "dan@example.org")
    exports.write("exports/later.csv", text)
    assert exports.run("orders")["orders.order_lines"].loaded == 1
    assert exports.raw(
        "select count(*), count(distinct line_key) from raw_orders.order_lines"
        " where order_id = '5550000001004'"
    ) == [(2, 1)]


def test_a_mapping_that_fits_the_file_says_what_it_is(exports: ExportShop) -> None:
    exports.put(SAMPLE, f"orders/{SAMPLE}")
    exports.write(
        "orders/mapping.yml",
        "columns: {order_id: Name, ordered_at: Created at, quantity: Lineitem quantity,"
        " unit_price: Lineitem price, sku: Lineitem sku}\n",
    )
    exports.run("orders")
    assert exports.raw(
        "select distinct order_id from raw_orders.order_lines order by 1 limit 1"
    ) == [("#1001",)]


def test_two_systems_files_in_one_folder_are_read_each_as_it_is(exports: ExportShop) -> None:
    exports.put(SAMPLE, f"orders/{SAMPLE}")
    exports.write("orders/mapping.yml", "columns: {order_id: ref, ordered_at: day, quantity: n,"
                  " unit_price: price}\n")  # fmt: skip
    exports.write("orders/till.csv", "ref,day,n,price\nT-1,2025-09-01,1,5.00\n")
    count = exports.run("orders")["orders.order_lines"]
    assert (count.loaded, count.quarantined) == (12, 0)


def test_a_run_says_what_each_file_was_taken_for(exports: ExportShop) -> None:
    exports.put(SAMPLE)
    exports.write("exports/notes.csv", "a,b\n1,2\n")
    folder = open_input(exports.input, exports.settings)
    assert said_of_input(folder, exports.settings) == [
        f"Shopify orders export: exports/{SAMPLE} -> orders/order_lines, consents/consents.",
        "In no folder that is read, and no export that is known: exports/notes.csv. "
        "See docs/formats.md.",
    ]


def test_a_name_in_the_settings_decides(exports: ExportShop) -> None:
    exports.put(SAMPLE)
    exports.write("orders/own.csv", "order_id,ordered_at,quantity,unit_price\nA,2025-01-01,1,2\n")
    exports.settings = Settings(recognised={"exports/shopify_*": "none"})
    assert exports.run("orders")["orders.order_lines"].received == 1
    exports.settings = Settings(recognised={"exports/*": "shopify_orders"})
    assert exports.run("orders")["orders.order_lines"].loaded == 11


def test_an_unknown_name_in_the_settings_is_refused(exports: ExportShop) -> None:
    exports.put(SAMPLE)
    exports.settings = Settings(recognised={"exports/*": "shopfy"})
    with pytest.raises(UsageError, match="no export that is known"):
        exports.run("orders")
