"""Shopify's fake holds to its table of rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingestion.config import REPOSITORY
from orchestration.fakes.server import served_fake
from orchestration.fakes.shopify import create
from orchestration.fakes.shopify.app import CLIENT_ID, CLIENT_SECRET, Shopify
from orchestration.fakes.shopify.rules import RULES, SDL
from tests.orchestration.fakes.served import Hand

GRANT = {
    "grant_type": "client_credentials",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
}
SAMPLES = Path(REPOSITORY).parent / "shared" / "contracts" / "shopify"
ADD = """mutation A($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { userErrors { message } } }"""
SET = """mutation S($f: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $f) { metafields { key } userErrors { elementIndex } } }"""
MAKE = """mutation M($i: CustomerInput!) {
  customerCreate(input: $i) { customer { id } userErrors { message } } }"""
EMAIL = """mutation E($i: CustomerEmailMarketingConsentUpdateInput!) {
  customerEmailMarketingConsentUpdate(input: $i) { userErrors { message } } }"""
SMS = """mutation E($i: CustomerSmsMarketingConsentUpdateInput!) {
  customerSmsMarketingConsentUpdate(input: $i) { userErrors { message } } }"""


class Asked:
    """A served fake, its clock, and a short way to ask it."""

    def __init__(self, fake: Shopify, clock: Hand, address: str) -> None:
        self.fake, self.clock, self.address = fake, clock, address
        self.token = ""

    def post(self, query: str, version: str = "2026-10", **variables: Any) -> httpx.Response:
        if not self.token:
            url = f"{self.address}/admin/oauth/access_token"
            self.token = httpx.post(url, data=GRANT).json()["access_token"]
        return httpx.post(
            f"{self.address}/admin/api/{version}/graphql.json",
            json={"query": query, "variables": variables},
            headers={"X-Shopify-Access-Token": self.token},
        )

    def errors(self, query: str, **variables: Any) -> list[str]:
        """The codes in the errors of a 200, or `userErrors`."""
        answer = self.post(query, **variables)
        assert answer.status_code == 200
        said = answer.json()
        codes = [each.get("extensions", {}).get("code", "") for each in said.get("errors", ())]
        data = said.get("data") or {}
        return codes + ["userErrors" for each in data.values() if each and each.get("userErrors")]


@pytest.fixture(scope="module")
def served() -> Iterator[Asked]:
    clock = Hand()
    fake = create(0, clock)
    with served_fake(fake) as address:
        yield Asked(fake, clock, address)


@pytest.fixture
def shop(served: Asked) -> Asked:
    """The same server with two customers."""
    served.fake.begin_anew(0)
    served.token = ""
    served.fake.shop.put("p1@example.com")
    served.fake.shop.put("", "+12025550101")
    return served


def gid(shop: Asked, number: int = 0) -> str:
    return list(shop.fake.shop.customers)[number]


def field(shop: Asked, value: str = "{}", **more: str) -> dict[str, str]:
    names = {"ownerId": gid(shop), "namespace": "regulars", "key": "vip"}
    return names | {"type": "json", "value": value} | more


def consent(shop: Asked, channel: str, number: int, state: str) -> dict[str, Any]:
    said = {"marketingState": state}
    return {"customerId": gid(shop, number), f"{channel}MarketingConsent": said}


def broken(shop: Asked, name: str) -> list[str]:
    """The errors of a request that breaks a rule."""
    if name == "scope":
        shop.fake.scopes = ("read_customers",)
        return shop.errors(ADD, id=gid(shop), tags=["a"])
    if name == "throttle":
        shop.fake.available = 5
    if name == "tag_count":
        shop.fake.shop.customers[gid(shop)].tags = [f"t{number}" for number in range(250)]
    page = "query P($n: Int) { customers(first: $n) { nodes { id } pageInfo { hasNextPage } } }"
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "schema": ("query { customers(first: 1) { nodes { email } } }", {}),
        "throttle": (ADD, {"id": gid(shop), "tags": ["a"]}),
        "max_cost": (page.replace("id }", "id defaultEmailAddress { emailAddress } metafields("
                                  "first: 100) { nodes { key } } }"), {"n": 250}),
        "page": (page, {"n": 251}),
        "inputs": (ADD, {"id": gid(shop), "tags": ["a"] * 251}),
        "found": (ADD, {"id": "gid://shopify/Customer/1", "tags": ["a"]}),
        "tag_signs": (ADD, {"id": gid(shop), "tags": ["a" * 41]}),
        "tag_count": (ADD, {"id": gid(shop), "tags": ["a"]}),
        "fields_at_once": (SET, {"f": [field(shop)] * 26}),
        "json_bytes": (SET, {"f": [field(shop, json.dumps("x" * 131_072))]}),
        "email_once": (MAKE, {"i": {"email": "P1@example.com"}}),
        "email_states": (EMAIL, {"i": consent(shop, "email", 0, "NOT_SUBSCRIBED")}),
        "has_email": (EMAIL, {"i": consent(shop, "email", 1, "UNSUBSCRIBED")}),
        "has_phone": (SMS, {"i": consent(shop, "sms", 0, "UNSUBSCRIBED")}),
    }  # fmt: skip
    query, variables = asked[name]
    return shop.errors(query, **variables)


REFUSING = [rule.name for rule in RULES if rule.answer.startswith("200 ") and rule.name != "schema"]


@pytest.mark.parametrize("name", REFUSING)
def test_a_rule_that_is_broken_answers_what_the_table_says(shop: Asked, name: str) -> None:
    rule = next(rule for rule in RULES if rule.name == name)
    before = [dict(vars(each)) for each in shop.fake.shop.customers.values()]
    assert rule.answer.split()[1] in broken(shop, name)
    assert shop.fake.refused[name] == 1
    if name != "tag_count":
        assert [dict(vars(each)) for each in shop.fake.shop.customers.values()] == before


def test_a_field_that_there_is_not_is_refused(shop: Asked) -> None:
    assert broken(shop, "schema") == ["undefinedField"]


def test_a_wrong_secret_and_an_old_token_are_refused(shop: Asked) -> None:
    url = f"{shop.address}/admin/oauth/access_token"
    answer = httpx.post(url, data=GRANT | {"client_secret": "guessed"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    assert shop.post("query { customers(first: 1) { nodes { id } } }").status_code == 200
    shop.clock.move(86_400)
    assert shop.post("query { customers(first: 1) { nodes { id } } }").status_code == 401


def test_a_version_that_has_ended_is_answered_as_the_oldest(shop: Asked) -> None:
    answer = shop.post("query { customers(first: 1) { nodes { id } } }", version="2025-07")
    assert answer.headers["X-Shopify-API-Version"] == "2026-01"


def test_points_come_back_with_time(shop: Asked) -> None:
    shop.fake.available = 0
    assert broken(shop, "found") == ["THROTTLED"]
    shop.clock.move(1)
    assert broken(shop, "found") == ["userErrors"]
    assert shop.fake.available < 100


def test_tags_of_others_stay_and_capitals_mean_nothing(shop: Asked) -> None:
    customer = shop.fake.shop.customers[gid(shop)]
    customer.tags = ["Wholesale"]
    assert shop.errors(ADD, id=gid(shop), tags=["wholesale", "a, b"]) == []
    assert customer.tags == ["Wholesale", "a", "b"]
    remove = ADD.replace("tagsAdd", "tagsRemove")
    assert shop.errors(remove, id=gid(shop), tags=["A"]) == []
    assert customer.tags == ["Wholesale", "b"]


def test_one_wrong_metafield_keeps_all_from_being_set(shop: Asked) -> None:
    answer = shop.post(SET, f=[field(shop), field(shop, "no json", key="loyal")]).json()
    assert answer["data"]["metafieldsSet"]["userErrors"] == [{"elementIndex": 1}]
    assert shop.fake.shop.customers[gid(shop)].fields == {}


def test_an_absent_metafield_is_null_in_its_place(shop: Asked) -> None:
    shop.post(SET, f=[field(shop)])
    text = """mutation D($f: [MetafieldIdentifierInput!]!) {
      metafieldsDelete(metafields: $f) { deletedMetafields { key } userErrors { message } } }"""
    names = {"ownerId": gid(shop), "namespace": "regulars"}
    said = shop.post(text, f=[{**names, "key": "vip"}, {**names, "key": "loyal"}]).json()
    assert said["data"]["metafieldsDelete"]["deletedMetafields"] == [{"key": "vip"}, None]


def test_an_erasure_is_queued(shop: Asked) -> None:
    text = "mutation R($id: ID!) { customerRequestDataErasure(customerId: $id) { customerId } }"
    assert shop.errors(text, id=gid(shop)) == []
    assert shop.fake.state()["to_be_erased"] == 1


def test_consent_states_are_those_of_the_vendors_own_sample() -> None:
    path = SAMPLES / "customers_email_marketing_consent-update.json"
    if not path.exists():
        pytest.skip("Shopify's sample payloads are in ../shared, which is not here")
    sample = json.loads(path.read_text("utf-8"))["response"]["email_marketing_consent"]
    assert set(sample) == {"state", "opt_in_level", "consent_updated_at"}
    assert sample["state"].upper() in SDL
