"""Scenes of the hand-written world: small groups of raw rows, each a trouble with a known outcome.

Belongs here: raw rows and nothing else. What must come of them stands in the tests that are named
after the trouble. Each scene has its own addresses, so that one build serves them all.
"""

# ruff: noqa: E501 - raw rows read best as a table, one to a line
from __future__ import annotations

from typing import Any

from tests.dbt.world import World

DAY = "2026-05-10"


def event(
    number: int,
    at: str,
    device: str | None,
    login: str | None = None,
    name: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A web event in May 2026; `at` is 'DD HH:MM' or 'DD HH:MM:SS'."""
    day, clock = at.split(" ")
    moment = f"2026-05-{day} {clock}" + (":00" if clock.count(":") == 1 else "")
    row = {
        "type": "track" if name else "page",
        "message_id": f"m{number:04d}",
        "anonymous_id": device,
        "user_id": login,
        "event": name,
        "occurred_at": moment,
        "received_at": moment,
        "properties": {},
        "context": {"page": {"url": f"https://shop.example/{number}"}, "userAgent": "Firefox"},
    }
    return row | more


def identify(number: int, at: str, device: str, login: str | None, **traits: str) -> dict[str, Any]:
    """A form filled in, or a sign-in."""
    return event(number, at, device, login, type="identify", traits=traits)


def order(number: str, at: str, **payload: Any) -> dict[str, Any]:
    """A Shopify order of one line of 100.00 without tax, unless told otherwise."""
    line = {"id": f"{number}1", "product_id": "p1", "sku": "S1", "title": "Tea", "quantity": 1}
    document = {
        "financial_status": "paid",
        "line_items": [line | {"price": "100.00", "total_discount": "0.00"}],
        "total_discounts": "0.00",
        "total_tax": "0.00",
        "payment_gateway_names": ["shopify_payments"],
        "source_name": "web",
    }
    moment = f"2026-05-{at}"
    return {
        "order_id": number,
        "created_at": moment,
        "processed_at": moment,
        "updated_at": moment,
        "currency": payload.pop("currency", "GBP"),
        "payload": document | payload,
    }


def person(first: str, last: str) -> dict[str, Any]:
    """A billing name."""
    return {"billing_address": {"first_name": first, "last_name": last, "country_code": "GB"}}


def identity(world: World) -> None:
    """Who is who: what ties people together and what must not."""
    world.add(
        "raw_web.events",
        [
            # a kiosk on which two people sign in, and an order each
            event(1, "01 10:00", "kiosk"),
            event(2, "01 10:01", "kiosk", "ann"),
            event(3, "01 10:05", "kiosk"),
            event(4, "01 10:10", "kiosk", "bob"),
            event(5, "01 10:12", "kiosk", "bob", "Order Completed", properties={"order_id": "9"}),
            # one device, several addresses, one login: one person
            identify(10, "02 09:00", "laptop", None, email="Several@One.example"),
            identify(11, "03 09:00", "laptop", "sev", email="several.work@one.example"),
            # an anonymous history that later signs in elsewhere too
            event(20, "01 08:00", "phone-of-cat"),
            event(21, "20 08:00", "phone-of-cat", "cat"),
            event(22, "21 08:00", "tablet-of-cat", "cat"),
            # a device that its tracker calls null
            event(30, "04 08:00", "null"),
            event(31, "04 08:01", "null", "eve"),
            event(32, "04 08:02", "00000000-0000-0000-0000-000000000000", "fay"),
            # the order completed on a device that nobody signed in on
            event(40, "05 08:00", "couch", None, "Order Completed", properties={"order_id": "40"}),
        ],
    )
    world.add(
        "raw_orders.orders",
        [
            order("9", "01 10:12:00", email="bob@home.example"),
            order("40", "05 08:00:00", email="couch@home.example"),
            # a till types the same placeholder for everybody
            order(
                "50",
                "06 08:00:00",
                email="none@none.com",
                phone="07700 900000",
                customer={"id": 501},
            ),
            order(
                "51",
                "06 09:00:00",
                email="none@none.com",
                phone="07700 900000",
                customer={"id": 511},
            ),
            order("52", "06 10:00:00", email="info@office.example", customer={"id": 521}),
            order("53", "06 11:00:00", email="info@office.example", customer={"id": 531}),
            # a card used under two full names; an initial is no other name
            order(
                "60",
                "07 08:00:00",
                email="gil@a.example",
                payment_fingerprint="card-2",
                **person("Gil", "Hunt"),
            ),
            order(
                "61",
                "07 09:00:00",
                email="ida@b.example",
                payment_fingerprint="card-2",
                **person("Ida", "Hunt"),
            ),
            order(
                "62",
                "07 08:00:00",
                email="jo@a.example",
                payment_fingerprint="card-1",
                **person("Jo", "King"),
            ),
            order(
                "63",
                "07 09:00:00",
                email="jo@b.example",
                payment_fingerprint="card-1",
                **person("J.", "KING"),
            ),
            # a recycled phone
            order(
                "64",
                "07 08:00:00",
                email="kim@a.example",
                phone="+44 7911 123456",
                **person("Kim", "Lane"),
            ),
            order(
                "65",
                "09 09:00:00",
                email="lou@b.example",
                phone="07911 123456",
                **person("Lou", "Moss"),
            ),
            # one address in three spellings
            order("70", "08 08:00:00", email=" Spelled@BÜCHER.example "),
            order("71", "08 09:00:00", email="spelled@xn--bcher-kva.example"),
            # a test order and one with nothing on it
            order("80", "08 08:00:00", email="tester@staff.example", test=True),
            order("81", "08 08:00:00"),
            # the till keeps a paid order under the shop's own number, the web under Shopify's
            order(
                "90",
                "08 08:00:00",
                email="ned@a.example",
                note_attributes=[{"name": "anonymousId", "value": "ned-pc"}],
            ),
        ],
    )
    world.add(
        "raw_contacts.contacts",
        [
            {
                "email": "ned@a.example",
                "loyalty_id": "L1",
                "source": "store_till",
                "created_at": f"{DAY} 10:00:00",
            },
            {"email": "old@link.example", "source": "newsletter", "created_at": f"{DAY} 10:00:00"},
            {"email": "new@link.example", "source": "newsletter", "created_at": f"{DAY} 11:00:00"},
            {
                "email": "banned@link.example",
                "loyalty_id": "L2",
                "source": "import",
                "created_at": f"{DAY} 11:00:00",
            },
            {
                "email": "apart@link.example",
                "loyalty_id": "L3",
                "source": "import",
                "created_at": f"{DAY} 11:00:00",
            },
            {
                "email": "future@link.example",
                "source": "import",
                "created_at": "2026-07-01 00:00:00",
            },
        ],
    )
    world.add(
        "raw_identity_rules.identity_rules",
        [
            {
                "rule": "must_link",
                "type_a": "email",
                "value_a": "old@link.example",
                "type_b": "email",
                "value_b": "new@link.example",
                "reason": "she told us",
            },
            {
                "rule": "block",
                "type_a": "email",
                "value_a": "banned@link.example",
                "reason": "a reseller",
            },
            {
                "rule": "cannot_link",
                "type_a": "email",
                "value_a": "apart@link.example",
                "type_b": "loyalty_id",
                "value_b": "L3",
                "reason": "mistyped",
            },
        ],
    )


def orders(world: World) -> None:
    """Money: discounts, tax, refunds, cancellations, currencies, line files."""
    taxed = {
        "id": "1001",
        "product_id": "p1",
        "sku": "S1",
        "title": "Tea",
        "quantity": 2,
        "price": "60.00",
    }
    line = {"id": "1011", "product_id": "p1", "quantity": 1, "price": "50.00"}
    other = {"id": "1012", "product_id": "p2", "quantity": 3, "price": "16.67"}
    world.add(
        "raw_orders.orders",
        [
            order(
                "100", "10 23:30:00", taxes_included=True, total_tax="18.33", total_discounts="10.00",
                line_items=[taxed | {"total_discount": "10.00", "tax_lines": [{"price": "18.33"}]}],
                total_shipping_price_set={"shop_money": {"amount": "5.00"}},
            ),
            order("101", "11 08:00:00", line_items=[line, other], total_discounts="10.00"),
            order(
                "102", "11 08:00:00",
                refunds=[{"created_at": "2026-05-12T10:00:00Z", "refund_line_items": [{"line_item_id": 1021, "quantity": 1, "subtotal": "100.00"}]}],
            ),
            order(
                "103", "11 08:00:00",
                refunds=[{"created_at": "2026-05-12T12:00:00+02:00", "refund_line_items": [], "transactions": [{"kind": "refund", "amount": "30.00"}]}],
            ),
            order("104", "11 08:00:00", cancelled_at="2026-05-11T09:00:00Z", total_tax="20.00"),
            order("105", "11 08:00:00", currency="EUR"),
            order("106", "11 08:00:00", currency="SEK"),
            order("107", "01 08:00:00", currency="EUR"),
            order("108", "11 08:00:00", total_discounts="100.00"),
            # 120.00 with 20.00 tax in it and 10.00 off; beside it 24.00 taken off by a negative price
            order(
                "110", "11 08:00:00", taxes_included=True, total_tax="20.00", total_discounts="10.00",
                line_items=[
                    line | {"price": "120.00"},
                    other | {"price": "-24.00", "quantity": 1},
                ],
            ),
        ],
    )  # fmt: skip
    # Versions: the newest visible one counts, whatever came in last
    world.add(
        "raw_orders.orders", [order("109", "12 08:00:00") | {"updated_at": "2026-05-20 00:00:00"}]
    )
    world.add("raw_orders.orders", [order("109", "12 08:00:00", test=True)])
    world.add(
        "raw_orders.orders",
        [
            order("109", "12 08:00:00", cancelled_at="2026-06-02T00:00:00Z")
            | {"updated_at": "2026-06-02 00:00:00"}
        ],
    )
    world.add(
        "raw_rates.rates",
        [
            {"date": "2026-05-09", "currency": "EUR", "rate": "0.85"},
            {"date": "2026-05-12", "currency": "EUR", "rate": "0.90"},
        ],
    )
    sold = {
        "ordered_at": "2026-05-01 10:00:00",
        "currency": "GBP",
        "country": "EIRE",
        "customer_ref": "12346",
    }
    world.add(
        "raw_orders.order_lines",
        [
            sold
            | {
                "order_id": "L541431",
                "sku": "23166",
                "product_name": "Jar",
                "quantity": 74215,
                "unit_price": "1.04",
            },
            sold
            | {
                "order_id": "C541433",
                "sku": "23166",
                "quantity": -74215,
                "unit_price": "1.04",
                "is_return": True,
            },
            sold
            | {
                "order_id": "L1",
                "sku": "A",
                "quantity": 2,
                "unit_price": "0.001",
                "customer_ref": None,
            },
            sold
            | {
                "order_id": "L1",
                "sku": "A",
                "quantity": 2,
                "unit_price": "0.001",
                "customer_ref": None,
            },
            sold
            | {
                "order_id": "A1",
                "sku": "B",
                "quantity": 1,
                "unit_price": "-11062.06",
                "customer_ref": None,
            },
            sold
            | {
                "order_id": "L2",
                "sku": "A",
                "quantity": 1,
                "unit_price": "5",
                "ordered_at": "2026-06-01 00:00:01",
            },
        ],
    )


def visits(world: World) -> None:
    """Sessions: silence, sign-ins, shared devices, bots, clocks, deliveries."""
    google = {
        "page": {"url": "https://shop.example/x", "referrer": "https://www.google.com/"},
        "userAgent": "iPhone",
    }
    shop = {
        "page": {"url": "https://shop.example/y", "referrer": "https://www.shop.example/x"},
        "userAgent": "iPhone",
    }
    bot = {
        "page": {"url": "https://shop.example/b"},
        "userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1)",
    }
    paid = google | {"campaign": {"source": "facebook", "medium": "cpc", "name": "spring"}}
    world.add(
        "raw_web.events",
        [
            event(101, "10 10:00", "v1", context=google),
            event(
                102,
                "10 10:30",
                "v1",
                None,
                "Product Viewed",
                properties={"product_id": "p1", "price": 9.5},
            ),
            event(103, "10 11:00:01", "v1", context=shop),
            event(110, "11 10:00", "v2", context=paid),
            event(111, "11 10:00", "v2", None, "Product Viewed", properties={"product_id": "p1"}),
            event(112, "11 10:01", "v2", None, "Product Viewed", properties={"product_id": "p2"}),
            event(
                113,
                "11 10:02",
                "v2",
                None,
                "Product Added",
                properties={"product_id": "p2", "cart_id": "c1"},
            ),
            event(120, "12 10:00", "crawler", context=bot),
            # a clock a day ahead, one four minutes ahead
            event(130, "14 10:00", "v3", received_at="2026-05-13 10:00:00"),
            event(131, "13 12:04", "v4", received_at="2026-05-13 12:00:00"),
            # delivered twice, the second time with another time of receipt
            event(140, "15 10:00", "v5", received_at="2026-05-15 10:00:09"),
            event(
                140,
                "15 10:00",
                "v5",
                received_at="2026-05-15 10:00:02",
                properties={"product_id": "first"},
            ),
            # no device, only a login; and later than as_of
            event(150, "16 10:00", None, "server-side"),
            event(151, "16 10:00", "v6")
            | {"occurred_at": "2026-06-03 10:00:00", "received_at": "2026-06-03 10:00:00"},
        ],
    )


def build_all(world: World) -> None:
    """Every scene."""
    identity(world)
    orders(world)
    visits(world)
