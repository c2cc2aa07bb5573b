"""Mailchimp's fake holds to its table of rules."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from orchestration.fakes.faults import Fault
from orchestration.fakes.mailchimp import API_KEY, LIST_ID, RULES, Mailchimp, create, hash_of
from orchestration.fakes.server import served_fake
from tests.orchestration.fakes.served import Hand

LIST = f"/3.0/lists/{LIST_ID}"
CODE = base64.b64encode(f"anybody:{API_KEY}".encode()).decode()
HEADERS = {"Authorization": f"Basic {CODE}"}
EMAILS = [f"p{number}@example.com" for number in range(501)]
MEMBERS = [{"email_address": each, "status": "subscribed"} for each in EMAILS]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Mailchimp, str]]:
    fake = create(0, Hand())
    with served_fake(fake) as address:
        yield fake, address


@pytest.fixture
def fake(server: tuple[Mailchimp, str]) -> Mailchimp:
    server[0].begin_anew(0)
    return server[0]


@pytest.fixture
def address(server: tuple[Mailchimp, str], fake: Mailchimp) -> str:
    return server[1] + LIST


def ask(method: str, url: str, body: Any = None, **more: Any) -> httpx.Response:
    return httpx.request(method, url, json=body, headers=HEADERS, timeout=30, **more)


BREAKING: dict[str, tuple[str, str, Any]] = {
    "known": ("GET", f"/members/{hash_of('nobody@example.com')}", None),
    "shape": ("POST", "/segments", {"name": "vip"}),
    "page": ("GET", "/members?count=1001", None),
    "segment_rows": ("POST", "/segments/1", {"members_to_add": EMAILS}),
    "batch_rows": ("POST", "", {"members": MEMBERS}),
}


@pytest.mark.parametrize("name", sorted(rule.name for rule in RULES if rule.answer[0] == "4"))
def test_a_rule_that_is_broken_answers_what_the_table_says(
    fake: Mailchimp, address: str, name: str
) -> None:
    fake.segments[1] = "vip"
    if name == "key":
        answer = httpx.get(address)
    elif name == "volume":
        fake.faults.plan(Fault("403"))
        answer = ask("GET", address)
        assert answer.content == b""
    elif name == "at_once":
        fake.seconds = 0.3
        with httpx.Client(headers=HEADERS) as client, ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: client.get(address), range(16)))
        answer = next(each for each in answers if each.status_code != 200)
    else:
        method, path, body = BREAKING[name]
        answer = ask(method, address + path, body)
    rule = next(rule for rule in RULES if rule.name == name)
    assert answer.status_code == int(rule.answer.split()[0])
    assert fake.members == {}


def test_a_segment_leaves_out_who_is_not_on_the_list(fake: Mailchimp, address: str) -> None:
    fake.put("p1@example.com")
    made = ask("POST", f"{address}/segments", {"name": "vip", "static_segment": []}).json()
    body = {"members_to_add": ["P1@example.com", "p2@example.com", "nothing"]}
    said = ask("POST", f"{address}/segments/{made['id']}", body).json()
    assert [each["email_address"] for each in said["members_added"]] == ["p1@example.com"]
    assert said["errors"][0]["email_addresses"] == ["nothing"]
    assert fake.of("vip") == {"p1@example.com"}
    member = ask("GET", f"{address}/members/{hash_of('p1@example.com')}").json()
    assert member["tags"] == [{"id": 1, "name": "vip"}]


def test_the_call_for_many_members_tells_errors_in_a_200(fake: Mailchimp, address: str) -> None:
    fake.put("p1@example.com", "unsubscribed")
    body: dict[str, Any] = {"members": [*MEMBERS[:3], {"email_address": "x", "status": "pending"}]}
    said = ask("POST", address, body).json()
    assert [each["error_code"] for each in said["errors"]] == [
        "ERROR_CONTACT_EXISTS",
        "ERROR_GENERIC",
    ]
    assert fake.members[hash_of("p1@example.com")].status == "unsubscribed"
    ask("POST", address, body | {"update_existing": True})
    assert fake.members[hash_of("p1@example.com")].status == "subscribed"


def test_whoever_is_deleted_for_good_never_comes_back(fake: Mailchimp, address: str) -> None:
    for email in EMAILS[:2]:
        fake.put(email)
    one, two = (f"{address}/members/{hash_of(email)}" for email in EMAILS[:2])
    assert ask("DELETE", one).status_code == 204
    assert ask("POST", f"{two}/actions/delete-permanent").status_code == 204
    assert fake.state()["members"] == {"archived": 1}
    said = ask("POST", address, {"members": MEMBERS[:2], "update_existing": True}).json()
    assert [each["email_address"] for each in said["errors"]] == [EMAILS[1]]
    assert fake.members[hash_of(EMAILS[0])].status == "subscribed"
