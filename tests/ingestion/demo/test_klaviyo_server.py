"""The pretend Klaviyo answers as Klaviyo's own OpenAPI file says, and refuses what it would refuse.

Without that file (tests/klaviyo_contract.py) the tests of the contract are skipped and the small
rules below still hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ingestion.demo.faults import KINDS
from ingestion.demo.servers import API_KEY, DemoServers
from ingestion.demo.write_klaviyo import LIST_ID
from tests.ingestion.api_world import small_shop
from tests.klaviyo_contract import operation, problems

HEADERS = {"Authorization": f"Klaviyo-API-Key {API_KEY}", "revision": "2026-07-15"}
EMAIL_CAMPAIGNS = "equals(messages.channel,'email')"
COLLECTIONS: dict[str, dict[str, str]] = {
    "profiles": {"additional-fields[profile]": "subscriptions", "page[size]": "50"},
    "events": {"include": "metric,profile", "page[size]": "200"},
    "campaigns": {"filter": EMAIL_CAMPAIGNS, "page[size]": "9"},
    "lists": {},
    "list_members": {"fields[profile]": "joined_group_at", "page[size]": "30"},
    "metrics": {},
}


def address(name: str, list_id: str = LIST_ID) -> str:
    """Where a collection is; members are those of one list."""
    return f"/api/lists/{list_id}/profiles" if name == "list_members" else f"/api/{name}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServers]:
    with small_shop(tmp_path_factory.mktemp("api")) as servers:
        servers.klaviyo.limits = False
        yield servers


def get(shop: DemoServers, path: str, headers: dict[str, str] | None = None, **params: Any) -> Any:
    chosen = HEADERS if headers is None else headers
    return httpx.get(shop.klaviyo_url + path, headers=chosen, params=params, timeout=30)


@pytest.mark.parametrize("name", list(COLLECTIONS))
def test_every_page_is_valid_by_the_contract(shop: DemoServers, name: str) -> None:
    answer = get(shop, address(name), **COLLECTIONS[name])
    pages = 0
    while True:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/vnd.api+json"
        assert problems("GET", address(name, "{id}"), answer.json(), "200") == []
        pages += 1
        following = answer.json()["links"].get("next")
        if not following:
            break
        answer = httpx.get(following, headers=HEADERS, timeout=30)
    assert pages > 1 or name in ("lists", "metrics")


def test_the_validator_can_say_no() -> None:
    wrong = {"data": [{"type": "profile", "id": 5, "attributes": {}, "links": {}}]}
    assert problems("GET", "/api/profiles", wrong, "200")
    assert problems("GET", "/api/events", {"data": [{"type": "metric"}]}, "200")


@pytest.mark.parametrize("name", list(COLLECTIONS))
def test_only_parameters_of_the_contract_are_used(name: str) -> None:
    from ingestion.sources.klaviyo import ENDPOINTS

    if name not in ENDPOINTS:
        pytest.skip("not pulled")
    endpoint = ENDPOINTS[name]
    described = operation("GET", address(name, "{id}"))
    parameters = {p["name"]: p for p in described["parameters"]}
    assert {key for key, _ in endpoint.params} <= set(parameters)
    assert endpoint.time_field in parameters["sort"]["schema"]["enum"]
    assert endpoint.page_size <= parameters["page[size]"]["schema"]["maximum"]
    filters = parameters["filter"]["description"]
    assert f"`{endpoint.time_field}`" in filters
    assert f"`{endpoint.since}`" in filters
    assert endpoint.scope in described["x-klaviyo-scopes"]
    for key, value in endpoint.params:
        allowed = parameters[key]["schema"]["items"]["enum"]
        assert set(value.split(",")) <= set(allowed)


def test_without_a_key_there_is_no_answer(shop: DemoServers) -> None:
    assert get(shop, "/api/profiles", {"revision": "2026-07-15"}).status_code == 401
    wrong = HEADERS | {"Authorization": "Klaviyo-API-Key nope"}
    assert get(shop, "/api/profiles", wrong).status_code == 401


def test_without_a_revision_there_is_no_answer(shop: DemoServers) -> None:
    answer = get(shop, "/api/profiles", {"Authorization": HEADERS["Authorization"]})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("campaigns", {}),
        ("profiles", {"page[size]": "101"}),
        ("profiles", {"page[size]": "x"}),
        ("profiles", {"sort": "shoe_size"}),
        ("profiles", {"filter": "greater-or-equal(updated,2026-01-01T00:00:00Z)"}),
        ("profiles", {"filter": "greater-than(updated,yesterday)"}),
        ("profiles", {"filter": "greater-than(updated"}),
        ("events", {"filter": "equals(nothing,'x')"}),
        ("events", {"page[cursor]": "not a cursor"}),
        ("list_members", {"sort": "updated"}),
    ],
)
def test_a_wrong_question_is_refused(shop: DemoServers, name: str, params: dict[str, str]) -> None:
    answer = get(shop, address(name), **params)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"]


def test_filters_and_sorting_agree(shop: DemoServers) -> None:
    since = "2026-03-01T00:00:00+00:00"
    query = {"filter": f"greater-or-equal(datetime,{since})", "page[size]": "1000"}
    forward = get(shop, "/api/events", **query, sort="datetime").json()["data"]
    backward = get(shop, "/api/events", **query, sort="-datetime").json()["data"]
    assert [e["id"] for e in forward] == [e["id"] for e in backward][::-1]
    assert all(event["attributes"]["datetime"] >= since for event in forward)
    assert len(forward) < len(shop.klaviyo.rows["events"])


def test_campaigns_are_those_of_the_channel_that_is_asked_for(shop: DemoServers) -> None:
    answer = get(shop, "/api/campaigns", filter="equals(messages.channel,'sms')")
    assert answer.json()["data"] == []
    answer = get(shop, "/api/campaigns", filter="equals(messages.channel,'pigeon')")
    assert answer.status_code == 400


def test_a_list_that_there_is_not_has_no_members(shop: DemoServers) -> None:
    assert get(shop, address("list_members")).json()["data"]
    assert get(shop, address("list_members", "NOLIST")).status_code == 404


def test_too_many_requests_are_told_when_to_come_back(shop: DemoServers) -> None:
    """A slow machine does not pass the limit of a second, but that of a minute."""
    shop.klaviyo.limits = True
    try:
        answers = (get(shop, "/api/metrics") for _ in range(500))
        refused = next(answer for answer in answers if answer.status_code == 429)
    finally:
        shop.klaviyo.limits = False
    assert int(refused.headers["retry-after"]) >= 1


def test_faults_can_be_asked_for_over_http(shop: DemoServers) -> None:
    plan = {"kind": "server_error", "where": "/lists"}
    httpx.post(shop.klaviyo_url + "/_faults", json=plan)
    assert get(shop, "/api/lists").status_code == 500
    assert get(shop, "/api/lists").status_code == 200
    httpx.request("DELETE", shop.klaviyo_url + "/_faults")
    assert "repeated_cursor" in KINDS
