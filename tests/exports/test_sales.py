"""Exports of sales and payments: totals and times as counted by hand."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.exports.conftest import SAMPLES, ExportShop

pytestmark = pytest.mark.faults

# Gross sales, discounts, returns, net sales, shipping, taxes, currency, is no sale
WOOCOMMERCE = {
    "W3001": ("100.00", "10.00", "0.00", "90.00", "5.00", "19.00", "GBP", False),
    # 30 back: 20 and their tax of 4 for the tin, the other 6 for the shipping
    "W3002": ("60.00", "0.00", "20.00", "40.00", "0.00", "8.00", "GBP", False),
    "W3003": ("20.00", "0.00", "20.00", "0.00", "0.00", "0.00", "GBP", True),
    "W3004": ("15.00", "0.00", "0.00", "15.00", "0.00", "0.00", "EUR", False),
    "W3005": ("15.00", "0.00", "15.00", "0.00", "0.00", "0.00", "GBP", True),
    # 6 back of 12 for the spoon with its tax, so 5 without
    "W3006": ("10.00", "0.00", "5.00", "5.00", "4.00", "1.80", "GBP", False),
}
SQUARE = {
    "SQ-A": ("1057.00", "45.00", "0.00", "1012.00", "0.00", "80.96", "GBP", False),
    "SQ-A:refund": ("0.00", "0.00", "12.00", "-12.00", "0.00", "-0.96", "GBP", False),
}
LIGHTSPEED = {
    "LS-1": ("50.00", "5.00", "0.00", "45.00", "0.00", "9.00", "GBP", False),
    "LS-2": ("0.00", "0.00", "18.00", "-18.00", "0.00", "-3.60", "GBP", False),
    "LS-3": ("9.00", "0.00", "9.00", "0.00", "0.00", "0.00", "GBP", True),
    "LS-4": ("9.00", "0.00", "9.00", "0.00", "0.00", "0.00", "GBP", True),
}


@pytest.mark.parametrize(
    ("prefix", "totals"),
    [("W3", WOOCOMMERCE), ("SQ-", SQUARE), ("LS-", LIGHTSPEED)],
    ids=["WooCommerce", "Square", "Lightspeed"],
)
def test_totals_are_those_counted_by_hand(
    all_exports: ExportShop, prefix: str, totals: dict[str, Any]
) -> None:
    assert all_exports.orders(prefix) == totals


def test_times_without_an_offset_are_in_the_zone_that_holds(exports: ExportShop) -> None:
    for sample in ("woocommerce_orders.csv", "square_items.csv", "lightspeed_sales.csv"):
        exports.put(sample)
    exports.run("orders")
    moments = dict(
        exports.raw("select order_id, min(ordered_at) from raw_orders.order_lines group by 1")
    )
    assert moments["W3001"] == datetime(2025, 7, 1, 8, 30)  # London, in summer
    assert moments["W3002"] == datetime(2025, 1, 2, 10)
    assert moments["SQ-A"] == datetime(2025, 10, 5, 14, 15)  # New York
    assert moments["LS-1"] == datetime(2025, 8, 1, 10)


def test_who_bought_stands_with_each_sale(exports: ExportShop) -> None:
    for sample in ("woocommerce_orders.csv", "square_items.csv", "lightspeed_sales.csv"):
        exports.put(sample)
    exports.run("orders")
    buyers = exports.raw(
        "select distinct order_id, first_name, last_name, email, customer_ref, sales_channel,"
        " store_id from raw_orders.order_lines where order_id in ('W3001', 'W3002', 'SQ-A', 'LS-1')"
        " order by 1"
    )
    assert buyers == [
        ("LS-1", "Hugo", "Shaw", "hugo@example.com", "C-1", "store", "Till A"),
        ("SQ-A", "Gwen", "Rye", None, "CUST1", "store", "Main Street"),
        ("W3001", "Abe", "Low", "abe@example.com", "12", "online", None),
        ("W3002", "Bea", "Moon", "bea@example.com", None, "online", None),
    ]


def test_stripes_charges_are_payments_of_the_orders_they_name(exports: ExportShop) -> None:
    exports.put("stripe_payments.csv")
    exports.run("payments")
    assert exports.raw(
        "select order_id, provider, fingerprint, billing_email, billing_name, status, amount,"
        " currency, paid_at from raw_payments.payments order by _line"
    ) == [
        (
            *("W3001", "stripe", "fpAAA", "abe@example.com", "Abe Low", "paid"),
            *(Decimal("108.0000"), "GBP", datetime(2025, 7, 1, 8, 31)),
        ),
        (
            *("W3004", "stripe", "fpBBB", "di@example.com", "Di Otto", "paid"),
            *(Decimal("1015.0000"), "EUR", datetime(2025, 7, 4, 9, 1)),
        ),
        (
            *("W3005", "stripe", "fpCCC", "ed@example.com", "Ed Pym", "paid"),
            *(Decimal("15.0000"), "GBP", datetime(2025, 7, 5, 9, 1)),
        ),
        (
            *("ch_4", "stripe", "fpDDD", None, None, "failed"),
            *(Decimal("9.0000"), "GBP", datetime(2025, 7, 6, 9, 1)),
        ),
    ]


def test_stripes_customers_are_contacts(exports: ExportShop) -> None:
    exports.put("stripe_customers.csv")
    exports.run("contacts")
    assert exports.raw(
        "select email, first_name, last_name, country, customer_ref, created_at, attributes"
        " from raw_contacts.contacts order by 1"
    ) == [
        ("abe@example.com", "Abe", "Low", "GB", "cus_1", datetime(2025, 6, 30, 8), None),
        ("di@example.com", "Di", "van Otto", "DE", "cus_2", datetime(2025, 7, 1, 8), None),
    ]


def test_paypals_payments_received_are_read_in_german(exports: ExportShop) -> None:
    exports.put("paypal_activity_de.csv")
    exports.run("payments")
    assert exports.raw(
        "select order_id, billing_email, amount, currency, paid_at"
        " from raw_payments.payments order by _line"
    ) == [
        ("R-777", "jana@example.com", Decimal("1234.5600"), "EUR", datetime(2025, 7, 13, 8)),
        ("R-778", "udo@example.com", Decimal("12.5000"), "EUR", datetime(2025, 7, 2, 7)),
    ]


@pytest.mark.parametrize(
    ("sample", "taxes"),
    [
        # One amount an order, however many lines: equal ones would be taken for the order's
        ("square_items.csv", {"SQ-A": "80.9600", "SQ-A:refund": "-0.9600"}),
        ("lightspeed_sales.csv", {"LS-1": "9", "LS-2": "-3.6", "LS-3": "1.8", "LS-4": "1.8"}),
    ],
    ids=["Square", "Lightspeed"],
)
def test_the_tax_of_a_sale_is_the_sum_of_its_lines(
    exports: ExportShop, sample: str, taxes: dict[str, str]
) -> None:
    exports.put(sample)
    exports.run("orders")
    rows = exports.raw(
        "select order_id, sum(taxes), count(taxes) from raw_orders.order_lines group by 1"
    )
    assert {row[0]: row[1:] for row in rows} == {
        order: (Decimal(tax), 1) for order, tax in taxes.items()
    }


ORDER_ROWS = "woocommerce_order_rows.csv"
LINES = (
    "select order_id, line_id, ordered_at, sku, product_name, quantity, line_amount, discount,"
    " shipping, taxes, refunded_amount, currency, status from raw_orders.order_lines order by all"
)


def _items_as_json(sample: str) -> str:
    """The sample with each order's items as the JSON list that the same export may hold."""
    rows = list(csv.DictReader(io.StringIO(sample)))
    for row in rows:
        row["line_items"] = json.dumps(
            [
                {
                    key: value.replace("\\", "")
                    for key, value in re.findall(r"(\w+):((?:\\.|[^|\\])*)", item)
                }
                for item in re.split(r"(?<!\\);", row["line_items"])
            ]
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("is_json", [False, True], ids=["signs", "JSON"])
def test_one_row_per_order_says_what_one_row_per_item_does(
    exports: ExportShop, tmp_path: Path, is_json: bool
) -> None:
    exports.put("woocommerce_orders.csv")
    exports.run("orders")
    per_item = exports.raw(LINES)
    assert "Mug: Tea | Time; large" in {row[4] for row in per_item}
    other = ExportShop(tmp_path / "other", exports.settings)
    whole = (SAMPLES / ORDER_ROWS).read_text("utf-8")
    other.write("woo.csv", _items_as_json(whole) if is_json else whole)
    counts = other.run("orders")["orders.order_lines"]
    assert other.raw(LINES) == per_item
    assert counts.quarantined == 0
    exports.put(ORDER_ROWS)
    again = exports.run("orders")["orders.order_lines"]
    assert (again.loaded, again.duplicate) == (0, len(per_item))


@pytest.mark.parametrize("sample", ["woocommerce_orders.csv", ORDER_ROWS])
def test_a_fee_is_no_sale_of_goods_nor_is_its_tax(exports: ExportShop, sample: str) -> None:
    whole = list(csv.DictReader(io.StringIO((SAMPLES / sample).read_text("utf-8"))))
    rows = [row for row in whole if row["order_id"] == "W3004"]
    for row in rows:
        row |= {"fee_total": "3.00", "fee_tax_total": "0.60", "tax_total": "3.60"}
        row["order_total"] = "21.60"
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    exports.write("woo.csv", text.getvalue())
    exports.run("orders")
    assert exports.raw("select line_amount, taxes from raw_orders.order_lines") == [
        (Decimal("15.0000"), Decimal("3.0000"))
    ]


UNCERTAIN = {
    "a name with bare signs": ("name:Tin|", "name:Tin|total:1.00|"),
    "a name with a bare end": ("name:Tin|", "name:Tin; small|"),
    "an item without an amount": ("|total:20.00|total_tax:4.00|refunded:20.00", "|total_tax:4.00"),
    "an amount that is none": ("id:3|", "id:3|total:much|"),
    "two items of one id": ("id:4|", "id:3|"),
    "no items at all but words": ("id:4|", "id:4|<script>|"),
}


@pytest.mark.parametrize("what", UNCERTAIN)
def test_an_order_whose_items_are_not_certain_is_put_aside_whole(
    exports: ExportShop, what: str
) -> None:
    head, *orders = (SAMPLES / ORDER_ROWS).read_text("utf-8").splitlines()
    changed = [order.replace(*UNCERTAIN[what]) if "W3002" in order else order for order in orders]
    assert changed != orders
    exports.write("woo.csv", "\n".join([head, *changed]))
    counts = exports.run("orders")["orders.order_lines"]
    assert counts.quarantined == 1
    assert exports.raw("select reason, field from raw_orders.quarantine") == [
        ("wrong_type", "quantity")
    ]
    kept = exports.raw("select count(*), count(distinct order_id) from raw_orders.order_lines")
    assert kept == [(6, 5)]


def test_all_items_of_an_order_that_is_put_aside_are_kept(exports: ExportShop) -> None:
    whole = (SAMPLES / ORDER_ROWS).read_text("utf-8")
    exports.write("woo.csv", whole.replace("2025-07-01 09:30:00", "soon"))
    counts = exports.run("orders")["orders.order_lines"]
    assert counts.quarantined == 2
    held = exports.raw("select raw_text from raw_orders.quarantine order by all")
    assert [json.loads(text)["sku"] for (text,) in held] == ["TEA-1", "KET-1"]


@pytest.mark.parametrize("sample", ["woocommerce_orders.csv", ORDER_ROWS])
def test_an_order_that_a_file_has_twice_counts_once_with_all_that_is_its_own(
    exports: ExportShop, tmp_path: Path, sample: str
) -> None:
    """Exports that were pasted together, the later part with a corrected address."""
    head, *rows = (SAMPLES / sample).read_text("utf-8").splitlines()
    exports.write("woo.csv", "\n".join([head, *rows]))
    exports.run("orders")
    exports.model()
    twice = ExportShop(tmp_path / "twice", exports.settings)
    corrected = [row.replace("abe@example.com", "abel@example.com") for row in rows]
    twice.write("woo.csv", "\n".join([head, *rows, *corrected]))
    twice.run("orders")
    twice.model()
    assert twice.orders() == exports.orders() == WOOCOMMERCE
    assert ("W3001", "abel@example.com") in twice.raw(
        "select order_id, email from raw_orders.order_lines"
    )


def test_an_amount_of_the_order_that_is_none_is_counted(exports: ExportShop) -> None:
    whole = (SAMPLES / ORDER_ROWS).read_text("utf-8")
    exports.write("woo.csv", whole.replace(",5.00,1.00,13.00,0.00,78.00,30.00,", ",?,1,!,0,78,x,"))
    counts = exports.run("orders")["orders.order_lines"]
    assert counts.values_emptied == 6, "shipping, taxes and refunds of two items"


@pytest.mark.parametrize("items", ["", "[]"])
def test_an_order_without_items_says_nothing(exports: ExportShop, items: str) -> None:
    head, first, *_ = (SAMPLES / ORDER_ROWS).read_text("utf-8").splitlines()
    row = dict(zip(head.split(","), first.split(","), strict=True))
    row["line_items"] = items
    exports.write("woo.csv", f"{head}\n{','.join(row.values())}\n{first}")
    exports.run("orders")
    assert exports.raw("select count(*) from raw_orders.order_lines") == [(2,)]


def test_goods_that_came_back_count_without_the_total_of_their_order(exports: ExportShop) -> None:
    whole = (SAMPLES / "woocommerce_orders.csv").read_text("utf-8")
    exports.write("woo.csv", whole.replace("refunded_total", "column_of_a_plugin"))
    exports.run("orders")
    assert exports.raw(
        "select order_id, refunded_amount from raw_orders.order_lines"
        " where refunded_amount is not null"
    ) == [("W3002", Decimal("20.0000"))]


PAYPAL = "Date,Time,TimeZone,Name,Type,Status,Currency,Gross,Fee,From Email Address,Transaction ID"


def test_rows_that_are_no_payment_show_how_days_and_numbers_are_written(
    exports: ExportShop,
) -> None:
    """Most months have a withdrawal or a refund after the twelfth, and some no payment."""
    paid = "02/04/2026,09:00:01,UTC,Eve,Express Checkout Payment,Completed,USD,{},-1,e@x.org,{}"
    moved = "02/14/2026,09:00:01,UTC,,General Withdrawal,Completed,USD,{},0,,2A"
    exports.write(
        "point/a.csv", "\n".join((PAYPAL, paid.format("1.250", "1A"), moved.format("-9.99")))
    )
    comma = '"-1.000,00"'
    exports.write(
        "comma/b.csv", "\n".join((PAYPAL, paid.format("1.250", "1B"), moved.format(comma)))
    )
    exports.run("payments")
    assert exports.raw(
        "select _file, amount, paid_at from raw_payments.payments order by _file"
    ) == [
        ("comma/b.csv", Decimal("1250.0000"), datetime(2026, 2, 4, 9, 0, 1)),
        ("point/a.csv", Decimal("1.2500"), datetime(2026, 2, 4, 9, 0, 1)),
    ]


@pytest.mark.parametrize("year", ["2026", "26"])
def test_days_in_figures_are_read_in_exports_whose_numbers_have_a_point(
    exports: ExportShop, year: str
) -> None:
    header = "Date,Time,Item,Qty,Gross Sales,Discounts,Net Sales,Transaction ID,Price Point Name"
    days = (f"02/04/{year}", f"02/14/{year}")
    lines = [f"{day},10:00:00,Latte,1,$4.00,$0.00,$4.00,T{day}," for day in days]
    exports.write("square.csv", "\n".join((header, *lines)))
    exports.run("orders")
    assert exports.raw(
        "select ordered_at::date::varchar from raw_orders.order_lines order by 1"
    ) == [
        ("2026-02-04",),
        ("2026-02-14",),
    ]


def test_square_writes_cents_behind_a_comma_in_europe(exports: ExportShop) -> None:
    header = (
        "Date,Time,Item,Qty,Gross Sales,Discounts,Net Sales,Tax,Transaction ID,Price Point Name"
    )
    lines = (
        '2026-02-14,10:00:00,Beans,"1,250","5,00 €","-1,00 €","4,00 €","0,28 €",T1,',
        '2026-02-14,10:00:00,Machine,"1,0","1.250,00 €","0,00 €","1.250,00 €","87,50 €",T1,',
    )
    exports.write("square.csv", "\n".join((header, *lines)))
    exports.run("orders")
    assert exports.raw(
        "select quantity, line_amount, discount, taxes from raw_orders.order_lines order by _line"
    ) == [
        (Decimal("1.2500"), Decimal("4.0000"), Decimal("1.0000"), Decimal("87.7800")),
        (Decimal("1.0000"), Decimal("1250.0000"), Decimal("0.0000"), None),
    ]
