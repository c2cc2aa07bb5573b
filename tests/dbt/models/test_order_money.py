"""What an order comes to, however its source tells it (docs/decisions/data-definitions.md)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

Connection = duckdb.DuckDBPyConnection


def order(built: Connection, order_id: str, *columns: str) -> tuple[Any, ...]:
    """Some columns of an order."""
    found = built.execute(
        f"select {', '.join(columns)} from intermediate.int_orders_resolved where order_id = ?",
        [order_id],
    ).fetchall()
    assert len(found) == 1, f"{len(found)} rows for {order_id}"
    return found[0]


def amounts(built: Connection, order_id: str) -> str:
    """Goods, discounts, returns, shipping and taxes of an order, in short."""
    columns = ("gross_sales", "discounts", "returns", "shipping", "taxes")
    return " ".join(f"{number.normalize():f}" for number in order(built, order_id, *columns))


def nets(built: Connection, order_id: str) -> list[str]:
    """What is left of each line, in short."""
    rows = built.execute(
        "select net_sales from intermediate.int_order_lines_resolved where order_id = ? "
        "order by line_number",
        [order_id],
    ).fetchall()
    return [f"{net.normalize():f}" for (net,) in rows]


@pytest.mark.parametrize(
    ("order_id", "expected", "status"),
    [
        ("M-five-transactions", "100 0 15 0 0", "partially_returned"),
        ("M-a-void-is-no-refund", "100 0 0 0 0", "placed"),
        ("M-only-failed", "100 0 0 0 0", "placed"),
        ("M-pending", "100 0 40 0 0", "partially_returned"),
        ("M-converted", "100 0 30 0 0", "partially_returned"),
        ("M-converted-by-lines", "100 0 30 0 0", "partially_returned"),
        ("M-set-beats-text", "100 0 30 0 0", "partially_returned"),
        ("M-unknown-rate", "100 0 30 0 0", "partially_returned"),
        ("M-fee", "100 0 90 0 0", "partially_returned"),
        ("M-goodwill", "100 0 50 0 0", "partially_returned"),
        ("M-no-money-moved", "100 0 40 0 0", "partially_returned"),
        ("M-subtotal-set", "100 0 40 0 0", "partially_returned"),
        ("M-more-than-all", "100 0 100 0 0", "returned"),
        ("M-shipping-lines-back", "100 0 0 0 0", "placed"),
        ("M-shipping-back", "100 0 30 0 0", "partially_returned"),
        ("M-taxed-amount-back", "100 0 25 0 15", "partially_returned"),
        ("M-included-amount-back", "100 0 50 0 10", "partially_returned"),
        ("M-refunded-without-a-word", "100 0 100 0 0", "returned"),
        ("M-later-refund", "100 0 0 0 0", "placed"),
        ("M-duties-told", "100 0 40 0 0", "partially_returned"),
        ("M-duties-named", "100 0 40 0 0", "partially_returned"),
        ("M-duties-in-part", "100 0 20 0 0", "partially_returned"),
        ("M-unknown-but-cancelled", "100 0 100 0 0", "cancelled"),
        ("M-charged-back", "100 0 100 0 0", "returned"),
        ("M-reversed", "100 0 100 0 0", "returned"),
        ("Q-reversed", "100 0 100 8 0", "returned"),
        ("Q-duties-back", "100 0 40 8 0", "partially_returned"),
        ("Q-shipping-back", "100 0 0 0 0", "placed"),
        ("Q-fee", "100 0 90 8 0", "partially_returned"),
        ("Q-part-failed", "100 0 60 8 0", "partially_returned"),
    ],
)
def test_money_back(built: Connection, order_id: str, expected: str, status: str) -> None:
    assert amounts(built, order_id) == expected
    assert order(built, order_id, "status") == (status,)


def test_more_than_a_line_goes_to_the_others_and_less_stays_with_it(built: Connection) -> None:
    assert nets(built, "M-goodwill") == ["0", "50"]
    assert nets(built, "M-fee") == ["4", "6"]


@pytest.mark.parametrize(
    ("order_id", "expected", "lines"),
    [
        ("M-two-lines-of-one-id", "105 0 40 0 0", ["0", "60", "5"]),
        ("M-a-number-for-an-id", "100 0 0 0 0", ["40", "60"]),
        ("Q-two-lines-of-one-id", "200 0 0 8 0", ["100", "100"]),
    ],
)
def test_lines_that_share_an_id_are_lines_of_their_own(
    built: Connection, order_id: str, expected: str, lines: list[str]
) -> None:
    assert amounts(built, order_id) == expected
    assert nets(built, order_id) == lines
    keys = built.execute(
        "select count(distinct order_line_id) from intermediate.int_order_lines_resolved "
        "where order_id = ?",
        [order_id],
    ).fetchone()
    assert keys == (len(lines),)


@pytest.mark.parametrize(
    ("order_id", "expected", "lines"),
    [
        ("M-allocated", "100 12 0 0 0", ["28", "60"]),
        ("M-allocated-in-sets", "100 12 0 0 0", ["28", "60"]),
        # what is left of the order's discounts cannot come off a line that costs nothing any more
        ("M-allocated-and-a-code", "100 46 0 0 0", ["0", "54"]),
        ("M-free-shipping", "100 0 0 0 0", ["100"]),
        ("M-free-shipping-by-code", "100 0 0 0 0", ["100"]),
        ("M-bore-less", "100 10 0 0 0", ["90"]),
        ("Q-allocated", "100 15 0 8 0", ["85"]),
    ],
)
def test_discounts_stand_where_they_are_allocated(
    built: Connection, order_id: str, expected: str, lines: list[str]
) -> None:
    assert amounts(built, order_id) == expected
    assert nets(built, order_id) == lines


@pytest.mark.parametrize(
    ("order_id", "expected", "gift_cards", "tips"),
    [
        ("M-gift-card", "100 10 0 0 0", 25, 0),
        ("M-gift-card-back", "100 0 10 0 0", 25, 0),
        ("M-gift-card-cheaper", "100 10 0 0 0", 20, 0),
        ("M-only-a-gift-card", "0 0 0 0 0", 25, 0),
        ("M-tip", "100 0 0 0 0", 0, 4),
        ("M-tip-line-and-total", "100 0 0 0 0", 0, 4),
        ("M-tip-by-another-name", "100 0 0 0 0", 0, 4),
        ("M-tip-and-work-at-its-price", "104 0 0 0 0", 0, 4),
        ("M-tip-and-work-on-two-lines", "104 0 0 0 0", 0, 4),
        ("M-a-product-called-tip", "104 0 0 0 0", 0, 0),
        ("Q-tip", "100 0 0 8 0", 0, 3),
        ("Q-gift-card", "100 0 0 8 0", 100, 3),
    ],
)
def test_gift_cards_and_tips_are_no_sale_of_goods(
    built: Connection, order_id: str, expected: str, gift_cards: int, tips: int
) -> None:
    assert amounts(built, order_id) == expected
    assert order(built, order_id, "gift_cards_sold", "tips") == (gift_cards, tips)
    assert order(built, order_id, "is_kept") == (order_id != "M-only-a-gift-card",)


@pytest.mark.parametrize(
    ("order_id", "status", "is_kept"),
    [
        ("M-expired", "voided", False),
        ("M-denied", "voided", False),
        ("M-fraud", "cancelled", False),
        ("F-reversed", "returned", True),
        ("F-denied", "voided", False),
        ("F-fraud", "cancelled", False),
        ("M-let-go", "voided", False),
        ("M-draft", "voided", False),
        ("Q-voided", "voided", False),
        ("M-paid-draft", "placed", True),
        ("M-transfer", "placed", True),
        ("F-never-paid", "voided", False),
        ("F-cancelled-in-a-word", "cancelled", False),
        ("F-cancelled-on-a-day", "cancelled", False),
        ("F-cancelled-later", "placed", True),
        ("F-came-back", "returned", True),
        ("F-unknown-word", "placed", True),
    ],
)
def test_what_is_no_sale_is_not_kept(
    built: Connection, order_id: str, status: str, is_kept: bool
) -> None:
    assert order(built, order_id, "status", "is_kept") == (status, is_kept)
    net = order(built, order_id, "total_sales")[0]
    assert (net == 0) == (status != "placed")


@pytest.mark.parametrize(
    ("order_id", "expected", "lines"),
    [
        ("F-price-per-gram", "115.01 0 0 0 0", ["115.01"]),
        ("F-no-pieces", "17.25 0 0 0 0", ["17.25"]),
        ("F-came-to", "30 3 0 0 0", ["27"]),
        ("F-full-amount", "30 3 0 0 0", ["27"]),
        ("F-discount-on-the-first", "100 50 0 0 0", ["0", "50"]),
        ("F-refunded", "100 0 100 2 0", ["0", "0"]),
        ("F-said-on-each", "100 0 0 5 0", ["20", "80"]),
        ("F-one-line-off", "100 0 80 0 0", ["20", "0"]),
        ("F-return-by-amount", "0 0 18 0 0", ["-18"]),
    ],
)
def test_lines_of_files(built: Connection, order_id: str, expected: str, lines: list[str]) -> None:
    assert amounts(built, order_id) == expected
    assert nets(built, order_id) == lines


def test_the_first_lines_currency_is_the_orders(built: Connection) -> None:
    """50 euros at 0.85: a line without a currency is not the shop's."""
    assert order(built, "F-currency", "currency", "net_sales_shop") == ("EUR", Decimal("42.5"))
    line_sum = built.execute(
        "select sum(net_sales_shop), min(currency) from intermediate.int_order_lines_resolved "
        "where order_id = 'F-currency'"
    ).fetchone()
    assert line_sum == (Decimal("42.5"), "EUR")


def test_a_gift_card_that_came_back_is_a_piece_back(built: Connection) -> None:
    pieces = built.execute(
        "select returned_quantity, returns from intermediate.int_order_lines_resolved "
        "where order_id = 'M-gift-card-back' and line_kind = 'gift_card'"
    ).fetchone()
    assert pieces == (1, 0)


def test_all_codes_are_named(built: Connection) -> None:
    assert order(built, "M-two-codes", "discount_code") == ("ONE, TWO",)


def test_an_order_of_two_sources_is_one(built: Connection) -> None:
    """By its name near its day; a number of long ago is a till's, a number is no id of another."""
    told = built.execute(
        "select order_id, order_source from intermediate.int_orders_unioned "
        "where order_id in ('#9301', 'M-9001', '9301', '#9303', 'M-9003') order by 1"
    ).fetchall()
    assert told == [
        ("#9303", "order_lines"),
        ("9301", "orders_json"),
        ("M-9001", "orders_json"),
        ("M-9003", "orders_json"),
    ]


def test_an_event_meets_the_order_it_means(built: Connection) -> None:
    """By number or name within a day, before another order's id; far from it only by id."""
    met = built.execute(
        "select login_id, order_id from intermediate.int_web_order_completions "
        "where login_id like 'm-%' order by 1"
    ).fetchall()
    assert met == [
        ("m-#9302", "9301"),
        ("m-9301", "M-9001"),
        ("m-9303", "9303"),
        ("m-M-9003", "M-9003"),
        ("m-elsewhere", "elsewhere"),
    ]


def test_a_refund_that_nothing_gives_the_amount_of_is_unknown_and_not_none(
    built: Connection,
) -> None:
    name = "M-unknown-and-silent"
    columns = ("returns", "net_sales", "net_sales_shop", "total_sales_shop", "conversion_issue")
    assert order(built, name, *columns) == (None, None, None, None, "unknown_refund")
    assert order(built, name, "gross_sales", "status", "is_kept") == (
        100, "partially_returned", True
    )  # fmt: skip
    lines = built.execute(
        "select returns, net_sales, net_sales_shop from intermediate.int_order_lines_resolved "
        "where order_id = ?",
        [name],
    ).fetchall()
    assert lines == [(None, None, None)] * 2
    unknown = built.execute(
        "select distinct order_id from intermediate.int_order_refunds where is_unknown order by 1"
    ).fetchall()
    assert unknown == [("M-unknown-and-silent",), ("M-unknown-but-cancelled",)]


def test_numbers_of_documents_are_read_as_people_write_them(built: Connection) -> None:
    assert amounts(built, "M-grouped-price") == "2481.5 1000 0 0 0"
    # 41,833 pieces at 0.00274902: the price is not cut before it is multiplied
    assert amounts(built, "M-price-per-gram") == "114.9998 0 0 0 0"


def test_a_payment_is_of_the_order_that_it_names(built: Connection) -> None:
    """By its id, or by a name or number that just one order of that day has."""
    told = built.execute(
        "select payment_fingerprint, order_id from intermediate.int_order_payments "
        "where starts_with(payment_fingerprint, 'fp-of-') order by 1"
    ).fetchall()
    assert told == [
        ("fp-of-#9302", "9301"),
        ("fp-of-9401", "F-called-otherwise"),
        ("fp-of-F-price-per-gram", "F-price-per-gram"),
    ]
