"""Meta's fake holds to its table of rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from orchestration.fakes.meta import ACCOUNT, LIMITED, NOTHING, RULES, TOKEN, Meta, create
from orchestration.fakes.server import served_fake
from tests.orchestration.fakes.served import Hand

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
HASH = hashlib.sha256(b"ann@example.com").hexdigest()
OTHER = hashlib.sha256(b"bo@example.com").hexdigest()
SESSION = {"session_id": 1, "batch_seq": 1, "last_batch_flag": True}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Meta, str, Hand]]:
    clock = Hand()
    fake = create(0, clock)
    with served_fake(fake) as address:
        yield fake, address, clock


@pytest.fixture
def fake(server: tuple[Meta, str, Hand]) -> Meta:
    server[0].begin_anew(0)
    server[0].put("vip")
    return server[0]


@pytest.fixture
def address(server: tuple[Meta, str, Hand], fake: Meta) -> str:
    [audience] = fake.audiences
    return f"{server[1]}/v26.0/{audience}"


def form(
    data: list[Any], schema: Any = "EMAIL", session: Any = SESSION, **more: str
) -> dict[str, str]:
    payload = json.dumps({"schema": schema, "data": data})
    return {"payload": payload, "session": json.dumps(session), **more}


def ask(method: str, url: str, body: Any = None) -> httpx.Response:
    return httpx.request(method, url, data=body, headers=HEADERS, timeout=30)


BREAKING: dict[str, tuple[str, str, Any]] = {
    "known": ("GET", "/sessions", None),
    "shape": ("POST", "/users", {"payload": "x"}),
    "page": ("GET", "/sessions?limit=101", None),
    "create": ("POST", "", {"name": "x", "subtype": "CUSTOM"}),
    "session": ("POST", "/users", form([HASH], session={"session_id": 1})),
    "rows": ("POST", "/users", form([HASH] * 10_001)),
    "schema": ("POST", "/users", form([[HASH]], ["EMAIL", "PHONE"])),
    "limited": ("POST", "/users", form([[HASH, "LDU"]], ["EMAIL", LIMITED])),
    "flagged": ("DELETE", "/users", form([HASH])),
    "session_once": ("POST", "/users", form([HASH])),
}


@pytest.mark.parametrize("name", sorted(rule.name for rule in RULES if rule.answer[0] == "4"))
def test_a_rule_that_is_broken_answers_what_the_table_says(
    server: tuple[Meta, str, Hand], fake: Meta, address: str, name: str
) -> None:
    [audience] = fake.audiences.values()
    audience.is_flagged = name == "flagged"
    if name == "token":
        answer = httpx.get(address)
    else:
        method, path, body = BREAKING[name]
        base = {"known": f"{server[1]}/42", "create": f"{server[1]}/act_{ACCOUNT}/customaudiences"}
        if name == "session_once":
            assert ask(method, address + path, body).status_code == 200
        answer = ask(method, base.get(name, address) + path, body)
    rule = next(rule for rule in RULES if rule.name == name)
    status, _, codes = rule.answer.partition(" ")
    code, _, subcode = codes.partition("/")
    error = answer.json()["error"]
    assert answer.status_code == int(status)
    assert (error["code"], error.get("error_subcode", 0)) == (int(code), int(subcode or 0))
    assert fake.refused == {name: 1}
    assert audience.entries == []


def test_what_is_no_hash_is_counted_and_left_out(
    server: tuple[Meta, str, Hand], fake: Meta, address: str
) -> None:
    rows = [HASH, HASH.upper(), "ann@example.com", NOTHING, "", "+447700900123"]
    said = ask("POST", f"{address}/users", form(rows)).json()
    assert (said["num_received"], said["num_invalid_entries"]) == (6, 5)
    server[2].move(5)
    assert fake.of("vip") == [{"EMAIL": HASH, LIMITED: ""}]
    [told] = ask("GET", f"{address}/sessions").json()["data"]
    assert (told["stage"], told["num_received"], told["num_invalid_entries"]) == (
        "completed", "6", "5",
    )  # fmt: skip


def test_a_session_is_applied_later_and_only_after_its_last_batch(
    server: tuple[Meta, str, Hand], fake: Meta, address: str
) -> None:
    first = SESSION | {"last_batch_flag": False}
    ask("POST", f"{address}/users", form([HASH], session=first))
    server[2].move(5)
    assert fake.of("vip") == []
    ask("POST", f"{address}/users", form([OTHER], session=SESSION | {"batch_seq": 2}))
    assert fake.of("vip") == []
    server[2].move(5)
    assert {each["EMAIL"] for each in fake.of("vip")} == {HASH, OTHER}
    ask("DELETE", f"{address}/users", form([HASH], session=SESSION | {"session_id": 2}))
    server[2].move(5)
    assert [each["EMAIL"] for each in fake.of("vip")] == [OTHER]


def test_sessions_may_end_in_another_order(
    server: tuple[Meta, str, Hand], fake: Meta, address: str
) -> None:
    left = set()
    for seed in range(12):
        fake.begin_anew(seed)
        fake.put("vip")
        [audience] = fake.audiences
        url = f"{server[1]}/{audience}/users"
        ask("POST", url, form([HASH]))
        ask("DELETE", url, form([HASH], session=SESSION | {"session_id": 2}))
        server[2].move(5)
        left.add(len(fake.of("vip")))
    assert left == {0, 1}


def test_a_flagged_audience_can_be_deleted_and_nothing_else(fake: Meta, address: str) -> None:
    [audience] = fake.audiences.values()
    audience.is_flagged = True
    said = ask("GET", address).json()
    assert (said["operation_status"]["code"], said["delivery_status"]["code"]) == (471, 300)
    assert ask("DELETE", address).json() == {"success": True}
    assert fake.audiences == {}


def test_an_audience_of_a_hundred_can_be_used(fake: Meta, address: str) -> None:
    [audience] = fake.audiences.values()
    audience.entries = [{"EMAIL": str(number)} for number in range(100)]
    assert ask("GET", address).json()["delivery_status"] == {"code": 200}


def test_its_state_is_counts(server: tuple[Meta, str, Hand], fake: Meta, address: str) -> None:
    rows = [[HASH, ["LDU"]], [OTHER, []]]
    ask("POST", f"{address}/users", form(rows, ["EMAIL", LIMITED], customer_consent="true"))
    server[2].move(5)
    state = httpx.get(f"{server[1]}/_state").json()
    assert state["audiences"]["vip"] == {
        "people": 2, "limited": 1, "open_sessions": 0, "invalid_entries": 0, "flagged": False,
    }  # fmt: skip
    assert HASH not in json.dumps(state)
