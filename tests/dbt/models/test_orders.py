"""Money of orders: what counts, what comes back, in which currency (DESIGN section 5)."""

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


AMOUNTS = ("gross_sales", "discounts", "returns", "net_sales", "shipping", "taxes", "total_sales")


@pytest.mark.parametrize(
    ("order_id", "amounts", "status", "is_kept"),
    [
        # 120.00 with 18.33 tax in it, 10.00 off, 5.00 to send: the customer pays 115.00
        ("100", "101.67 10 0 91.67 5 18.33 115", "placed", True),
        ("101", "100.01 10 0 90.01 0 0 90.01", "placed", True),
        ("102", "100 0 100 0 0 0 0", "returned", True),
        ("103", "100 0 30 70 0 0 70", "partially_returned", True),
        ("104", "100 0 100 0 0 0 0", "cancelled", False),
        ("108", "100 100 0 0 0 0 0", "placed", False),
        ("80", "100 0 0 100 0 0 100", "test", False),
        ("L541431", "77183.6 0 0 77183.6 0 0 77183.6", "placed", True),
        ("C541433", "0 0 77183.6 -77183.6 0 0 -77183.6", "returned", False),
        ("L1", "0.004 0 0 0.004 0 0 0.004", "placed", True),
        ("A1", "0 0 0 0 0 0 0", "placed", False),
        ("110", "100 10 0 90 0 20 110", "placed", True),
    ],
)
def test_amounts(
    built: Connection, order_id: str, amounts: str, status: str, is_kept: bool
) -> None:
    expected = tuple(Decimal(amount) for amount in amounts.split())
    assert order(built, order_id, *AMOUNTS) == expected
    assert order(built, order_id, "status", "is_kept") == (status, is_kept)


def test_who_returns_everything_has_spent_nothing(built: Connection) -> None:
    found = built.execute(
        "select count(*), count(*) filter (is_kept), sum(gross_sales), sum(net_sales), "
        "min(country_code) "
        "from intermediate.int_orders_resolved join intermediate.int_customer_identifiers as named "
        "using (customer_id) where named.identifier_value = '12346'"
    ).fetchone()
    assert found == (2, 1, Decimal("77183.6"), 0, "IE")


def test_lines_add_up_to_their_order(built: Connection) -> None:
    wrong = built.execute(
        """
        select count(*) from intermediate.int_orders_resolved as orders
        left join (
            select order_id, sum(gross_sales) as gross_sales, sum(discounts) as discounts,
                sum(returns) as returns, sum(net_sales) as net_sales,
                sum(adjustments) as adjustments
            from intermediate.int_order_lines_resolved group by order_id
        ) as lines using (order_id)
        where orders.gross_sales is distinct from lines.gross_sales
            or orders.discounts is distinct from lines.discounts
            or orders.returns is distinct from lines.returns
            or orders.net_sales is distinct from lines.net_sales
            or orders.adjustments is distinct from lines.adjustments
        """
    ).fetchone()
    assert wrong == (0,)


def test_a_discount_on_the_order_is_spread_without_loss(built: Connection) -> None:
    found = built.execute(
        "select discounts from intermediate.int_order_lines_resolved where order_id = '101' "
        "order by line_number"
    ).fetchall()
    assert found == [(Decimal("4.9995"),), (Decimal("5.0005"),)]


def test_negative_prices_stand_apart(built: Connection) -> None:
    """As lines of a till or of a document, they are no sales."""
    assert order(built, "A1", "adjustments") == (Decimal("-11062.06"),)
    assert order(built, "110", "adjustments") == (Decimal("-24"),)


def test_equal_lines_of_a_file_are_two_lines(built: Connection) -> None:
    found = built.execute(
        "select count(*) from intermediate.int_order_lines_resolved where order_id = 'L1'"
    ).fetchone()
    assert found == (2,)


def test_the_day_is_the_shops(built: Connection) -> None:
    """23:30 UTC in May is the next day in London."""
    assert str(order(built, "100", "ordered_date")[0]) == "2026-05-11"


@pytest.mark.parametrize(
    ("order_id", "net_in_shop_currency", "issue"),
    [
        ("105", "85", None),
        ("106", None, "missing_rate"),
        ("107", None, "missing_rate"),
        ("101", "90.01", None),
    ],
)
def test_conversion_takes_the_latest_rate_on_or_before_the_day(
    built: Connection, order_id: str, net_in_shop_currency: str | None, issue: str | None
) -> None:
    expected = Decimal(net_in_shop_currency) if net_in_shop_currency else None
    assert order(built, order_id, "net_sales_shop", "conversion_issue") == (expected, issue)


def test_the_newest_visible_version_counts(built: Connection) -> None:
    """A version from after as_of is not yet known; an older one that came in later is old."""
    assert order(built, "109", "status", "is_test") == ("placed", False)


def test_orders_after_as_of_are_not_seen(built: Connection) -> None:
    seen = built.execute(
        "select count(*) from intermediate.int_orders_resolved where order_id = 'L2'"
    ).fetchone()
    assert seen == (0,)


def test_a_card_payment_makes_an_order_card_paid(built: Connection) -> None:
    assert order(built, "60", "is_card_paid", "payment_fingerprint") == (True, "card-2")
    assert order(built, "L541431", "is_card_paid", "payment_fingerprint") == (False, None)
