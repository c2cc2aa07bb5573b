"""What strangers write into web events: it reaches no message's words or links as it came.

Whoever knows an address can post events that belong to its owner, so page, name, category, code and
cart of an event may all be an attacker's, and so may the names and traits of a form or an order.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dbt.marts.people import AS_OF
from tests.dbt.marts.shop import HOSTS, Shop

PEOPLE = ("dim_customers", "fct_customer_field_provenance", "customer_contact_details")
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


REAL_NAMES = [
    "Ann",
    "Zoë-Marie",
    "O'Neill",
    "D\u2019Arcy",
    "'t Hooft",
    "Martin Luther King, Jr.",
    "J.R.R. Hill",
    "J.R.Hill",
    "St.John",
    "Gal·la",
    "Nguye\u0302\u0303n",
    "Иван",
    "Ἀθηνᾶ",
    "محمد",
    "علی\u200cرضا",
    "ශ්\u200dරී",
    "שָׁלוֹם",
    "आरती",
    "สมศักดิ์",
    "王小明",
    "\U0001f338 Mia",
    "Mia \U0001f469\U0001f3fd\u200d\U0001f33e\u2764\ufe0f",
    "レオナルド・ダ・ヴィンチ",
    "Raj a/l Kumar",
    "Wolfeschlegelsteinhausenbergerdorff von und zu Hohenheim am Neckar, the younger",
]

NO_NAMES = [
    "\x1b[31mred",
    "\u009b31mred",
    "<script>alert(1)</script>",
    "Ann<b>",
    "http://evil.example/p",
    "evil.example",
    "Evil.Example",
    "Dr.evil",
    "J.R/evil",
    "www.evil",
    "mailto:ann@evil.example",
    "{{ secrets }}",
    "{% raw %}",
    "${HOME}",
    "%(name)s|",
    "=HYPERLINK(1)",
    "@SUM(1)",
    "Ann\u202egnp",
    "Ann\u2066Lee",
    "An\u200bn",
    "An\u200dn",
    "Ann\u200d",
    "Ann\nBcc: all",
    "Ann\tLee",
    "Ann\x00Lee",
    "Ann\u2028Lee",
    "A" + "\u0301" * 9,
    "\u3164",
    "\U0001f338",
    "evil.\U0001f338example",
    "Ann\U0001f338\u200d",
    "''",
    "Call 0900 123 45 67",
    "x" * 5000,
]

TRAITS = {
    "country_code": "GB",
    "gender": "non-binary",
    "job": "Head of R&D / Ops (UK)",
    "postcode": "01310-100",
    "timezone": "America/Port_of_Spain",
    "loyalty_id": "C#40012345678:7",
    "loyalty_tier": "Gold_2",
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """People of whom a form or an order says one name each, and their other traits."""
    shop = Shop(tmp_path_factory.mktemp("names"), AS_OF)
    at = AS_OF - dt.timedelta(days=9)
    for number, name in enumerate(REAL_NAMES + NO_NAMES):
        shop.person(f"web {number}", at)
        stated(shop, f"web {number}", at, first_name=name, last_name="Lee")
        shop.person(f"order {number}", at)
        names = {"first_name": "Ann", "last_name": name}
        shop.order(f"order {number}", at, order_id=f"o{number}", **names)
    shop.person("plain", at)
    stated(shop, "plain", at, **TRAITS)
    for number, words in enumerate(NO_TRAITS):
        shop.person(f"traits {number}", at)
        stated(shop, f"traits {number}", at, **dict.fromkeys(TRAITS, words))
    shop.person("victim", at)
    stated(shop, "victim", at, first_name="Ann", last_name="Lee")
    stated(shop, "victim", AS_OF - dt.timedelta(days=1), first_name="<b>", last_name="\x1b[2J")
    shop.build(up_to=PEOPLE, tested=False)
    yield shop


# Numbers stand in postcodes and loyalty cards, so only they are no offence
NO_TRAITS = [words for words in NO_NAMES if not words.startswith("Call")]


def stated(shop: Shop, person: str, at: dt.datetime, **said: str) -> None:
    """A form in which somebody says who they are."""
    key = f"{person} {at:%d}"
    record = {"contact_key": key, "source_record_id": key, "contact_source": "web_traits"}
    shop.add("int_contacts_resolved", customer_id=person, created_at=at,
             evidence_grade="import", **record, **said)  # fmt: skip


def of(shop: Shop, table: str) -> dict[str, dict[str, Any]]:
    """The rows of a published table by person."""
    return {row["customer_id"]: row for row in shop.query(f"from marts.{table}")}


def test_real_names_of_every_alphabet_are_kept(people: Shop) -> None:
    golden = of(people, "dim_customers")
    found = [golden[f"web {number}"]["first_name"] for number in range(len(REAL_NAMES))]
    assert found == REAL_NAMES
    found = [golden[f"order {number}"]["last_name"] for number in range(len(REAL_NAMES))]
    assert found == REAL_NAMES


def test_what_is_no_name_is_no_claim(people: Shop) -> None:
    golden = of(people, "dim_customers")
    numbers = range(len(REAL_NAMES), len(REAL_NAMES) + len(NO_NAMES))
    for number, name in zip(numbers, NO_NAMES, strict=True):
        web, order = golden[f"web {number}"], golden[f"order {number}"]
        assert (web["first_name"], web["last_name"]) == (None, "Lee"), ascii(name[:40])
        assert (order["first_name"], order["last_name"]) == ("Ann", None), ascii(name[:40])
    claimed = people.query("select claimed_value from marts.fct_customer_field_provenance")
    assert not {row["claimed_value"] for row in claimed} & set(NO_NAMES)


def test_what_is_no_name_takes_no_name_away(people: Shop) -> None:
    golden = of(people, "dim_customers")["victim"]
    assert (golden["first_name"], golden["last_name"]) == ("Ann", "Lee")


def test_other_traits_are_plain_words_too(people: Shop) -> None:
    known = of(people, "dim_customers")
    golden = {
        person: row | known[person]
        for person, row in of(people, "customer_contact_details").items()
    }
    assert {field: golden["plain"][field] for field in TRAITS} == TRAITS
    for number, words in enumerate(NO_TRAITS):
        found = {field: golden[f"traits {number}"][field] for field in TRAITS}
        assert found == dict.fromkeys(TRAITS), ascii(words[:40])


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
    shop.build(HOSTS, up_to=["seg_abandoned_cart"], tested=False)
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
    assert context["reason"] == f"Left {words} in the cart on 2026-03-29."
    assert "thief" not in json.dumps(context)


@pytest.mark.parametrize("person", ["known", "known by code"])
def test_a_product_that_the_shop_sells_has_the_catalogues_name(
    contexts: dict[str, Any], person: str
) -> None:
    assert contexts[person]["product"] == "Reading lamp"
    assert contexts[person]["category"] == "Lamps"
    assert contexts[person]["reason"] == "Left Reading lamp in the cart on 2026-03-29."
