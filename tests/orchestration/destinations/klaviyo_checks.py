"""What the destination `klaviyo` must do, each as a function that fails where it does not.

They run twice (`test_klaviyo`): on the destination as it is, and on one with a planted defect.
Each gets an empty account of the fake; the destination reaches it by its base address alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from orchestration.destinations.base import Identifiers, Outcome, Payload, Row
from orchestration.destinations.http import HttpClient
from orchestration.destinations.klaviyo.destination import KlaviyoDestination
from orchestration.fakes.klaviyo.account import Profile
from tests.orchestration.destinations.checking import (
    DONE,
    Checks,
    ask,
    deliver,
    intent,
    opened_as,
    settled,
)
from tests.orchestration.fakes.klaviyo_calls import Served

CHECKS = Checks[Served]()
check = CHECKS.add


def opened(shop: Served, **options: Any) -> KlaviyoDestination:
    """The destination as the settings would open it."""
    return opened_as(KlaviyoDestination, "klaviyo", {"base_url": shop.address, **options})


def row(number: int, operation: str = "added", previous: Payload | None = None, **said: Any) -> Row:
    """An intent for a person of a number."""
    usual = {"segment": "vip", "reason": "bought often", "context": '{"product": "boots"}'}
    version = 1 if operation == "added" else 2
    return intent(number, operation, previous, version=version, **{**usual, **said})


def profiles(shop: Served, *numbers: int, **properties: Any) -> list[Profile]:
    """Profiles that the shop has there already."""
    return [
        shop.fake.account.upsert(
            {"attributes": {"email": f"p{number}@example.com", "properties": properties}}
        )
        for number in numbers
    ]


def flagged(shop: Served, segment: str = "vip") -> set[str]:
    """Who has the property of a segment."""
    return {
        each.attributes.get("email") or each.attributes["phone_number"]
        for each in shop.fake.account.profiles.values()
        if f"regulars_{segment}" in each.properties
    }


@check
def a_member_gets_the_properties_and_keeps_the_shops_own(shop: Served) -> None:
    [one] = profiles(shop, 1, favourite="tea")
    assert settled(shop, opened(shop), row(1)) == DONE
    assert one.properties == {
        "favourite": "tea",
        "regulars_vip": True,
        "regulars_vip_customer_id": "c1",
        "regulars_vip_version": 1,
        "regulars_vip_reason": "bought often",
        "regulars_vip_context": {"product": "boots"},
    }


@check
def a_removal_unsets_all_of_the_segment_and_nothing_else(shop: Served) -> None:
    [one] = profiles(shop, 1, favourite="tea", regulars_loyal=True)
    destination = opened(shop)
    settled(shop, destination, row(1))
    assert settled(shop, destination, row(1, "removed")) == DONE
    assert one.properties == {"favourite": "tea", "regulars_loyal": True}


@check
def an_update_replaces_what_has_changed(shop: Served) -> None:
    [one] = profiles(shop, 1)
    destination = opened(shop)
    settled(shop, destination, row(1))
    assert settled(shop, destination, row(1, "updated", reason="", context="{}")) == DONE
    assert one.properties == {
        "regulars_vip": True,
        "regulars_vip_customer_id": "c1",
        "regulars_vip_version": 2,
    }


@check
def nobody_gets_a_profile_unless_told(shop: Served) -> None:
    destination = opened(shop)
    assert settled(shop, destination, row(1), row(2)) == [("rejected", "no_profile")] * 2
    assert shop.fake.account.profiles == {}
    profiles(shop, 1)
    creating = opened(shop, create=True)
    made = (destination.makes_profiles_of, creating.makes_profiles_of)
    assert made == ("", "klaviyo_profile_id")
    assert settled(shop, creating, row(2)) == DONE
    assert shop.fake.state()["billed"] == 2


@check
def whoever_refused_there_gets_nothing_and_stays_refused(shop: Served) -> None:
    said = {
        1: ("UNSUBSCRIBE", "unsubscribed"),
        2: ("SPAM_COMPLAINT", "spam_report"),
        3: ("HARD_BOUNCE", "hard_bounce"),
        4: ("USER_SUPPRESSED", "manual"),
    }
    people = profiles(shop, *said)
    for number, (reason, _) in said.items():
        shop.fake.account.suppress([f"p{number}@example.com"], reason)
    destination = opened(shop, lists={"vip": "NEWS01"}, create=True)
    told = settled(shop, destination, *(row(number) for number in said))
    assert told == [("rejected", word) for _, word in said.values()]
    assert flagged(shop) == set()
    held = [list(each.email.suppressions) for each in people]
    assert held == [[reason] for reason, _ in said.values()]


@check
def subscriptions_are_read_again_before_each_batch(shop: Served) -> None:
    profiles(shop, 1, 2)
    destination = opened(shop)
    assert settled(shop, destination, row(1)) == DONE
    shop.fake.account.unsubscribe([{"attributes": {"email": "p2@example.com"}}], "")
    assert settled(shop, destination, row(2)) == [("rejected", "unsubscribed")]


@check
def nobody_is_ever_subscribed(shop: Served) -> None:
    people = profiles(shop, 1, 2)
    destination = opened(shop, lists={"vip": "NEWS01"})
    settled(shop, destination, row(1), row(2))
    settled(shop, destination, row(1, "updated"), row(2, "removed"))
    assert {each.email.consent for each in people} == {"NEVER_SUBSCRIBED"}
    assert shop.fake.calls["subscribe"] == 0


@check
def whoever_refused_can_still_be_removed(shop: Served) -> None:
    profiles(shop, 1)
    destination = opened(shop)
    settled(shop, destination, row(1))
    shop.fake.account.suppress(["p1@example.com"])
    assert settled(shop, destination, row(1, "removed")) == DONE
    assert flagged(shop) == set()


@check
def an_open_job_is_no_answer_yet(shop: Served) -> None:
    profiles(shop, 1)
    destination = opened(shop)
    outcomes = deliver(destination, row(1))
    assert outcomes["k1-added"].status == "accepted"
    assert flagged(shop) == set()
    assert ask(destination, outcomes, row(1)) == outcomes
    shop.later()
    assert ask(destination, outcomes, row(1))["k1-added"].status == "delivered"


@check
def errors_of_a_job_are_told_by_row_from_every_page(shop: Served) -> None:
    wrong = [row(n, email=f"p{n}@nowhere") for n in range(130)]
    destination = opened(shop, create=True)
    told = settled(shop, destination, *wrong, row(500))
    assert told == [("rejected", "invalid")] * 130 + DONE
    assert flagged(shop) == {"p500@example.com"}


@check
def a_job_that_did_nothing_is_no_success(shop: Served) -> None:
    profiles(shop, 1)
    destination = opened(shop)
    settled(shop, destination, row(1))
    shop.fake.account.is_idle = True
    profiles(shop, 2)
    rows = (row(2), row(1, "updated", reason="something else"))
    assert settled(shop, destination, *rows) == [("retry", "not_applied")] * 2
    assert settled(shop, destination, row(1, "removed")) == [("retry", "not_applied")]


@check
def a_removal_wins_over_an_add_that_is_done_later(shop: Served) -> None:
    """The outbox's part is played here: whatever is to be tried again is sent again."""
    for seed in range(12):
        shop.fake.begin_anew(seed)
        shop.fake.has_throttles = False
        profiles(shop, 1)
        destination = opened(shop)
        deliver(destination, row(1))
        removal = row(1, "removed")
        told = deliver(destination, removal)
        for _ in range(40):
            shop.clock.move(0.02)
            told = ask(destination, told, removal)
            if told[removal.key].status == "retry":
                told = deliver(destination, removal)
            if told[removal.key].status == "delivered":
                break
        shop.later()
        assert told[removal.key].status == "delivered"
        assert flagged(shop) == set(), seed


@check
def a_removal_of_somebody_who_is_being_made_waits(shop: Served) -> None:
    destination = opened(shop, create=True)
    deliver(destination, row(1))
    removal = row(1, "removed")
    told = deliver(destination, removal)
    assert told[removal.key].status == "accepted"
    assert ask(destination, told, removal) == told
    shop.later()
    assert ask(destination, told, removal)[removal.key].status == "retry"
    assert settled(shop, destination, removal) == DONE
    assert flagged(shop) == set()


@check
def a_list_is_joined_and_left_and_consent_stays(shop: Served) -> None:
    one, two = profiles(shop, 1, 2)
    two.email.consent = "SUBSCRIBED"
    destination = opened(shop, lists={"vip": "NEWS01"})
    assert "added to list" in destination.preview("vip")
    assert settled(shop, destination, row(1), row(2)) == DONE * 2
    assert shop.fake.account.flows == {"added_to_list": 2}
    assert settled(shop, destination, row(2, "removed"), row(1, "updated")) == DONE * 2
    assert (list(one.lists), list(two.lists)) == (["NEWS01"], [])
    assert two.email.consent == "SUBSCRIBED"
    assert flagged(shop) == {"p1@example.com"}


@check
def with_a_new_address_the_old_profile_has_nothing_any_more(shop: Served) -> None:
    profiles(shop, 1, 2)
    destination = opened(shop, lists={"vip": "NEWS01"})
    settled(shop, destination, row(1))
    moved = row(1, "updated", row(1).payload, email="p2@example.com")
    assert settled(shop, destination, moved) == DONE
    assert flagged(shop) == {"p2@example.com"}
    assert shop.fake.state()["lists"] == {"Newsletter": 1}


@check
def what_another_person_has_at_an_address_stays(shop: Served) -> None:
    profiles(shop, 1)
    destination = opened(shop)
    settled(shop, destination, row(1))
    now = row(2, email="p1@example.com")
    assert settled(shop, destination, now) == DONE
    assert settled(shop, destination, row(1, "removed")) == DONE
    assert flagged(shop) == {"p1@example.com"}


@check
def a_number_is_a_profile_for_sms(shop: Served) -> None:
    account = shop.fake.account
    for end in (1, 2):
        account.upsert({"attributes": {"phone_number": f"+44770090000{end}"}})
    texts = {"attributes": {"phone_number": "+447700900002", "subscriptions": {"sms": {}}}}
    account.unsubscribe([texts], "")
    rows = [row(end, email=None, phone=f"+44770090000{end}") for end in (1, 2)]
    told = settled(shop, opened(shop), *rows)
    assert told == [*DONE, ("rejected", "unsubscribed")]
    assert flagged(shop) == {"+447700900001"}


@check
def withdrawals_are_told_from_every_page(shop: Served) -> None:
    profiles(shop, *range(130))
    shop.clock.move(3600)
    since = shop.clock().replace(tzinfo=None)
    shop.clock.move(60)
    shop.fake.account.suppress([f"p{n}@example.com" for n in range(130)], "SPAM_COMPLAINT")
    told = list(opened(shop).withdrawals_since(since))
    assert {each.identifier_value for each in told} == {f"p{n}@example.com" for n in range(130)}
    assert len(told) == 130
    assert {(w.identifier_type, w.channel, w.purpose, w.reason) for w in told} == {
        ("email", "email", "*", "spam_report")
    }
    assert {each.occurred_at for each in told} == {since + timedelta(seconds=60)}


@check
def an_erasure_is_done_when_nothing_is_found(shop: Served) -> None:
    [one] = profiles(shop, 1)
    shop.fake.account.upsert({"attributes": {"phone_number": "+447700900001"}})
    person = Identifiers(
        "who", {"email": ("p1@example.com",), "phone": ("+447700900001",),
                "klaviyo_profile_id": (one.id, "gone")}
    )  # fmt: skip
    destination = opened(shop)

    def erased() -> list[tuple[str, str]]:
        return [(each.status, each.reason) for each in destination.erase([person])]

    assert erased() == [("accepted", "deletion_requested")]
    assert len(shop.fake.account.profiles) == 2
    shop.later()
    assert erased() == DONE
    assert shop.fake.account.profiles == {}


@check
def no_body_is_larger_than_its_rows_say(shop: Served) -> None:
    """Sizes are added up by the sync, which cuts batches by them."""
    rows = [row(n, reason="é" * n) for n in range(20)]
    rows += [row(n, "removed", row(n).payload) for n in range(20, 30)]
    rows += [row(n, "updated", row(n + 30).payload) for n in range(30, 40)]
    profiles(shop, *range(80))
    destination = opened(shop)
    sent: list[int] = []
    call = HttpClient.call

    def counted(client: HttpClient, method: str, path: str = "", **more: Any) -> Any:
        if method == "POST":
            sent.append(len(more["content"]))
        return call(client, method, path, **more)

    HttpClient.call = counted  # type: ignore[method-assign]
    try:
        deliver(destination, *rows)
    finally:
        HttpClient.call = call  # type: ignore[method-assign]
    said = sum(destination.size(each) for each in rows)
    assert said <= sum(sent) <= said + 1_000


@check
def no_address_changes_the_meaning_of_a_question(shop: Served) -> None:
    profiles(shop, 1)
    hostile = ('"]),equals(id,"x', "a b@example.com", "a'@example.com", "(x)@example.com")
    rows = [row(n, email=text) for n, text in enumerate(hostile, start=2)]
    destination = opened(shop, create=True)
    assert settled(shop, destination, *rows) == [("rejected", "no_address")] * len(hostile)
    assert shop.fake.refused == {}
    assert shop.fake.calls["profiles"] == 0


@check
def a_row_that_klaviyo_names_holds_no_other_back(shop: Served) -> None:
    profiles(shop, 1, 2, 3)
    large = row(2, reason="x" * 100_000)
    told = settled(shop, opened(shop), row(1), large, row(3))
    assert told == [*DONE, ("rejected", "invalid"), *DONE]


@check
def what_is_told_has_no_address(shop: Served) -> None:
    profiles(shop, 1)
    outcomes: Sequence[Outcome] = list(
        deliver(opened(shop, create=True), row(1), row(2, email="p2@nowhere")).values()
    )
    assert "example" not in json.dumps([(each.reason, each.ticket) for each in outcomes])
