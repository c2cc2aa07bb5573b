"""The rule of permission, fact by fact (RELIABILITY A5, A6, A7, A9)."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import text

from ingestion.vocabulary import CHANNELS, PURPOSES
from orchestration.activation.gate import (
    Decision,
    Identifier,
    Policy,
    Reason,
    decide,
    load_states,
    load_states_by_policy,
)
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import StoreError, to_micros
from orchestration.ops.tombstones import Erasable, request
from tests.orchestration.activation.shop import NOW, Shop
from tests.orchestration.activation.test_properties import random_fact
from tests.orchestration.suppressions import Suppression, record_suppressions

DAY = timedelta(days=1)
A = Identifier("email", "a@example.com", "newsletter")
B = Identifier("email", "b@example.com", "card_paid_order")
LOGIN = Identifier("login", "u1")
DEVICE = Identifier("device", "d1")
PHONE = Identifier("phone", "+447700900123")


def _ask(shop: Shop, *identifiers: Identifier, double_opt_in: bool = False) -> Decision:
    policy = Policy(shop.channel, shop.purpose, double_opt_in)
    with shop.store.read() as connection:
        keys = {one.key for one in identifiers}
        states = load_states(connection, keys, policy, to_micros(NOW))
    return decide(identifiers, states, policy)


def test_no_row_is_no_permission(shop: Shop) -> None:
    assert _ask(shop, A).reason is Reason.NO_CONSENT
    assert _ask(shop).reason is Reason.UNKNOWN_PERSON


def test_an_opt_in_gives_its_receipt(shop: Shop) -> None:
    receipt = shop.grant("a@example.com")
    assert _ask(shop, A) == Decision(None, A.key, receipt)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"channel": "sms"}, Reason.NO_CONSENT),
        ({"channel": "*"}, Reason.NO_CONSENT),
        ({"purpose": "ads"}, Reason.NO_CONSENT),
        ({"purpose": "*"}, Reason.NO_CONSENT),
        ({"lawful_basis": "contract"}, Reason.NO_CONSENT),
        ({"expires_at": NOW}, Reason.EXPIRED),
        ({"expires_at": NOW + DAY}, None),
        ({"at": NOW + DAY}, Reason.NO_CONSENT),
        ({"at": NOW}, None),
    ],
)
def test_what_an_opt_in_must_be(shop: Shop, more: dict[str, object], reason: Reason | None) -> None:
    shop.grant("a@example.com", **more)  # type: ignore[arg-type]
    assert _ask(shop, A).reason is reason


def test_the_latest_opt_in_decides(shop: Shop) -> None:
    shop.grant("a@example.com", at=NOW - 9 * DAY)
    shop.grant("a@example.com", at=NOW - 5 * DAY, expires_at=NOW - DAY)
    assert _ask(shop, A).reason is Reason.EXPIRED
    newest = shop.grant("a@example.com", at=NOW - 2 * DAY)
    assert _ask(shop, A).receipt_id == newest


def test_double_opt_in_needs_proof(shop: Shop) -> None:
    shop.grant("a@example.com")
    assert _ask(shop, A, double_opt_in=True).reason is Reason.UNCONFIRMED
    shop.grant("a@example.com", at=NOW - DAY, proof="clicked")
    assert _ask(shop, A, double_opt_in=True).allowed


@pytest.mark.parametrize("reason", ["unsubscribed", "spam_report", "manual", "hard_bounce", "odd"])
def test_a_suppression_beats_an_opt_in(shop: Shop, reason: str) -> None:
    shop.grant("a@example.com")
    shop.suppress("a@example.com", reason)
    expected = Reason.UNKNOWN_OPT_OUT if reason == "odd" else Reason(reason)
    assert _ask(shop, A).reason is expected


@pytest.mark.parametrize(
    ("reason", "is_cleared"),
    [("unsubscribed", True), ("spam_report", True), ("manual", False), ("gpc", False)],
)
def test_only_a_newer_evidenced_opt_in_clears(shop: Shop, reason: str, is_cleared: bool) -> None:
    shop.suppress("a@example.com", reason, at=NOW - 5 * DAY)
    shop.grant("a@example.com", at=NOW - 6 * DAY)
    shop.grant("a@example.com", at=NOW - 5 * DAY)
    shop.grant("a@example.com", at=NOW - 4 * DAY, wording_version=None)
    assert _ask(shop, A).reason is Reason(reason)
    shop.grant("a@example.com", at=NOW - 3 * DAY)
    assert _ask(shop, A).allowed is is_cleared


def test_a_revocation_needs_evidence_too(shop: Shop) -> None:
    shop.revoke("a@example.com", at=NOW - 5 * DAY)
    shop.grant("a@example.com", at=NOW - 4 * DAY, wording_version=None)
    assert _ask(shop, A).reason is Reason.REVOKED
    shop.grant("a@example.com", at=NOW - 3 * DAY)
    assert _ask(shop, A).allowed


@pytest.mark.parametrize("yes_first", [True, False])
@pytest.mark.parametrize("apart", [0, 1, 400_000, 999_999, 1_000_000])
def test_a_yes_and_a_no_of_one_second_are_a_no(shop: Shop, apart: int, yes_first: bool) -> None:
    """Whichever a source wrote down first; in two seconds, the later one counts."""
    second = NOW - DAY
    moments = [second, second + timedelta(microseconds=apart)]
    yes, no = moments if yes_first else reversed(moments)
    shop.grant("a@example.com", at=yes)
    shop.revoke("a@example.com", at=no)
    assert _ask(shop, A).allowed is (apart == 1_000_000 and not yes_first)


@pytest.mark.parametrize("number", range(8))  # whichever receipt's id comes first
def test_of_two_opt_ins_of_one_moment_the_one_that_has_run_out_counts(
    shop: Shop, number: int
) -> None:
    at = NOW - 3 * DAY
    shop.grant("a@example.com", at=at, wording_version=f"v{number}")
    shop.grant("a@example.com", at=at, wording_version="w", expires_at=NOW - DAY)
    assert _ask(shop, A).reason is Reason.EXPIRED


def test_a_no_for_an_address_that_nobody_has_yet_waits_for_them(shop: Shop) -> None:
    shop.revoke("a@example.com", at=NOW - 5 * DAY)
    shop.add("c1", "b@example.com", "a@example.com")  # the address joins the person later
    shop.grant("b@example.com", at=NOW - DAY)
    people = [Identifier(*each) for each in shop.people["c1"]]
    assert _ask(shop, *people).reason is Reason.REVOKED
    shop.grant("a@example.com", at=NOW - 6 * DAY)  # an older list that is imported only now
    assert _ask(shop, *people).reason is Reason.REVOKED


def test_a_known_opt_out_counts_whatever_its_date(shop: Shop) -> None:
    shop.grant("a@example.com")
    shop.revoke("a@example.com", at=NOW + 30 * DAY)
    assert _ask(shop, A).reason is Reason.REVOKED


def test_an_opt_out_on_any_identifier_counts_for_the_person(shop: Shop) -> None:
    shop.grant("a@example.com")
    shop.grant("b@example.com")
    assert _ask(shop, A, B, LOGIN).allowed
    shop.revoke("u1", kind="login")
    assert _ask(shop, A, B, LOGIN).reason is Reason.REVOKED
    assert _ask(shop, A, B).allowed


def test_every_channel_and_every_purpose(shop: Shop) -> None:
    shop.grant("a@example.com")
    shop.suppress("a@example.com", "manual", channel="*")
    assert _ask(shop, A).reason is Reason.MANUAL


def test_suppression_of_every_purpose_leaves_the_transactional_one(shop: Shop) -> None:
    shop.purpose = "transactional"
    shop.grant("a@example.com", lawful_basis="contract")
    shop.suppress("a@example.com", "unsubscribed")
    assert _ask(shop, A).allowed
    shop.suppress("a@example.com", "manual", purpose="transactional")
    assert _ask(shop, A).reason is Reason.MANUAL


def test_revoking_every_purpose_means_every_one(shop: Shop) -> None:
    shop.purpose = "transactional"
    shop.grant("a@example.com", lawful_basis="contract")
    shop.revoke("a@example.com", purpose="*")
    assert _ask(shop, A).reason is Reason.REVOKED


def test_a_hard_bounce_ends_one_address(shop: Shop) -> None:
    shop.grant("a@example.com")
    shop.grant("b@example.com")
    assert _ask(shop, A, B).address == B.key
    shop.suppress("b@example.com", "hard_bounce")
    assert _ask(shop, A, B).address == A.key
    shop.suppress("a@example.com", "hard_bounce")
    assert _ask(shop, A, B).reason is Reason.HARD_BOUNCE


def test_the_permitted_address_is_used_before_the_better_one(shop: Shop) -> None:
    shop.grant("a@example.com")
    assert _ask(shop, A, B).address == A.key


def test_a_permission_of_the_person_reaches_the_best_address(shop: Shop) -> None:
    receipt = shop.grant("u1", kind="login")
    assert _ask(shop, A, B, LOGIN) == Decision(None, B.key, receipt)
    assert _ask(shop, LOGIN).reason is Reason.NO_ADDRESS


def test_a_device_speaks_for_nobody_by_email(shop: Shop) -> None:
    shop.grant("d1", kind="device")
    assert _ask(shop, A, DEVICE).reason is Reason.NO_CONSENT


def test_push_needs_the_device_itself(shop: Shop) -> None:
    shop.channel = "push"
    shop.grant("u1", kind="login")
    assert _ask(shop, DEVICE, LOGIN).reason is Reason.NO_CONSENT
    shop.grant("d1", kind="device")
    assert _ask(shop, DEVICE, LOGIN).address == DEVICE.key


def test_privacy_control_on_a_device_ends_ads_for_the_person(shop: Shop) -> None:
    shop.channel, shop.purpose = "ads", "ads"
    shop.grant("a@example.com")
    assert _ask(shop, A, PHONE, DEVICE).address == A.key
    shop.suppress("d1", "gpc", kind="device")
    assert _ask(shop, A, PHONE, DEVICE).reason is Reason.GPC


def test_an_answer_for_one_address_only(shop: Shop) -> None:
    shop.grant("a@example.com")
    policy = Policy("email", "marketing")
    with shop.store.read() as connection:
        states = load_states(connection, [A.key, B.key], policy, to_micros(NOW))
    assert decide([A, B], states, policy, address=A.key).allowed
    assert decide([A, B], states, policy, address=B.key).reason is Reason.NO_CONSENT


def test_an_unreachable_store_is_an_error_and_never_a_yes(shop: Shop) -> None:
    shop.grant("a@example.com")
    with shop.store.write() as connection:
        connection.execute(text("drop table suppressions"))
    with pytest.raises(StoreError):
        _ask(shop, A)


def test_many_people_are_read_at_once(shop: Shop) -> None:
    shop.grant("p7@example.com")
    keys = [("email", f"p{number}@example.com") for number in range(40_000)]
    policy = Policy("email", "marketing")
    with shop.store.read() as connection:
        states = load_states(connection, keys, policy, to_micros(NOW))
    assert set(states) == {("email", "p7@example.com")}


def test_one_reading_for_every_pair_says_what_a_reading_for_each_says(shop: Shop) -> None:
    dice = random.Random(11)
    kinds = ("email", "phone", "device", "login")
    people = [
        [Identifier(kind, f"{number}-{kind}") for kind in dice.sample(kinds, dice.randint(1, 4))]
        for number in range(60)
    ]
    facts = [
        random_fact(dice, each.key)
        for person in people
        for each in person
        for _ in range(dice.randint(0, 5))
    ]
    # A value of another type has facts of its own.
    facts += [random_fact(dice, ("loyalty_id", people[0][0].value)) for _ in range(9)]
    record_consents(shop.store, [f for f in facts if isinstance(f, ConsentEvent)], recorded_at=NOW)
    stops = [f for f in facts if isinstance(f, Suppression)]
    record_suppressions(shop.store, stops, recorded_at=NOW)
    with shop.store.write() as connection:
        subject = Erasable(("c1",), [each.key for each in people[1]])
        request(connection, subject, reason="asked", at=NOW)
    policies = [Policy(c, p, d) for c in CHANNELS for p in PURPOSES for d in (False, True)]
    reasons = set()
    with shop.store.read() as connection:
        for person in people:
            keys = [each.key for each in person]
            at_once = load_states_by_policy(connection, keys, policies, to_micros(NOW))
            for policy in policies:
                apart = load_states(connection, keys, policy, to_micros(NOW))
                answer = decide(person, at_once[policy], policy)
                assert at_once[policy] == apart
                assert answer == decide(person, apart, policy)
                reasons.add(answer.reason)
    assert {None, Reason.FORGOTTEN, Reason.NO_CONSENT, Reason.EXPIRED, Reason.MANUAL} <= reasons
