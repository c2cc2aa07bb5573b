"""The pretend Shopify: wrong queries fail, tokens are needed, limits hold, bulk keeps its rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ingestion.demo.servers import CLIENT_ID, CLIENT_SECRET, DemoServers
from tests.ingestion.api_world import small_shop

START = """mutation($q: String!) { bulkOperationRunQuery(query: $q, groupObjects: true) {
  bulkOperation { id status } userErrors { message } } }"""
LOOK = """query($id: ID!) { node(id: $id) { ... on BulkOperation {
  status url objectCount rootObjectCount fileSize } } }"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServers]:
    with small_shop(tmp_path_factory.mktemp("api")) as servers:
        yield servers


def token(shop: DemoServers, **changes: str) -> httpx.Response:
    form = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "grant_type": "client_credentials",
    }
    return httpx.post(shop.shopify_url + "/admin/oauth/access_token", data=form | changes)


def ask(shop: DemoServers, query: str, **variables: Any) -> dict[str, Any]:
    key = token(shop).json()["access_token"]
    answer = httpx.post(
        shop.shopify_url + "/admin/api/2026-07/graphql.json",
        json={"query": query, "variables": variables},
        headers={"X-Shopify-Access-Token": key},
        timeout=30,
    )
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_a_token_lasts_a_day_and_names_its_scopes(shop: DemoServers) -> None:
    answer = token(shop).json()
    assert answer["expires_in"] == 86_399
    assert "read_all_orders" in answer["scope"]


@pytest.mark.parametrize("wrong", ["client_id", "client_secret", "grant_type"])
def test_wrong_credentials_get_no_token(shop: DemoServers, wrong: str) -> None:
    assert token(shop, **{wrong: "nope"}).status_code == 400


def test_without_a_token_there_is_no_answer(shop: DemoServers) -> None:
    path = shop.shopify_url + "/admin/api/2026-07/graphql.json"
    assert httpx.post(path, json={"query": "{ shop { name } }"}).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        "{ orders(first: 1) { nodes { shoeSize } } }",
        "{ customers(first: 1) { nodes { email { nope } } } }",
        "{ orders { nodes { id }",
        '{ orders(first: "one") { nodes { id } } }',
    ],
)
def test_a_wrong_query_fails(shop: DemoServers, query: str) -> None:
    answer = ask(shop, query)
    assert answer["errors"][0]["message"]
    assert "data" not in answer


def test_a_connection_needs_its_size(shop: DemoServers) -> None:
    assert ask(shop, "{ orders { nodes { id } } }")["errors"]
    assert ask(shop, "{ orders(first: 251) { nodes { id } } }")["errors"]


def test_pages_follow_each_other_without_gap(shop: DemoServers) -> None:
    query = """query($after: String) { orders(first: 7, after: $after, sortKey: UPDATED_AT) {
      nodes { id updatedAt } pageInfo { hasNextPage endCursor } } }"""
    seen: list[tuple[str, str]] = []
    after = None
    while True:
        page = ask(shop, query, after=after)["data"]["orders"]
        seen += [(node["updatedAt"], node["id"]) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(set(seen)) == len(seen) == len(shop.shopify.store.nodes["orders"])
    assert [at for at, _ in seen] == sorted(at for at, _ in seen)


def test_the_search_by_change_and_the_count_agree(shop: DemoServers) -> None:
    search = "updated_at:>='2026-01-01T00:00:00Z' updated_at:<'2026-03-01T00:00:00Z'"
    query = """query($q: String) { orders(first: 100, query: $q) { nodes { updatedAt } }
      ordersCount(query: $q, limit: null) { count precision } }"""
    data = ask(shop, query, q=search)["data"]
    times = [node["updatedAt"] for node in data["orders"]["nodes"]]
    assert data["ordersCount"] == {"count": len(times), "precision": "EXACT"}
    assert all("2026-01" <= at < "2026-03" for at in times)
    assert times


def test_what_a_query_costs_is_told_and_limited(shop: DemoServers) -> None:
    cheap = ask(shop, "{ products(first: 3) { nodes { id } } }")
    status = cheap["extensions"]["cost"]
    assert status["requestedQueryCost"] > 0
    assert status["throttleStatus"]["currentlyAvailable"] > 0
    dear = ask(
        shop,
        "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { id } } } } }",
    )
    assert dear["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    shop.shopify._available, size = 0.0, shop.shopify.bucket_size
    shop.shopify.bucket_size = 1.0
    try:
        throttled = ask(
            shop,
            "{ products(first: 100) { nodes { variants(first: 3) { nodes { id } } } } }",
        )
    finally:
        shop.shopify.bucket_size = size
    assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED"


def test_a_bulk_operation_gives_every_object_under_its_parent(shop: DemoServers) -> None:
    inner = "{ orders { edges { node { id lineItems { edges { node { id sku } } } } } } }"
    started = ask(shop, START, q=inner)["data"]["bulkOperationRunQuery"]
    assert started["userErrors"] == []
    key = started["bulkOperation"]["id"]
    again = ask(shop, START, q=inner)["data"]["bulkOperationRunQuery"]
    assert "already in progress" in again["userErrors"][0]["message"]
    while (job := ask(shop, LOOK, id=key)["data"]["node"])["status"] != "COMPLETED":
        assert job["status"] == "RUNNING"
    lines = [json.loads(line) for line in httpx.get(job["url"]).text.splitlines()]
    assert len(lines) == int(job["objectCount"])
    roots = [line for line in lines if "__parentId" not in line]
    assert len(roots) == int(job["rootObjectCount"]) == len(shop.shopify.store.nodes["orders"])
    current = ""
    for line in lines:
        current = line["id"] if "__parentId" not in line else current
        assert line.get("__parentId", current) == current


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            "{ orders { edges { node { refunds { refundLineItems { nodes { quantity } } } } } } }",
            "list field",
        ),
        ("{ shop { name } }", "exactly one top-level connection"),
        ("{ orders { edges { node { shoeSize } } } }", "Invalid bulk query"),
    ],
)
def test_a_bulk_operation_refuses_what_shopify_refuses(
    shop: DemoServers, query: str, words: str
) -> None:
    answer = ask(shop, START, q=query)["data"]["bulkOperationRunQuery"]
    assert answer["bulkOperation"] is None
    assert words in answer["userErrors"][0]["message"]
