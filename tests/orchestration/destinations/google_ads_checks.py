"""What the destination `google_ads` must do, each as a function that fails where it does not.

They run twice (`test_google_ads`): on the destination as it is, and on one with a planted defect.
Each gets an empty account of the fake; the destination reaches it by its base address alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from orchestration.destinations.base import Identifiers, Outcome, Payload, Row
from orchestration.destinations.google_ads.destination import GoogleAdsDestination
from orchestration.fakes.faults import Fault
from orchestration.fakes.google import ACCOUNT, LIST, Google
from tests.orchestration.destinations.checking import (
    DONE,
    Checks,
    ask,
    deliver,
    intent,
    opened_as,
    settled,
)
from tests.orchestration.fakes import served

Served = served.Served[Google]
CHECKS = Checks[Served]()
check = CHECKS.add


def options_of(address: str, **more: Any) -> dict[str, Any]:
    """What the settings say to reach the fake."""
    base = {"base_url": address, "allow_private": True, "terms_accepted": True}
    return {**base, "operating_account": ACCOUNT, "lists": {"vip": LIST}, **more}


def opened(shop: Served, **options: Any) -> GoogleAdsDestination:
    """The destination as the settings would open it, with the fake's clock."""
    found = opened_as(GoogleAdsDestination, "google_ads", options_of(shop.address, **options))
    found._now = shop.clock
    return found


def row(number: int, operation: str = "added", previous: Payload | None = None, **said: Any) -> Row:
    """An intent for a person of a number, who gave both consents."""
    usual = {
        "phone": f"+4477009{number:05d}",
        "segment": "vip",
        "ads_consent": "granted",
        "personalised_ads_consent": "granted",
    }
    return intent(number, operation, previous, **{**usual, **said})


def sha(text: str) -> str:
    """The hash that Google compares."""
    return hashlib.sha256(text.encode()).hexdigest()


def of(*numbers: int) -> set[str]:
    """The hashes of people of these numbers."""
    emails = {sha(f"p{number}@example.com") for number in numbers}
    return emails | {sha(f"+4477009{number:05d}") for number in numbers}


def sent(shop: Served) -> list[Mapping[str, Any]]:
    """The members of every request, as they came."""
    return [member for job in shop.fake.jobs.values() for member in job.members]


@check
def a_member_is_hashes_in_googles_way(shop: Served) -> None:
    member = row(1, email="Ann.Berg+x@googlemail.com", first_name=" Ann", last_name="O'Neill")
    assert settled(shop, opened(shop), member) == DONE
    [said] = sent(shop)
    assert said["userData"]["userIdentifiers"] == [
        {"emailAddress": sha("annberg@googlemail.com")},
        {"phoneNumber": sha("+447700900001")},
    ]


@check
def a_name_goes_with_its_place_or_not_at_all(shop: Served) -> None:
    place = {"first_name": " Ann", "last_name": "O'Neill", "country_code": "gb"}
    rows = (row(1, **place, postal_code=" SW1A 1AA"), row(2, **place))
    assert settled(shop, opened(shop), *rows) == DONE * 2
    first, second = (each["userData"]["userIdentifiers"] for each in sent(shop))
    address = {"givenName": sha("ann"), "familyName": sha("o'neill")}
    assert first[2:] == [{"address": {**address, "regionCode": "GB", "postalCode": "SW1A 1AA"}}]
    assert len(second) == 2


@check
def what_is_not_known_is_left_out(shop: Served) -> None:
    rows = (row(1, phone=None), row(2, email=""), row(3, phone="07700 900003"))
    assert settled(shop, opened(shop), *rows) == DONE * 3
    kinds = [[*each] for m in sent(shop) for each in m["userData"]["userIdentifiers"]]
    assert kinds == [["emailAddress"], ["phoneNumber"], ["emailAddress"]]
    assert settled(shop, opened(shop), row(4, email=None, phone=" ")) == [
        ("rejected", "no_address")
    ]


@check
def only_what_was_granted_is_said_to_be(shop: Served) -> None:
    shop.fake.in_eea = False
    said = {
        1: ("granted", "granted"), 2: ("granted", None), 3: (None, "granted"), 4: (None, None),
        5: ("yes", "true"),
    }  # fmt: skip
    rows = [
        row(n, ads_consent=ads, personalised_ads_consent=personalised)
        for n, (ads, personalised) in said.items()
    ]
    without = row(6)
    bare = {"customer_id": "c6", "email": "p6@example.com"}
    rows.append(Row(without.key, "c6", 1, "added", bare))
    assert settled(shop, opened(shop), *rows) == DONE * 6
    both = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
    consents = {
        each["userData"]["userIdentifiers"][0]["emailAddress"]: each.get("consent") or {}
        for each in sent(shop)
    }
    assert [consents[sha(f"p{n}@example.com")] for n in range(1, 7)] == [
        both,
        {"adUserData": "CONSENT_GRANTED"},
        {"adPersonalization": "CONSENT_GRANTED"},
        {},
        {},
        {},
    ]


@check
def who_refused_ads_made_for_them_is_taken_out(shop: Served) -> None:
    destination = opened(shop)
    assert settled(shop, destination, row(1), row(2)) == DONE * 2
    refused = row(1, "updated", row(1).payload, personalised_ads_consent="denied")
    assert settled(shop, destination, refused, row(3, ads_consent="denied")) == DONE * 2
    assert shop.fake.of() == of(2)
    assert settled(shop, destination, row(1, "updated", refused.payload)) == DONE
    assert shop.fake.of() == of(1, 2)


@check
def who_lacks_a_consent_holds_no_other_back(shop: Served) -> None:
    """In the EEA Google leaves them out, and never says whom."""
    rows = (row(1), row(2, personalised_ads_consent=None), row(3))
    told = settled(shop, opened(shop), *rows)
    assert told == [*DONE, ("rejected", "unknown_consent"), *DONE]
    assert shop.fake.of() == of(1, 3)


@check
def exactly_the_right_people_are_there(shop: Served) -> None:
    destination = opened(shop)
    assert settled(shop, destination, *(row(n) for n in range(6))) == DONE * 6
    rows = (row(1, "removed", row(1).payload), row(2, "updated", row(2).payload), row(7))
    assert settled(shop, destination, *rows) == DONE * 3
    assert shop.fake.of() == of(0, 2, 3, 4, 5, 7)
    assert settled(shop, destination, row(1), row(7, "removed")) == DONE * 2
    assert shop.fake.of() == of(0, 1, 2, 3, 4, 5)


@check
def a_request_that_is_open_is_no_answer_yet(shop: Served) -> None:
    destination = opened(shop)
    outcomes = deliver(destination, row(1))
    assert outcomes["k1-added"].status == "accepted"
    assert ask(destination, outcomes, row(1)) == outcomes
    shop.later()
    assert ask(destination, outcomes, row(1))["k1-added"].status == "delivered"


@check
def a_request_that_failed_is_no_success(shop: Served) -> None:
    destination = opened(shop)
    outcomes = deliver(destination, row(1), row(2))
    [job] = shop.fake.jobs.values()
    shop.later()
    shop.fake.settle()
    job.errors["INTERNAL_ERROR"] = 2
    assert set(ask(destination, outcomes, row(1), row(2)).values()) == {
        Outcome("k1-added", "retry", "internal_error"),
        Outcome("k2-added", "retry", "internal_error"),
    }
    job.errors["INTERNAL_ERROR"] = 1  # of one of them, and nobody knows whose
    told = ask(destination, outcomes, row(1), row(2))
    assert {each.status for each in told.values()} == {"unknown"}


@check
def fewer_counted_than_sent_is_no_success(shop: Served) -> None:
    destination = opened(shop)
    outcomes = deliver(destination, row(1), row(2))
    [job] = shop.fake.jobs.values()
    job.members.pop()
    job.consents.pop()
    shop.later()
    told = ask(destination, outcomes, row(1), row(2))
    assert {(each.status, each.reason) for each in told.values()} == {("unknown", "not_received")}


@check
def a_request_that_is_not_known_is_waited_for(shop: Served) -> None:
    destination = opened(shop)
    outcomes = deliver(destination, row(1))
    shop.fake.jobs.clear()
    assert ask(destination, outcomes, row(1)) == outcomes


@check
def a_member_that_is_refused_holds_no_other_back(shop: Served) -> None:
    long = row(2, country_code="GB", postal_code="9" * 40, first_name="A", last_name="B")
    told = settled(shop, opened(shop), row(1), long, row(3))
    assert told == [*DONE, ("rejected", "invalid_postal_code"), *DONE]
    assert shop.fake.of() == of(1, 3)


@check
def with_a_new_address_the_old_one_goes(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1), row(2))
    moved = row(1, "updated", row(1).payload, email="new@example.com", phone=None)
    assert settled(shop, destination, moved) == DONE
    assert shop.fake.of() == of(2) | {sha("new@example.com")}


@check
def a_removal_waits_for_its_own_request(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1))
    moved = row(1, "updated", row(1).payload, email="new@example.com")
    outcomes = deliver(destination, moved)
    removal = next(job for job in shop.fake.jobs.values() if job.verb == "remove")
    removal.due += timedelta(hours=1)
    shop.later()
    assert ask(destination, outcomes, moved) == outcomes
    shop.later(7_200)
    assert ask(destination, outcomes, moved)[moved.key].status == "delivered"


@check
def a_removal_goes_by_all_that_was_sent(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1))
    now_known = {**row(1).payload, "email": None, "phone": None}
    gone = Row("k1-removed", "c1", 2, "removed", now_known, row(1).payload)
    assert settled(shop, destination, gone) == DONE
    assert shop.fake.of() == set()


@check
def an_address_that_somebody_joins_with_stays(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1))
    rows = (row(1, "removed"), row(2, email="p1@example.com"))
    assert settled(shop, destination, *rows) == DONE * 2
    assert shop.fake.of() == {sha("p1@example.com"), sha("+447700900002")}


@check
def a_list_that_is_not_there_takes_and_loses_nobody(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1))
    shop.fake.lists.clear()
    told = settled(shop, destination, row(1, "removed"), row(2))
    assert told == [("rejected", "list_not_found")] * 2


@check
def members_are_sent_again_before_they_are_dropped(shop: Served) -> None:
    destination = opened(shop)
    settled(shop, destination, row(1), row(2))
    wait = destination.renewed_after + destination.patience
    assert wait < timedelta(days=540 - 30)
    shop.later(wait.total_seconds())
    assert settled(shop, destination, row(1, "updated", row(1).payload)) == DONE
    shop.later(timedelta(days=100).total_seconds())
    assert shop.fake.of() == of(1)
    month = opened(shop, membership_days=30)
    assert month.renewed_after == timedelta(days=25)


@check
def an_erasure_takes_people_out_of_every_list(shop: Served) -> None:
    shop.fake.put("77", "regulars_loyal")
    destination = opened(shop, lists={"vip": LIST, "loyal": "77"}, settling_hours=0)
    settled(shop, destination, row(1), row(2))
    deliver(destination, row(1), row(2), segment="loyal", run=2)
    shop.later()
    person = Identifiers("who", {"email": ("p1@example.com",), "phone": ("+447700900001",)})
    nobody = Identifiers("nobody", {"login": ("x",)})
    said = destination.erase([person, nobody])
    assert [(each.status, each.reason) for each in said] == [
        ("accepted", "deletion_requested"),
        *DONE,
    ]
    asked = replace(person, ticket=said[0].ticket)
    assert destination.erase([asked])[0] == said[0]
    shop.later()
    assert destination.erase([asked])[0].status == "delivered"
    assert shop.fake.of() == shop.fake.of("77") == of(2)


@check
def an_erasure_wins_over_an_add_that_is_done_later(shop: Served) -> None:
    destination = opened(shop)
    deliver(destination, row(1), row(2))
    [job] = shop.fake.jobs.values()
    job.due += timedelta(hours=20)
    person = Identifiers("who", {"email": ("p1@example.com",), "phone": ("+447700900001",)})
    hours = 0
    while (said := destination.erase([person])[0]).status != "delivered":
        person = replace(person, ticket=said.ticket)
        shop.later(3600)
        hours += 1
        assert hours < 60
    assert hours > 47
    assert shop.fake.of() == of(2)


@check
def a_key_that_is_revoked_is_named(shop: Served) -> None:
    destination = opened(shop)
    assert settled(shop, destination, row(1)) == DONE
    shop.later(3_700)  # the token has ended; another is asked for
    assert settled(shop, destination, row(2)) == DONE
    assert shop.fake.calls["POST /token"] == 2


@check
def what_is_told_and_sent_has_no_address(shop: Served) -> None:
    shop.fake.faults.plan(Fault("404", where="ingest", times=1))
    outcomes = list(deliver(opened(shop), row(1), row(2, email=None, phone=None)).values())
    outcomes += deliver(opened(shop), row(1)).values()
    assert "example" not in json.dumps([(each.reason, each.ticket) for each in outcomes])
    assert "example" not in json.dumps(sent(shop))
