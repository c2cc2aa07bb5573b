"""Klaviyo's fake holds to its table of rules, and the table to Klaviyo's own file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from orchestration.fakes.faults import Fault
from orchestration.fakes.klaviyo.calls import CALLS, RULES
from orchestration.fakes.klaviyo.filters import ALLOWED
from orchestration.fakes.rules import Rule
from tests.klaviyo_contract import contract, operation, problems
from tests.orchestration.fakes.klaviyo_calls import (
    HEADERS,
    Served,
    consenting,
    importing,
    job,
    on_list,
    person,
    serving,
)

PATH = {call.words: (call.method, call.path) for call in CALLS.values()}
QUOTED = [rule for rule in RULES if rule.words]


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def shop(server: Served) -> Served:
    """The same server with an empty account."""
    server.fake.begin_anew(0)
    server.fake.has_throttles = False
    return server


def _with_parameters(described: dict[str, Any]) -> str:
    """What the file says of a call and of its parameters, in words."""
    texts = [described["description"]]
    for each in described.get("parameters", []):
        named = each.get("$ref", "").rpartition("/")[2]
        found = contract()["components"]["parameters"][named] if named else each
        texts.append(found.get("description", ""))
    return "\n".join(texts)


@pytest.mark.parametrize("rule", QUOTED, ids=[rule.name for rule in QUOTED])
def test_a_rule_stands_in_klaviyos_own_words(rule: Rule) -> None:
    said = _with_parameters(operation(*PATH[rule.call]))
    assert rule.words in said
    assert rule.page in said


@pytest.mark.parametrize("name", list(CALLS))
def test_a_call_is_limited_and_permitted_as_klaviyo_says(name: str) -> None:
    call = CALLS[name]
    described = operation(call.method, call.path)
    windows = {"burst": f"{call.burst}/s", "steady": f"{call.steady}/m"}
    assert described["x-klaviyo-ratelimit"] == windows
    assert call.scopes == set(described["x-klaviyo-scopes"])


@pytest.mark.parametrize("name", list(ALLOWED))
def test_filters_are_among_klaviyos(name: str) -> None:
    call = CALLS[name]
    allowed = operation(call.method, call.path).get("x-klaviyo-filters", {})
    for field, operators in ALLOWED[name].items():
        known = allowed[field]["operators"]
        assert operators <= {*known.get("list", ()), *known.get("single", ())}


def _people(count: int) -> list[dict[str, Any]]:
    return [person(number) for number in range(count)]


def _ids(count: int) -> dict[str, Any]:
    return {"data": [{"type": "profile", "id": f"id{number}"} for number in range(count)]}


def _suppressing(count: int) -> dict[str, Any]:
    return job("profile-suppression-bulk-create-job", profiles={"data": _people(count)})


def _telling(count: int, **more: Any) -> dict[str, Any]:
    events = [
        {
            "type": "event",
            "attributes": {
                "properties": {},
                "unique_id": f"u{number}",
                "metric": {"data": {"type": "metric", "attributes": {"name": "Offered"}}},
            },
        }
        for number in range(count)
    ]
    said = {"profile": {"data": person(1)}, "events": {"data": events}, **more}
    each = {"type": "event-bulk-create", "attributes": said}
    return job("event-bulk-create-job", **{"events-bulk-create": {"data": [each]}})


def _deleting(**attributes: str) -> dict[str, Any]:
    said = {"data": {"type": "profile", "attributes": attributes}}
    return job("data-privacy-deletion-job", profile=said)


NO_KEY = {name: value for name, value in HEADERS.items() if name != "Authorization"}
HISTORICAL = consenting("create", "SUBSCRIBED", person(1))
HISTORICAL["data"]["attributes"]["historical_import"] = True
BIG = person(1, text="x" * 100_000)
BREAKING: dict[str, tuple[str, Any, dict[str, str] | None, dict[str, str]]] = {
    "key": ("profiles", None, NO_KEY, {}),
    "revision": ("profiles", None, {**HEADERS, "revision": "2023-02-22"}, {}),
    "media_type": (
        "import", importing(person(1)), {**HEADERS, "Content-Type": "application/json"}, {},
    ),
    "known": ("members", None, None, {"of": "NOLIST"}),
    "shape": ("import", {"data": {"type": "profile"}}, None, {}),
    "filter": ("profiles", None, None, {"filter": "greater-or-equal(updated,2026-01-01)"}),
    "page_size": ("profiles", None, None, {"page[size]": "101"}),
    "import_rows": ("import", importing(*_people(10_001)), None, {}),
    "import_bytes": ("import", importing(*[BIG] * 51), None, {}),
    "profile_bytes": ("import", importing(BIG), None, {}),
    "list_rows": ("add_to_list", _ids(1001), None, {}),
    "list_removal_rows": ("remove_from_list", _ids(1001), None, {}),
    "subscribe_rows": ("subscribe", consenting("create", "SUBSCRIBED", *_people(1001)), None, {}),
    "historical": ("subscribe", HISTORICAL, None, {}),
    "unsubscribe_rows": (
        "unsubscribe", consenting("delete", "UNSUBSCRIBED", *_people(101)), None, {},
    ),
    "suppress_rows": ("suppress", _suppressing(101), None, {}),
    "event_rows": ("events", _telling(1001), None, {}),
    "event_bytes": ("events", _telling(1, padding="x" * 5_000_000), None, {}),
    "delete_one": ("delete", _deleting(email="p1@example.com", phone_number="+447700900001"), None,
                   {}),
}  # fmt: skip
REFUSING = {rule.name: rule for rule in RULES if rule.answer[0] == "4"}


@pytest.mark.parametrize("name", sorted(REFUSING))
def test_a_rule_that_is_broken_answers_what_the_table_says(shop: Served, name: str) -> None:
    if name == "scope":
        shop.fake.scopes = frozenset({"lists:read"})
        answer = shop.ask("profiles")
    elif name == "throttle":
        shop.fake.has_throttles = True
        answer = next(a for a in (shop.ask("delete", _deleting(email="a@b.example"))
                                  for _ in range(20)) if a.status_code != 202)  # fmt: skip
        assert int(answer.headers["retry-after"]) >= 1
    else:
        call, body, headers, params = BREAKING[name]
        answer = shop.ask(call, body, headers, **params)
    assert answer.status_code == int(REFUSING[name].answer.split()[0])
    assert answer.json()["errors"][0]["code"] == REFUSING[name].answer.split()[1]
    assert shop.fake.account.profiles == {}
    assert not shop.fake.account.jobs


def test_every_answer_has_klaviyos_shape(shop: Served) -> None:
    begun = shop.ask("import", importing(*_people(3), {"type": "profile", "attributes": {}}))
    assert problems("POST", CALLS["import"].path, begun.json(), "202") == []
    shop.later()
    shop.ask("suppress", _suppressing(1))
    asked = {
        "profiles": {"additional-fields[profile]": "subscriptions", "page[size]": "2"},
        "job": {"of": begun.json()["data"]["id"]},
        "import_errors": {"of": begun.json()["data"]["id"]},
        "jobs": {},
        "lists": {},
        "list": {},
        "members": {},
    }
    for name, params in asked.items():
        answer = shop.ask(name, **params)
        assert answer.status_code == 200, name
        assert answer.json()["data"] or name == "members"
        assert problems("GET", CALLS[name].path, answer.json(), "200") == [], name


def test_an_import_is_done_later_and_its_errors_can_be_read(shop: Served) -> None:
    wrong = [{"type": "profile", "attributes": {"email": f"nobody{n}"}} for n in range(25)]
    begun = shop.ask("import", importing(person(1, vip=True), *wrong)).json()["data"]
    assert begun["attributes"]["status"] == "queued"
    assert shop.fake.account.profiles == {}
    shop.clock.move(0.19)
    assert shop.ask("job", of=begun["id"]).json()["data"]["attributes"]["status"] == "processing"
    shop.later()
    done = shop.ask("job", of=begun["id"]).json()["data"]["attributes"]
    assert (done["status"], done["completed_count"], done["failed_count"]) == ("complete", 1, 25)
    first = shop.ask("import_errors", of=begun["id"]).json()
    assert len(first["data"]) == 20
    second = httpx.get(first["links"]["next"], headers=HEADERS).json()
    assert len(second["data"]) == 5
    assert "next" not in second["links"]
    assert first["data"][0]["attributes"]["source"]["pointer"].endswith("/1/attributes/email")


def test_an_import_sets_and_unsets_and_lifts_nothing(shop: Served) -> None:
    shop.ask("suppress", _suppressing(2))
    unset = person(1) | {"meta": {"patch_properties": {"unset": ["vip", "unknown"]}}}
    for body in (importing(person(1, vip=True, kept=1)), importing(unset)):
        shop.ask("import", body)
        shop.later()
    profile = shop.fake.account.find("email", "P1@Example.com")
    assert profile
    assert profile.properties == {"kept": 1}
    assert profile.email.suppressions
    assert not profile.is_billed


def test_jobs_may_be_done_in_another_order(server: Served) -> None:
    last = set()
    for seed in range(12):
        server.fake.begin_anew(seed)
        for number in range(2):
            server.ask("import", importing(person(1, turn=number)))
        server.later()
        profile = server.fake.account.find("email", "p1@example.com")
        assert profile
        last.add(profile.properties["turn"])
    assert last == {0, 1}


def test_subscribing_lifts_what_a_person_said_but_no_bounce(shop: Served) -> None:
    account = shop.fake.account
    for reason in ("UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED", "HARD_BOUNCE"):
        account.suppress(["p1@example.com"], reason)
    shop.ask("subscribe", consenting("create", "SUBSCRIBED", person(1)))
    profile = account.find("email", "p1@example.com")
    assert profile
    assert list(profile.email.suppressions) == ["HARD_BOUNCE"]


def test_who_is_not_on_the_list_is_unsubscribed_from_everything(shop: Served) -> None:
    account = shop.fake.account
    on, off = (account.upsert(person(number)) for number in (1, 2))
    account.add_to_list("NEWS01", [on])
    body = on_list(consenting("delete", "UNSUBSCRIBED", person(1), person(2)))
    assert shop.ask("unsubscribe", body).status_code == 202
    assert (on.email.consent, list(on.email.list_suppressions)) == ("NEVER_SUBSCRIBED", ["NEWS01"])
    assert (off.email.consent, list(off.email.suppressions)) == ("UNSUBSCRIBED", ["UNSUBSCRIBE"])


def test_lists_take_ids_fire_flows_once_and_leave_consent(shop: Served) -> None:
    profile = shop.fake.account.upsert(person(1))
    ids = {"data": [{"type": "profile", "id": profile.id}]}
    for _ in range(2):
        assert shop.ask("add_to_list", ids).status_code == 204
    assert shop.fake.account.flows == {"added_to_list": 1}
    assert shop.ask("add_to_list", _ids(1)).status_code == 404
    shop.ask("subscribe", consenting("create", "SUBSCRIBED", person(1)))
    assert shop.ask("remove_from_list", ids).status_code == 204
    assert (profile.lists, profile.email.consent) == ({}, "SUBSCRIBED")


def test_of_events_with_one_unique_id_the_first_stays(shop: Served) -> None:
    assert shop.ask("events", _telling(2, backfill=True)).status_code == 202
    assert shop.ask("events", _telling(3)).status_code == 202
    assert len(shop.fake.account.events) == 3
    assert shop.fake.account.flows["metric"] == 1


def test_a_deletion_is_done_later(shop: Served) -> None:
    shop.fake.account.upsert(person(1))
    assert shop.ask("delete", _deleting(email="p1@example.com")).status_code == 202
    assert len(shop.fake.account.profiles) == 1
    shop.later()
    assert shop.fake.account.profiles == {}


def test_profiles_can_be_asked_for_by_address_and_by_suppression(shop: Served) -> None:
    account = shop.fake.account
    for number in range(5):
        account.upsert(person(number))
    shop.clock.move(10)
    since = shop.clock().isoformat()
    account.suppress(["p3@example.com"])
    asked = 'any(email,["P1@example.com","p3@example.com","nobody@example.com"])'
    named = shop.ask("profiles", filter=asked, sort="-email").json()["data"]
    assert [each["attributes"]["email"] for each in named] == ["p3@example.com", "p1@example.com"]
    field = "subscriptions.email.marketing.suppression.timestamp"
    suppressed = shop.ask("profiles", filter=f"greater-or-equal({field},{since})").json()["data"]
    assert [each["attributes"]["email"] for each in suppressed] == ["p3@example.com"]


@pytest.mark.parametrize("kind", ["lost_ack", "truncated", "html", "huge"])
def test_an_answer_may_be_bad_although_it_was_done(shop: Served, kind: str) -> None:
    shop.fake.faults.plan(Fault(kind, times=1))
    if kind in ("html", "huge"):
        assert shop.ask("import", importing(person(1))).status_code == 200
    else:
        with pytest.raises(httpx.TransportError):
            shop.ask("import", importing(person(1)))
    shop.later()
    assert len(shop.fake.account.profiles) == 1


@pytest.mark.parametrize(
    ("kind", "status"), [("401", 401), ("404", 404), ("429", 429), ("503", 503), ("redirect", 307)]
)
def test_a_fault_does_nothing(shop: Served, kind: str, status: int) -> None:
    planned = {"kind": kind, "times": 1, "where": "POST /api/profile-bulk"}
    httpx.post(f"{shop.address}/_faults", json=planned)
    assert shop.ask("profiles").status_code == 200
    assert shop.ask("import", importing(person(1))).status_code == status
    assert not shop.fake.account.jobs
    assert shop.ask("import", importing(person(1))).status_code == 202


def test_its_state_is_asked_in_counts(shop: Served) -> None:
    shop.ask("import", importing(person(1, vip=True), person(2)))
    shop.later()
    shop.ask("suppress", _suppressing(2))
    state = httpx.get(f"{shop.address}/_state").json()
    assert (state["profiles"], state["billed"], state["suppressed"]) == (3, 1, 2)
    assert state["properties"] == {"vip": 1}
    assert state["jobs"] == {"complete": 1}
    assert "example.com" not in json.dumps(state)
