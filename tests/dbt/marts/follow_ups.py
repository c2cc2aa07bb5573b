"""People of the golden tests who left something, bought lately, or are to be shown a product.

Belongs here: one who is in each of these segments, and one who is short of a single condition. Does
not belong here: what should come of it (the tests), wishes and offers (wishes.py).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.dbt.marts.people import AS_OF, add_feedback, ago
from tests.dbt.marts.shop import Row, Shop

# By segment: who is in it, and who would be but for one thing; some stand in people.py
PLANTED = {
    "abandoned_browse_24h": ("browsed_25_hours", "browsed_23_hours browsed_and_carted"),
    "abandoned_browse_48h": ("browsed_49_hours", "browsed_25_hours"),
    "abandoned_cart_24h": ("left_a_cart_25_hours", "left_a_cart_23_hours left_and_ordered"),
    "abandoned_cart_48h": ("left_a_cart_49_hours", "left_a_cart_25_hours left_and_ordered"),
    "bundle": ("saw_a_kettle", "saw_a_kettle_unknown"),
    "complements_for_ads": ("kettle_20_days", "kettle_61_days kettle_and_tray"),
    "cross_sell": ("kettle_20_days", "kettle_61_days kettle_and_tray"),
    "early_access": ("stage_whole_way", "stage_till_buyer friend_with_a_case"),
    "exit_intent": ("was_leaving", "was_leaving_and_ordered was_leaving_2_days_ago"),
    "just_bought": ("recent_14_days", "recent_15_days"),
    "likely_in_7_days": ("expected_in_7_days", "expected_in_8_days"),
    "likely_in_30_days": ("expected_in_8_days", "expected_in_7_days expected_in_31_days"),
    "likely_in_90_days": ("expected_in_31_days", "expected_in_8_days"),
    "opportunity_reach_out": ("best_and_quiet", "best_and_here"),
    "opportunity_second_order": ("new_and_here", "new_and_quiet"),
    "opportunity_win_back": ("lapsed_and_here", "lapsed_and_quiet"),
    "post_purchase_education": ("recent_14_days", "recent_15_days bought_with_a_case"),
    "refer_a_friend": ("stage_whole_way", "friend_who_referred friend_with_a_case"),
    "review_request": (
        "recent_14_days",
        "reviewed_it sent_it_back bought_with_a_case bought_7_days_ago",
    ),
    "up_sell": ("kettle_20_days", "kettle_61_days"),
    "vip_by_both": ("seven_large_orders", "six_orders whale"),
    "welcome_from_referral": ("sent_by_a_site", "sent_by_a_site_long_ago"),
    "welcome_from_search": ("searched_lately", "searched"),
    "welcome_from_social": ("came_by_a_post", "stage_visitor"),
}


def add_follow_ups(shop: Shop) -> None:
    add_steps(shop)
    add_after_orders(shop)
    add_products_to_show(shop)
    add_sources(shop)
    add_rhythms(shop)


def add_steps(shop: Shop) -> None:
    for what, event in (("left_a_cart", "Product Added"), ("browsed", "Product Viewed")):
        for hours in (23, 25, 49):
            name = shop.person(f"{what}_{hours}_hours", ago(days=30))
            shop.event(name, event, ago(hours=hours))
    shop.event(shop.person("browsed_and_carted", ago(days=30)), "Product Viewed", ago(days=3))
    shop.event("browsed_and_carted", "Product Added", ago(days=2))
    shop.event(shop.person("left_and_ordered", ago(days=30)), "Product Added", ago(days=3))
    shop.order("left_and_ordered", ago(hours=1))


def add_after_orders(shop: Shop) -> None:
    for name in ("reviewed_it", "sent_it_back", "bought_with_a_case"):
        shop.order(shop.person(name, ago(days=90)), ago(days=12))
    shop.interaction("reviewed_it", "review", ago(days=2), key="a review")
    add_feedback(shop, "bought_with_a_case", "complaint", ago(days=2))
    back = {"status": "partially_returned", "returns": "20", "refunded_at": ago(days=3)}
    shop.order("sent_it_back", ago(days=11), "30", **back)
    shop.order(shop.person("bought_7_days_ago", ago(days=90)), ago(days=7))
    for name in ("friend_with_a_case", "friend_who_referred"):
        shop.person(name, ago(days=500))
        for days in (300, 200, 100, 40):
            shop.order(name, ago(days=days))
    shop.interaction("friend_who_referred", "referral", ago(days=364), key="a referral")
    add_feedback(shop, "friend_with_a_case", "complaint", ago(days=2))
    shop.person("seven_large_orders", ago(days=500))
    for days in range(100, 450, 50):
        shop.order("seven_large_orders", ago(days=days), "900")


def add_products_to_show(shop: Shop) -> None:
    """Who buys a kettle buys a tray; the copper kettle is dearer than the kettle."""
    for name, category, price in (
        ("kettle", "Tea", "45"),
        ("copper-kettle", "Tea", "60"),
        ("tray", "Rooms", "45"),
    ):
        more = {"category": category, "price": price, "currency": "GBP"}
        shop.add("int_products_unioned", product_id=name, product_name=name.title(), **more)
    shop.person("buys_both", ago(days=700))
    for days in (600, 590, 580):
        bought(shop, "buys_both", ago(days=days), "kettle", "tray")
    for name, days, products in (
        ("kettle_20_days", 20, ("kettle",)),
        ("kettle_61_days", 61, ("kettle",)),
        ("kettle_and_tray", 20, ("kettle", "tray")),
    ):
        bought(shop, shop.person(name, ago(days=100)), ago(days=days), *products)
    for name, known in (("saw_a_kettle", True), ("saw_a_kettle_unknown", False)):
        shop.person(name, ago(days=20), known=known)
        product = {"product_id": "kettle", "sku": "KETTLE", "session_id": f"of-{name}"}
        shop.event(name, "Product Viewed", ago(days=10), **product)


def bought(shop: Shop, customer: str, at: dt.datetime, *products: str) -> None:
    shop.order(customer, at)
    first = shop.rows["int_order_lines_resolved"][-1]
    first.update(product_id=products[0])
    for number, product in enumerate(products[1:], start=2):
        own = {"order_line_id": f"{first['order_id']}-{number}", "line_number": number}
        nothing = dict.fromkeys(("gross_sales", "net_sales", "net_sales_shop"), "0")
        shop.add("int_order_lines_resolved", **(first | own | nothing | {"product_id": product}))


def add_sources(shop: Shop) -> None:
    """Who came from where for the first time, and who was about to leave."""
    for name, channel, days in (
        ("sent_by_a_site", "referral", 10),
        ("sent_by_a_site_long_ago", "referral", 31),
        ("searched_lately", "paid_search", 10),
        ("came_by_a_post", "organic_social", 10),
    ):
        shop.person(name, ago(days=days), known=False)
        shop.visit(name, ago(days=days), marketing_channel=channel)
    for name, leaving in (
        ("was_leaving", ago(hours=3)),
        ("was_leaving_and_ordered", ago(hours=3)),
        ("was_leaving_2_days_ago", ago(days=2)),
    ):
        shop.event(shop.person(name, ago(days=20)), "Exit Intent", leaving)
    shop.order("was_leaving_and_ordered", ago(hours=2))


def add_rhythms(shop: Shop) -> None:
    """Who is expected to order soon, and whose group and visits do not fit each other."""
    for name in expected_orders():
        shop.order(shop.person(name, ago(days=200)), ago(days=50))
    for name, orders in (
        ("best", (45, 35, 25, 15)),
        ("new", (10,)),
        ("lapsed", (700, 650)),
    ):
        for how in ("here", "quiet"):
            person = shop.person(f"{name}_and_{how}", ago(days=800))
            for days in orders:
                shop.order(person, ago(days=days))
            if how == "here":
                shop.visit(person, ago(days=4))


def expected_orders() -> dict[str, dt.datetime]:
    """When the models say that people order next."""
    return {f"expected_in_{days}_days": AS_OF + dt.timedelta(days=days) for days in (7, 8, 31)}


def customer_values() -> list[Row]:
    """What science says of them."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("predicted_clv_365d", "predicted_clv_low", "predicted_clv_high", "margin_365d",
         "probability_alive", "expected_orders_365d")
    )  # fmt: skip
    reasons = {"null_reason": "no_fitted_model", "margin_null_reason": "no_fitted_model"}
    return [
        {"customer_id": name, "as_of_date": AS_OF.date(), "predicted_next_order_at": at}
        | nothing
        | reasons
        for name, at in expected_orders().items()
    ]
