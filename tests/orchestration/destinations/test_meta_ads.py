"""The destination `meta_ads` against its fake, and planted defects, each of which a check finds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import UsageError
from orchestration.destinations.base import Outcome, RetryLaterError
from orchestration.destinations.http import AccessRefusedError
from orchestration.destinations.meta_ads import api as api_module
from orchestration.destinations.meta_ads import destination as module
from orchestration.destinations.meta_ads import sessions
from orchestration.destinations.meta_ads.api import Api, FlaggedError
from orchestration.destinations.meta_ads.destination import MetaAdsDestination
from orchestration.destinations.normalising import Rule, trimmed_email
from orchestration.fakes.faults import Fault
from orchestration.fakes.meta import create
from tests.orchestration.destinations import meta_ads_checks as checks
from tests.orchestration.destinations.checking import DONE, deliver
from tests.orchestration.destinations.defects import Defect, Patch, must_find, replaced
from tests.orchestration.destinations.meta_ads_checks import CHECKS, Served, opened, row
from tests.orchestration.fakes.served import emptied, server_of

server = server_of(create, Served)


@pytest.fixture
def shop(server: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The same server with an empty account."""
    return emptied(server, monkeypatch)


@CHECKS.each()
def test_it_does_what_it_must(shop: Served, check: Callable[[Served], None]) -> None:
    check(shop)


# What goes wrong in a defective destination, how it is planted, and which check must notice.


def _rule(**normalisers: Callable[[str], str]) -> Patch:
    usual = module.META[-1].normalisers
    return replaced(module, "META", (Rule("meta", 1, {**usual, **normalisers}),))


def _without_dots(value: str) -> str:
    local, _, domain = trimmed_email(value).partition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}" if local else ""


def _hash_of_anything(_: Rule, __: str, value: object) -> str:
    return hashlib.sha256(str(value or "").encode()).hexdigest()


def _open_session(
    self: Api, verb: Any, audience: str, payload: Any, number: int, **more: Any
) -> Any:
    session = {"session_id": number, "batch_seq": 1, "last_batch_flag": False}
    form = {"payload": api_module._text(payload), "session": api_module._text(session), **more}
    said = self._json(verb, f"/{audience}/users", form=form)
    return api_module.Received(int(said["num_received"]), int(said["num_invalid_entries"]))


def _first_page_only(self: Api, path: str, fields: str) -> Iterator[Any]:
    yield from self._json("GET", path, params={"fields": fields})["data"]


def _skips_removals(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Api, "remove", lambda _, __, entries, ___: api_module.Received(len(entries), 0))


def _deletes_what_is_flagged(patch: pytest.MonkeyPatch) -> None:
    remove = Api.remove

    def removing(self: Api, audience: str, entries: Any, number: int) -> Any:
        try:
            return remove(self, audience, entries, number)
        except FlaggedError:
            self.delete_audience(audience)
            raise

    patch.setattr(Api, "remove", removing)


def _believes_accepted(_: Any, __: str, ___: str, rows: Any) -> list[Outcome]:
    return [Outcome(each.key, "delivered") for each in rows]


def _by_the_first_key_alone(payload: Any, rule: Rule) -> Any:
    email = rule.hashed("email", payload.get("email"))
    return email, "" if email else rule.hashed("phone", payload.get("phone")), ""


def _same_number(first: int, taken: Any) -> Iterator[tuple[int, int]]:
    yield from sessions.free_numbers(first, ())


DEFECTS: dict[str, tuple[Patch, str]] = {
    "a phone has its plus": (
        _rule(phone=lambda value: value),
        "a_member_is_one_row_of_hashes",
    ),
    "gmail's dots are folded": (_rule(email=_without_dots), "a_member_is_one_row_of_hashes"),
    "a number without its country is hashed": (
        _rule(phone=lambda value: "".join(filter(str.isdigit, value)).lstrip("0")),
        "what_is_not_known_is_left_blank",
    ),
    "the hash of nothing is sent": (
        replaced(Rule, "hashed", _hash_of_anything),
        "what_is_not_known_is_left_blank",
    ),
    "the last batch of a session is not marked": (
        replaced(Api, "_edit", _open_session),
        "an_open_session_is_no_answer_yet",
    ),
    "removals are skipped": (_skips_removals, "exactly_the_right_people_are_there"),
    "nobody's use is limited": (
        replaced(module, "_is_limited", lambda _: False),
        "whose_data_may_not_be_sold_goes_with_limited_use",
    ),
    "who is not known to allow it counts as allowing it": (
        replaced(module, "_is_limited", lambda payload: payload["is_sell_share_refused"] is True),
        "whose_data_may_not_be_sold_goes_with_limited_use",
    ),
    "accepted is taken for done": (
        replaced(MetaAdsDestination, "ask", _believes_accepted),
        "an_open_session_is_no_answer_yet",
    ),
    "the counts of a session are not read": (
        replaced(module, "verdict", lambda *_: "delivered"),
        "fewer_received_than_sent_is_no_success",
    ),
    "a session that is done later is not waited for": (
        replaced(sessions, "_may_undo", lambda *_: False),
        "a_removal_wins_over_an_add_that_is_done_later",
    ),
    "page 2 of the audiences is dropped": (
        replaced(Api, "_pages", _first_page_only),
        "an_audience_is_found_on_every_page",
    ),
    "the old address stays": (
        replaced(module, "_leaves", lambda each, _: () if each.operation == "updated" else ((),)),
        "with_a_new_address_the_old_one_goes",
    ),
    "only one identifier is removed": (
        replaced(module, "_entry", _by_the_first_key_alone),
        "a_removal_goes_by_all_that_was_sent",
    ),
    "a try has the number of the one before": (
        replaced(module, "free_numbers", _same_number),
        "the_same_batch_again_is_another_try",
    ),
    "a refused removal counts as done": (
        replaced(module, "_answer", lambda change, *_: Outcome(change.row.key, "delivered")),
        "a_flagged_audience_keeps_its_removals_for_later",
    ),
    "a flagged audience is deleted although nobody said so": (
        _deletes_what_is_flagged,
        "a_flagged_audience_keeps_its_removals_for_later",
    ),
    "an erasure is taken for done": (
        replaced(module, "erasure", lambda _, sessions: "delivered" if sessions else "begin"),
        "an_erasure_takes_people_out_of_every_audience",
    ),
    "an add that is done after an erasure is not looked for": (
        replaced(
            module,
            "erasure",
            lambda first, all_: sessions.erasure(first, [e for e in all_ if not e.number & 1]),
        ),
        "an_erasure_wins_over_an_add_that_is_done_later",
    ),
    "an audience that is not seen counts as empty": (
        replaced(MetaAdsDestination, "_is_gone", lambda *_: True),
        "an_audience_that_is_not_found_is_no_removal",
    ),
    "one invalid entry refuses all": (
        replaced(module, "_placed", lambda items, numbers, which, send: [
            (0, 1) if (number := next(numbers)[which]) and send(items, number).invalid
            else (number, len(items))
        ] * len(items) if items else []),
        "invalid_entries_hold_no_other_back",
    ),
}  # fmt: skip


@CHECKS.each_defect(DEFECTS)
def test_a_planted_defect_is_found(
    shop: Served, monkeypatch: pytest.MonkeyPatch, defect: Defect[Served]
) -> None:
    must_find(defect, shop, monkeypatch)


@pytest.mark.parametrize("kind", ["lost_ack", "truncated", "html", "huge", "503", "429"])
def test_a_batch_that_is_sent_again_changes_nothing(shop: Served, kind: str) -> None:
    shop.fake.faults.plan(Fault(kind, where="/users", times=1, wait=1))
    destination = opened(shop)
    with pytest.raises(RetryLaterError):
        deliver(destination, row(1))
    assert checks.settled(shop, destination, row(1)) == DONE
    assert checks.who(shop) == {"c1"}


def test_a_throttle_says_its_minutes(shop: Served) -> None:
    shop.fake.faults.plan(Fault("429", wait=100))
    with pytest.raises(RetryLaterError) as caught:
        deliver(opened(shop), row(1))
    assert (caught.value.reason, caught.value.wait_seconds) == ("meta_80003", 120)


@pytest.mark.parametrize("kind", ["401", "403"])
def test_a_wrong_token_is_named(shop: Served, kind: str) -> None:
    shop.fake.faults.plan(Fault(kind))
    with pytest.raises(AccessRefusedError) as caught:
        deliver(opened(shop), row(1))
    assert "META_ACCESS_TOKEN" in str(caught.value.hint)


def test_without_its_token_it_says_which(shop: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("META_ACCESS_TOKEN")
    with pytest.raises(UsageError, match="META_ACCESS_TOKEN"):
        deliver(opened(shop), row(1))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ad_account": "", "create": False}, "audiences"),
        ({"ad_account": "", "audiences": {"vip": "1"}}, "ad_account"),
        ({"delete_flagged_audience": True}, "create"),
        ({"audiences": {"vip": "x/../y"}}, "audiences"),
    ],
)
def test_options_that_do_not_fit_are_named(
    shop: Served, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        opened(shop, **options)


def test_two_audiences_of_one_name_are_told(shop: Served) -> None:
    for _ in range(2):
        shop.fake.put("regulars_vip")
    with pytest.raises(UsageError, match="2 audiences"):
        deliver(opened(shop), row(1))


def test_no_audience_is_made_unless_told(shop: Served) -> None:
    destination = opened(shop, create=False)
    with pytest.raises(UsageError, match="no audience"):
        deliver(destination, row(1))
    assert deliver(destination, row(1, "removed"))["k1-removed"].status == "delivered"
    assert shop.fake.audiences == {}


def test_a_body_has_ten_thousand_rows_at_most(shop: Served) -> None:
    destination = opened(shop)
    assert destination.limits.rows == 10_000
    rows = [row(n) for n in range(10_000)]
    assert {each.status for each in deliver(destination, *rows).values()} == {"accepted"}
    assert shop.fake.refused == {}
    with pytest.raises(UsageError, match="batch_size"):
        opened(shop, batch_size=10_001)


def test_it_stays_on_this_machine_only_with_a_fake(shop: Served) -> None:
    assert opened(shop).stays_in(Path())
    assert not opened(shop, base_url="https://graph.facebook.com/v26.0").stays_in(Path())
