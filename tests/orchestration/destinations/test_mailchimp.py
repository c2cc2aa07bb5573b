"""The destination `mailchimp` against its fake, and planted defects that its checks find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion import config
from ingestion.errors import UsageError
from orchestration.destinations import mailchimp as module
from orchestration.destinations import open_destination
from orchestration.destinations.base import Batch, Identifiers, Outcome, RetryLaterError, Row
from orchestration.destinations.http import AccessRefusedError, HttpClient
from orchestration.destinations.mailchimp import MailchimpDestination
from orchestration.fakes.faults import Fault
from orchestration.fakes.mailchimp import LIST_ID, Mailchimp, create, hash_of
from orchestration.home.layout import Home
from tests.orchestration.destinations.checking import (
    DONE,
    Checks,
    email_of,
    intent,
    opened_as,
    people,
    told,
    with_old_address,
)
from tests.orchestration.destinations.defects import Defect, Patch, must_find, replaced
from tests.orchestration.fakes.served import Served, emptied, server_of

Shop = Served[Mailchimp]
server = server_of(create, Shop)


@pytest.fixture
def shop(server: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The same server with twenty members and no segments."""
    shop = emptied(server, monkeypatch)
    for number in range(20):
        shop.fake.put(email_of(number))
    return shop


def opened(shop: Shop, **options: Any) -> MailchimpDestination:
    said = {"base_url": shop.address, "list_id": LIST_ID, **options}
    return opened_as(MailchimpDestination, "mailchimp", said)


def row(number: int, operation: str = "added", was: str = "", **more: Any) -> Row:
    return with_old_address(intent(number, operation, **more), was)


CHECKS = Checks[Shop]()
check = CHECKS.add


@check
def exactly_the_right_people_are_in_each_segment(shop: Shop) -> None:
    destination = opened(shop)
    assert told(destination, row(1), row(2), row(3)) == DONE * 3
    assert told(destination, row(2), row(4), segment="loyal") == DONE * 2
    assert told(destination, row(2, "removed"), row(5), row(3, "updated")) == DONE * 3
    assert shop.fake.of("regulars_vip") == people(1, 3, 5)
    assert shop.fake.of("regulars_loyal") == people(2, 4)
    assert told(opened(shop), row(6)) == DONE
    assert len(shop.fake.segments) == 2


@check
def whoever_refused_there_gets_nothing_and_stays_refused(shop: Shop) -> None:
    said = {
        1: ("unsubscribed", "unsubscribed"),
        2: ("cleaned", "hard_bounce"),
        3: ("archived", "no_profile"),
        4: ("pending", "unconfirmed"),
    }
    for number, (status, _) in said.items():
        shop.fake.put(f"p{number}@example.com", status)
    assert told(opened(shop), *(row(n) for n in said), row(5)) == [
        *(("rejected", reason) for _, reason in said.values()),
        *DONE,
    ]
    assert shop.fake.of("regulars_vip") == people(5)
    held = {n: shop.fake.members[hash_of(f"p{n}@example.com")].status for n in said}
    assert held == {number: status for number, (status, _) in said.items()}


@check
def statuses_are_read_again_before_each_batch(shop: Shop) -> None:
    destination = opened(shop)
    assert told(destination, row(1)) == DONE
    shop.fake.put("p2@example.com", "unsubscribed")
    assert told(destination, row(2)) == [("rejected", "unsubscribed")]


@check
def nobody_is_added_to_the_list(shop: Shop) -> None:
    before = dict(shop.fake.members)
    assert told(opened(shop), row(50), row(1)) == [("rejected", "no_profile"), *DONE]
    assert told(opened(shop), row(50, "removed")) == DONE
    assert shop.fake.members == before


@check
def whoever_refused_can_still_be_removed(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1), row(2))
    shop.fake.put("p1@example.com", "unsubscribed")
    assert told(destination, row(1, "removed")) == DONE
    assert shop.fake.of("regulars_vip") == people(2)


@check
def what_it_leaves_out_without_a_word_is_no_success(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    shop.fake.is_idle = True
    failed = [("retry", "not_applied")] * 2
    assert told(destination, row(1, "removed"), row(2)) == failed


@check
def with_a_new_address_the_old_member_is_taken_out(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    moved = row(1, "updated", was="p1@example.com", email="p7@example.com")
    assert told(destination, moved) == DONE
    assert shop.fake.of("regulars_vip") == people(7)


@check
def an_address_that_went_over_to_another_person_stays(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    assert told(destination, row(1, "removed"), row(2, email="p1@example.com")) == DONE * 2
    assert shop.fake.of("regulars_vip") == people(1)


@check
def no_more_than_ten_calls_are_under_way(shop: Shop) -> None:
    shop.fake.seconds = 0.1
    assert told(opened(shop), *(row(number) for number in range(20))) == DONE * 20
    assert 1 < shop.fake.most_at_once <= 10


@check
def withdrawals_are_told_from_every_page(shop: Shop) -> None:
    shop.clock.move(3600)
    since = shop.clock().replace(tzinfo=None)
    shop.clock.move(60)
    for number in range(2_500):
        shop.fake.put(f"p{number}@example.com", "unsubscribed")
    shop.fake.put("p3@example.com", "cleaned")
    found = list(opened(shop).withdrawals_since(since))
    assert {each.identifier_value for each in found} == people(*range(2_500))
    assert {each.occurred_at for each in found} == {since + timedelta(seconds=60)}
    reasons = {each.identifier_value: each.reason for each in found}
    assert (reasons["p3@example.com"], reasons["p4@example.com"]) == ("hard_bounce", "unsubscribed")


@check
def an_erasure_is_for_good(shop: Shop) -> None:
    person = Identifiers("who", {"email": ("p1@example.com", "nobody@example.com")})
    assert [each.status for each in opened(shop).erase([person])] == ["delivered"]
    assert shop.fake.forgotten == {hash_of("p1@example.com")}
    assert len(shop.fake.members) == 19


@check
def a_removal_archives_and_deletes_nobody(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    told(destination, row(1, "removed"))
    assert {each.status for each in shop.fake.members.values()} == {"subscribed"}
    assert len(shop.fake.members) == 20


@CHECKS.each()
def test_it_does_what_it_must(shop: Shop, check: Callable[[Shop], None]) -> None:
    check(shop)


def _reads_once(patch: pytest.MonkeyPatch) -> None:
    read, known = MailchimpDestination._read, {}

    def remembered(self: Any, email: str) -> Any:
        if not known:
            known.update({each: read(self, each) for each in people(*range(9))})
        return known[email]

    patch.setattr(MailchimpDestination, "_read", remembered)


def _subscribes(patch: pytest.MonkeyPatch) -> None:
    look_up = MailchimpDestination._look_up

    def subscribing(self: Any, emails: Any) -> Any:
        members = [{"email_address": each, "status": "subscribed"} for each in emails]
        self._call("POST", "", json={"members": members, "update_existing": True})
        return look_up(self, emails)

    patch.setattr(MailchimpDestination, "_look_up", subscribing)


def _first_page_only(self: Any, path: str, name: str, query: Any) -> Iterator[Any]:
    asked = {**query, "count": "1000", "offset": "0"}
    yield from self._call("GET", path, params=asked).json()[name]


def _archives(patch: pytest.MonkeyPatch) -> None:
    change = MailchimpDestination._change

    def archiving(self: Any, tag: str, add: Any, remove: Any) -> Any:
        for email in remove:
            self._call("DELETE", self._member(email))
        return change(self, tag, add, [])

    patch.setattr(MailchimpDestination, "_change", archiving)


def _believes_200(patch: pytest.MonkeyPatch) -> None:
    change = MailchimpDestination._change_at_once

    def believing(self: Any, *arguments: Any) -> Any:
        change(self, *arguments)
        return {}

    patch.setattr(MailchimpDestination, "_change_at_once", believing)


def _skips_the_refused(patch: pytest.MonkeyPatch) -> None:
    deliver = MailchimpDestination.deliver

    def part(self: Any, batch: Batch) -> Any:
        known = self._look_up({each.payload["email"] for each in batch.rows})
        rows = [each for each in batch.rows if known[each.payload["email"]].status == "subscribed"]
        kept = deliver(self, replace(batch, rows=tuple(rows)))
        left = [each for each in batch.rows if each not in rows]
        return [*kept, *(Outcome(each.key, "delivered") for each in left)]

    patch.setattr(MailchimpDestination, "deliver", part)


DEFECTS: dict[str, tuple[Patch, str]] = {
    "segments are mixed": (
        replaced(MailchimpDestination, "_segment", lambda *_: 1),
        "exactly_the_right_people_are_in_each_segment",
    ),
    "statuses are not looked at": (
        replaced(module, "_REFUSALS", {}),
        "whoever_refused_there_gets_nothing_and_stays_refused",
    ),
    "statuses are read once for all batches": (
        _reads_once,
        "statuses_are_read_again_before_each_batch",
    ),
    "the batch call is used, which subscribes": (_subscribes, "nobody_is_added_to_the_list"),
    "the batch call lifts refusals": (
        _subscribes,
        "whoever_refused_there_gets_nothing_and_stays_refused",
    ),
    "removals of whoever refused are skipped": (
        _skips_the_refused,
        "whoever_refused_can_still_be_removed",
    ),
    "a 200 is believed": (_believes_200, "what_it_leaves_out_without_a_word_is_no_success"),
    "the old address stays": (
        replaced(
            module, "_leaves", lambda r: [r.payload["email"]] if r.operation == "removed" else []
        ),
        "with_a_new_address_the_old_member_is_taken_out",
    ),
    "page 2 is dropped": (
        replaced(MailchimpDestination, "_pages", _first_page_only),
        "withdrawals_are_told_from_every_page",
    ),
    "too many calls at once": (
        replaced(module, "AT_ONCE", 20),
        "no_more_than_ten_calls_are_under_way",
    ),
    "a removal archives": (_archives, "a_removal_archives_and_deletes_nobody"),
    "an erasure archives": (
        replaced(
            MailchimpDestination,
            "_erase",
            lambda self, person: (
                [
                    self._call("DELETE", self._member(each), accept=(404,))
                    for each in person.values["email"]
                ]
                and Outcome(person.key, "delivered")
            ),
        ),
        "an_erasure_is_for_good",
    ),
}


@CHECKS.each_defect(DEFECTS)
def test_a_planted_defect_is_found(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, defect: Defect[Shop]
) -> None:
    must_find(defect, shop, monkeypatch)


def test_a_403_without_a_word_is_a_throttle(shop: Shop) -> None:
    shop.fake.faults.plan(Fault("403", times=1))
    with pytest.raises(RetryLaterError, match="http_403"):
        told(opened(shop), row(1))


def test_a_403_with_words_is_a_refused_key(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    call = HttpClient.call

    def forbidden(client: HttpClient, method: str, path: str = "", **more: Any) -> Any:
        answer = call(client, method, path, **more)
        object.__setattr__(answer, "status", 403)
        return answer

    monkeypatch.setattr(HttpClient, "call", forbidden)
    with pytest.raises(AccessRefusedError, match="403"):
        told(opened(shop), row(1))


def test_a_segment_that_somebody_deleted_is_made_anew(shop: Shop) -> None:
    destination = opened(shop)
    told(destination, row(1))
    shop.fake.segments.clear()
    for member in shop.fake.members.values():
        member.segments.clear()
    with pytest.raises(RetryLaterError, match="segment_is_gone"):
        told(destination, row(1))
    assert told(destination, row(1)) == DONE
    assert shop.fake.of("regulars_vip") == people(1)


def test_the_server_is_the_ending_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILCHIMP_API_KEY", "0123456789abcdef-us21")
    settings = config.Destination(kind="mailchimp", options={"list_id": "a1b2c3"})
    destination = open_destination("mailchimp", settings, Home(Path("nowhere")))
    assert isinstance(destination, MailchimpDestination)
    assert destination._client.base_url == "https://us21.api.mailchimp.com"
    assert not destination.stays_in(Path())
    monkeypatch.setenv("MAILCHIMP_API_KEY", "0123456789abcdef")
    again = open_destination("mailchimp", settings, Home(Path("nowhere")))
    with pytest.raises(UsageError, match="does not end with its server"):
        told(again, row(1))
