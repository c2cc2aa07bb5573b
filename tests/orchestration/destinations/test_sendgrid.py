"""The destination `sendgrid` against its fake, and planted defects that its checks find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import UsageError
from orchestration.destinations.base import Outcome, RetryLaterError
from orchestration.destinations.http import AccessRefusedError
from orchestration.destinations.sendgrid import api as api_module
from orchestration.destinations.sendgrid import destination as module
from orchestration.destinations.sendgrid.api import Api
from orchestration.destinations.sendgrid.destination import SendGridDestination
from orchestration.fakes.faults import Fault
from orchestration.fakes.sendgrid import create
from tests.orchestration.destinations import sendgrid_checks as checks
from tests.orchestration.destinations.checking import DONE, ask, deliver, people, settled
from tests.orchestration.destinations.defects import Defect, Patch, must_find, replaced
from tests.orchestration.destinations.sendgrid_checks import CHECKS, Served, opened, row
from tests.orchestration.fakes.served import emptied, server_of

server = server_of(create, Served)


@pytest.fixture
def shop(server: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The same server with ten contacts."""
    return checks.with_contacts(emptied(server, monkeypatch))


@CHECKS.each()
def test_it_does_what_it_must(shop: Served, check: Callable[[Served], None]) -> None:
    check(shop)


# What goes wrong in a defective destination, how it is planted, and which check must notice.


def _first_page_of_lists(self: Api) -> dict[str, str]:
    page = self._json("GET", "/v3/marketing/lists", params={"page_size": "1000"})
    return {each["name"]: each["id"] for each in page["result"]}


def _first_page_of_suppressions(self: Api, kind: str, _: int) -> Any:
    return self._json("GET", f"/v3/suppression/{kind}", params={"limit": "500"})


def _believes_accepted(_: Any, __: str, ___: str, rows: Any) -> list[Outcome]:
    return [Outcome(each.key, "delivered") for each in rows]


refusals, search, leaves = Api.refusals, Api._search, module._leaves
DEFECTS: dict[str, tuple[Patch, str]] = {
    "suppressions are not read": (
        replaced(SendGridDestination, "_read_refusals", lambda _: None),
        "whoever_is_suppressed_stays_off",
    ),
    "only unsubscribes are read": (
        replaced(api_module, "_SUPPRESSIONS", {"unsubscribes": "unsubscribed"}),
        "whoever_is_suppressed_stays_off",
    ),
    "suppressions are read once": (
        replaced(
            Api,
            "refusals",
            lambda self, since, groups: [] if since else refusals(self, since, groups),
        ),
        "who_is_suppressed_between_two_batches_is_seen",
    ),
    "groups are not looked at": (
        replaced(Api, "refusals", lambda self, since, _: refusals(self, since, ())),
        "withdrawals_are_told",
    ),
    "page 2 of suppressions is dropped": (
        replaced(Api, "_suppressed", _first_page_of_suppressions),
        "every_page_of_suppressions_is_read",
    ),
    "page 2 of lists is dropped": (
        replaced(Api, "lists", _first_page_of_lists),
        "a_list_is_found_on_every_page",
    ),
    "everybody becomes a contact": (
        replaced(SendGridDestination, "_refusal", lambda *_: ""),
        "nobody_becomes_a_contact_unless_told",
    ),
    "removals are skipped": (
        replaced(SendGridDestination, "_leave", lambda *_: {}),
        "exactly_the_right_people_are_there",
    ),
    "a removal deletes the contact": (
        replaced(Api, "leave", lambda self, _, ids: self.delete(ids) or ["x"]),
        "exactly_the_right_people_are_there",
    ),
    "accepted is taken for done": (
        replaced(SendGridDestination, "ask", _believes_accepted),
        "a_job_that_is_open_is_no_answer_yet",
    ),
    "a job that is done is believed": (
        replaced(
            SendGridDestination, "_verdict", lambda _, each, *__: Outcome(each.row.key, "delivered")
        ),
        "a_success_that_did_nothing_is_none",
    ),
    "fields are not read back": (
        replaced(
            SendGridDestination, "_has", lambda _, __, place, it, ___: place.list_id in it.lists
        ),
        "an_update_is_believed_when_it_is_there",
    ),
    "other identifiers are left out": (
        replaced(api_module, "_OTHER_IDENTIFIERS", ()),
        "a_contact_keeps_its_other_identifiers",
    ),
    "a field is sent by its name": (
        replaced(Api, "custom_fields", lambda _: {"regulars_vip_reason": "regulars_vip_reason"}),
        "fields_are_named_and_must_be_there",
    ),
    "values are not cut": (
        replaced(module, "RESERVED", {"first_name": 999}),
        "fields_are_named_and_must_be_there",
    ),
    "a wrong address refuses all": (
        replaced(
            Api,
            "_search",
            lambda self, emails: (
                search(self, emails) if all("b ad" not in e for e in emails) else {}
            ),
        ),
        "one_wrong_contact_holds_no_other_back",
    ),
    "the old address stays": (
        replaced(
            module,
            "_leaves",
            lambda each, stays: () if each.operation == "updated" else leaves(each, stays),
        ),
        "with_a_new_address_the_old_one_goes",
    ),
    "an address that stays is taken off": (
        replaced(module, "_staying", lambda *_: set()),
        "an_address_that_somebody_joins_with_stays",
    ),
    "a list that is not there is a yes": (
        replaced(
            SendGridDestination,
            "_without_list",
            lambda _, __, ___, changes: [Outcome(c.row.key, "delivered") for c in changes],
        ),
        "a_list_that_was_deleted_is_made_anew_or_told",
    ),
    "an erasure is confirmed at once": (
        replaced(module, "timedelta", lambda **_: checks.timedelta(0)),
        "an_erasure_deletes_the_contact",
    ),
    "a throttle's moment is not read": (
        replaced(Api, "_wait", lambda _, answer: answer.wait_seconds),
        "a_throttle_says_its_moment",
    ),
    "bodies are not cut": (
        replaced(module, "bodies", lambda contacts: [contacts]),
        "a_body_has_six_megabytes_at_most",
    ),
}


@CHECKS.each_defect(DEFECTS)
def test_a_planted_defect_is_found(
    shop: Served, monkeypatch: pytest.MonkeyPatch, defect: Defect[Served]
) -> None:
    must_find(defect, shop, monkeypatch)


@pytest.mark.parametrize("kind", ["lost_ack", "truncated", "html", "huge", "503", "429"])
def test_a_batch_that_is_sent_again_changes_nothing(shop: Served, kind: str) -> None:
    shop.fake.faults.plan(Fault(kind, where="PUT", times=1, wait=1))
    destination = opened(shop)
    with pytest.raises(RetryLaterError) as caught:
        deliver(destination, row(1))
    assert "example" not in str(caught.value)
    assert settled(shop, destination, row(1)) == DONE
    assert shop.fake.of(checks.LIST) == people(1)


@pytest.mark.parametrize("kind", ["401", "403"])
def test_a_wrong_key_is_named(shop: Served, kind: str) -> None:
    shop.fake.faults.plan(Fault(kind))
    with pytest.raises(AccessRefusedError) as caught:
        deliver(opened(shop), row(1))
    assert "SENDGRID_API_KEY" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lists": {"vip": "x/../y"}}, "lists"),
        ({"batch_size": 30_001}, "batch_size"),
        ({"base_url": "http://10.0.0.1", "allow_private": False}, "address"),
    ],
)
def test_options_that_do_not_fit_are_named(
    shop: Served, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        opened(shop, **options)


def test_two_publishers_at_once_put_each_person_on_one_list(shop: Served) -> None:
    """Both made their plan before either had sent anything, and the list is there already."""
    shop.fake.put_list(checks.LIST)
    one, two = opened(shop), opened(shop)
    first = deliver(one, row(1), row(2))
    second = deliver(two, row(2), row(1, "removed"))
    shop.later()
    told = ask(two, second, row(2), row(1, "removed"))
    assert told["k2-added"].status == "delivered"
    assert told["k1-removed"].status in ("delivered", "retry")
    assert ask(one, first, row(1), row(2))["k2-added"].status == "delivered"
    assert set(shop.fake.lists.values()) == {checks.LIST}


def test_it_stays_on_this_machine_only_with_a_fake(shop: Served) -> None:
    assert opened(shop).stays_in(Path())
    assert not opened(shop, base_url="https://api.sendgrid.com").stays_in(Path())
    assert replace(row(1), version=2).version == 2
