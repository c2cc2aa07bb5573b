"""The right answers of conditions on wishes, needs and offers, on DuckDB, at their boundaries.

Belongs here: calls and their people. Does not belong here: other conditions (test_conditions.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.orchestration.segments.published import Published, ago


@pytest.fixture(scope="module")
def shop() -> Iterator[Published]:
    """Two without an order, seven with one."""
    shop = Published()
    shop.person("nobody")
    shop.person("stranger", is_known=False)
    for name, days in (("once_60", 60), ("once_61", 61), ("twice_10", 10), ("thrice_200", 200)):
        shop.buyer(name, days)
    for name, days in (("four_5", 5), ("in_store", 3), ("gift_20", 20)):
        shop.buyer(name, days)
    shop.step("twice_10", "Product Viewed", ago(hours=5), product_key="pot")
    add_wishes(shop)
    add_offers(shop)
    yield shop


def add_offers(shop: Published) -> None:
    """A promotion on mugs' category; those above looked at a mug, and some have its code."""
    live = {"promotion_source": "promotions", "status": "live", "voucher_count": 0}
    for name, more in (
        ("kitchen", {"category": "Kitchen", "code": "Cups"}),
        ("everything", {}),
        ("theirs", {"category": "Rooms", "for_segment": "vip"}),
        ("over", {"category": "Rooms", "status": "ended"}),
        ("jugs", {"product_id": "jug"}),
    ):
        own = {"promotion_code_id": name, "promotion_id": name, "promotion_name": name}
        shop.add("dim_promotions", **(live | own | more))
    for customer, product, category in (
        ("thrice_200", "mug", "Kitchen"),
        ("four_5", "mug", "Kitchen"),  # has used the code
        ("in_store", "pot", "Rooms"),
        ("gift_20", "jug", None),
    ):
        at = ago(days=3)
        shop.step(customer, "Product Viewed", at, product_id=product, category=category)
    shop.add("fct_order_codes", customer_id="four_5", code="CUPS", ordered_at=ago(days=5))
    for customer, status, since, until in (
        ("once_60", "open", 14, None),
        ("once_61", "open", 13, -7),
        ("twice_10", "open", 20, -8),
        ("thrice_200", "redeemed", 20, -3),
        (None, "open", 20, -3),
    ):
        dates = {"valid_from": ago(days=since), "valid_until": until and ago(days=until)}
        shop.add("fct_vouchers", customer_id=customer, status=status, **dates)


def add_wishes(shop: Published) -> None:
    """Who wanted what, and what became of it: the mug is cheaper, the pot is there again."""
    for name, price in (("mug", 9), ("pot", 20), ("jug", 30)):
        shop.add("dim_products", product_id=name, product_name=name, price=price, in_stock=True)
        state = {"product_source": "products", "product_id": name, "sku": name, "currency": "GBP"}
        state |= {"previous_price": price, "price": price, "in_stock": True, "was_in_stock": True}
        if name == "mug":
            before = {"valid_from": ago(days=3), "previous_price": 10, "is_current": False}
            shop.add("fct_product_states", product_state_id=shop.id(), **(state | before))
        later = {"valid_from": ago(days=2), "is_current": True, "was_in_stock": name != "pot"}
        if name == "jug":  # by less than a twentieth
            later["previous_price"] = 31
        shop.add("fct_product_states", product_state_id=shop.id(), **(state | later))
    for customer, kind, days, product in (
        ("nobody", "product_viewed", 80, "mug"),
        ("once_60", "product_viewed", 91, "mug"),
        ("once_61", "product_added", 10, "mug"),
        ("twice_10", "product_added_to_wishlist", 30, "mug"),
        ("thrice_200", "product_viewed", 10, "mug"),
        ("thrice_200", "product_viewed", 1, "mug"),  # has seen the lower price
        ("four_5", "product_viewed", 10, "mug"),  # bought it since
        ("in_store", "product_viewed", 10, "pot"),
        ("gift_20", "product_viewed", 10, "jug"),
        ("in_store", "product_added_to_wishlist", 30.1, "jug"),
        ("stranger", "product_added_to_wishlist", 5, "jug"),
        ("stranger", "product_removed_from_wishlist", 4, "jug"),
        ("four_5", "product_added_to_wishlist", 10, "pot"),
    ):
        shop.interaction(customer, kind, ago(days=days), product)
    [[order]] = shop.connection.execute(
        "select order_id from marts.fct_orders where customer_id = 'four_5'"
        " order by ordered_at desc limit 1"
    ).fetchall()
    for product in ("mug", "pot"):
        line = {"order_id": order, "order_source": "shop", "customer_id": "four_5", "quantity": 1}
        line |= {"product_id": product, "line_kind": "goods", "is_return_line": False}
        shop.add("fct_order_lines", **line)
    for customer, days, is_abandoned in (
        ("once_60", 2, True),
        ("once_61", 8, True),
        ("nobody", 2, False),
    ):
        checkout = {"checkout_id": shop.id(), "customer_id": customer, "changed_at": ago(days=days)}
        shop.add("fct_checkouts", is_abandoned=is_abandoned, **checkout)
    for customer, days, count in (
        ("in_store", 2, 0),
        ("gift_20", 2, 3),
        ("twice_10", 2, 0),  # looked at products since
        ("four_5", 7.5, 0),
    ):
        search = {"customer_id": customer, "result_count": count, "is_last": True}
        shop.add("recent_searches", searched_at=ago(days=days), **search)
    for customer, product, remind, due, displeased, other in (
        ("once_60", "mug", 5, -5, False, None),
        ("once_61", "mug", -1, -10, False, None),  # too early
        ("twice_10", "mug", 40, 31, False, None),  # too late
        ("four_5", "mug", 5, -5, True, "pot"),
        ("in_store", "mug", 5, -5, True, None),
    ):
        row = {"customer_id": customer, "product_id": product, "is_displeased": displeased}
        row |= {"remind_at": ago(days=remind), "due_at": ago(days=due)}
        shop.add("fct_replenishments", other_product_id=other, **row)


ANSWERS = {
    "left_checkout()": {"once_60"},
    "left_checkout(within_days=8)": {"once_60", "once_61"},
    "left_checkout(after_hours=49)": set(),
    "left_wishlist()": {"twice_10"},
    "left_wishlist(within_days=31)": {"twice_10", "in_store"},
    "price_dropped()": {"nobody", "once_61", "twice_10"},
    "price_dropped(within_days=2)": set(),
    "back_in_stock()": {"in_store"},
    "back_in_stock(within_days=1)": set(),
    "searched_in_vain()": {"in_store"},
    "searched_in_vain(within_days=1)": set(),
    "due_again()": {"once_60"},
    "due_again(within_days=31)": {"once_60", "twice_10"},
    "due_again(displeased=true)": {"four_5"},
    "has_voucher()": {"once_60", "once_61", "twice_10"},
    "has_voucher(unused_for_days=14)": {"once_60", "twice_10"},
    "has_voucher(expires_within_days=7)": {"once_61"},
    "viewed_on_offer()": {"thrice_200", "gift_20"},
    "viewed_on_offer(within_days=2)": set(),
}


@pytest.mark.parametrize("call", ANSWERS)
def test_a_condition_holds_for_whom_it_says(shop: Published, call: str) -> None:
    assert shop.members(f"all=[{call}]") == ANSWERS[call]
