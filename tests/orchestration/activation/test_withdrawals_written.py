"""Refusals that are known here are told to destinations that can be told, and noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from ingestion import config
from orchestration.activation import delivery, withdrawals_written
from orchestration.activation.moments import stopped
from orchestration.activation.sync import SyncReport, sync
from orchestration.destinations.base import (
    DestinationFailedError,
    Outcome,
    RetryLaterError,
    Withdrawal,
)
from orchestration.ops import schema
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
MARKETING = {"channel": "email", "purpose": "marketing"}


@dataclass
class Taking(Receiver):
    """A destination that can be told who refused."""

    withdrawal_channels: frozenset[str] = frozenset({"email"})
    withdrawals_at_once: int = 2
    withdrawals_per_sync: int = 2_000
    told: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    says: tuple[str, str] = ("delivered", "written")
    fails: Exception | None = None
    sent_before: list[int] = field(default_factory=list)

    def withdraw(self, refusals: Mapping[str, Withdrawal]) -> Sequence[Outcome]:
        """Take them, unless it fails."""
        if self.fails:
            raise self.fails
        self.sent_before.append(len(self.members))
        self.told += [each.identifier_value for each in refusals.values()]
        self.reasons += [each.reason for each in refusals.values()]
        status, reason = self.says
        return [Outcome(key, status, reason) for key in refusals]  # type: ignore[arg-type]


@pytest.fixture
def members(shop: Shop) -> Iterator[Shop]:
    for name in ("c1", "c2"):
        shop.add(name, f"{name}@example.com")
        shop.grant(f"{name}@example.com")
    shop.publish()
    yield shop


def _sync(shop: Shop, receiver: Receiver, at: datetime = NOW, **more: Any) -> SyncReport:
    return sync(
        shop.store,
        shop.home,
        TARGET,
        receiver,
        at=at,
        clock=stopped(at),
        wait=lambda _: None,
        **more,
    )


def noted(shop: Shop) -> list[tuple[str, str, int]]:
    """State, answer and attempts of every refusal that was told, in the order of the refusals."""
    table = schema.withdrawals_written.c
    query = select(table.state, table.answer, table.attempts).order_by(table.refused_at)
    with shop.store.read() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def test_a_refusal_is_told_before_anything_is_sent_and_once(members: Shop) -> None:
    members.suppress("c1@example.com", "unsubscribed")
    receiver = Taking()
    for hours in range(3):
        _sync(members, receiver, NOW + hours * HOUR)
    assert receiver.told == ["c1@example.com"]
    assert receiver.sent_before == [0]
    assert noted(members) == [("done", "written", 1)]
    assert set(receiver.members) == {"c2"}


@pytest.mark.parametrize("reason", ["unsubscribed", "spam_report", "manual", "made_up"])
def test_every_kind_of_suppression_is_told(members: Shop, reason: str) -> None:
    members.suppress("x@example.com", reason)
    receiver = Taking()
    _sync(members, receiver)
    assert receiver.told == ["x@example.com"]
    assert receiver.reasons == [reason if reason != "made_up" else "unknown_opt_out"]


def test_a_revocation_is_told_and_a_bounce_is_not(members: Shop) -> None:
    members.revoke("c1@example.com")
    members.suppress("c2@example.com", "hard_bounce")
    receiver = Taking()
    _sync(members, receiver)
    assert receiver.told == ["c1@example.com"]


def test_a_refusal_of_another_channel_is_not_told(members: Shop) -> None:
    members.suppress("c1@example.com", "unsubscribed", channel="sms")
    members.suppress("c2@example.com", "unsubscribed", channel="*")
    receiver = Taking()
    _sync(members, receiver)
    assert receiver.told == ["c2@example.com"]


def test_whoever_agreed_anew_since_is_not_told_of(members: Shop) -> None:
    members.suppress("c1@example.com", "unsubscribed", at=NOW - timedelta(days=20))
    receiver = Taking()
    _sync(members, receiver)
    assert receiver.told == []
    assert set(receiver.members) == {"c1", "c2"}


def test_a_refusal_that_waited_ends_where_they_agree_anew(members: Shop) -> None:
    members.suppress("c1@example.com", "unsubscribed", at=NOW - HOUR)
    receiver = Taking(fails=RetryLaterError("http_503"))
    _sync(members, receiver)
    assert noted(members) == [("waiting", "http_503", 1)]
    members.grant("c1@example.com", at=NOW + HOUR)
    receiver.fails = None
    _sync(members, receiver, NOW + 2 * HOUR)
    assert receiver.told == []
    assert noted(members) == [("ended", "no_longer", 1)]


def test_a_newer_refusal_is_told_again(members: Shop) -> None:
    members.suppress("c1@example.com", "unsubscribed", at=NOW - timedelta(days=20))
    receiver = Taking()
    members.suppress("c1@example.com", "unsubscribed", at=NOW - HOUR)
    _sync(members, receiver)
    members.suppress("c1@example.com", "spam_report", at=NOW + HOUR)
    _sync(members, receiver, NOW + 2 * HOUR)
    assert receiver.told == ["c1@example.com"] * 2


def test_a_destination_that_is_down_for_a_day_is_told_afterwards(members: Shop) -> None:
    for number in range(5):
        members.suppress(f"x{number}@example.com", "unsubscribed")
    receiver = Taking(fails=RetryLaterError("http_503"))
    for hours in range(0, 24, 6):
        _sync(members, receiver, NOW + hours * HOUR)
    assert noted(members) == [("waiting", "http_503", 4)] * 5
    assert set(receiver.members) == {"c1", "c2"}, "what can be sent is sent"
    receiver.fails = None
    _sync(members, receiver, NOW + 24 * HOUR)
    assert noted(members) == [("done", "written", 5)] * 5


def test_what_breaks_off_stops_nothing_and_is_told_last(members: Shop) -> None:
    members.suppress("x@example.com", "unsubscribed")
    receiver = Taking(fails=RuntimeError("x@example.com"))
    with pytest.raises(DestinationFailedError) as caught:
        _sync(members, receiver)
    assert "example.com" not in str(caught.value)
    assert set(receiver.members) == {"c1", "c2"}
    assert noted(members) == [("waiting", "failed", 1)]


def test_what_is_taken_and_not_seen_yet_is_told_again(members: Shop) -> None:
    members.suppress("x@example.com", "unsubscribed")
    receiver = Taking(says=("accepted", "not_seen_yet"))
    _sync(members, receiver)
    assert noted(members) == [("accepted", "not_seen_yet", 1)]
    receiver.says = ("delivered", "known")
    _sync(members, receiver, NOW + HOUR)
    assert noted(members) == [("done", "known", 2)]


def test_a_newer_permission_there_is_left_and_asked_about_again(members: Shop) -> None:
    members.suppress("x@example.com", "unsubscribed")
    receiver = Taking(says=("rejected", "newer_grant"))
    for hours in range(2):
        _sync(members, receiver, NOW + hours * HOUR)
    assert noted(members) == [("left", "newer_grant", 2)]


def test_an_answer_that_is_missing_or_in_words_is_no_success(
    members: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    members.suppress("x@example.com", "unsubscribed")
    receiver = Taking(says=("retry", "Sorry, x@example.com"))
    _sync(members, receiver)
    assert noted(members) == [("waiting", "reason_in_words", 1)]
    monkeypatch.setattr(Taking, "withdraw", lambda *_: [])
    _sync(members, receiver, NOW + HOUR)
    assert noted(members) == [("waiting", "no_answer", 2)]


def test_the_newest_go_first_and_the_rest_follow(members: Shop) -> None:
    for number in range(5):
        members.suppress(f"x{number}@example.com", "unsubscribed", at=NOW + number * HOUR)
    receiver = Taking(withdrawals_per_sync=3)
    _sync(members, receiver, NOW + 6 * HOUR)
    assert receiver.told == [f"x{number}@example.com" for number in (4, 3, 2)]
    _sync(members, receiver, NOW + 7 * HOUR)
    assert receiver.told[3:] == ["x1@example.com", "x0@example.com"]


def test_a_refusal_under_a_login_is_about_all_addresses_of_the_person(shop: Shop) -> None:
    shop.add("c1", "c1@example.com", "one@example.com", "login:ann")
    shop.add("c2", "c2@example.com")
    shop.publish()
    shop.suppress("ann", "unsubscribed", kind="login")
    shop.suppress("ben", "unsubscribed", kind="login", at=NOW - HOUR)
    receiver = Taking()
    _sync(shop, receiver)
    assert sorted(receiver.told) == ["c1@example.com", "one@example.com"]
    assert noted(shop) == [("done", "written", 1)]


def test_a_refusal_under_one_address_is_not_told_of_another(shop: Shop) -> None:
    shop.add("c1", "c1@example.com", "one@example.com")
    shop.publish()
    shop.suppress("c1@example.com", "unsubscribed")
    receiver = Taking()
    _sync(shop, receiver)
    assert receiver.told == ["c1@example.com"]


def test_the_worst_answer_of_several_addresses_counts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.add("c1", "c1@example.com", "one@example.com", "login:ann")
    shop.publish()
    shop.suppress("ann", "unsubscribed", kind="login")

    def half(_: Taking, refusals: Mapping[str, Withdrawal]) -> list[Outcome]:
        one, two = refusals
        return [Outcome(one, "delivered", "written"), Outcome(two, "accepted", "not_seen_yet")]

    monkeypatch.setattr(Taking, "withdraw", half)
    _sync(shop, Taking())
    assert noted(shop) == [("accepted", "not_seen_yet", 1)]


def test_a_second_segment_of_a_round_tells_nothing_again(members: Shop) -> None:
    members.suppress("x@example.com", "unsubscribed")
    receiver = Taking(says=("rejected", "newer_grant"))
    _sync(members, receiver)
    _sync(members, receiver, refusals_are_read=True)
    assert noted(members) == [("left", "newer_grant", 1)]


def test_a_destination_that_cannot_be_told_is_not(members: Shop) -> None:
    members.suppress("x@example.com", "unsubscribed")
    _sync(members, Receiver())
    assert noted(members) == []


def test_a_destination_that_cannot_be_told_keeps_no_other_from_its_audience(
    members: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    receivers = {"one": Taking(fails=RuntimeError("no")), "two": Taking()}
    settings = config.Settings(
        destinations={name: config.Destination() for name in receivers},
        segments={"vip": config.Segment(destinations=list(receivers))},
    )
    monkeypatch.setattr(delivery, "load_settings", lambda: settings)
    for name in ("check_settings", "check_destinations", "check_continuity"):
        monkeypatch.setattr(delivery, name, lambda *_: None)
    monkeypatch.setattr(delivery, "open_destination", lambda name, *_: receivers[name])
    members.suppress("c1@example.com", "unsubscribed")
    for name, receiver in receivers.items():
        receiver.name = name
    with pytest.raises(DestinationFailedError, match="`one`"):
        delivery.sync_all(members.home, None, None).raise_failures()
    assert set(receivers["one"].members) == set(receivers["two"].members) == {"c2"}
    assert receivers["two"].told == ["c1@example.com"]


def test_a_kill_between_telling_and_noting_tells_again(
    members: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    members.suppress("x@example.com", "unsubscribed")
    receiver = Taking()

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(withdrawals_written, "_record", killed)
        with pytest.raises(KeyboardInterrupt):
            _sync(members, receiver)
    assert noted(members) == []
    _sync(members, receiver, NOW + HOUR)
    assert receiver.told == ["x@example.com"] * 2
    assert noted(members) == [("done", "written", 1)]


def test_a_destination_that_asks_to_be_left_alone_is_not_sent_to_meanwhile(members: Shop) -> None:
    members.suppress("x@example.com", "unsubscribed")
    receiver = Taking(fails=RetryLaterError("http_429", 300.0))
    _sync(members, receiver)
    assert noted(members) == [("waiting", "http_429", 1)]
    assert receiver.calls == 0, "for longer than a minute rows are left to the next sync"
    with members.store.read() as connection:
        [(until, asked)] = connection.execute(
            select(schema.destination_pauses.c.paused_until, schema.destination_pauses.c.asked_at)
        ).tuples()
    assert until - asked == 300_000_000
