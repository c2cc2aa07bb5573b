"""The destination `google_ads` against its fake, and planted defects that its checks find."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ingestion.errors import UsageError
from orchestration.destinations.base import Outcome, RetryLaterError
from orchestration.destinations.google_ads import api as api_module
from orchestration.destinations.google_ads import destination as module
from orchestration.destinations.google_ads import tickets
from orchestration.destinations.google_ads.api import Api, Status
from orchestration.destinations.google_ads.credentials import SCOPE, AccessToken
from orchestration.destinations.google_ads.destination import GoogleAdsDestination
from orchestration.destinations.http import AccessRefusedError
from orchestration.destinations.normalising import Rule, trimmed_email
from orchestration.fakes.faults import Fault
from orchestration.fakes.google import KEY, create
from tests.orchestration.destinations import google_ads_checks as checks
from tests.orchestration.destinations.checking import DONE, ask, deliver, settled
from tests.orchestration.destinations.defects import Defect, Patch, must_find, replaced
from tests.orchestration.destinations.google_ads_checks import CHECKS, Served, opened, row
from tests.orchestration.fakes.served import emptied, server_of

server = server_of(create, Served)


@pytest.fixture
def shop(server: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The same server with an empty account."""
    monkeypatch.setattr("google.auth._helpers.utcnow", lambda: server.clock().replace(tzinfo=None))
    return emptied(server, monkeypatch)


@CHECKS.each()
def test_it_does_what_it_must(shop: Served, check: Callable[[Served], None]) -> None:
    check(shop)
    assert set(shop.fake.refused) <= {"list", "postal_code", "request"}


# What goes wrong in a defective destination, how it is planted, and which check must notice.


def _rule(**normalisers: Callable[[str], str]) -> Patch:
    usual = module.GOOGLE[-1].normalisers
    return replaced(module, "GOOGLE", (Rule("google", 1, {**usual, **normalisers}),))


def _all_are_granted(_: Any) -> dict[str, int]:
    return {"ad_user_data": 1, "ad_personalization": 1}


def _skips_removals(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Api, "remove", lambda *_: "req-000001")


def _believes_accepted(_: Any, __: str, ___: str, rows: Any) -> list[Outcome]:
    return [Outcome(each.key, "delivered") for each in rows]


def _removed_alone(change: Any, removed: Any, added: Any, refused: str) -> Outcome:
    return module_outcome(checks.replace(change, leaves=()), removed, added, refused)


module_outcome = module._outcome
module_leaving = module._leaving
verdict = tickets.verdict
DEFECTS: dict[str, tuple[Patch, str]] = {
    "gmail's dots stay": (_rule(email=trimmed_email), "a_member_is_hashes_in_googles_way"),
    "a phone has no plus": (
        _rule(phone=lambda value: value.lstrip("+")),
        "a_member_is_hashes_in_googles_way",
    ),
    "a name is hashed as it is": (
        _rule(given_name=lambda value: value),
        "a_name_goes_with_its_place_or_not_at_all",
    ),
    "a number without its country is hashed": (
        _rule(phone=lambda value: f"+{value.replace(' ', '').lstrip('0')}" if value else ""),
        "what_is_not_known_is_left_out",
    ),
    "a consent is a constant": (
        replaced(api_module, "_consent", _all_are_granted),
        "only_what_was_granted_is_said_to_be",
    ),
    "any word is a grant": (
        replaced(module, "GRANTED", "yes"),
        "only_what_was_granted_is_said_to_be",
    ),
    "who refused ads made for them stays": (
        replaced(module, "DENIED", "refused"),
        "who_refused_ads_made_for_them_is_taken_out",
    ),
    "all are handed over in one request": (
        replaced(module, "_lacks_consent", lambda _: False),
        "who_lacks_a_consent_holds_no_other_back",
    ),
    "removals are skipped": (_skips_removals, "exactly_the_right_people_are_there"),
    "accepted is taken for done": (
        replaced(GoogleAdsDestination, "ask", _believes_accepted),
        "a_request_that_is_open_is_no_answer_yet",
    ),
    "a state that is not known is a yes": (
        replaced(module, "verdict", lambda *_: ("delivered", "")),
        "a_request_that_is_not_known_is_waited_for",
    ),
    "partly done is done": (
        replaced(
            module,
            "verdict",
            lambda of, known: verdict(
                of, {k: Status("done", s.rows, frozenset()) for k, s in known.items()}
            ),
        ),
        "a_request_that_failed_is_no_success",
    ),
    "members are not counted": (
        replaced(
            module,
            "verdict",
            lambda of, known: verdict(
                of, {k: Status(s.state, 9**9, s.reasons) for k, s in known.items()}
            ),
        ),
        "fewer_counted_than_sent_is_no_success",
    ),
    "the old address stays": (
        replaced(
            module,
            "_leaving",
            lambda row, joins, stays: () if joins else module_leaving(row, joins, stays),
        ),
        "with_a_new_address_the_old_one_goes",
    ),
    "a removal beside an addition is not waited for": (
        replaced(module, "_outcome", _removed_alone),
        "a_removal_waits_for_its_own_request",
    ),
    "what was sent before is not removed": (
        replaced(
            module,
            "_leaving",
            lambda row, joins, stays: module_leaving(
                row if joins else checks.replace(row, previous=None), joins, stays
            ),
        ),
        "a_removal_goes_by_all_that_was_sent",
    ),
    "an address that stays is removed": (
        replaced(
            module, "_leaving", lambda row, joins, _: module_leaving(row, joins, set())
        ),
        "an_address_that_somebody_joins_with_stays",
    ),
    "a list that is not there is a yes": (
        replaced(
            module, "NoListError", api_module.TermsError
        ),
        "a_list_that_is_not_there_takes_and_loses_nobody",
    ),
    "members are sent again when they are dropped": (
        replaced(module, "timedelta", lambda days=0, hours=0: checks.timedelta(
            days=days * 6 / 5, hours=hours
        )),
        "members_are_sent_again_before_they_are_dropped",
    ),
    "one refused member refuses all": (
        replaced(module, "RefusedMembersError", api_module.TermsError),
        "a_member_that_is_refused_holds_no_other_back",
    ),
    "an erasure is taken for done": (
        replaced(module, "verdict", lambda *_: ("delivered", "")),
        "an_erasure_takes_people_out_of_every_list",
    ),
    "an erasure is sent once": (
        replaced(GoogleAdsDestination, "_erase", lambda self, person: Outcome(
            person.key, "delivered" if person.ticket else "accepted", "",
            self._api.remove("9001", module._members_of(module._all_identifiers(person))),
        )),
        "an_erasure_wins_over_an_add_that_is_done_later",
    ),
    "a token is never renewed": (
        replaced(AccessToken, "header", lambda self: (
            getattr(self, "_kept", None) or setattr(self, "_kept", header(self)) or self._kept
        )),
        "a_key_that_is_revoked_is_named",
    ),
}  # fmt: skip
header = AccessToken.header


@CHECKS.each_defect(DEFECTS)
def test_a_planted_defect_is_found(
    shop: Served, monkeypatch: pytest.MonkeyPatch, defect: Defect[Served]
) -> None:
    must_find(defect, shop, monkeypatch)


@pytest.mark.parametrize("kind", ["lost_ack", "truncated", "html", "huge", "503", "429"])
@pytest.mark.parametrize("where", ["audienceMembers", "token"])
def test_a_batch_that_is_sent_again_changes_nothing(shop: Served, kind: str, where: str) -> None:
    shop.fake.faults.plan(Fault(kind, where=where, times=1, wait=1))
    destination = opened(shop)
    with pytest.raises(RetryLaterError) as caught:
        deliver(destination, row(1))
    assert "example" not in str(caught.value)
    assert settled(shop, destination, row(1)) == DONE
    assert shop.fake.of() == checks.of(1)


def test_a_throttle_says_its_wait(shop: Served) -> None:
    shop.fake.faults.plan(Fault("429", where="audienceMembers", wait=31))
    with pytest.raises(RetryLaterError) as caught:
        deliver(opened(shop), row(1))
    assert (caught.value.reason, caught.value.wait_seconds) == ("http_429", 31)


def test_the_calls_stay_below_googles_quota(shop: Served) -> None:
    [rate] = opened(shop).limits.rates
    assert 4 * rate.requests <= 300 * rate.seconds / 60


@pytest.mark.parametrize("kind", ["401", "403"])
def test_a_wrong_key_is_named(shop: Served, kind: str) -> None:
    shop.fake.faults.plan(Fault(kind, where="audienceMembers"))
    with pytest.raises(AccessRefusedError) as caught:
        deliver(opened(shop), row(1))
    assert "GOOGLE_ADS_CREDENTIALS" in str(caught.value.hint)


def test_a_key_that_is_revoked_gets_no_token(shop: Served) -> None:
    shop.fake.is_revoked = True
    with pytest.raises(AccessRefusedError) as caught:
        deliver(opened(shop), row(1))
    assert "GOOGLE_ADS_CREDENTIALS" in str(caught.value.hint)


@pytest.mark.parametrize(
    "said", ["", "/nowhere/key.json", "{", "[]", '{"type": "external_account"}', '{"type": "x"}',
             '{"type": "service_account"}', '{"type": "authorized_user"}'],
)  # fmt: skip
def test_a_key_that_is_none_is_named(
    shop: Served, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("GOOGLE_ADS_CREDENTIALS", said)
    with pytest.raises(UsageError, match="GOOGLE_ADS_CREDENTIALS"):
        deliver(opened(shop), row(1))
    assert not shop.fake.calls


def test_the_key_of_a_service_account_is_read_from_its_file(
    shop: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    key = {
        "type": "service_account",
        "client_email": "robot@shop.iam.example",
        "private_key": pem,
        "token_uri": "https://stranger.example/token",  # never asked: the settings say where
    }
    (tmp_path / "key.json").write_text(json.dumps(key, indent=1))
    monkeypatch.setenv("GOOGLE_ADS_CREDENTIALS", str(tmp_path / "key.json"))
    assert settled(shop, opened(shop), row(1)) == DONE
    assert SCOPE.endswith("/datamanager")


def test_nothing_of_a_call_is_logged(shop: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        deliver(opened(shop), row(1))
    for secret in (checks.sha("p1@example.com"), KEY["refresh_token"], "ya29"):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"terms_accepted": False}, "terms"),
        ({"operating_account": "12"}, "operating_account"),
        ({"lists": {"vip": "x/../y"}}, "lists"),
        ({"membership_days": 541}, "membership_days"),
        ({"batch_size": 10_001}, "batch_size"),
    ],
)
def test_options_that_do_not_fit_are_named(
    shop: Served, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        opened(shop, **options)


def test_a_segment_without_a_list_is_told(shop: Served) -> None:
    with pytest.raises(UsageError, match="no list for the segment `vip`"):
        deliver(opened(shop, lists={"loyal": "9001"}), row(1))


def test_a_body_has_ten_thousand_members_at_most(shop: Served) -> None:
    destination = opened(shop)
    assert destination.limits.rows == 10_000
    rows = [row(n) for n in range(10_000)]
    assert {each.status for each in deliver(destination, *rows).values()} == {"accepted"}
    removals = [row(n, "removed") for n in range(10_000)]  # two identifiers each
    assert {each.status for each in deliver(destination, *removals).values()} == {"accepted"}
    assert shop.fake.refused == {}
    assert [len(job.members) for job in shop.fake.jobs.values()] == [10_000] * 3


def test_two_publishers_at_once_leave_what_either_said_last(shop: Served) -> None:
    one, two = opened(shop), opened(shop)
    first = deliver(one, row(1), row(2))
    second = deliver(two, row(2), row(3))
    shop.later()
    told = {**ask(one, first, row(1), row(2)), **ask(two, second, row(2), row(3))}
    assert {each.status for each in told.values()} == {"delivered"}
    assert shop.fake.of() == checks.of(1, 2, 3)
    deliver(one, row(2, "removed"))
    deliver(two, row(2, "removed"))
    shop.later()
    assert shop.fake.of() == checks.of(1, 3)


def test_it_stays_on_this_machine_only_with_a_fake(shop: Served) -> None:
    assert opened(shop).stays_in(Path())
    assert not opened(shop, base_url="https://datamanager.googleapis.com").stays_in(Path())
    elsewhere = opened(shop, token_url="https://oauth2.googleapis.com/token")
    assert not elsewhere.stays_in(Path())
