"""Scenes of the timeline and of traits: one small shop with everything that happens with people.

Belongs here: raw rows and nothing else; what must come of them stands in test_interactions and
test_traits.
"""

from __future__ import annotations

from typing import Any

from tests.dbt.scenes import event, identify, order
from tests.dbt.world import World

Line = dict[str, Any]

HOME = {"address1": "1 Near Road", "zip": "AB1 2CD", "city": "Leeds", "country_code": "GB"}
AT_YORK = {
    "page": {"url": "https://shop.example/10"},
    "userAgent": "Firefox",
    "location": {"country": "gb", "city": "York"},
}
BOT = {"page": {"url": "https://shop.example/b"}, "userAgent": "Googlebot/2.1"}


def mail(number: int, what: str, at: str, message: str, email: str, **more: Any) -> Line:
    """An event of SendGrid's in May 2026."""
    moment = f"2026-05-{at}"
    row = {"sg_event_id": f"e{number}", "sg_message_id": message, "email": email, "event": what}
    return row | {"occurred_at": moment, "message_kind": "promo", "campaign_id": "spring"} | more


def timeline_shop(world: World) -> None:
    """Ann, whose tablet is shared before she signs in; Bo, who only gets messages; a robot."""
    ann, bo = "ann@time.example", "bo@time.example"
    world.add(
        "raw_web.events",
        [
            event(1, "01 09:00", "tablet", None),
            event(
                2,
                "01 09:01",
                "tablet",
                None,
                "Product Viewed",
                properties={"product_id": "p1", "price": 9.5},
            ),
            event(
                3, "01 09:02", "tablet", None, "Products Searched", properties={"query": "blue mug"}
            ),
            event(
                4,
                "01 09:03",
                "tablet",
                None,
                "Products Searched",
                properties={"query": "mail me at x@y.example"},
            ),
            event(
                5,
                "01 09:04",
                "tablet",
                None,
                "Product Added",
                properties={"sku": "S-7", "name": "Tea pot", "price": 12, "quantity": 2},
            ),
            event(6, "01 09:05", "tablet", None, "<script>alert(1)</script>"),
            event(7, "01 09:06", "tablet", None, "Promotion Viewed"),
            identify(8, "01 09:07", "tablet", "ann", email=ann),
            event(
                9,
                "02 09:00",
                "robot",
                None,
                "Product Viewed",
                properties={"product_id": "p1"},
                context=BOT,
            ),
            event(
                10,
                "03 09:00",
                "tablet",
                "ann",
                "Product Viewed",
                properties={"product_id": "p2"},
                context=AT_YORK,
            ),
            event(11, "01 09:00", "tablet", None, "Product Viewed")
            | {"occurred_at": "2026-06-03 10:00:00", "received_at": "2026-06-03 10:00:00"},
        ],
    )
    world.add(
        "raw_orders.orders",
        [
            order("1", "04 10:00:00", email=ann, cancelled_at="2026-05-04T11:00:00Z"),
            order("2", "05 10:00:00", email=ann, source_name="pos", location_id="north"),
            order("3", "05 11:00:00", email=ann, test=True),
            order("4", "05 12:00:00", currency="EUR"),
            order(
                "5",
                "06 10:00:00",
                email=ann,
                note_attributes=[
                    {"name": "gift_for", "value": "Mary Poppins"},
                    {"name": "Occasion", "value": "Mother's Day"},
                ],
                billing_address=HOME,
                shipping_address=HOME | {"address1": "2 Far Road", "city": "Hull"},
            ),
            order(
                "6",
                "06 11:00:00",
                email=ann,
                note_attributes=[
                    {"name": "gift", "value": False},
                    {"name": "occasion", "value": "Festivus"},
                ],
                billing_address=HOME,
                shipping_address=HOME | {"address1": "1, Near Rd."},
            ),
            order(
                "7",
                "06 12:00:00",
                email=ann,
                note_attributes=[{"value": "true", "name": "Gift"}],
                billing_address=HOME,
            ),
        ],
    )
    world.add(
        "raw_email.events",
        [
            mail(1, "processed", "06 10:00:00", "m1", bo),
            mail(2, "delivered", "06 10:00:05", "m1", bo),
            mail(3, "open", "06 10:00:06", "m1", bo),
            mail(4, "open", "06 12:00:00", "m1", bo),
            mail(5, "open", "06 13:00:00", "m1", bo),
            mail(6, "click", "06 13:00:09", "m1", bo, url="https://shop.example/1"),
            mail(7, "unsubscribe", "06 13:01:00", "m1", bo),
            mail(8, "bounce", "07 10:00:00", "m2", ann),
        ],
    )
    world.add(
        "raw_contacts.contacts",
        [
            {
                "email": bo,
                "source": "store_till",
                "loyalty_id": "L-bo",
                "country": "FR",
                "created_at": "2026-05-02 08:00:00",
            },
            {"email": ann, "source": "import", "created_at": "2026-05-02 09:00:00"},
        ],
    )
    own = {
        "Shoe Size": "38",
        "lifestyle": "hikes, a lot",
        "stage": "gardener",
        "customer_id": "C-9",
        "value": 12,
        "религия": "не скажу",
        "HIV-Status": "none of it",
        "Kinder (Anzahl)": "2",
        "Santé mentale": "bonne",
        "note": "<b>mail me</b>",
        "empty": "",
        "nothing": None,
    }
    stated = {"email": ann, "source": "newsletter", "gender": "f", "birthday": "1980-05-17"}
    world.add(
        "raw_contacts.contacts",
        [
            stated | {"job": "baker", "created_at": "2026-05-02 10:00:00", "attributes": own},
            stated
            | {
                "created_at": "2026-05-09 10:00:00",
                "attributes": {"shoe_size": "39", "Clothing size": "M", "Fit": "slim"},
            },
            stated | {"created_at": "2026-06-09 10:00:00", "attributes": {"shoe_size": "40"}},
            {
                "email": ann,
                "source": "store_till",
                "job": "teacher",
                "preferred_channel": "SMS",
                "created_at": "2026-05-10 10:00:00",
                "attributes": {"SHOE-SIZE": "38"},
            },
        ],
    )
    world.add(
        "raw_products.products",
        [
            {
                "product_id": "p1",
                "sku": "S1",
                "name": "Tea",
                "category": "Drinks",
                "brand": "Regular",
                "attributes": {"size": "250 g", "color": "green"},
            },
            {"product_id": "p2", "sku": "S2", "name": "Blue mug", "category": "Kitchen"},
            *(
                {
                    "product_id": f"coat-{number}",
                    "sku": f"coat-{number}",
                    "name": f"Coat {number}",
                    "category": "Clothes",
                    "attributes": {"size": size, "fit": fit, "occasion": occasion},
                }
                for number, size, fit, occasion in (
                    (1, "M", "slim", "Mother's Day"),
                    (2, "M", "slim", "picnic"),
                    (3, "M", "wide", "Mother's Day"),
                    (4, "L", "slim", "Mother's Day"),
                )
            ),
        ],
    )
    world.add(
        "raw_calendar.occasions",
        [
            {"occasion": name, "starts_on": starts, "ends_on": ends, "country": country}
            for name, starts, ends, country in (
                ("mothers_day", "2026-05-01", "2026-05-06", "GB"),
                ("mothers_day", "2026-05-01", "2026-06-10", "FR"),
                ("christmas", "2026-11-20", "2026-12-24", None),
            )
        ],
    )
    world.add(
        "raw_personas.personas",
        [
            {
                "name": "Giver",
                "who": [{"trait": "buys_gifts", "is": ["yes"]}],
                "needs": ["an idea in time", "wrapping"],
                "fears": ["late delivery"],
                "persona_values": ["thoughtful"],
                "path": [{"do": "gift guide"}],
            }
        ],
    )
    ann_is = {"identifier_type": "email", "identifier_value": ann}
    asked = {"kind": "survey", "question": "What matters most?", "answer": "Fair wages"}
    world.add(
        "raw_feedback.feedback",
        [
            ann_is | {"kind": "nps", "score": 9, "occurred_at": "2026-05-08 10:00:00"},
            ann_is | {"kind": "support", "occurred_at": "2026-05-08 11:00:00"},
            ann_is
            | {
                "kind": "review",
                "score": 4,
                "product_id": "p1",
                "occurred_at": "2026-05-08 12:00:00",
            },
            ann_is | asked | {"occurred_at": "2026-05-09 11:00:00"},
            ann_is | asked | {"answer": "Low prices", "occurred_at": "2026-05-10 11:00:00"},
            ann_is
            | {
                "kind": "preference",
                "question": "Preferred channel?",
                "answer": "Email",
                "occurred_at": "2026-05-11 11:00:00",
            },
        ],
    )
    app = {"context": {"touchpoint": "app", "page": {"load_ms": 900}, "userAgent": "Firefox"}}
    blog, social, iot = (
        {"context": {"touchpoint": touchpoint, "userAgent": "Firefox"}}
        for touchpoint in ("blog", "social", "iot")
    )
    quiz = {"quiz_id": "q1", "answers": {"Skin type?": "dry", "stage": "beginner"}}
    world.add(
        "raw_web.events",
        [
            event(
                20,
                "12 09:00",
                "tablet",
                "ann",
                "Content Viewed",
                properties={"content_id": "c-1", "title": "How to brew", "topic": "tea"},
                **app,
            ),
            event(21, "12 09:01", "tablet", "ann", "Quiz Completed", properties=quiz, **blog),
            event(
                22,
                "12 09:02",
                "tablet",
                "ann",
                "Sign-up Offered",
                properties={"promotion_id": "TEN"},
                **social,
            ),
            event(
                23,
                "12 09:03",
                "tablet",
                "ann",
                "Sign-up Accepted",
                properties={"promotion_id": "TEN"},
            ),
            event(
                24,
                "12 09:04",
                "tablet",
                "ann",
                "Products Searched",
                properties={"query": "teapot", "results": 0},
                **iot,
            ),
        ],
    )
    text = {"message_id": "t1", "channel": "sms", **ann_is, "campaign_id": "may", "flow_id": "f1"}
    world.add(
        "raw_messages.messages",
        [
            text | {"event": "sent", "occurred_at": "2026-05-13 10:00:00"},
            text | {"event": "clicked", "occurred_at": "2026-05-13 10:00:02"},
            text
            | {"event": "replied", "occurred_at": "2026-05-13 10:05:00", "is_opt_out_reply": True},
            text | {"message_id": "t2", "event": "failed", "occurred_at": "2026-05-14 10:00:00"},
            text
            | {
                "message_id": "t3",
                "channel": "email",
                "event": "sent",
                "occurred_at": "2026-05-15 10:00:00",
            },
            text
            | {
                "message_id": "t3",
                "channel": "email",
                "event": "opened",
                "occurred_at": "2026-05-15 10:00:03",
            },
            *[
                text
                | {
                    "message_id": "t4",
                    "channel": channel,
                    "event": "sent",
                    "occurred_at": "2026-05-16 10:00:00",
                }
                for channel in ("push", "ads", "onsite")
            ],
        ],
    )
    voucher = {"promotion_id": "TEN", "value_amount": 10, "currency": "GBP", **ann_is}
    world.add(
        "raw_promotions.promotions",
        [
            voucher
            | {
                "issued_at": "2026-05-16 10:00:00",
                "redeemed_at": "2026-05-17 10:00:00",
                "redeemed_order_id": "7",
            }
        ],
    )
