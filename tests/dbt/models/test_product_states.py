"""Prices, costs and stock of every variant of a product, and when they changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.world import World

MODELS = ("--select", "+int_product_states", "+int_products_unioned", "--exclude", "path:tests")


def variant(number: int, price: str, cost: str | None, quantity: int, **more: Any) -> Any:
    """A variant of a product as the API tells it."""
    money = {"amount": cost, "currencyCode": "EUR"} if cost else None
    return {
        "id": f"gid://shopify/ProductVariant/{number}",
        "sku": f"SKU-{number}",
        "price": price,
        "availableForSale": quantity > 0,
        "inventoryQuantity": quantity,
        "inventoryItem": {"unitCost": money},
    } | more


def version(day: int, *variants: Any, product: str = "70") -> dict[str, Any]:
    """A product as it was pulled after it had changed on a day of May."""
    return {
        "product_id": product,
        "title": "Kettle",
        "updated_at": f"2026-05-{day:02d} 08:00:00",
        "payload": {
            "priceRangeV2": {"minVariantPrice": {"amount": "1.00", "currencyCode": "EUR"}},
            "variants": {"nodes": list(variants)},
            "tracksInventory": True,
            "totalInventory": sum(each["inventoryQuantity"] for each in variants),
        },
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A kettle in two sizes, told of four times."""
    world = World(Path(tmp_path_factory.mktemp("states")), "2026-05-20 00:00:00")
    world.add(
        "raw_shopify.products",
        [
            version(1, variant(1, "40.00", "21.00", 3), variant(2, "30.00", "12.00", 5)),
            version(2, variant(1, "40.00", "21.00", 2), variant(2, "30.00", "12.00", 5)),
            version(5, variant(1, "35.00", "21.00", 2), variant(2, "30.00", "13.00", 0)),
            # nobody knows of the next day yet
            version(25, variant(1, "99.00", "21.00", 2), variant(2, "30.00", "13.00", 0)),
        ],
    )
    lines = [("A", "SKU-1"), ("B", "SKU-2"), ("C", "SKU-9"), ("D", "SKU-8")]
    foreign = [("E", "SKU-9", "09"), ("F", "SKU-8", "11")]
    world.add(
        "raw_orders.order_lines",
        [
            {
                "order_id": order,
                "sku": sku,
                "ordered_at": "2026-05-10 09:00:00",
                "quantity": 1,
                "unit_price": "30.00",
            }
            for order, sku in lines
        ]
        + [
            {
                "order_id": order,
                "sku": sku,
                "ordered_at": f"2026-05-{day} 09:00:00",
                "quantity": 1,
                "unit_price": "44.00",
                "currency": "EUR",
            }
            for order, sku, day in foreign
        ],
    )
    listed = {"product_id": "SKU-8", "sku": "SKU-8", "name": "Pan", "category": "Pans"}
    world.add("raw_products.products", [listed | {"cost": "11.00"}])
    world.build(*MODELS)
    with world.warehouse() as connection:
        yield connection


def test_each_variants_changes_are_kept_with_what_was_before(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        "select sku, day(valid_from), day(valid_to), price::integer, previous_price::integer,"
        " cost::integer, in_stock, was_in_stock, stock_quantity, currency"
        " from intermediate.int_product_states where product_id = '70' order by sku, valid_from"
    ).fetchall()
    assert found == [
        ("SKU-1", 1, 5, 40, None, 21, True, None, 3, "EUR"),
        ("SKU-1", 5, None, 35, 40, 21, True, True, 2, "EUR"),
        ("SKU-2", 1, 5, 30, None, 12, True, None, 5, "EUR"),
        ("SKU-2", 5, None, 30, 30, 13, False, True, 0, "EUR"),
    ]


def test_a_product_has_the_price_and_the_cost_of_its_cheapest_variant(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        "select sku, price::integer, cost::integer, in_stock"
        " from intermediate.int_products_unioned where product_source = 'shopify'"
    ).fetchall()
    assert found == [("SKU-2", 30, 13, True)]


def test_a_line_that_names_any_variant_means_the_product(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        "select line_sku, product_id from intermediate.int_product_keys order by 1"
    ).fetchall()
    assert found == [
        ("SKU-1", "70"),
        ("SKU-2", "70"),
        ("SKU-8", "SKU-8"),
        ("SKU-9", "SKU-9"),
    ]


def test_a_price_stands_beside_its_own_currency(built: duckdb.DuckDBPyConnection) -> None:
    """Of the last sale, whatever the currencies before it; a cost in another one is left out."""
    found = built.execute(
        "select product_id, price::integer, currency, cost"
        " from intermediate.int_products_unioned where sku in ('SKU-8', 'SKU-9') order by 1"
    ).fetchall()
    assert found == [("SKU-8", 44, "EUR", None), ("SKU-9", 30, "GBP", None)]
