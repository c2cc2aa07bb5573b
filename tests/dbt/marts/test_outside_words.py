"""What strangers write into web events: it reaches no message's words or links as it came.

Whoever knows an address can post events that belong to its owner, so page, name, category, code and
cart of an event may all be an attacker's.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dbt.marts.people import AS_OF
from tests.dbt.marts.shop import Shop

HOSTS = ["shop.example", "www.shop.example"]
SOLD = {"product_id": "lamp", "sku": "LAMP", "product_name": "Reading lamp", "category": "Lamps"}

LINKS: dict[str, str | None] = {
    "https://shop.example/lamp": "https://shop.example/lamp",
    "http://www.shop.example/a/b.html?variant=2&size=xl#reviews": (
        "http://www.shop.example/a/b.html?variant=2&size=xl"
    ),
    "https://shop.example/go?to=https://thief.example/": "https://shop.example/go",
    "https://shop.example/s?q=%3Cscript%3E": "https://shop.example/s",
    "javascript:alert(document.cookie)": None,
    "data:text/html;base64,PHNjcmlwdD4=": None,
    "//thief.example/lamp": None,
    "https://thief.example/shop.example": None,
    "https://shop.example.thief.example/": None,
    "https://shop.example@thief.example/": None,
    "https://shop.example:pw@thief.example/": None,
    "https://shop.example\\@thief.example/": None,
    "https://shop.example:4443/lamp": None,
    "https://sh\u043ep.example/lamp": None,
    "https://shop.example\u3002thief.example/": None,
    "https://shopXexample/lamp": None,
    "https://shop.example/\x1b]8;;https://thief.example\x07lamp": None,
    "https://shop.example/%0d%0aBcc:%20all": None,
    "https://shop.example/{{ config }}": None,
    'https://shop.example/"><img src=x>': None,
    "https://shop.example/lamp\nhttps://thief.example": None,
    "ftp://shop.example/lamp": None,
    "\thttps://shop.example/lamp": None,
}

NAMES: dict[str, str | None] = {
    'Reading lamp, 24" (2 pcs) & shade': 'Reading lamp, 24" (2 pcs) & shade',
    "Crème brûlée 50 %": "Crème brûlée 50 %",
    "Настольная лампа": "Настольная лампа",
    "टेबल लैंप": "टेबल लैंप",
    "You have won, see thief.example now": None,
    "Confirm at www.thief": None,
    "https://thief.example": None,
    "Call 0900 123 45 67 at once": None,
    "<b>Lamp</b>": None,
    "{{ 7 * 7 }}": None,
    "{% include '/etc/passwd' %}": None,
    "[link=https://thief.example]Lamp[/link]": None,
    "Lamp\x1b[2J\x1b[31m": None,
    "Lamp\u202egnp.exe": None,
    "La\u200bmp": None,
    "Lamp\r\nBcc: all": None,
    "=HYPERLINK(1)": None,
    "+lamp": None,
    "L\u0300\u0301\u0302\u0303amp": None,
    "\u3164": None,
    "Lamp " * 40: None,
}

CODES: dict[str, str | None] = {
    "LAMP-2_x": "LAMP-2_x",
    "=1+1": None,
    "<i>": None,
    "thief.example": None,
    "a b": None,
    "\u202elamp": None,
}


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The contexts of abandoned carts by person, one planted value each."""
    shop = Shop(tmp_path_factory.mktemp("outside"), AS_OF)
    shop.add("int_products_unioned", **SOLD, product_source="products", price="30", currency="GBP")
    at = AS_OF - dt.timedelta(days=2)
    planted: dict[str, dict[str, Any]] = {"known": {**SOLD, "product_name": "Thief's lamp"}}
    planted["known by code"] = {"sku": "LAMP", "product_name": "Thief's", "product_id": None}
    for kind, field, values in (
        ("link", "page_url", LINKS),
        ("name", "product_name", NAMES),
        ("category", "category", NAMES),
        ("sku", "sku", CODES),
        ("id", "product_id", CODES),
        ("cart", "cart_id", CODES),
    ):
        for number, value in enumerate(values):
            planted[f"{kind} {number}"] = {"product_id": "new", "sku": "NEW", field: value}
    for person, changes in planted.items():
        shop.person(person, at)
        shop.event(person, "Product Added", at, **changes)
    shop.build({"shop_hosts": HOSTS}, tested=False)
    rows = shop.query("select customer_id, reason, context from segments.seg_abandoned_cart")
    yield {
        row["customer_id"]: json.loads(row["context"]) | {"reason": row["reason"]} for row in rows
    }


CASES = [
    (f"{kind} {number}", field, kept)
    for kind, field, values in (
        ("link", "link", LINKS),
        ("name", "product", NAMES),
        ("category", "category", NAMES),
        ("sku", "sku", CODES),
        ("id", "product_id", CODES),
        ("cart", "cart_id", CODES),
    )
    for number, kept in enumerate(values.values())
]


@pytest.mark.parametrize(("person", "field", "kept"), CASES)
def test_only_what_is_plain_or_the_shops_own_passes(
    contexts: dict[str, Any], person: str, field: str, kept: str | None
) -> None:
    context = contexts[person]
    assert context[field] == kept
    words = (kept or "NEW") if field == "product" else "Blue mug"
    assert context["reason"] == f"Left {words} in the cart 2 days ago."
    assert "thief" not in json.dumps(context)


@pytest.mark.parametrize("person", ["known", "known by code"])
def test_a_product_that_the_shop_sells_has_the_catalogues_name(
    contexts: dict[str, Any], person: str
) -> None:
    assert contexts[person]["product"] == "Reading lamp"
    assert contexts[person]["category"] == "Lamps"
    assert contexts[person]["reason"] == "Left Reading lamp in the cart 2 days ago."
