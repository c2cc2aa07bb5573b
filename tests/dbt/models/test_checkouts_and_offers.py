"""Checkouts that were left or bought, codes that anybody may use, and tags of orders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.models.test_shopify_staging import discount
from tests.dbt.scenes import order
from tests.dbt.scenes_money import bag
from tests.dbt.world import World

Connection = duckdb.DuckDBPyConnection

MODELS = (
    *("--select", "+fct_checkouts", "+dim_promotions", "+fct_order_tags", "+fct_interactions"),
    *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
)
ANN, BO, CY = "ann@left.example", "bo@left.example", "cy@left.example"


def checkout(number: str, email: str, at: str, **more: Any) -> dict[str, Any]:
    """A checkout begun in May with two lines, of which the cups are worth more."""
    lines = [
        {"title": "Spoon", "quantity": 1, "originalUnitPriceSet": bag("9.00")},
        {
            "title": "Cup of the checkout",
            "sku": "CUP",
            "quantity": 4,
            "product": {"id": "gid://shopify/Product/72"},
            "originalUnitPriceSet": bag("8.00"),
        },
    ]
    moment = f"2026-05-{at}"
    row = {"checkout_id": number, "email": email, "created_at": moment, "updated_at": moment}
    payload = {"totalPriceSet": bag("41.00"), "checkoutLines": {"nodes": lines}}
    return row | {"payload": payload} | more


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """Ann buys, Bo leaves, Cy comes back for something else, and one is a stranger."""
    world = World(Path(tmp_path_factory.mktemp("checkouts")), "2026-05-20 12:00:00")
    world.add(
        "raw_contacts.contacts",
        [
            {"email": email, "source": "newsletter", "created_at": "2026-05-01 08:00:00"}
            for email in (ANN, BO, CY)
        ],
    )
    paid = {"completed_at": "2026-05-03 10:00:00", "updated_at": "2026-05-03 10:00:00"}
    world.add(
        "raw_shopify.checkouts",
        [
            # bought: Shopify says so two days later, or an order names it
            checkout("101", ANN, "01 10:00:00"),
            checkout("101", ANN, "01 10:00:00", **paid),
            checkout("102", ANN, "10 10:00:00"),
            # left, and looked at again; one that nobody could have left yet
            checkout("103", BO, "12 10:00:00", updated_at="2026-05-19 09:00:00"),
            checkout("104", BO, "20 11:30:00"),
            # another order came after it, and a cancelled one answers as well
            checkout("105", CY, "08 10:00:00"),
            checkout("106", "stranger@left.example", "09 10:00:00"),
            # a payment that lies ahead of the run has not happened
            checkout("107", BO, "18 10:00:00", completed_at="2026-05-25 10:00:00"),
        ],
    )
    world.add(
        "raw_products.products",
        [{"product_id": "72", "sku": "CUP", "name": "Cup", "category": "Kitchen"}],
    )
    save = {"code": "save15", "amount": "5.00", "type": "percentage"}
    world.add(
        "raw_orders.orders",
        [
            order("1", "10 11:00:00", email=ANN, checkout_id="102", discount_codes=[save]),
            order(
                "2",
                "11 10:00:00",
                email=CY,
                cancelled_at="2026-05-11T11:00:00Z",
                tags="VIP, wholesale , write to me@left.example,wholesale",
            ),
            order(
                "3",
                "01 09:00:00",
                email=CY,
                tags=["Gift_Wrap", ""],
                discount_codes=[save, {"code": "TEN", "amount": "1.00", "type": "fixed_amount"}],
            ),
        ],
    )
    api = order("9", "02 09:00:00")
    world.add(
        "raw_shopify.orders",
        [
            {key: api[key] for key in ("created_at", "processed_at", "updated_at")}
            | {
                "order_id": "9",
                "currency": "GBP",
                "payload": {"name": "#9", "email": ANN, "tags": ["Subscription"]},
            }
        ],
    )
    world.add(
        "raw_shopify.discounts",
        [
            discount(1, "DiscountCodeBasic", {"percentage": 0.15}, "SAVE15", "SAVE15B"),
            discount(2, "DiscountCodeFreeShipping", None, "SHIP")
            | {"ends_at": "2026-05-19 00:00:00"},
            # a second shop writes its code alike, and none of these orders are its
            discount(3, "DiscountCodeBasic", {"percentage": 0.3}, "SAVE15")
            | {"discount_id": "outlet:1", "shop_id": "outlet-eu"},
        ],
    )
    spring = {"promotion_id": "spring", "name": "Spring", "value_amount": "10"}
    world.add(
        "raw_promotions.promotions",
        [
            spring | {"code": "TEN", "starts_at": "2026-05-01 00:00:00"},
            spring
            | {
                "code": "OF-ANN",
                "identifier_type": "email",
                "identifier_value": ANN,
                "issued_at": "2026-05-02 00:00:00",
                "redeemed_at": "2026-05-10 11:00:00",
            },
            # the same code the year before, which none of these orders used
            spring
            | {
                "promotion_id": "spring-25",
                "code": "TEN",
                "starts_at": "2025-05-01 00:00:00",
                "ends_at": "2025-06-01 00:00:00",
            },
            {"promotion_id": "summer", "name": "Summer", "starts_at": "2026-06-01 00:00:00"},
        ],
    )
    world.build(*MODELS)
    with world.warehouse() as connection:
        yield connection


def test_a_checkout_is_abandoned_unless_it_or_anything_after_it_was_bought(
    built: Connection,
) -> None:
    found = built.execute(
        "select checkout_id, status, is_abandoned, customer_id is not null, day(bought_at),"
        " day(next_ordered_at) from marts.fct_checkouts order by checkout_id"
    ).fetchall()
    assert found == [
        ("101", "bought", False, True, 3, 10),
        ("102", "bought", False, True, 10, 10),
        ("103", "abandoned", True, True, None, None),
        ("104", "open", False, True, None, None),
        ("105", "ordered_since", False, True, None, 11),
        # Nothing else is known of the address, so there is nobody to write to
        ("106", "abandoned", True, False, None, None),
        ("107", "abandoned", True, True, None, None),
    ]


def test_what_was_left_is_told_by_its_most_valuable_line(built: Connection) -> None:
    found = built.execute(
        "select product_id, sku, product_name, category, line_count, total::double, currency"
        " from marts.fct_checkouts where checkout_id = '103'"
    ).fetchall()
    assert found == [("72", "CUP", "Cup", "Kitchen", 2, 41.0, "GBP")]


def test_checkouts_of_people_stand_in_the_timeline_with_what_became_of_them(
    built: Connection,
) -> None:
    found = built.execute(
        "select day(occurred_at), channel, direction, product_id, value::double, source_system,"
        " detail from marts.fct_interactions where kind = 'checkout_begun' order by occurred_at"
    ).fetchall()
    assert [row[:6] for row in found] == [
        (day, "web", "inbound", "72", 41.0, "shopify") for day in (1, 8, 10, 12, 18, 20)
    ]
    assert json.loads(found[3][6]) == {"checkout": "103", "status": "abandoned", "lines": 2}


def test_a_segment_of_left_checkouts_has_its_members_in_one_query(built: Connection) -> None:
    """The query of docs/segments.md: permission is no part of it, the gate applies it."""
    text = (Path(__file__).parents[3] / "docs" / "segments.md").read_text("utf-8")
    blocks = [block.split("```")[0] for block in text.split("```sql")[1:]]
    [query] = [block for block in blocks if "fct_checkouts" in block]
    query = query.replace("{{ ref('fct_checkouts') }}", "marts.fct_checkouts")
    query = query.replace(
        "{{ before_as_of(var('abandoned_max_days'), 'day') }}", "timestamp '2026-05-13 12:00:00'"
    )
    assert built.execute(
        f"select count(*), count(distinct customer_id) from ({query})"
    ).fetchall() == [(1, 1)]


def test_codes_of_the_folder_and_of_shopify_stand_together_with_their_orders(
    built: Connection,
) -> None:
    """A code counts in any case; whose voucher one is, is nobody else's business."""
    found = built.execute(
        "select promotion_source, promotion_id, code, discount_kind, percent_off::integer,"
        " amount_off::integer, status, voucher_count, redeemed_count, order_count, customer_count"
        " from marts.dim_promotions order by all"
    ).fetchall()
    assert found == [
        ("promotions", "spring", "TEN", "amount", None, 10, "live", 1, 1, 1, 1),
        ("promotions", "spring", None, "amount", None, 10, "live", 1, 1, 0, 0),
        ("promotions", "spring-25", "TEN", "amount", None, 10, "ended", 0, 0, 0, 0),
        ("promotions", "summer", None, None, None, None, "scheduled", 0, 0, 0, 0),
        ("shopify", "1", "SAVE15", "percent", 15, None, "live", 0, 0, 2, 2),
        ("shopify", "1", "SAVE15B", "percent", 15, None, "live", 0, 0, 0, 0),
        ("shopify", "2", "SHIP", "free_shipping", None, None, "ended", 0, 0, 0, 0),
        ("shopify", "outlet:1", "SAVE15", "percent", 30, None, "live", 0, 0, 0, 0),
    ]


def test_tags_are_one_row_each_in_lower_case_without_addresses(built: Connection) -> None:
    found = built.execute(
        "select order_source, order_id, tag, customer_id is not null from marts.fct_order_tags"
        " order by all"
    ).fetchall()
    assert found == [
        ("orders_json", "2", "vip", True),
        ("orders_json", "2", "wholesale", True),
        ("orders_json", "3", "gift_wrap", True),
        ("shopify", "9", "subscription", True),
    ]
