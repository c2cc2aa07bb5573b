"""The people of the golden tests, named for what they show.

Belongs here: who did what, when, counted back from AS_OF. Does not belong here: what should come of
it; the tests say that.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.dbt.marts.shop import Shop
from tests.dbt.marts.wishes import add_wishes

AS_OF = dt.datetime(2026, 3, 31, 12)


def ago(**length: float) -> dt.datetime:
    return AS_OF - dt.timedelta(**length)


def add_everybody(shop: Shop) -> None:
    add_stages(shop)
    add_carts(shop)
    add_cases(shop)
    add_browses(shop)
    add_intents(shop)
    add_buyers(shop)
    add_visitors_and_subscribers(shop)
    add_values(shop)
    add_addresses(shop)
    add_memberships(shop)
    add_households(shop)
    add_doubts(shop)
    add_levels(shop)
    add_trend(shop)
    add_benefits(shop)
    add_reach(shop)
    add_pressure(shop)
    add_letters(shop)
    add_sale(shop)
    add_holdouts(shop)
    add_wishes(shop)


def add_stages(shop: Shop) -> None:
    shop.person("stage_visitor", ago(days=90), known=False)
    shop.visit("stage_visitor", ago(days=90), marketing_channel="paid_social")
    shop.person("stage_contact", ago(days=90))
    shop.person("stage_second_visit", ago(days=90))
    shop.visit("stage_second_visit", ago(days=90))
    shop.visit("stage_second_visit", ago(days=80))
    shop.visit("stage_second_visit", ago(days=70))
    shop.person("stage_bot_visits", ago(days=90), known=False)
    shop.visit("stage_bot_visits", ago(days=90))
    shop.visit("stage_bot_visits", ago(days=80), is_bot=True)
    shop.visit("stage_bot_visits", ago(days=70), is_internal=True)
    at = ago(days=90)
    views = {f"product_view_{n}_at": at + dt.timedelta(minutes=n) for n in range(1, 4)}
    shop.person("stage_three_views", at)
    shop.visit("stage_three_views", at, product_view_count=3, **views)
    cart = at + dt.timedelta(minutes=1)
    shop.person("stage_cart_first", at)
    shop.visit("stage_cart_first", at, first_cart_at=cart, last_cart_at=cart)
    shop.visit("stage_cart_first", ago(days=80))
    shop.person("stage_wishlist", at)
    shop.visit("stage_wishlist", at, first_wishlist_at=cart)
    shop.person("stage_till_buyer", at)
    shop.order("stage_till_buyer", at)
    shop.person("stage_cart_after_order", at)
    shop.order("stage_cart_after_order", at)
    later = ago(days=50)
    shop.visit("stage_cart_after_order", later, first_cart_at=later, last_cart_at=later)
    shop.person("stage_whole_way", at)
    shop.visit("stage_whole_way", at)
    shop.visit("stage_whole_way", ago(days=80))
    shop.visit("stage_whole_way", ago(days=70), first_checkout_at=ago(days=70))
    for days in (60, 50, 40, 30):
        shop.order("stage_whole_way", ago(days=days))
    for name, kind, days in (
        ("reviewer", "review", 40),
        ("early_reviewer", "share", 85),
        ("referrer", "referral", 40),
    ):
        customer = shop.person(f"stage_{name}", at)
        shop.order(customer, at)
        shop.order(customer, ago(days=60))
        add_feedback(shop, customer, kind, ago(days=days))
    shop.person("stage_cancelled_only", at)
    shop.order("stage_cancelled_only", ago(days=80), status="cancelled", is_kept=False)
    shop.person("stage_nps_is_no_signal", at)
    shop.order("stage_nps_is_no_signal", at)
    shop.order("stage_nps_is_no_signal", ago(days=60))
    add_feedback(shop, "stage_nps_is_no_signal", "nps", ago(days=40))


def add_feedback(shop: Shop, customer: str, kind: str, at: dt.datetime, **more: object) -> None:
    shop.add(
        "int_feedback_resolved",
        feedback_key=shop.serial("feedback-"),
        customer_id=customer,
        kind=kind,
        occurred_at=at,
        **more,
    )


def add_cases(shop: Shop) -> None:
    """Who waits for an answer, and who does not: each signal just within 30 days or beyond them."""
    just, beyond = ago(days=30), ago(days=30, seconds=1)
    for name, kind, at, more in (
        ("complaint_30_days", "complaint", just, {}),
        ("complaint_31_days", "complaint", beyond, {}),
        ("complaint_closed", "complaint", ago(days=3), {"closed_at": ago(days=0)}),
        ("complaint_closed_later", "complaint", ago(days=3), {"closed_at": ago(days=-1)}),
        ("support", "support", ago(days=3), {}),
        ("bad_review", "review", ago(days=3), {"score": "2"}),
        ("fair_review", "review", ago(days=3), {"score": "3"}),
        ("review_without_score", "review", ago(days=3), {}),
        ("nps", "nps", ago(days=3), {"score": "0"}),
    ):
        add_feedback(shop, shop.person(f"case_{name}", ago(days=90)), kind, at, **more)
    twice = shop.person("case_closed_and_open", ago(days=90))
    add_feedback(shop, twice, "support", ago(days=5))
    add_feedback(shop, twice, "complaint", ago(days=2), closed_at=ago(days=1))


def add_carts(shop: Shop) -> None:
    for name, at in (
        ("cart_exactly_1_hour", ago(hours=1)),
        ("cart_59_minutes", ago(minutes=59)),
        ("cart_exactly_7_days", ago(days=7)),
        ("cart_7_days_and_a_second", ago(days=7, seconds=1)),
        ("cart_then_order", ago(days=2)),
        ("cart_then_cancelled_order", ago(days=2)),
        ("cart_then_completed_online", ago(days=2)),
        ("cart_after_order", ago(days=2)),
        ("cart_emptied", ago(days=2)),
        ("cart_half_emptied", ago(days=2)),
        ("cart_looked_at_again", ago(hours=3)),
    ):
        shop.person(name, ago(days=100))
        shop.event(name, "Product Added", at)
    shop.order("cart_then_order", ago(days=1))
    shop.order("cart_then_cancelled_order", ago(days=1), status="cancelled", is_kept=False)
    shop.event("cart_then_completed_online", "Order Completed", ago(days=1))
    shop.order("cart_after_order", ago(days=3))
    # Bought under an address that nobody here has; the second step names no cart
    shop.person("cart_bought_elsewhere", ago(days=5))
    shop.event("cart_bought_elsewhere", "Product Added", ago(days=2), cart_id="token-1")
    shop.event("cart_bought_elsewhere", "Cart Viewed", ago(days=1, minutes=5))
    shop.order(None, ago(days=1), cart_token="gid://shopify/Cart/token-1?key=abc")
    for name, own, order in (
        ("checkout_bought_elsewhere", {"checkout_id": "token-3"}, {"checkout_token": "token-3"}),
        ("cart_in_a_checkout", {"checkout_id": "token-4"}, {"cart_token": "token-4"}),
        ("checkout_by_number", {"checkout_id": "5005"}, {"checkout_id": "5005"}),
        ("cart_with_a_checkouts_number", {"cart_id": "5005"}, {}),
    ):
        shop.person(name, ago(days=5))
        shop.event(name, "Checkout Started", ago(days=2), **own)
        if order:
            shop.order(None, ago(days=1), **order)
    # Completed on another device than the one that filled the cart
    shop.person("cart_completed_elsewhere", ago(days=5))
    shop.event("cart_completed_elsewhere", "Product Added", ago(days=2), cart_id="token-5")
    shop.person("who_completed_it", ago(days=5))
    shop.event("who_completed_it", "Order Completed", ago(days=1), cart_id="token-5")
    shop.person("cart_of_another_token", ago(days=5))
    shop.event("cart_of_another_token", "Product Added", ago(days=2), cart_id="token-2")
    shop.event("cart_emptied", "Product Removed", ago(days=1))
    shop.event("cart_half_emptied", "Product Added", ago(days=2), product_id="pot", sku="POT")
    shop.event("cart_half_emptied", "Product Removed", ago(days=1))
    shop.event("cart_looked_at_again", "Cart Viewed", ago(minutes=10))
    shop.person("cart_of_a_stranger", ago(days=5), known=False)
    shop.event("cart_of_a_stranger", "Product Added", ago(days=5))


def add_browses(shop: Shop) -> None:
    for name, at in (
        ("browse_exactly_1_hour", ago(hours=1)),
        ("browse_59_minutes", ago(minutes=59)),
        ("browse_exactly_7_days", ago(days=7)),
        ("browse_7_days_and_a_second", ago(days=7, seconds=1)),
        ("browse_of_a_stranger", ago(days=2)),
        ("browse_then_cart", ago(days=3)),
        ("browse_then_order", ago(days=3)),
        ("browse_after_cart", ago(days=2)),
    ):
        shop.person(name, ago(days=100), known=name != "browse_of_a_stranger")
        shop.event(name, "Product Viewed", at)
    shop.event("browse_then_cart", "Product Added", ago(days=2))
    shop.order("browse_then_order", ago(days=2))
    shop.event("browse_after_cart", "Product Added", ago(days=3))


def add_intents(shop: Shop) -> None:
    for name in (
        "opened_and_viewed_2",
        "clicked_and_viewed_2",
        "viewed_same_product_twice",
        "viewed_before_opening",
        "machine_opened",
        "opened_8_days_ago",
        "ordered_since",
        "ordered_before",
    ):
        customer = shop.person(f"intent_{name}", ago(days=100))
        touch = {"opened_at": ago(days=3)}
        if name == "clicked_and_viewed_2":
            touch = {"clicked_at": ago(days=3)}
        elif name == "machine_opened":
            touch = {"machine_opened_at": ago(days=3)}
        elif name == "opened_8_days_ago":
            touch = {"opened_at": ago(days=8)}
        shop.message(customer, ago(days=9), **touch)
        viewed = ago(days=4 if name == "viewed_before_opening" else 2)
        second = "mug" if name == "viewed_same_product_twice" else "pot"
        shop.event(customer, "Product Viewed", viewed)
        shop.event(customer, "Product Viewed", viewed, product_id=second, sku=second)
    shop.order("intent_ordered_since", ago(days=1))
    shop.order("intent_ordered_before", ago(days=4))


def add_buyers(shop: Shop) -> None:
    plans: dict[str, tuple[float, ...]] = {
        "recent_14_days": (14,),
        "recent_15_days": (15,),
        "once": (40,),
        "once_and_cancelled": (40,),
        "twice": (60, 40),
        "loyal_4_orders": (130, 120, 110, 100),
        "loyal_3_orders": (120, 110, 100),
        "loyal_180_days": (210, 200, 190, 180),
        "loyal_181_days": (211, 201, 191, 181),
        "loyal_slow_rhythm": (999, 799, 599, 399),
        "risk_181_days": (201, 191, 181),
        "risk_180_days": (200, 190, 180),
        "risk_slow_rhythm": (800, 600, 400),
        "risk_2_orders": (400, 390),
    }
    for name, days in plans.items():
        shop.person(name, ago(days=1000))
        for day in days:
            shop.order(name, ago(days=day))
    shop.order("once_and_cancelled", ago(days=5), status="cancelled", is_kept=False)
    shop.person("recent_cancelled", ago(days=90))
    shop.order("recent_cancelled", ago(days=2), status="cancelled", is_kept=False)
    shop.order(None, ago(days=2), "9")


def add_visitors_and_subscribers(shop: Shop) -> None:
    shop.person("visitor_once", ago(days=30), known=False)
    shop.visit("visitor_once", ago(days=30))
    shop.event("visitor_once", "Product Viewed", ago(days=30))
    shop.event("visitor_once", "Product Viewed", ago(days=29), product_id="pot", sku="POT")
    shop.event("visitor_once", "Product Added", ago(days=28))
    shop.person("visitor_twice", ago(days=30), known=False)
    shop.visit("visitor_twice", ago(days=30))
    shop.visit("visitor_twice", ago(days=3))
    shop.person("visitor_31_days", ago(days=31), known=False)
    shop.visit("visitor_31_days", ago(days=30, seconds=1))
    shop.person("visitor_bought", ago(days=10))
    shop.visit("visitor_bought", ago(days=10))
    shop.order("visitor_bought", ago(days=10))
    for name, source, at in (
        ("subscriber_30_days", "newsletter", ago(days=30)),
        ("subscriber_31_days", "newsletter", ago(days=30, seconds=1)),
        ("subscriber_again", "newsletter", ago(days=400)),
        ("subscriber_again", "store_till", ago(days=5)),
        ("subscriber_at_checkout", "checkout", ago(days=5)),
    ):
        if not any(row["customer_id"] == name for row in shop.rows["int_customers"]):
            shop.person(name, at)
        add_contact(shop, name, source, at)


def add_contact(shop: Shop, customer: str, source: str, at: dt.datetime) -> None:
    shop.add(
        "int_contacts_resolved",
        contact_key=shop.serial("contact-"),
        customer_id=customer,
        contact_source="contacts",
        source=source,
        email=f"{customer}@shop.example",
        created_at=at,
        evidence_grade="newsletter",
    )


def add_values(shop: Shop) -> None:
    shop.person("whale", ago(days=500))
    for days in (300, 200, 100):
        shop.order("whale", ago(days=days), "9000")
    shop.person("rich_once", ago(days=500))
    shop.order("rich_once", ago(days=90), "50000")
    bought = ago(days=320)
    shop.person("gave_all_back", ago(days=500))
    shop.order("gave_all_back", bought, "77183.60")
    shop.order(
        "gave_all_back",
        bought + dt.timedelta(hours=1),
        "-77183.60",
        gross_sales="0",
        returns="77183.60",
        status="returned",
        is_kept=False,
    )
    shop.person("returned_after_month_end", dt.datetime(2026, 1, 1))
    shop.order(
        "returned_after_month_end",
        dt.datetime(2026, 1, 20, 12),
        "40",
        returns="60",
        status="partially_returned",
        refunded_at=dt.datetime(2026, 2, 10, 12),
    )
    shop.person("no_rate", ago(days=500))
    shop.order("no_rate", ago(days=90), "90000")
    unknown = {f"{m}_shop": None for m in ("gross_sales", "discounts", "returns", "net_sales")}
    shop.order(
        "no_rate",
        ago(days=80),
        "10",
        currency="XAU",
        conversion_issue="missing_rate",
        total_sales_shop=None,
        **unknown,
    )


def add_addresses(shop: Shop) -> None:
    card = {"evidence_grade": "card_paid_order", "evidence_rank": 1}
    listed = {"evidence_grade": "newsletter", "evidence_rank": 5}
    for customer in ("two_addresses", "dead_address", "silent_buyer", "signed_in"):
        shop.person(customer, ago(days=600), known=False)
        shop.rows["int_customers"][-1]["has_known_identifier"] = True
        shop.identifier(customer, "email", f"card@{customer}.example", ago(days=600), **card)
        shop.identifier(customer, "email", f"list@{customer}.example", ago(days=500), **listed)
    bounce = {"bounced_at": ago(days=20), "is_hard_bounce": True}
    shop.message("dead_address", ago(days=20), email="card@dead_address.example", **bounce)
    for customer in ("silent_buyer", "signed_in"):
        listed_email = f"list@{customer}.example"
        shop.message(customer, ago(days=21), email=listed_email, opened_at=ago(days=20))
    for customer in ("two_addresses", "signed_in"):
        account = {"email": f"card@{customer}.example", "last_login_at": ago(days=10)}
        shop.add("int_email_logins", **account)


def add_households(shop: Shop) -> None:
    """Two at one address, one of whom has no known worth; a group too large to be a home."""
    for customer, household, reason in (
        ("twice", "home", None),
        ("no_rate", "home", None),
        ("once", "other_home", None),
        ("recent_14_days", "other_home", None),
        ("recent_15_days", None, "too_many_people"),
    ):
        shop.add(
            "int_household_members",
            customer_id=customer,
            household_id=household,
            refusal_reason=reason,
            basis="address",
            evidence="address shared with 1",
        )


def add_doubts(shop: Shop) -> None:
    """Customers who may be several people, and pairs who may be one."""
    for customer, signal, score in (
        ("once", "two_logins", 3),
        ("twice", "weak_chain", 2),
        ("twice", "conflicting_names", 4),
    ):
        signs = {"signal": signal, "score": score, "detail": "2"}
        shop.add("int_identity_over_merging", customer_id=customer, **signs)
    for one, other, signal, score in (
        ("once", "twice", "same_postcode", 2),
        ("once", "twice", "shared_phone", 4),
        ("no_rate", "once", "same_home", 5),
    ):
        pair = {"customer_a": one, "customer_b": other}
        shop.add("int_identity_under_merging", **pair, signal=signal, score=score)


def add_memberships(shop: Shop) -> None:
    first, second = ago(days=30), ago(days=20)
    shop.add("int_customer_aliases_next", alias_id="once_old", customer_id="once", merged_at=AS_OF)
    for segment, customer, entered, exited in (
        ("one_time_buyers", "once_old", first, None),
        ("one_time_buyers", "once", second, None),
        ("one_time_buyers", "twice", first, None),
        ("one_time_buyers", "long_gone", first, second),
        ("retired_segment", "twice", first, None),
        ("abandoned_cart", "cart_then_order", ago(days=2), None),
        ("recent_buyers", "recent_14_days", AS_OF, AS_OF),
        ("recent_buyers", "cart_then_order", AS_OF + dt.timedelta(days=9), None),
    ):
        shop.add(
            "segment_memberships",
            segment=segment,
            customer_id=customer,
            entered_at=entered,
            exited_at=exited,
            left_at=exited,
        )


def add_trend(shop: Shop) -> None:
    """A month long ago with questions and answers; nobody else says anything then."""
    march = [dt.datetime(2019, 3, day, 12) for day in range(1, 29)]
    shop.person("trend_two", march[0])
    shop.identifier("trend_two", "login", "trend-two", march[0])
    for number in range(5):
        shop.question(f"trend_{number}@shop.example", march[number])
    shop.question("trend_0@shop.example", march[9])  # asked again
    for number in (0, 1, 2):
        shop.consent(f"trend_{number}@shop.example", "granted", march[10 + number])
    shop.consent("trend_3@shop.example", "denied", march[10])
    shop.consent("trend_7@shop.example", "granted", march[10])  # asked by nobody we know of
    shop.consent("trend_0@shop.example", "revoked", march[20])
    shop.consent("trend_1@shop.example", "granted", march[21], wording_version="v2")
    # One person by two identifiers says yes twice, and full and then segment
    shop.consent("trend_two@shop.example", "granted", march[5])
    shop.consent("trend-two", "granted", march[6], identifier_type="login")
    for day, level in ((7, "full"), (8, "segment")):
        shop.consent(
            "trend_two@shop.example", "granted", march[day], purpose="personalisation", level=level
        )
    # Asked the same, another one says yes to full alone: each level's rate is of both
    shop.consent(
        "trend_8@shop.example", "granted", march[9], purpose="personalisation", level="full"
    )
    shop.suppression("trend_2@shop.example", "unsubscribed", march[22])
    shop.suppression("trend_1@shop.example", "hard_bounce", march[22])
    # The last hour of March in UTC is April where the shop is
    shop.question("trend_9@shop.example", dt.datetime(2019, 3, 31, 23, 30))


def add_reach(shop: Shop) -> None:
    """Who permits emails and might read them, and who was only asked."""
    for name in ("inactive", "clicked", "lately", "asked", "dormant"):
        shop.person(f"reach_{name}", ago(days=800))
    for name, days in (("inactive", 700), ("clicked", 700), ("lately", 10)):
        shop.consent(f"reach_{name}@shop.example", "granted", ago(days=days))
    for name, sign in (("inactive", "opened_at"), ("clicked", "clicked_at")):
        shop.message(f"reach_{name}", ago(days=21), **{sign: ago(days=20)})
    # Agreed with the address that they no longer use
    shop.identifier("reach_dormant", "email", "old@reach.example", ago(days=790))
    shop.message("reach_dormant", ago(days=21), clicked_at=ago(days=20))
    shop.question("old@reach.example", ago(days=710))
    shop.consent("old@reach.example", "granted", ago(days=700), proof="ip and time")
    shop.question("reach_asked@shop.example", ago(days=40))
    shop.question("reach_asked@shop.example", ago(days=30))


def add_pressure(shop: Shop) -> None:
    """Who was written to how often in the ninth week before the run's, in which nobody else was."""
    for name in ("none", "one", "flood", "refused", "new"):
        shop.person(f"pressure_{name}", ago(days=20 if name == "new" else 200))
        if name != "refused":
            shop.consent(f"pressure_{name}@shop.example", "granted", ago(days=19))
    for name, count in (("one", 1), ("flood", 5), ("refused", 1)):
        for number in range(count):
            channel = "sms" if number == 4 else "email"
            shop.message(f"pressure_{name}", ago(days=63 + number), channel=channel)
    shop.message("pressure_one", ago(days=65), message_kind="transactional")
    shop.message("pressure_one", ago(days=65), channel="onsite")


def add_letters(shop: Shop) -> None:
    """Promotions and thanks of one month, to a reader won by a quiz and one won at a fair.

    The whale, of whom no permission is known, was thanked the day before an order.
    """
    sent = ago(days=202)
    for name in ("quiz", "fair"):
        shop.person(f"letter_{name}", ago(days=400))
        shop.consent(f"letter_{name}@shop.example", "granted", ago(days=390), source=name)
    for customer, kind, signs in (
        ("letter_quiz", "promo", ("opened_at",)),
        ("letter_quiz", "thank_you", ("opened_at", "clicked_at")),
        ("letter_fair", "promo", ("opened_at", "clicked_at")),
        ("letter_fair", "thank_you", ("machine_opened_at",)),
        ("whale", "thank_you", ("opened_at", "clicked_at")),
    ):
        reactions = dict.fromkeys(signs, ago(days=201))
        shop.message(customer, sent, message_kind=kind, delivered_at=sent, **reactions)


def add_sale(shop: Shop) -> None:
    """Who said that their data is not to be sold, and who said less."""
    for name in ("signal", "refused", "yes", "unsubscribed", "silent", "email_only"):
        shop.person(f"sale_{name}", ago(days=60))
    every = {"channel": "*", "purpose": "sell_share"}
    shop.suppression("sale_signal@shop.example", "gpc", ago(days=50), **every)
    shop.consent("sale_refused@shop.example", "denied", ago(days=50), **every)
    shop.consent("sale_yes@shop.example", "granted", ago(days=50), purpose="sell_share")
    shop.suppression("sale_unsubscribed@shop.example", "unsubscribed", ago(days=50))
    shop.consent("sale_email_only@shop.example", "denied", ago(days=50), purpose="sell_share")


def add_levels(shop: Shop) -> None:
    """How far each may be addressed as the one they are; told apart by what they answered."""

    def answer(customer: str, level: str | None, days: int, **more: Any) -> None:
        status = more.pop("status", "denied" if level == "none" else "granted")
        more = {"purpose": "personalisation", "level": level} | more
        value = more.pop("value", f"{customer}@shop.example")
        shop.consent(value, status, ago(days=days), **more)

    for name in (
        *("never", "full", "segment", "none", "yes", "expired", "changed", "back", "back_unproved"),
        *("two_channels", "merged", "no_letters", "nothing_ever", "stopped", "came_again", "later"),
        *("without_source", "expired_and_full"),
    ):
        shop.person(f"level_{name}", ago(days=300))
    shop.person("level_anonymous", ago(days=300), known=False)
    for level in ("full", "segment", "none"):
        answer(f"level_{level}", level, 50, source="preference_centre")
    for name, days, purpose in (
        *(("never", 30, "personalisation"), ("never", 20, "personalisation")),
        *(("never", 10, "marketing"), ("none", 60, "personalisation")),
    ):
        shop.question(f"level_{name}@shop.example", ago(days=days), purpose=purpose)
    answer("level_yes", None, 50)
    answer("level_expired", "full", 90, expires_at=ago(days=1))
    answer("level_changed", "full", 50)
    answer("level_changed", "segment", 40)
    answer("level_back", "none", 50)
    answer("level_back", "full", 40)
    answer("level_back_unproved", "none", 50)
    answer("level_back_unproved", "full", 40, wording_version=None)
    answer("level_two_channels", "full", 40)
    answer("level_two_channels", "segment", 50, channel="onsite")
    shop.identifier("level_merged", "login", "level-merged", ago(days=300))
    answer("level_merged", "full", 40)
    answer(
        *("level_merged", "none", 90),
        **{"identifier_type": "login", "value": "level-merged", "channel": "onsite"},
    )
    shop.suppression("level_no_letters@shop.example", "unsubscribed", ago(days=20))
    answer("level_no_letters", "full", 40)
    answer("level_nothing_ever", None, 20, status="revoked", channel="*", purpose="*")
    answer("level_nothing_ever", "full", 40)
    answer("level_came_again", None, 60, status="revoked", channel="*", purpose="*")
    answer("level_came_again", "segment", 40, channel="onsite")
    shop.suppression(
        *("level_stopped@shop.example", "manual", ago(days=60)),
        **{"channel": "*", "purpose": "*"},
    )
    answer("level_stopped", "full", 40)
    answer("level_later", "full", -1)
    answer("level_without_source", "full", 40, source=" ")
    answer("level_expired_and_full", "full", 90, expires_at=ago(days=1), channel="onsite")
    answer("level_expired_and_full", "full", 40)
    answer(
        *("level_anonymous", "full", 40),
        **{"identifier_type": "device", "value": "device-level_anonymous", "channel": "onsite"},
    )
    for name, status in (("banner_yes", "granted"), ("banner_no", "denied")):
        shop.person(f"level_{name}", ago(days=300))
        shop.identifier(f"level_{name}", "device", f"device-{name}", ago(days=300))
        answer(
            *(f"level_{name}", None, 40),
            **{"identifier_type": "device", "value": f"device-{name}", "channel": "onsite"},
            status=status,
        )
    shop.person("level_by_sms", ago(days=300))
    answer("level_by_sms", "full", 20)
    answer("level_by_sms", "none", 40, channel="sms", purpose="*")
    shop.person("level_interested", ago(days=300))
    shop.order("level_interested", ago(days=200))
    shop.person("level_sent_back", ago(days=300))
    shop.order("level_sent_back", ago(days=200), net="0", returns="50")
    shop.rows["int_order_lines_resolved"][-1]["returned_quantity"] = "1"
    shop.add(
        "int_experiments_resolved",
        assignment_key="assignment-1",
        experiment_id="spring",
        customer_id="level_full",
        experiment_group="holdout",
        assigned_at=ago(days=30),
        identifier_count=1,
        is_in_both_groups=False,
    )


def add_benefits(shop: Shop) -> None:
    """Vouchers of people above, and promotions for segments that they are in or not."""
    for order in shop.rows["int_orders_resolved"]:
        if order["customer_id"] == "level_interested":
            order["discount_code"] = "spent-1, Thanks ,once"
    for name, customer, code, more in (
        ("open", "level_full", "OWN-1", {"valid_until": ago(days=-10), "product_id": "mug"}),
        ("endless", "level_none", None, {}),
        ("last_second", "level_segment", None, {"valid_until": ago(seconds=0)}),
        ("expired", "level_expired_and_full", "OWN-2", {"valid_until": ago(seconds=1)}),
        ("not_yet", "level_full", "OWN-3", {"valid_from": ago(days=-1)}),
        ("redeemed", "level_full", "OWN-4", {"redeemed_at": ago(days=1)}),
        ("spent_by_owner", "level_interested", "SPENT-1", {"valid_from": ago(days=220)}),
        ("code_of_an_earlier_time", "level_full", "Spent-1 ", {"valid_from": ago(days=90)}),
        ("thanks_used", "level_interested", "THANKS", {"valid_from": ago(days=220)}),
        ("thanks_unused", "level_full", "THANKS", {"valid_from": ago(days=220)}),
        ("nobodys", None, "OWN-5", {}),
    ):
        row = {"voucher_key": name, "customer_id": customer, "code": code, "promotion_id": name}
        shop.add(
            "int_vouchers_resolved",
            **(row | {"promotion_name": "Ten off", "value_amount": "10", "currency": "GBP"} | more),
        )
    for name, code, more in (
        ("subscribers", "HELLO", {"for_segment": "New Subscribers", "ends_at": ago(days=-5)}),
        ("over", "OVER", {"for_segment": "new_subscribers", "status": "ended"}),
        ("scheduled", "SOON", {"for_segment": "new_subscribers", "status": "scheduled"}),
        ("early_access", None, {"for_segment": "VIP"}),
        ("of_no_segment", "ODD", {"for_segment": "astronauts"}),
        ("everybodys", "ALL", {}),
        ("once", "ONCE", {"for_segment": "one time buyers", "starts_at": ago(days=220)}),
    ):
        row = {"promotion_code_id": name, "promotion_id": name, "code": code, "voucher_count": 0}
        row |= {"promotion_source": "promotions", "redeemed_count": 0, "percent_off": "20"}
        row |= {"discount_kind": "percent", "promotion_name": name, "status": "live"}
        shop.add("int_promotion_codes", **(row | more))


def add_holdouts(shop: Shop) -> None:
    """Who is contacted by nobody and who is, as earlier runs drew them."""
    shop.visit("whale", ago(days=149))
    shop.visit("whale", ago(days=1), is_bot=True)
    for customer, is_out, days in (
        ("whale", False, 150),
        ("level_full", True, 10),
        ("merged_away", True, 200),
        ("forgotten", True, 200),
        ("once", False, -1),
    ):
        shop.add(
            "holdouts",
            customer_id=customer,
            holdout="global",
            is_held_out=is_out,
            assigned_at=ago(days=days),
        )
