"""SendGrid's fake holds to its table of rules, and the table to SendGrid's own API files.

Those files lie outside the repository (`../shared`, or `REGULARS_SHARED`); without them the tests
of the contract are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import jsonschema
import pytest

from orchestration.fakes.rules import Rule
from orchestration.fakes.sendgrid import API_KEY, GROUP, LONGEST, RULES, SendGrid, create
from orchestration.fakes.server import served_fake
from tests.klaviyo_contract import SHARED
from tests.orchestration.fakes.served import Hand

CONTACTS, LISTS = "/v3/marketing/contacts", "/v3/marketing/lists"
SEARCH, FIELDS = f"{CONTACTS}/search/emails", "/v3/marketing/field_definitions"
ANN = {"email": "Ann@example.com"}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[SendGrid, str, Hand]]:
    clock = Hand()
    fake = create(0, clock)
    with served_fake(fake) as address:
        yield fake, address, clock


@pytest.fixture
def fake(server: tuple[SendGrid, str, Hand]) -> SendGrid:
    server[0].begin_anew(0)
    return server[0]


@pytest.fixture
def client(server: tuple[SendGrid, str, Hand], fake: SendGrid) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {API_KEY}"}
    with httpx.Client(base_url=server[1], headers=headers, timeout=60) as client:
        yield client


BREAKING: dict[str, tuple[str, str, Any]] = {
    "known": ("GET", f"{CONTACTS}/imports/x", None),
    "shape": ("PUT", CONTACTS, {"contact": []}),
    "rows": ("PUT", CONTACTS, {"contacts": [{"email": "a@b.co"}] * 30_001}),
    "bytes": ("PUT", CONTACTS, {"contacts": [{"email": "a@b.co", "city": "x" * 6_000_000}]}),
    "email": ("PUT", CONTACTS, {"contacts": [ANN, {"email": "nobody"}]}),
    "longest": ("PUT", CONTACTS, {"contacts": [{**ANN, "last_name": "x" * 51}]}),
    "list": ("PUT", CONTACTS, {"contacts": [ANN], "list_ids": ["x"]}),
    "fields": ("PUT", CONTACTS, {"contacts": [{**ANN, "custom_fields": {"e9_T": "x"}}]}),
    "search": ("POST", SEARCH, {"emails": [f"p{n}@example.com" for n in range(101)]}),
    "searched": ("POST", SEARCH, {"emails": ["x" * 100 + "@example.com"]}),
    "nobody": ("POST", SEARCH, {"emails": ["nobody@example.com"]}),
    "list_page": ("GET", f"{LISTS}?page_size=1001", None),
    "list_name": ("POST", LISTS, {"name": "x" * 101}),
    "suppression_page": ("GET", "/v3/suppression/unsubscribes?limit=501", None),
    "field_name": ("POST", FIELDS, {"name": "not a name"}),
}


@pytest.mark.parametrize(
    "name", sorted(r.name for r in RULES if r.answer[0] == "4" and r.name != "throttle")
)
def test_a_rule_that_is_broken_answers_what_the_table_says(
    fake: SendGrid, client: httpx.Client, name: str
) -> None:
    if name == "key":
        answer = client.get(LISTS, headers={"authorization": "Bearer x"})
    else:
        method, path, body = BREAKING[name]
        answer = client.request(method, path, json=body)
    rule = next(rule for rule in RULES if rule.name == name)
    status, _, code = rule.answer.partition(" ")
    assert answer.status_code == int(status)
    assert answer.json()["errors"][0]["error_id"] == code
    assert fake.refused == {name: 1}
    assert fake.contacts == {}


def test_a_wrong_contact_is_named_by_its_place(fake: SendGrid, client: httpx.Client) -> None:
    answer = client.put(CONTACTS, json=BREAKING["email"][2])
    assert answer.json()["errors"][0]["field"] == "contacts[1].email"


def test_a_contact_is_written_later_and_keeps_what_is_left_out(
    server: tuple[SendGrid, str, Hand], fake: SendGrid, client: httpx.Client
) -> None:
    field, list_id = fake.put_field("why"), fake.put_list("vip")
    fake.put("ann@example.com", last_name="Berg")
    body = {"contacts": [{**ANN, "custom_fields": {field: "so"}}], "list_ids": [list_id]}
    job = client.put(CONTACTS, json=body).json()["job_id"]
    assert client.get(f"{CONTACTS}/imports/{job}").json()["status"] == "pending"
    assert fake.of("vip") == set()
    server[2].move(5)
    assert client.get(f"{CONTACTS}/imports/{job}").json()["status"] == "completed"
    said = client.post(SEARCH, json={"emails": ["ANN@example.com", "x@example.com"]}).json()
    contact = said["result"]["ann@example.com"]["contact"]
    assert (contact["last_name"], contact["custom_fields"]) == ("Berg", {"why": "so"})
    assert contact["list_ids"] == [list_id]
    assert "error" in said["result"]["x@example.com"]


def test_without_its_other_identifiers_a_contact_is_not_updated(
    server: tuple[SendGrid, str, Hand], fake: SendGrid, client: httpx.Client
) -> None:
    fake.put("ann@example.com", external_id="1", alternate_emails=["a@example.com"])
    other = {"email": "bo@example.com"}
    job = client.put(CONTACTS, json={"contacts": [ANN, other]}).json()["job_id"]
    server[2].move(5)
    said = client.get(f"{CONTACTS}/imports/{job}").json()
    assert (said["status"], said["results"]["errored_count"]) == ("errored", 1)
    found = client.post(SEARCH, json={"emails": ["a@example.com"]}).json()["result"]
    assert found["a@example.com"]["contact"]["email"] == "ann@example.com"


def test_leaving_a_list_is_no_deletion(
    server: tuple[SendGrid, str, Hand], fake: SendGrid, client: httpx.Client
) -> None:
    list_id = fake.put_list("vip")
    contact = fake.put("ann@example.com")
    contact.lists.add(list_id)
    client.delete(f"{LISTS}/{list_id}/contacts", params={"contact_ids": contact.id})
    server[2].move(5)
    assert fake.of("vip") == set()
    assert client.delete(CONTACTS, params={"ids": contact.id}).status_code == 202
    server[2].move(5)
    fake.settle()
    assert fake.contacts == {}


def test_jobs_may_be_done_in_another_order(
    server: tuple[SendGrid, str, Hand], fake: SendGrid, client: httpx.Client
) -> None:
    left = set()
    list_id = fake.put_list("vip")
    contact = fake.put("ann@example.com")
    for seed in range(12):
        fake._dice.seed(seed)
        contact.lists.clear()
        client.put(CONTACTS, json={"contacts": [ANN], "list_ids": [list_id]})
        client.delete(f"{LISTS}/{list_id}/contacts", params={"contact_ids": contact.id})
        server[2].move(5)
        left.add(len(fake.of("vip")))
    assert left == {0, 1}


def test_who_is_suppressed_stays_on_lists(
    server: tuple[SendGrid, str, Hand], fake: SendGrid, client: httpx.Client
) -> None:
    list_id = fake.put_list("vip")
    fake.suppress("ann@example.com")
    client.put(CONTACTS, json={"contacts": [ANN], "list_ids": [list_id]})
    server[2].move(5)
    assert fake.of("vip") == {"ann@example.com"}


def test_suppressions_are_told_by_page_and_time(
    server: tuple[SendGrid, str, Hand], fake: SendGrid, client: httpx.Client
) -> None:
    for number in range(3):
        fake.suppress(f"p{number}@example.com")
        server[2].move(60)
    path = "/v3/suppression/unsubscribes"
    assert [e["email"] for e in client.get(path, params={"limit": 2, "offset": 1}).json()] == [
        "p1@example.com",
        "p2@example.com",
    ]
    since = int(server[2]().timestamp()) - 90
    assert len(client.get(path, params={"start_time": since}).json()) == 1
    fake.suppress("ann@example.com", group=GROUP)
    [told] = client.get("/v3/asm/suppressions").json()
    assert (told["email"], told["group_id"]) == ("ann@example.com", GROUP)


def test_its_state_is_counts(fake: SendGrid, client: httpx.Client) -> None:
    fake.put("ann@example.com")
    fake.suppress("ann@example.com", "bounces")
    state = client.get("/_state").json()
    assert (state["contacts"], state["suppressed"]["bounces"]) == (1, 1)
    assert "ann" not in json.dumps(state)


@cache
def _files() -> dict[str, Any]:
    folder = SHARED / "contracts" / "sendgrid"
    if not folder.is_dir():
        pytest.skip(f"SendGrid's API files are not at {folder}")
    return {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}


def _operation(call: str) -> Any:
    """An operation of SendGrid's files; None where they have none."""
    method, path = call.split()
    for each in _files().values():
        found = each["paths"].get(path, {}).get(method.lower())
        if found:
            return _whole(found, each)
    return None


def _whole(node: Any, file: Any, depth: int = 0) -> Any:
    """With what its references lead to."""
    if isinstance(node, list):
        return [_whole(each, file, depth) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and depth < 8:
        target = file
        for part in node["$ref"].split("/")[1:]:
            target = target[part]
        return _whole(target, file, depth + 1)
    return {key: _whole(value, file, depth) for key, value in node.items()}


@pytest.mark.parametrize("rule", [r for r in RULES if r.words], ids=lambda rule: rule.name)
def test_the_words_of_a_rule_are_sendgrids(rule: Rule) -> None:
    text = json.dumps(_operation(rule.call), ensure_ascii=False)
    assert json.dumps(rule.words, ensure_ascii=False)[1:-1] in text


def test_numbers_are_those_of_the_schemas() -> None:
    body = _operation(f"PUT {CONTACTS}")["requestBody"]["content"]["application/json"]["schema"]
    contacts = body["properties"]["contacts"]
    assert contacts["maxItems"] == RULES.number("rows")
    longest = {
        n: s["maxLength"] for n, s in contacts["items"]["properties"].items() if n in LONGEST
    }
    assert longest == LONGEST
    emails = _operation(f"POST {SEARCH}")["requestBody"]["content"]["application/json"]["schema"]
    assert emails["properties"]["emails"]["items"]["maxLength"] == 100
    pages = {
        f"GET {LISTS}": ("page_size", "list_page"),
        "GET /v3/suppression/unsubscribes": ("limit", "suppression_page"),
    }
    for call, (name, rule) in pages.items():
        [said] = [each for each in _operation(call)["parameters"] if each["name"] == name]
        assert said["schema"]["maximum"] == RULES.number(rule)


def test_answers_have_the_shape_of_the_schemas(
    server: tuple[SendGrid, str, Hand], fake: SendGrid, client: httpx.Client
) -> None:
    list_id = fake.put_list("vip")
    fake.put("ann@example.com").lists.add(list_id)
    for kind in fake.suppressed:
        fake.suppress("bo@example.com", kind)
    fake.suppress("bo@example.com", group=GROUP)
    job = client.put(CONTACTS, json={"contacts": [ANN], "list_ids": [list_id]}).json()["job_id"]
    server[2].move(5)
    asked = {
        f"GET {CONTACTS}/imports/{{id}}": client.get(f"{CONTACTS}/imports/{job}"),
        f"POST {SEARCH}": client.post(SEARCH, json={"emails": ["ann@example.com"]}),
        f"GET {LISTS}": client.get(LISTS),
        f"GET {LISTS}/{{id}}/contacts/count": client.get(f"{LISTS}/{list_id}/contacts/count"),
        "GET /v3/asm/suppressions": client.get("/v3/asm/suppressions"),
    }
    asked |= {
        f"GET /v3/suppression/{kind}": client.get(f"/v3/suppression/{kind}")
        for kind in fake.suppressed
    }
    for call, answer in asked.items():
        content = _operation(call)["responses"][str(answer.status_code)]["content"]
        jsonschema.validate(answer.json(), content["application/json"]["schema"])
