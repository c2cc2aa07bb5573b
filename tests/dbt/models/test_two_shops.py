"""Two shops whose orders, customers and products have the same ids stay two, by API or by files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from tests.dbt.scenes_shops import MAIN, OUTLET, document
from tests.dbt.world import World

Connection = duckdb.DuckDBPyConnection


def rows(built: Connection, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, in its own order."""
    return built.execute(query).fetchall()


def test_equal_numbers_are_two_orders_each_with_its_shop(built: Connection) -> None:
    found = rows(
        built,
        "select order_id, shop_id, currency, email, gross_sales::integer"
        " from intermediate.int_orders_resolved where order_id like '%880_' order by order_id",
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


def test_files_of_two_shops_with_one_number_are_two_orders_of_one_person(built: Connection) -> None:
    found = rows(
        built,
        "select order_id, shop_id, currency, gross_sales::integer, store_id, is_card_paid,"
        " count(distinct customer_id) over () from intermediate.int_orders_resolved"
        " where order_id like '%881_' order by order_id",
    )
    assert found == [
        ("8810", "shop", "GBP", 7, "1", False, 1),
        ("8811", "shop", "GBP", 12, "9", False, 1),
        # The settings of its API say what the outlet is called.
        ("outlet:8810", "outlet-eu", "EUR", 7, "outlet:1", True, 1),
        ("outlet:8811", "outlet-eu", "EUR", 12, "outlet:9", False, 1),
    ]


def test_lines_and_money_of_each_shops_order_are_its_own(built: Connection) -> None:
    found = rows(
        built,
        "select order_id, currency, gross_sales::integer, product_id"
        " from intermediate.int_order_lines_resolved where order_id like '%881_' order by order_id",
    )
    assert found == [
        ("8810", "GBP", 7, "S1"),
        ("8811", "GBP", 12, "6600"),
        ("outlet:8810", "EUR", 7, "S1"),
        ("outlet:8811", "EUR", 12, "outlet:6600"),
    ]


def test_a_file_of_a_shop_meets_the_orders_of_its_own_api_alone(built: Connection) -> None:
    found = rows(
        built,
        "select order_id, document_order_id from intermediate.int_order_line_orders"
        " where order_id like '%8802' or order_id like '%8810' order by order_id",
    )
    assert found == [("8810", None), ("outlet:#8802", "outlet:8802"), ("outlet:8810", None)]


def test_equal_customer_numbers_in_files_are_two_identifiers(built: Connection) -> None:
    found = rows(
        built,
        "select identifier_type, identifier_value from intermediate.int_customer_identifiers"
        " where identifier_value in ('77', 'outlet:77', '4499', 'outlet:4499') order by 1, 2",
    )
    assert found == [
        ("orders_customer_id", "77"),
        ("orders_customer_id", "outlet:77"),
        ("shopify_customer_id", "4499"),
        ("shopify_customer_id", "outlet:4499"),
    ]


def test_an_order_whose_file_is_of_another_shop_after_all_leaves_what_was_read_of_it(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, "2026-06-01 00:00:00")
    world.add("raw_orders.orders", [document(MAIN, "8811", "EUR")])
    read = ("--select", "stg_orders__orders", "stg_orders__order_items", "--exclude-resource-type")
    world.build(*read, "test")
    with duckdb.connect(str(tmp_path / "raw.duckdb")) as raw:
        raw.execute("delete from raw_orders.orders")
    world.new_load()
    world.add("raw_orders.orders", [document(OUTLET, "8811", "EUR")])
    world.build(*read, "test")
    with world.warehouse() as built:
        for table in ("stg_orders__orders", "stg_orders__order_items"):
            assert rows(built, f"select order_id from staging.{table}") == [("outlet:8811",)]
