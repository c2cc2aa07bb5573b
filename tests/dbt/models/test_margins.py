"""What goods cost at the day of their order, and what the shop kept of an order and a person."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.models.test_product_states import variant, version
from tests.dbt.scenes import order
from tests.dbt.world import World

Connection = duckdb.DuckDBPyConnection

MODELS = (
    *("--select", "+fct_product_states", "+dim_products", "+dim_customers"),
    *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
)


def line(number: str, sku: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """A line of kettles at 40.00 each."""
    return {
        "id": number,
        "product_id": "70",
        "sku": sku,
        "title": "Kettle",
        "quantity": quantity,
        "price": "40.00",
    } | more


def in_pounds(state: dict[str, Any]) -> dict[str, Any]:
    """The same state of a product whose amounts are in the shop's own currency."""
    price = {"minVariantPrice": {"amount": "1.00", "currencyCode": "GBP"}}
    return state | {"payload": state["payload"] | {"priceRangeV2": price}}


def back(number: str, quantity: int, amount: str) -> dict[str, Any]:
    """A refund of some pieces of a line."""
    part = {"line_item_id": number, "quantity": quantity, "subtotal": amount, "total_tax": "0"}
    money = {"kind": "refund", "status": "success", "amount": amount}
    return {
        "created_at": "2026-05-12T09:00:00Z",
        "refund_line_items": [part],
        "transactions": [money],
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A kettle in two sizes whose cost rises on the fifth of May, and who bought it when."""
    world = World(Path(tmp_path_factory.mktemp("margins")), "2026-05-20 00:00:00")
    world.add(
        "raw_shopify.products",
        [
            in_pounds(version(2, variant(1, "40", "21.00", 3), variant(2, "30", None, 5))),
            in_pounds(version(5, variant(1, "40", "25.50", 3), variant(2, "30", None, 5))),
            # a product of one variant, which its lines need not name, bought in euros
            version(3, variant(3, "9.00", "4.00", 3), product="71"),
        ],
    )
    world.add(
        "raw_products.products",
        [
            {
                "product_id": "72",
                "sku": "CUP",
                "name": "Cup",
                "price": "8.00",
                "cost": "3.00",
                "updated_at": None,
            },
            {
                "product_id": "73",
                "sku": "JAR",
                "name": "Jar",
                "price": "8.00",
                "cost": "2.00",
                "updated_at": "2026-05-01 00:00:00",
            },
        ],
    )
    # a euro is half a pound, so that nothing else comes to the same
    world.add("raw_rates.rates", [{"date": "2026-05-01", "currency": "EUR", "rate": "0.5"}])
    ann, bo, cy = "ann@margin.example", "bo@margin.example", "cy@margin.example"
    gift_card = {"id": "6", "title": "Gift card", "quantity": 1, "price": "50.00"}
    world.add(
        "raw_orders.orders",
        [
            # before anything was known of its cost, in the old cost's time, and in the new one's
            order("1", "01 10:00:00", email=ann, line_items=[line("11", "SKU-1")]),
            order("2", "04 10:00:00", email=ann, line_items=[line("21", "SKU-1", 3)]),
            order("3", "05 08:00:00", email=ann, line_items=[line("31", "SKU-1")]),
            # two of three came back, so that one is gone
            order(
                "4",
                "06 10:00:00",
                email=bo,
                line_items=[line("41", "SKU-1", 3)],
                refunds=[back("41", 2, "80.00")],
            ),
            # the other size has no cost that anybody knows
            order("5", "07 10:00:00", email=cy, line_items=[line("51", "SKU-2")]),
            order("6", "08 10:00:00", email=bo, line_items=[gift_card | {"gift_card": True}]),
            order(
                "7",
                "09 10:00:00",
                email=bo,
                line_items=[
                    line("71", "", product_id="71"),
                    line("72", "CUP", product_id=None),
                    line("73", "JAR", product_id=None),
                ],
            ),
            # goods that never went cost nothing
            order(
                "8",
                "10 10:00:00",
                email=ann,
                line_items=[line("81", "SKU-1")],
                cancelled_at="2026-05-10T11:00:00Z",
            ),
        ],
    )
    world.build(*MODELS)
    with world.warehouse() as connection:
        yield connection


def test_a_line_has_the_cost_of_the_day_of_its_order(built: Connection) -> None:
    found = built.execute(
        "select order_id, line_number, unit_cost_shop, cost_basis, cost_shop, margin_shop"
        " from marts.fct_order_lines order by order_id, line_number"
    ).fetchall()
    money = Decimal
    assert found == [
        ("1", 1, money("21"), "first_known", money("21"), money("19")),
        ("2", 1, money("21"), "at_order", money("63"), money("57")),
        ("3", 1, money("25.5"), "at_order", money("25.5"), money("14.5")),
        ("4", 1, money("25.5"), "at_order", money("25.5"), money("14.5")),
        ("5", 1, None, None, None, None),
        ("6", 1, None, None, None, None),
        ("7", 1, money("2"), "at_order", money("2"), money("38")),
        ("7", 2, money("3"), "undated", money("3"), money("37")),
        ("7", 3, money("2"), "at_order", money("2"), money("38")),
        ("8", 1, money("25.5"), "at_order", money("0"), money("0")),
    ]


def test_an_order_has_a_margin_where_the_cost_of_all_its_goods_is_known(built: Connection) -> None:
    found = built.execute(
        "select order_id, cost_shop::double, margin_shop::double from marts.fct_orders"
        " where is_counted order by order_id"
    ).fetchall()
    assert found == [
        ("1", 21.0, 19.0),
        ("2", 63.0, 57.0),
        ("3", 25.5, 14.5),
        ("4", 25.5, 14.5),
        ("5", None, None),
        ("6", 0.0, 0.0),
        ("7", 7.0, 113.0),
    ]


def test_people_are_ranked_by_what_the_shop_kept(built: Connection) -> None:
    """Bo spent less than Ann and left more; of Cy nobody knows."""
    found = built.execute(
        "select lifetime_net_sales::double, lifetime_margin::double, lifetime_margin_issue,"
        " margin_rank from marts.fct_customer_order_summary order by lifetime_net_sales desc"
    ).fetchall()
    assert found == [
        (200.0, 90.5, None, 2),
        (160.0, 127.5, None, 1),
        (40.0, None, "unknown_cost", None),
    ]


def test_a_change_of_the_cost_is_published_with_the_one_before(built: Connection) -> None:
    found = built.execute(
        "select sku, day(valid_from), day(valid_to), cost::double, previous_cost::double,"
        " is_current from marts.fct_product_states where product_id = '70' order by all"
    ).fetchall()
    assert found == [
        ("SKU-1", 2, 5, 21.0, None, False),
        ("SKU-1", 5, None, 25.5, 21.0, True),
        ("SKU-2", 2, None, None, None, True),
    ]
