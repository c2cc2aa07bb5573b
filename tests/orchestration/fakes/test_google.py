"""Google's fake holds to its table of rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from orchestration.fakes.google import ACCOUNT, LIST, REFRESH_TOKEN, RULES, Google, create
from orchestration.fakes.server import served_fake
from tests.orchestration.fakes.served import Hand

HASH = hashlib.sha256(b"ann@example.com").hexdigest()
OTHER = hashlib.sha256(b"bo@example.com").hexdigest()
GRANTED = {"adUserData": 1, "adPersonalization": 1}
ADDRESS = {"givenName": HASH, "familyName": HASH, "regionCode": "GB", "postalCode": "SW1A 1AA"}
INGEST, REMOVE = "/v1/audienceMembers:ingest", "/v1/audienceMembers:remove"
READ = f"/v1/accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}/userLists/{LIST}"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Google, str, Hand]]:
    clock = Hand()
    fake = create(0, clock)
    with served_fake(fake) as address:
        yield fake, address, clock


@pytest.fixture
def fake(server: tuple[Google, str, Hand]) -> Google:
    server[0].begin_anew(0)
    return server[0]


@pytest.fixture
def client(server: tuple[Google, str, Hand], fake: Google) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server[1], timeout=30) as client:
        form = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}
        token = client.post("/token", data=form).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client


def member(*identifiers: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    said = identifiers or ({"emailAddress": HASH},)
    return {"userData": {"userIdentifiers": list(said)}, "consent": GRANTED, **more}


def body(*members: dict[str, Any], **more: Any) -> dict[str, Any]:
    account = {"accountId": ACCOUNT, "accountType": "GOOGLE_ADS"}
    said = {
        "destinations": [{"operatingAccount": account, "productDestinationId": LIST}],
        "audienceMembers": list(members),
        "encoding": "HEX",
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
        **more,
    }
    return {name: value for name, value in said.items() if value is not None}


def removal(*members: dict[str, Any]) -> dict[str, Any]:
    bare = [{"userData": each["userData"]} for each in members]
    return body(*bare, termsOfService=None)


def elsewhere(**more: Any) -> dict[str, Any]:
    account = {"accountId": more.pop("account", ACCOUNT), "accountType": 1}
    return {"operatingAccount": account, "productDestinationId": more.pop("list", LIST)}


BREAKING: dict[str, Any] = {
    "shape": {**body(member()), "audience": 1},
    "rows": body(*[member()] * 10_001),
    "identifiers": body(member(*[{"emailAddress": HASH}] * 11)),
    "destinations": body(member(), destinations=[elsewhere()] * 11),
    "nobody": body(member({})),
    "account": body(member(), destinations=[elsewhere(account="99")]),
    "list": body(member(), destinations=[elsewhere(list="99")]),
    "encoding": body(member(), encoding=None),
    "hashed": body(member(), member({"emailAddress": "ann@example.com"})),
    "region": body(member({"address": {**ADDRESS, "regionCode": HASH}})),
    "postal_code": body(member({"address": {**ADDRESS, "postalCode": HASH}})),
    "terms": body(member(), termsOfService=None),
}


@pytest.mark.parametrize("name", sorted(rule.name for rule in RULES if rule.answer[0] == "4"))
def test_a_rule_that_is_broken_answers_what_the_table_says(
    fake: Google, client: httpx.Client, name: str
) -> None:
    if name == "grant":
        answer = client.post("/token", data={"grant_type": "refresh_token"})
    elif name == "token":
        answer = client.post(INGEST, json=body(member()), headers={"authorization": "Bearer x"})
    elif name == "request":
        answer = client.get("/v1/requestStatus:retrieve?requestId=x")
    elif name == "quota":
        answers = [client.get(READ) for _ in range(301)]
        assert {each.status_code for each in answers[:300]} == {200}
        answer = answers[-1]
    else:
        answer = client.post(INGEST, json=BREAKING[name])
    rule = next(rule for rule in RULES if rule.name == name)
    status, _, code = rule.answer.partition(" ")
    assert answer.status_code == int(status)
    assert code in answer.text
    assert fake.refused == {name: 1}
    assert fake.jobs == {}


def test_a_refused_member_is_named_by_its_place(fake: Google, client: httpx.Client) -> None:
    error = client.post(INGEST, json=BREAKING["hashed"]).json()["error"]
    [violation] = error["details"][1]["fieldViolations"]
    assert "[1]" in violation["field"]
    assert violation["reason"] == "INVALID_SHA256_FORMAT"


def test_a_request_is_applied_later_and_tells_its_state(
    server: tuple[Google, str, Hand], fake: Google, client: httpx.Client
) -> None:
    fake.unmatched.add(OTHER)
    members = (
        member(),
        member({"emailAddress": OTHER}),
        member({"phoneNumber": OTHER}, consent={}),
    )
    said = client.post(INGEST, json=body(*members)).json()

    def state() -> Any:
        [each] = client.get("/v1/requestStatus:retrieve", params=said).json()[
            "requestStatusPerDestination"
        ]
        return each

    assert state()["requestStatus"] == "PROCESSING"
    assert fake.of() == set()
    server[2].move(5)
    assert state() == {
        "requestStatus": "PARTIAL_SUCCESS",
        "audienceMembersIngestionStatus": {
            "userDataIngestionStatus": {
                "recordCount": "3",
                "uploadMatchRateRange": "MATCH_RATE_RANGE_31_TO_40",
            }
        },
        "errorInfo": {
            "errorCounts": [
                {"reason": "PROCESSING_ERROR_REASON_UNKNOWN_CONSENT", "recordCount": "1"}
            ]
        },
    }
    assert fake.of() == {HASH}


def test_requests_may_be_done_in_another_order(
    server: tuple[Google, str, Hand], fake: Google, client: httpx.Client
) -> None:
    left = set()
    for seed in range(12):
        fake.lists[LIST].members.clear()
        fake._dice.seed(seed)
        client.post(INGEST, json=body(member()))
        client.post(REMOVE, json=removal(member()))
        server[2].move(5)
        left.add(len(fake.of()))
    assert left == {0, 1}


def test_identifiers_may_lead_to_one_person(
    server: tuple[Google, str, Hand], fake: Google, client: httpx.Client
) -> None:
    fake.accounts |= {HASH: HASH, OTHER: HASH}
    client.post(INGEST, json=body(member(), member({"phoneNumber": OTHER})))
    server[2].move(5)
    assert len(fake.of()) == 1
    client.post(REMOVE, json=removal(member({"phoneNumber": OTHER})))
    server[2].move(5)
    assert fake.of() == set()


def test_what_is_only_validated_is_not_done(
    server: tuple[Google, str, Hand], fake: Google, client: httpx.Client
) -> None:
    assert client.post(INGEST, json=body(member(), validateOnly=True)).json() == {}
    assert client.post(INGEST, json={**BREAKING["hashed"], "validateOnly": True}).status_code == 400
    server[2].move(5)
    assert fake.of() == set()


def test_members_are_dropped_after_540_days(
    server: tuple[Google, str, Hand], fake: Google, client: httpx.Client
) -> None:
    client.post(INGEST, json=body(member()))
    server[2].move(539 * 86_400)
    assert fake.of() == {HASH}
    server[2].move(2 * 86_400)
    assert fake.of() == set()


def test_sizes_of_small_lists_are_not_told(fake: Google, client: httpx.Client) -> None:
    now = fake._clock()
    fake.lists[LIST].members = {str(number): now for number in range(99)}
    assert client.get(READ).json()["sizeInfo"]["searchNetworkMembersCount"] == "0"
    fake.lists[LIST].members["99"] = now
    assert client.get(READ).json()["sizeInfo"]["searchNetworkMembersCount"] == "100"


def test_its_state_is_counts(
    server: tuple[Google, str, Hand], fake: Google, client: httpx.Client
) -> None:
    client.post(INGEST, json=body(member(), member({"emailAddress": OTHER}, consent={})))
    server[2].move(5)
    state = client.get("/_state").json()
    assert state["lists"] == {"Customers": 1}
    assert (state["open_requests"], state["errors"]) == (0, {"UNKNOWN_CONSENT": 1})
    assert HASH not in json.dumps(state)
