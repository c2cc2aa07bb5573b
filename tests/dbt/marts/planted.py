"""Somebody who is in each segment, and a near miss: who lacks one condition of it.

Belongs here: who they are and what they did, for the segments of one call. Does not belong here:
boundaries of conditions (tests/orchestration/segments), the first thirteen (people.py).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.dbt.marts.people import AS_OF, ago
from tests.dbt.marts.shop import Shop

# By segment: who are in it, and who are not for one thing each; some stand in people.py
PLANTED = {
    "anonymous_push": ("push_visitor", "push_customer"),
    "ask_for_email": ("once", "reach_asked pressure_one"),
    "ask_for_personalisation": ("once", "level_never level_segment"),
    "birthday": ("birthday_in_7_days", "birthday_in_8_days birthday_without_a_yes"),
    "costly_unmailable": ("listed_and_silent", "listed_and_mailed"),
    "first_time_buyers": ("once", "twice"),
    "frequent_buyers": ("loyal_4_orders", "loyal_3_orders"),
    "gift_shoppers": ("gift_for_christmas", "gift_401_days_ago"),
    "high_spenders": ("rich_once", "medium_order"),
    "information_seekers": ("searched", "searched_and_signed_up"),
    "lookalike_seed": ("whale", "rich_once"),
    "low_intent": ("looked_in", "intent_clicked_and_viewed_2"),
    "low_spenders": ("once", "medium_order"),
    "medium_spenders": ("medium_order", "once"),
    "occasion_gifts": ("gift_for_mothers_day", "gift_for_christmas"),
    "potential_buyers": ("carted_10_days_ago", "carted_and_checked_out"),
    "repeat_coupon": ("twice", "twice_with_a_code"),
    "returning_buyers": ("twice", "loyal_4_orders"),
    "returning_visitors": ("visitor_twice", "visitor_once"),
    "second_order_due": ("once", "recent_14_days"),
    "sms_acquisition": ("stage_cart_first", "stage_second_visit"),
    "sms_advocacy": ("stage_whole_way", "stage_till_buyer"),
    "sms_awareness": ("stage_contact", "stage_visitor"),
    "sms_consideration": ("stage_second_visit", "stage_contact"),
    "sms_purchase": ("stage_till_buyer", "stage_cart_first"),
    "social_ad_visitors": ("stage_visitor", "came_by_an_ad_and_bought"),
    "stage_exclusions": ("stage_whole_way", "stage_cart_first"),
    "sunset": ("mailed_in_vain", "mailed_and_buying"),
    "undecided_visitors": ("looked_3_times", "looked_twice looked_and_carted"),
    "vip_by_frequency": ("six_orders gold_tier", "silver_tier gold_without_an_order"),
    "vip_by_order_value": ("whale", "rich_once"),
    "welcome_by_source": ("subscriber_30_days", "signed_up_at_the_till"),
    "welcome_in_store": ("signed_up_at_the_till", "subscriber_30_days"),
    "win_back_60": ("bought_75_days_ago", "bought_76_days_ago"),
    "win_back_75": ("bought_76_days_ago", "bought_75_days_ago"),
    "win_back_90": ("bought_91_days_ago", "bought_90_days_ago"),
}


def add_planted(shop: Shop) -> None:
    add_visitors(shop)
    add_buyers(shop)
    add_readers(shop)
    add_occasions(shop)
    add_answers(shop)


def add_visitors(shop: Shop) -> None:
    for name, more in (
        ("carted_10_days_ago", {}),
        ("carted_and_checked_out", {"first_checkout_at": ago(days=9)}),
    ):
        shop.person(name, ago(days=10), known=False)
        shop.visit(name, ago(days=10), last_cart_at=ago(days=10), **more)
    for name, channel in (
        ("came_by_an_ad_and_bought", "paid_social"),
        ("searched", "organic_search"),
        ("searched_and_signed_up", "organic_search"),
    ):
        shop.visit(shop.person(name, ago(days=200)), ago(days=200), marketing_channel=channel)
    shop.order("came_by_an_ad_and_bought", ago(days=199))
    shop.consent("searched_and_signed_up@shop.example", "granted", ago(days=200))
    for name, views, more in (
        ("looked_3_times", 3, {}),
        ("looked_twice", 2, {}),
        ("looked_and_carted", 3, {"last_cart_at": ago(days=6)}),
    ):
        shop.person(name, ago(days=7), known=False)
        shop.visit(name, ago(days=7), product_view_count=views, **more)
    shop.person("looked_in", ago(days=100))
    shop.interaction("looked_in", "visit", ago(days=3), key="looked in")


def add_buyers(shop: Shop) -> None:
    for days in (75, 76, 90, 91):
        shop.order(shop.person(f"bought_{days}_days_ago", ago(days=100)), ago(days=days))
    shop.order(shop.person("medium_order", ago(days=100)), ago(days=20), "800")
    shop.person("six_orders", ago(days=500))
    for days in range(400, 460, 10):
        shop.order("six_orders", ago(days=days))
    shop.person("twice_with_a_code", ago(days=100))
    shop.order("twice_with_a_code", ago(days=60))
    shop.order("twice_with_a_code", ago(days=40), discount_code="SPRING")
    for name, tier in (
        ("gold_tier", "gold"),
        ("silver_tier", "silver"),
        ("gold_without_an_order", "gold"),
    ):
        add_contact(shop, shop.person(name, ago(days=500)), loyalty_tier=tier)
    shop.order("gold_tier", ago(days=300))
    shop.order("silver_tier", ago(days=300))


def add_contact(shop: Shop, customer: str, source: str = "", days: int = 300, **more: Any) -> None:
    shop.add(
        "int_contacts_resolved",
        contact_key=shop.serial("contact-"),
        customer_id=customer,
        contact_source="contacts",
        source=source,
        email=f"{customer}@shop.example",
        created_at=ago(days=days),
        evidence_grade="newsletter",
        **more,
    )


def add_readers(shop: Shop) -> None:
    """Written to for months. That one opened them all is no sign of life, that one bought is."""
    for name in ("mailed_in_vain", "mailed_and_buying"):
        shop.person(name, ago(days=800))
        for days in range(150, 155):
            shop.message(name, ago(days=days), opened_at=ago(days=days))
    shop.order("mailed_and_buying", ago(days=300))


def add_occasions(shop: Shop) -> None:
    """Birthdays that are near, gifts, and an occasion that comes again."""
    for name, days, level in (
        ("birthday_in_7_days", 7, "full"),
        ("birthday_in_8_days", 8, "full"),
        ("birthday_without_a_yes", 7, "segment"),
    ):
        birthday = (AS_OF + dt.timedelta(days=days)).date().replace(year=1990)
        add_contact(shop, shop.person(name, ago(days=300)), birthday=birthday)
        yes = {"purpose": "personalisation", "level": level, "channel": "onsite"}
        shop.consent(f"{name}@shop.example", "granted", ago(days=90), **yes)
    for name, days, occasion in (
        ("gift_for_mothers_day", 390, "mothers_day"),
        ("gift_for_christmas", 100, "christmas"),
        ("gift_401_days_ago", 401, "christmas"),
    ):
        shop.person(name, ago(days=500))
        shop.order(name, ago(days=days), is_gift=True, occasion=occasion)
    day = (AS_OF + dt.timedelta(days=20)).date()
    shop.add(
        "stg_calendar__occasions",
        occasion_key="mothers_day",
        occasion="mothers_day",
        starts_on=day,
        ends_on=day,
    )


def add_answers(shop: Shop) -> None:
    """Who said yes where, and who is on a list without having said so."""
    add_contact(shop, shop.person("signed_up_at_the_till", ago(days=5)), "store_till", 5)
    for name, is_known in (("push_visitor", False), ("push_customer", True)):
        shop.person(name, ago(days=100), known=is_known)
        if is_known:
            shop.identifier(name, "device", f"device-{name}", ago(days=100))
        yes = {"identifier_type": "device", "channel": "push"}
        shop.consent(f"device-{name}", "granted", ago(days=90), **yes)
    for name in ("listed_and_silent", "listed_and_mailed"):
        shop.add(
            "int_list_memberships",
            list_membership_id=name,
            customer_id=shop.person(name, ago(days=300)),
            list_source="klaviyo",
            list_id="letters",
            list_name="Letters",
            joined_at=ago(days=300),
        )
    shop.consent("listed_and_mailed@shop.example", "granted", ago(days=300))
