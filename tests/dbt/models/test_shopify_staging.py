"""What Shopify tells of checkouts begun and of discounts, and the regions that addresses name."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.scenes_money import bag
from tests.dbt.world import World

MODELS = ("stg_shopify__checkouts", "stg_shopify__discount_codes")
OF_PLACES = (
    *("stg_orders__orders", "stg_shopify__orders", "stg_shopify__customers"),
    "stg_contacts__contacts",
)
TEXAS, OHIO = ({"country_code": "US", "province_code": code} for code in ("TX", " OH "))
NOWHERE = {"country_code": " ", "province_code": "NY"}  # its region is of no country
# The addresses of an order, and the region beside the country that counts
ORDERS: dict[str, tuple[dict[str, Any], str | None]] = {
    "1": ({"billing_address": TEXAS, "shipping_address": OHIO}, "TX"),
    "2": ({"billing_address": NOWHERE, "shipping_address": OHIO}, "OH"),
    "3": ({"billing_address": {"country_code": "US"}, "shipping_address": OHIO}, None),
    "4": ({"customer": {"default_address": TEXAS}}, "TX"),
    "5": ({}, None),
}


def checkout(day: int, completed: str | None = None) -> dict[str, Any]:
    """A version of one checkout of the outlet."""
    return {
        "checkout_id": "outlet:5",
        "id_scope": "outlet",
        "email": " left@shop.example ",
        "created_at": "2026-05-01 10:00:00",
        "updated_at": f"2026-05-{day:02d} 10:00:00",
        "completed_at": completed,
        "payload": {
            "totalPriceSet": bag("12.50"),
            "discountCodes": ["SAVE10"],
            "customer": {"id": "gid://shopify/Customer/44"},
        },
    }


def discount(number: int, kind: str, value: Any, *codes: str) -> dict[str, Any]:
    """A discount with its codes."""
    return {
        "discount_id": str(number),
        "title": f"Discount {number}",
        "status": "ACTIVE",
        "starts_at": "2026-05-01 00:00:00",
        "updated_at": "2026-05-01 00:00:00",
        "payload": {
            "__typename": kind,
            "codesCount": {"count": 500},
            **({"codes": {"nodes": [{"code": code} for code in codes]}} if codes else {}),
            "customerGets": {"value": value},
        },
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One checkout told of three times, four discounts."""
    world = World(Path(tmp_path_factory.mktemp("staging")), "2026-05-20 00:00:00")
    paid = "2026-05-25 09:00:00"
    world.add("raw_shopify.checkouts", [checkout(1), checkout(3), checkout(25, paid)])
    five = {"amount": {"amount": "5.00", "currencyCode": "eur"}}
    world.add(
        "raw_shopify.discounts",
        [
            discount(1, "DiscountCodeBasic", {"percentage": 0.15}, "SAVE15", "SAVE15B"),
            discount(2, "DiscountCodeBasic", five, "FIVE"),
            discount(3, "DiscountCodeFreeShipping", None, "SHIP"),
            discount(4, "DiscountAutomaticBasic", {"percentage": 0.5}),
        ],
    )
    _orders(world)
    world.build("--select", *MODELS, *OF_PLACES)
    with world.warehouse() as connection:
        yield connection


def _orders(world: World) -> None:
    """Orders of both ways in, an account and an address in a list, each with its region."""
    times = dict.fromkeys(("created_at", "processed_at", "updated_at"), "2026-05-01 10:00:00")
    texas = {"countryCodeV2": "US", "provinceCode": "TX"}
    ohio = {"countryCodeV2": "US", "provinceCode": "OH"}
    for table, documents in {
        "raw_orders.orders": {number: said for number, (said, _) in ORDERS.items()},
        "raw_shopify.orders": {
            "11": {"billingAddress": texas, "shippingAddress": ohio},
            "12": {"billingAddress": {"provinceCode": "TX"}, "shippingAddress": ohio},
        },
    }.items():
        rows = [{"order_id": key, "payload": said} | times for key, said in documents.items()]
        world.add(table, rows)
    account = {"shopify_customer_id": "7", "payload": {"defaultAddress": texas}}
    world.add(
        "raw_shopify.customers",
        [account | {key: times[key] for key in ("created_at", "updated_at")}],
    )
    listed = [
        {"email": "a@shop.example", "country": "US", "region": "Texas"},
        # Loaded before the column was ours
        {"email": "b@shop.example", "country": "US", "attributes": {"region": "Ohio"}},
    ]
    world.add("raw_contacts.contacts", listed)


def test_a_region_is_of_the_address_that_says_the_country(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute("select order_id, region from staging.stg_orders__orders").fetchall()
    assert dict(found) == {number: region for number, (_, region) in ORDERS.items()}
    found = built.execute("select order_id, region from staging.stg_shopify__orders").fetchall()
    assert dict(found) == {"11": "TX", "12": "OH"}


def test_accounts_and_lists_name_a_region_too(built: duckdb.DuckDBPyConnection) -> None:
    for model, regions in {
        "shopify__customers": ["TX"],
        "contacts__contacts": ["Ohio", "Texas"],
    }.items():
        found = built.execute(f"select region from staging.stg_{model} order by 1").fetchall()
        assert found == [(region,) for region in regions]


def test_a_checkout_is_as_it_was_at_the_time(built: duckdb.DuckDBPyConnection) -> None:
    assert built.execute(
        "select checkout_id, email, shopify_customer_id, day(updated_at), completed_at, total,"
        " currency, discount_code from staging.stg_shopify__checkouts"
    ).fetchall() == [
        ("outlet:5", "left@shop.example", "outlet:44", 3, None, Decimal("12.5"), "GBP", "SAVE10")
    ]


def test_each_code_has_what_it_takes_off(built: duckdb.DuckDBPyConnection) -> None:
    assert built.execute(
        "select discount_id, code, discount_kind, percent_off::integer, amount_off::integer,"
        " currency, code_count, status from staging.stg_shopify__discount_codes order by all"
    ).fetchall() == [
        ("1", "SAVE15", "basic", 15, None, None, 500, "active"),
        ("1", "SAVE15B", "basic", 15, None, None, 500, "active"),
        ("2", "FIVE", "basic", None, 5, "EUR", 500, "active"),
        ("3", "SHIP", "freeshipping", None, None, None, 500, "active"),
    ]
