"""What the destination `sendgrid` must do, each as a function that fails where it does not.

They run twice (`test_sendgrid`): on the destination as it is, and on one with a planted defect.
Each gets an account of the fake with contacts p0 to p9; the destination reaches it by its base
address alone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ingestion.errors import UsageError
from orchestration.destinations.base import Identifiers, Payload, RetryLaterError, Row
from orchestration.destinations.sendgrid.destination import SendGridDestination
from orchestration.fakes.sendgrid import GROUP, SendGrid
from tests.orchestration.destinations.checking import (
    DONE,
    Checks,
    ask,
    deliver,
    email_of,
    intent,
    opened_as,
    people,
    settled,
)
from tests.orchestration.fakes import served

LIST = "regulars_vip"
Served = served.Served[SendGrid]
CHECKS = Checks[Served]()
check = CHECKS.add


def with_contacts(shop: Served) -> Served:
    """The same account with ten contacts."""
    for number in range(10):
        shop.fake.put(email_of(number))
    return shop


def opened(shop: Served, **options: Any) -> SendGridDestination:
    """The destination as the settings would open it, with the fake's clock."""
    found = opened_as(SendGridDestination, "sendgrid", {"base_url": shop.address, **options})
    found._now = found._api._now = shop.clock
    return found


def row(number: int, operation: str = "added", previous: Payload | None = None, **said: Any) -> Row:
    """An intent for a person of a number."""
    usual = {"first_name": "Zoë", "segment": "vip", "reason": "because"}
    return intent(number, operation, previous, **{**usual, **said})


@check
def members_are_on_the_list_of_their_segment(shop: Served) -> None:
    destination = opened(shop)
    assert settled(shop, destination, row(1), row(2)) == DONE * 2
    assert shop.fake.of(LIST) == people(1, 2)
    assert all(not each.reserved_fields for each in shop.fake.contacts.values())
    assert settled(shop, destination, row(3)) == DONE
    assert [*shop.fake.lists.values()] == [LIST]


@check
def exactly_the_right_people_are_there(shop: Served) -> None:
    destination = opened(shop)
    assert settled(shop, destination, *(row(n) for n in range(6))) == DONE * 6
    rows = (row(1, "removed", row(1).payload), row(2, "updated", row(2).payload), row(7))
    assert settled(shop, destination, *rows) == DONE * 3
    assert settled(shop, destination, row(1), row(7, "removed")) == DONE * 2
    assert shop.fake.of(LIST) == people(0, 1, 2, 3, 4, 5)
    assert len(shop.fake.contacts) == 10


@check
def nobody_becomes_a_contact_unless_told(shop: Served) -> None:
    assert settled(shop, opened(shop), row(77), row(1)) == [("rejected", "no_profile"), *DONE]
    assert len(shop.fake.contacts) == 10
    assert settled(shop, opened(shop, create=True), row(77)) == DONE
    assert shop.fake.of(LIST) == people(1, 77)


@check
def whoever_is_suppressed_stays_off(shop: Served) -> None:
    for number, kind in enumerate(("unsubscribes", "spam_reports", "bounces", "invalid_emails")):
        shop.fake.suppress(f"P{number}@example.com", kind)
    told = settled(shop, opened(shop), *(row(n) for n in range(5)))
    assert told == [
        ("rejected", "unsubscribed"),
        ("rejected", "spam_report"),
        ("rejected", "hard_bounce"),
        ("rejected", "hard_bounce"),
        *DONE,
    ]
    assert shop.fake.of(LIST) == people(4)


@check
def who_is_suppressed_between_two_batches_is_seen(shop: Served) -> None:
    destination = opened(shop, suppression_groups=[GROUP])
    assert settled(shop, destination, row(1)) == DONE
    shop.fake.suppress("p2@example.com")
    shop.fake.suppress("p3@example.com", group=GROUP)
    refused = [("rejected", "unsubscribed")] * 2
    assert settled(shop, destination, row(2), row(3), row(4)) == [*refused, *DONE]
    assert settled(shop, opened(shop), row(3)) == DONE  # another group's mail is not meant


@check
def every_page_of_suppressions_is_read(shop: Served) -> None:
    for number in range(700):
        shop.fake.suppress(f"other{number}@example.com")
    shop.fake.suppress("p1@example.com")
    assert settled(shop, opened(shop), row(1)) == [("rejected", "unsubscribed")]


@check
def withdrawals_are_told(shop: Served) -> None:
    shop.fake.suppress("old@example.com")
    shop.later(3_600)
    since = shop.clock.at.replace(tzinfo=None)
    shop.fake.suppress("p1@example.com", "spam_reports")
    shop.fake.suppress("p2@example.com", group=GROUP)
    destination = opened(shop, suppression_groups=[GROUP])
    told = [(w.identifier_value, w.purpose, w.reason, w.occurred_at >= since)
            for w in destination.withdrawals_since(since)]  # fmt: skip
    assert told == [
        ("p1@example.com", "*", "spam_report", True),
        ("p2@example.com", "marketing", "unsubscribed", True),
    ]


@check
def a_job_that_is_open_is_no_answer_yet(shop: Served) -> None:
    destination = opened(shop)
    outcomes = deliver(destination, row(1))
    assert outcomes["k1-added"].status == "accepted"
    assert ask(destination, outcomes, row(1)) == outcomes
    shop.later()
    assert ask(destination, outcomes, row(1))["k1-added"].status == "delivered"


@check
def a_success_that_did_nothing_is_none(shop: Served) -> None:
    shop.fake.is_idle = True
    assert settled(shop, opened(shop), row(1), row(2, "removed")) == [
        ("retry", "not_applied"),
        *DONE,
    ]
    shop.fake.is_idle = False
    settled(shop, opened(shop), row(1))
    shop.fake.is_idle = True
    assert settled(shop, opened(shop), row(1, "removed")) == [("retry", "not_applied")]


@check
def a_contact_keeps_its_other_identifiers(shop: Served) -> None:
    """Without them SendGrid does not update it."""
    shop.fake.put("p1@example.com", external_id="crm-1", alternate_emails=["ann@example.com"])
    assert settled(shop, opened(shop), row(1)) == DONE
    again = row(1, "updated", row(1).payload, email="Ann@example.com")
    assert settled(shop, opened(shop), again) == DONE
    assert shop.fake.of(LIST) == people(1)
    assert len(shop.fake.contacts) == 10


@check
def a_job_with_errors_is_read_back(shop: Served) -> None:
    destination = opened(shop)
    outcomes = deliver(destination, row(1), row(2))
    shop.fake.put("p2@example.com", external_id="meanwhile")
    shop.later()
    told = ask(destination, outcomes, row(1), row(2))
    assert told["k1-added"].status == "delivered"
    assert (told["k2-added"].status, told["k2-added"].reason) == ("rejected", "import_error")


@check
def fields_are_named_and_must_be_there(shop: Served) -> None:
    options = {"fields": {"reason": "regulars_{segment}_reason"}, "columns": ["first_name"]}
    destination = opened(shop, **options)
    with pytest.raises(UsageError, match="regulars_vip_reason"):
        deliver(destination, row(1))
    field = shop.fake.put_field("regulars_vip_reason")
    assert settled(shop, destination, row(1), row(2, reason=None, first_name="x" * 70)) == DONE * 2
    by_email = {each.email: each for each in shop.fake.contacts.values()}
    assert by_email["p1@example.com"].fields == {field: "because"}
    assert by_email["p1@example.com"].reserved_fields["first_name"] == "Zoë"
    assert by_email["p2@example.com"].reserved_fields["first_name"] == "x" * 50
    shop.fake.fields[field] = "renamed"
    with pytest.raises(UsageError, match="regulars_vip_reason"):
        deliver(destination, row(3))


@check
def an_update_is_believed_when_it_is_there(shop: Served) -> None:
    shop.fake.put_field("why")
    destination = opened(shop, fields={"reason": "why"})
    assert settled(shop, destination, row(1)) == DONE
    shop.fake.is_idle = True
    assert settled(shop, destination, row(1, "updated", reason="else")) == [
        ("retry", "not_applied")
    ]


@check
def one_wrong_contact_holds_no_other_back(shop: Served) -> None:
    rows = (
        row(1),
        row(2, email="b ad@example.com"),
        row(3, email="x" * 120 + "@example.com"),
        row(4),
    )
    told = settled(shop, opened(shop, create=True), *rows, row(5, email=None))
    wrong = ("rejected", "invalid_address")
    assert told == [*DONE, wrong, wrong, *DONE, ("rejected", "no_address")]
    assert shop.fake.of(LIST) == people(1, 4)


@check
def a_contact_that_is_refused_holds_no_other_back(shop: Served) -> None:
    destination = opened(shop)
    whole = SendGridDestination._contact

    def spoilt(self: Any, email: str, *rest: Any) -> Any:
        contact = whole(self, email, *rest)
        return contact | ({"city": "x" * 61} if email.startswith("p2") else {})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SendGridDestination, "_contact", spoilt)
        told = settled(shop, destination, row(1), row(2), row(3))
    assert told == [*DONE, ("rejected", "invalid_contact"), *DONE]


@check
def with_a_new_address_the_old_one_goes(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1), row(2))
    moved = row(1, "updated", row(1).payload, email="p7@example.com")
    assert settled(shop, destination, moved) == DONE
    assert shop.fake.of(LIST) == people(2, 7)
    lost = row(1, "updated", moved.payload, email="nobody@example.com")
    assert settled(shop, destination, lost) == [("rejected", "no_profile")]
    assert shop.fake.of(LIST) == people(2)


@check
def an_address_that_somebody_joins_with_stays(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1))
    rows = (row(1, "removed"), row(2, email="p1@example.com"))
    assert settled(shop, destination, *rows) == DONE * 2
    assert shop.fake.of(LIST) == people(1)


@check
def a_list_is_found_on_every_page(shop: Served) -> None:
    for number in range(1_050):
        shop.fake.put_list(f"other {number}")
    own = shop.fake.put_list(LIST)
    assert settled(shop, opened(shop), row(1)) == DONE
    assert len(shop.fake.lists) == 1_051
    assert own in shop.fake._by_email("p1@example.com").lists  # type: ignore[union-attr]


@check
def a_list_that_was_deleted_is_made_anew_or_told(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1))
    shop.fake.lists.clear()
    with pytest.raises(RetryLaterError):
        deliver(destination, row(2))
    assert settled(shop, destination, row(2)) == DONE
    [list_id] = shop.fake.lists
    named = opened(shop, lists={"vip": list_id})
    shop.fake.lists.clear()
    told = settled(shop, named, row(2, "removed"), row(3))
    assert told == [*DONE, ("rejected", "list_not_found")]


@check
def an_erasure_deletes_the_contact(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1), row(2))
    shop.fake.suppress("p1@example.com")
    person = Identifiers("who", {"email": ("p1@example.com", "other@example.com")})
    hours = 0
    while (said := destination.erase([person])[0]).status != "delivered":
        assert (said.status, said.reason) == ("accepted", "deletion_requested")
        person = replace(person, ticket=said.ticket)
        shop.later(3_600)
        if hours == 5:  # a job that was under way makes the contact anew
            shop.fake.put("p1@example.com")
        hours += 1
        assert hours < 40
    assert hours >= 24
    assert shop.fake._by_email("p1@example.com") is None
    assert shop.fake.of(LIST) == people(2)
    assert shop.fake.suppressed["unsubscribes"]  # a refusal outlives an erasure


@check
def a_throttle_says_its_moment(shop: Served) -> None:
    from orchestration.fakes.faults import Fault

    shop.fake.faults.plan(Fault("429", times=1, wait=42))
    with pytest.raises(RetryLaterError) as caught:
        deliver(opened(shop), row(1))
    assert (caught.value.reason, caught.value.wait_seconds) == ("http_429", 42)


@check
def a_body_has_six_megabytes_at_most(shop: Served) -> None:
    shop.fake.put_field("why")
    destination = opened(shop, create=True, fields={"reason": "why"})
    rows = [row(n, reason="😀" * 1_000) for n in range(1_600)]
    told = deliver(destination, *rows)
    assert {each.status for each in told.values()} == {"accepted"}
    assert shop.fake.refused.keys() <= {"nobody"}
    assert shop.fake.calls["PUT /v3/marketing/contacts"] == 2
    assert destination.size(rows[0]) > 4_000


@check
def what_is_told_has_no_address(shop: Served) -> None:
    outcomes = deliver(opened(shop), row(1), row(88)).values()
    assert "example" not in json.dumps([(each.reason, each.ticket) for each in outcomes])
    assert timedelta(0) < opened(shop).patience
