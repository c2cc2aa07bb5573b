"""Two Shopify shops whose orders, customers and products have the same ids stay two."""

from __future__ import annotations

from typing import Any

import duckdb

Connection = duckdb.DuckDBPyConnection


def rows(built: Connection, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, in its own order."""
    return built.execute(query).fetchall()


def test_equal_numbers_are_two_orders_each_with_its_shop(built: Connection) -> None:
    found = rows(
        built,
        "select order_id, shop_id, currency, email, gross_sales::integer"
        " from intermediate.int_orders_resolved where order_id like '%880%' order by order_id",
    )
    assert found == [
        ("#8801", "shop", "GBP", None, 7),
        ("8800", "shop", "GBP", "mia@main-shop.example", 100),
        ("outlet:8800", "outlet-eu", "EUR", "otto@outlet-shop.example", 100),
        ("outlet:8801", "outlet-eu", "EUR", "otto@outlet-shop.example", 100),
        ("outlet:8802", "outlet-eu", "EUR", "otto@outlet-shop.example", 100),
    ]


def test_equal_customer_numbers_are_two_people(built: Connection) -> None:
    found = rows(
        built,
        "select identifier_value, customer_id from intermediate.int_customer_identifiers"
        " where identifier_type = 'shopify_customer_id' and identifier_value like '%4400'"
        " order by identifier_value",
    )
    assert [value for value, _ in found] == ["4400", "outlet:4400"]
    owners = dict(found)
    assert None not in owners.values()
    assert len(set(owners.values())) == 2
    orders = rows(
        built,
        "select order_id, customer_id from intermediate.int_orders_resolved"
        " where order_id in ('8800', 'outlet:8800', 'outlet:8801')",
    )
    assert dict(orders) == {
        "8800": owners["4400"],
        "outlet:8800": owners["outlet:4400"],
        "outlet:8801": owners["outlet:4400"],
    }


def test_equal_product_numbers_are_two_products_in_their_own_currency(built: Connection) -> None:
    found = rows(
        built,
        "select product_id, product_name, currency, cost::integer"
        " from intermediate.int_products_unioned where product_id like '%6600' order by product_id",
    )
    assert found == [("6600", "Tea in GBP", "GBP", 30), ("outlet:6600", "Tea in EUR", "EUR", 30)]
    lines = rows(
        built,
        "select order_id, product_id from intermediate.int_order_lines_resolved"
        " where order_id in ('8800', 'outlet:8800') order by order_id",
    )
    assert lines == [("8800", "6600"), ("outlet:8800", "outlet:6600")]


def test_an_order_number_that_two_shops_have_names_only_the_order_of_that_id(
    built: Connection,
) -> None:
    found = rows(
        built,
        "select login_id, order_id from intermediate.int_web_order_completions"
        " where login_id like '%-by-n%' order by login_id",
    )
    assert found == [
        # A name is no id, and both shops have it: it stays what was written.
        ("both-by-name", "#8800"),
        ("both-by-number", "8800"),
        # The outlet has it, and so has a file of the shop without a name.
        ("file-by-number", "8801"),
        ("outlet-by-number", "outlet:8802"),
    ]
