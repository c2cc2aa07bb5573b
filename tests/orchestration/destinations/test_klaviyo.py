"""The destination `klaviyo` against its fake, and planted defects, each of which a check finds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.demo.throttle import Throttle
from ingestion.errors import RegularsError, UsageError
from orchestration.destinations.base import Outcome, RetryLaterError, Row, Withdrawal
from orchestration.destinations.http import HttpClient
from orchestration.destinations.klaviyo import api as api_module
from orchestration.destinations.klaviyo import destination as destination_module
from orchestration.destinations.klaviyo.api import REVISION, Api
from orchestration.destinations.klaviyo.destination import KlaviyoDestination
from orchestration.fakes.faults import Fault
from orchestration.fakes.klaviyo import create
from tests.klaviyo_contract import operation, problems
from tests.orchestration.activation.shop import NOW
from tests.orchestration.destinations import klaviyo_checks as checks
from tests.orchestration.destinations.checking import DONE, deliver, settled
from tests.orchestration.destinations.defects import Defect, Patch, must_find, replaced
from tests.orchestration.destinations.klaviyo_checks import CHECKS, opened, profiles, row
from tests.orchestration.fakes.klaviyo_calls import Served
from tests.orchestration.fakes.served import emptied, server_of

server = server_of(create, Served)


@pytest.fixture
def shop(server: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The same server with an empty account."""
    shop = emptied(server, monkeypatch)
    shop.fake.has_throttles = False
    return shop


@CHECKS.each()
def test_it_does_what_it_must(shop: Served, check: Callable[[Served], None]) -> None:
    check(shop)


# What goes wrong in a defective destination, how it is planted, and which check must notice.


def _first_page_only(self: Api, path: str, query: Any) -> Iterator[Any]:
    yield from self._read(path, query)["data"]


def _unset_of_the_flag_alone(self: KlaviyoDestination, address: Any, segment: str) -> Any:
    kind, value = address
    unset = {"patch_properties": {"unset": [self._flag(segment)]}}
    return {"type": "profile", "attributes": {kind: value}, "meta": unset}


def _subscribes(patch: pytest.MonkeyPatch) -> None:
    begin = Api.begin_import

    def subscribing(self: Api, said: Any, list_id: str = "") -> Any:
        consent = {"email": {"marketing": {"consent": "SUBSCRIBED"}}}
        people = [
            {"type": "profile", "attributes": {**_identified(each), "subscriptions": consent}}
            for each in said
        ]
        kind = "profile-subscription-bulk-create-job"
        data = {"type": kind, "attributes": {"profiles": {"data": people}}}
        self._write("POST", f"/api/{kind}s", {"data": data})
        return begin(self, said, list_id)

    patch.setattr(Api, "begin_import", subscribing)


def _identified(said: Any) -> dict[str, Any]:
    return {"email": said["attributes"]["email"]}


def _believes_accepted(
    _: KlaviyoDestination, segment: str, ticket: str, rows: list[Row]
) -> list[Outcome]:
    return [Outcome(each.key, "delivered") for each in rows]


def _reads_once(patch: pytest.MonkeyPatch) -> None:
    look_up, read = Api.look_up, {}

    def remembered(self: Api, addresses: Any) -> Any:
        if "once" not in read:
            read["once"] = look_up(self, {("email", f"p{n}@example.com") for n in range(9)})
        return read["once"]

    patch.setattr(Api, "look_up", remembered)


def _skips_removals_of_the_refused(patch: pytest.MonkeyPatch) -> None:
    whole = KlaviyoDestination._may_have

    def part(self: Any, each: Row, known: Any, segment: str) -> bool:
        return whole(self, each, [p for p in known or () if not p.refusals], segment)

    patch.setattr(KlaviyoDestination, "_may_have", part)


def _keeps_the_old_address(patch: pytest.MonkeyPatch) -> None:
    def without(each: Row) -> Any:
        found = change(each)
        is_removal = each.operation == "removed"
        return destination_module._Change(each, found.sets, found.clears if is_removal else ())

    change = destination_module._change
    patch.setattr(destination_module, "_change", without)


def _asks_for_whatever(kind: str, value: object) -> Any:
    return (kind, str(value)) if value else None


def _creates_always(patch: pytest.MonkeyPatch) -> None:
    refusal = KlaviyoDestination._refusal

    def without(self: Any, change: Any, known: Any) -> str:
        said = refusal(self, change, known)
        return "" if said == "no_profile" else said

    patch.setattr(KlaviyoDestination, "_refusal", without)


def _of_email_alone(patch: pytest.MonkeyPatch) -> None:
    refusals = api_module._refusals
    patch.setattr(
        api_module, "_refusals", lambda said: (r for r in refusals(said) if r.channel == "email")
    )


DEFECTS: dict[str, tuple[Patch, str]] = {
    "page 2 of the errors is dropped": (
        replaced(Api, "_pages", _first_page_only),
        "errors_of_a_job_are_told_by_row_from_every_page",
    ),
    "page 2 of the withdrawals is dropped": (
        replaced(Api, "_pages", _first_page_only),
        "withdrawals_are_told_from_every_page",
    ),
    "a removal unsets the flag alone": (
        replaced(KlaviyoDestination, "_clear", _unset_of_the_flag_alone),
        "a_removal_unsets_all_of_the_segment_and_nothing_else",
    ),
    "the subscribe job is used to update": (_subscribes, "nobody_is_ever_subscribed"),
    "the subscriptions are not looked at": (
        replaced(api_module, "_refusals", lambda _: ()),
        "whoever_refused_there_gets_nothing_and_stays_refused",
    ),
    "the subscriptions are read once for all batches": (
        _reads_once,
        "subscriptions_are_read_again_before_each_batch",
    ),
    "only refusals of email are looked at": (_of_email_alone, "a_number_is_a_profile_for_sms"),
    "removals of whoever refused are skipped": (
        _skips_removals_of_the_refused,
        "whoever_refused_can_still_be_removed",
    ),
    "accepted is taken for done": (
        replaced(KlaviyoDestination, "ask", _believes_accepted),
        "a_job_that_did_nothing_is_no_success",
    ),
    "the errors of a job are not read": (
        replaced(Api, "import_errors", lambda *_: {}),
        "errors_of_a_job_are_told_by_row_from_every_page",
    ),
    "a job that is done later is not waited for": (
        replaced(Api, "open_jobs", lambda *_, **__: None),
        "a_removal_wins_over_an_add_that_is_done_later",
    ),
    "somebody who is being made counts as absent": (
        replaced(Api, "open_jobs", lambda *_, **__: None),
        "a_removal_of_somebody_who_is_being_made_waits",
    ),
    "whoever leaves stays on the list": (
        replaced(Api, "leave_list", lambda *_: None),
        "a_list_is_joined_and_left_and_consent_stays",
    ),
    "the old address keeps what it had": (
        _keeps_the_old_address,
        "with_a_new_address_the_old_profile_has_nothing_any_more",
    ),
    "another person's property is unset": (
        replaced(KlaviyoDestination, "_may_have", lambda *_: True),
        "what_another_person_has_at_an_address_stays",
    ),
    "profiles are made although nobody said so": (
        _creates_always,
        "nobody_gets_a_profile_unless_told",
    ),
    "a row is counted as its payload": (
        replaced(KlaviyoDestination, "size", lambda _, each: len(json.dumps(each.payload))),
        "no_body_is_larger_than_its_rows_say",
    ),
    "an erasure is taken for done": (
        replaced(
            KlaviyoDestination, "erase", lambda _, people: [Outcome(p.key, "delivered")
                                                            for p in people],
        ),
        "an_erasure_is_done_when_nothing_is_found",
    ),
    "any text is asked for": (
        replaced(
            destination_module,
            "sendable",
            _asks_for_whatever,
        ),
        "no_address_changes_the_meaning_of_a_question",
    ),
    "one wrong row refuses all": (
        replaced(api_module, "_refused_rows", lambda *_: dict.fromkeys(range(3), "invalid")),
        "a_row_that_klaviyo_names_holds_no_other_back",
    ),
}  # fmt: skip


@CHECKS.each_defect(DEFECTS)
def test_a_planted_defect_is_found(
    shop: Served, monkeypatch: pytest.MonkeyPatch, defect: Defect[Served]
) -> None:
    must_find(defect, shop, monkeypatch)


def test_every_body_has_klaviyos_shape(shop: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str, Any]] = []
    call = HttpClient.call

    def noted(client: HttpClient, method: str, path: str = "", **more: Any) -> Any:
        if more.get("content"):
            sent.append((method, path, json.loads(more["content"])))
        return call(client, method, path, **more)

    monkeypatch.setattr(HttpClient, "call", noted)
    checks.a_list_is_joined_and_left_and_consent_stays(shop)
    shop.fake.begin_anew(0)
    checks.an_erasure_is_done_when_nothing_is_found(shop)
    profiles(shop, 1, 2)
    shop.fake.account.upsert({"attributes": {"phone_number": "+447700900001"}})
    told = opened(shop).withdraw(
        {
            "a": Withdrawal("email", "p1@example.com", "email", "*", "unsubscribed", NOW),
            "b": Withdrawal("email", "p2@example.com", "email", "*", "manual", NOW),
            "c": Withdrawal("phone", "+447700900001", "sms", "*", "unsubscribed", NOW),
        }
    )
    assert {each.reason for each in told} == {"written"}
    assert {path.rpartition("/")[2] for _, path, _ in sent} == {
        "profile-bulk-import-jobs",
        "profiles",
        "data-privacy-deletion-jobs",
        "profile-subscription-bulk-delete-jobs",
        "profile-suppression-bulk-create-jobs",
    }
    for method, path, body in sent:
        assert problems(method, path.replace("NEWS01", "{id}"), body) == []


def test_every_question_is_one_that_klaviyo_allows(
    shop: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict[str, str]]] = []
    call = HttpClient.call

    def noted(client: HttpClient, method: str, path: str = "", **more: Any) -> Any:
        if method == "GET" and more.get("params"):
            asked.append((path, more["params"]))
        return call(client, method, path, **more)

    monkeypatch.setattr(HttpClient, "call", noted)
    for name in (
        "a_list_is_joined_and_left_and_consent_stays",
        "a_row_that_klaviyo_names_holds_no_other_back",
        "errors_of_a_job_are_told_by_row_from_every_page",
        "withdrawals_are_told_from_every_page",
        "an_erasure_is_done_when_nothing_is_found",
    ):
        shop.fake.begin_anew(0)
        shop.fake.has_throttles = False
        CHECKS[name](shop)
    paths = {_described(path) for path, _ in asked}
    assert len(paths) == 4
    for path, params in asked:
        described = operation("GET", _described(path))
        allowed = {each["name"]: each.get("schema", {}) for each in described["parameters"]}
        for name, value in params.items():
            schema = allowed[name]
            words = schema.get("items", schema).get("enum")
            assert words is None or set(value.split(",")) <= set(words), (path, name)
            assert name != "page[size]" or int(value) <= schema["maximum"]
        if "filter" in params:
            operator, _, rest = params["filter"].partition("(")
            known = described["x-klaviyo-filters"][rest.partition(",")[0]]["operators"]
            assert operator in {*known.get("list", ()), *known.get("single", ())}


def _described(path: str) -> str:
    """A path as Klaviyo's file has it."""
    parts = path.split("/")
    return "/".join("{id}" if before in _WITH_AN_ID else part
                    for before, part in zip(["", *parts], parts, strict=False))  # fmt: skip


_WITH_AN_ID = ("lists", "profile-bulk-import-jobs")


def test_a_throttle_is_waited_for_while_reading(shop: Served) -> None:
    """Of a batch that needs more reads than Klaviyo answers in a second."""
    profiles(shop, 1)
    seconds = [0.0]
    shop.fake.has_throttles = True
    shop.fake._throttles["profiles"] = Throttle(2, 750, lambda: seconds[0])
    destination = opened(shop)
    waits: list[float] = []

    def wait(pause: float) -> None:
        waits.append(pause)
        seconds[0] += pause

    destination._api._wait = wait
    outcomes = deliver(destination, *(row(n) for n in range(450)))
    assert len(outcomes) == 450
    assert waits == [1.0, 1.0]
    assert shop.fake.refused == {"throttle": 2}


def test_a_long_throttle_is_passed_on(shop: Served) -> None:
    shop.fake.faults.plan(Fault("429", wait=55))
    with pytest.raises(RetryLaterError) as caught:
        deliver(opened(shop), row(1))
    assert caught.value.wait_seconds == 55


@pytest.mark.parametrize("kind", ["lost_ack", "truncated", "html", "huge", "503", "429"])
def test_a_batch_that_is_sent_again_changes_nothing(shop: Served, kind: str) -> None:
    [one] = profiles(shop, 1)
    shop.fake.faults.plan(Fault(kind, where="POST", times=1, wait=1))
    destination = opened(shop)
    with pytest.raises(RetryLaterError):
        deliver(destination, row(1))
    assert settled(shop, destination, row(1)) == DONE
    assert one.properties["regulars_vip"] is True


def test_a_list_that_is_gone_is_a_sentence(shop: Served) -> None:
    profiles(shop, 1)
    with pytest.raises(RegularsError, match="404") as caught:
        deliver(opened(shop, lists={"vip": "NOLIST"}), row(1))
    assert "example" not in str(caught.value)


def test_a_key_that_lacks_a_right_is_named(shop: Served) -> None:
    shop.fake.scopes = frozenset({"lists:read"})
    with pytest.raises(RegularsError, match="may not") as caught:
        deliver(opened(shop), row(1))
    assert "KLAVIYO_API_KEY" in str(caught.value.hint)


def test_without_its_key_it_says_which(shop: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KLAVIYO_API_KEY")
    with pytest.raises(UsageError, match="KLAVIYO_API_KEY"):
        deliver(opened(shop), row(1))


def test_a_job_that_klaviyo_no_longer_knows_is_read_from_the_profiles(shop: Served) -> None:
    profiles(shop, 1, 2)
    destination = opened(shop)
    settled(shop, destination, row(1))
    told = destination.ask("vip", "0000", [row(1), row(2)])
    assert [each.status for each in told] == ["delivered", "retry"]


def test_errors_in_a_200_are_not_taken_for_nobody(
    shop: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpClient, "json", lambda *_, **__: {"errors": [{"status": 500}]})
    with pytest.raises(RetryLaterError, match="unreadable_answer"):
        deliver(opened(shop, create=True), row(1))


def test_a_page_that_repeats_is_not_read_for_ever(
    shop: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = {"data": [], "links": {"next": f"{shop.address}/api/profiles?page=2"}}
    monkeypatch.setattr(HttpClient, "json", lambda *_, **__: page)
    with pytest.raises(RetryLaterError, match="repeated_page"):
        deliver(opened(shop, create=True), row(1))


def test_it_stays_on_this_machine_only_with_a_fake(shop: Served) -> None:
    assert opened(shop).stays_in(Path())
    assert not opened(shop, base_url="https://a.klaviyo.com").stays_in(Path())


def test_the_revision_is_not_about_to_be_retired() -> None:
    """Each lives for two years; this fails half a year before."""
    age = datetime.now(UTC).date() - date.fromisoformat(REVISION)
    assert age.days < 548
