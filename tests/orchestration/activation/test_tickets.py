"""What a destination accepts and applies later: asked about, not sent twice, not left behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from orchestration.activation.ledger import broken_laws, open_intents
from orchestration.activation.moments import stopped
from orchestration.activation.plan import build_plan
from orchestration.activation.resolution import resolve
from orchestration.activation.sync import SyncReport, sync
from orchestration.destinations.base import Acknowledgement, DestinationFailedError, Idempotency
from orchestration.erasure.ops_rows import waiting
from orchestration.ops import schema
from tests.orchestration.activation.later import Later
from tests.orchestration.activation.records import state_counts
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop, busy

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)


def _sync(shop: Shop, receiver: Receiver, at: datetime = NOW) -> SyncReport:
    clock = stopped(at)
    report = sync(shop.store, shop.home, TARGET, receiver, at=at, clock=clock, wait=lambda _: None)
    assert broken_laws(shop.store) == []
    return report


def _people(shop: Shop, *names: str) -> None:
    for name in names:
        shop.add(name, f"{name}@example.com")
        shop.grant(f"{name}@example.com")
    shop.publish()


def _without(shop: Shop, *names: str) -> None:
    for name in names:
        del shop.members[name]
    shop.publish()


def _ledger(shop: Shop) -> list[dict[str, Any]]:
    table = schema.deliveries
    with shop.store.read() as connection:
        rows = connection.execute(select(table).order_by(table.c.delivered_at, table.c.version))
        return [dict(row) for row in rows.mappings()]


def test_an_accepted_row_is_no_delivery_until_it_is_answered(shop: Shop) -> None:
    receiver = Later()
    _people(shop, "c1", "c2", "c3")
    first = _sync(shop, receiver)
    assert (sum(first.sent.values()), first.left) == (0, {"accepted": 3})
    assert _ledger(shop) == []
    plan = build_plan(shop.store, shop.home, TARGET, at=NOW)
    assert (plan.changes, plan.accepted_count, plan.unchanged_count) == ((), 3, 0)
    assert _sync(shop, receiver).left == {"accepted": 3}
    assert receiver.calls == 2, "nothing is sent again"
    receiver.apply("job-1")
    answered = _sync(shop, receiver, NOW + HOUR / 2)
    assert (answered.sent["added"], answered.left) == (2, {"accepted": 1})
    receiver.apply("job-2")
    assert _sync(shop, receiver, NOW + HOUR / 2).left == {}
    assert {row["outcome"] for row in _ledger(shop)} == {"delivered"}
    assert all(row["consent_receipt_id"] for row in _ledger(shop)), "as it was handed over"
    asked = len(receiver.asked)
    _sync(shop, receiver)
    assert len(receiver.asked) == asked, "nothing is asked once it is answered"
    with shop.store.read() as connection:
        assert set(connection.execute(select(schema.outbox.c.payload)).scalars()) == {None}


def test_errors_of_rows_are_read_back(shop: Shop) -> None:
    receiver = Later()
    _people(shop, "c1", "c2")
    _sync(shop, receiver)
    receiver.apply("job-1", refused={"c2"})
    report = _sync(shop, receiver)
    (dead,) = open_intents(shop.store, ["accepted", "dead"])
    # Refused rows are tried again by each sync, so this one is on its way once more.
    assert (dead.customer_id, dead.state, dead.attempts) == ("c2", "accepted", 2)
    assert report.sent["added"] == 1
    assert set(receiver.members) == {"c1"}


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
@pytest.mark.parametrize("asked_between", [True, False])
def test_a_removal_that_meets_an_accepted_addition_is_sent_and_is_the_last_word(
    shop: Shop, order: tuple[int, int], asked_between: bool
) -> None:
    receiver = Later()
    _people(shop, "c1")
    _sync(shop, receiver)
    _without(shop, "c1")
    moment = NOW + timedelta(minutes=1)
    _sync(shop, receiver, moment)
    assert [row.operation for row in receiver.jobs["job-2"]] == ["removed"], "it does not wait"
    for number in order:
        receiver.apply(f"job-{number}")
        if asked_between:
            moment += timedelta(minutes=1)
            _sync(shop, receiver, moment)
    for _ in range(3):
        for ticket in list(receiver.jobs):
            receiver.apply(ticket)
        moment += timedelta(minutes=1)
        _sync(shop, receiver, moment)
    assert receiver.members == {}
    assert set(state_counts(shop.store)) <= {"sent", "superseded"}
    assert receiver.job_count <= 3, "at most one removal more"


def test_a_change_that_was_overtaken_is_sent_once_more(shop: Shop) -> None:
    receiver = Later()
    _people(shop, "c1")
    _sync(shop, receiver)
    shop.members["c1"] = "newer"
    shop.publish()
    _sync(shop, receiver, NOW + timedelta(minutes=1))
    receiver.apply("job-2")
    receiver.apply("job-1")
    assert receiver.members["c1"]["reason"] == "because", "the destination has the older one"
    _sync(shop, receiver, NOW + timedelta(minutes=2))
    receiver.apply("job-3")
    assert receiver.members["c1"]["reason"] == "newer"
    last = _sync(shop, receiver, NOW + timedelta(minutes=3))
    assert (last.left, last.planned, receiver.job_count) == ({}, 0, 3)


@pytest.mark.parametrize(
    ("idempotency", "state"), [(Idempotency.KEY, "accepted"), (Idempotency.NONE, "unknown")]
)
def test_a_row_without_an_answer_in_time_is_of_unknown_fate(
    shop: Shop, idempotency: Idempotency, state: str
) -> None:
    receiver = Later(idempotency=idempotency)
    _people(shop, "c1")
    _sync(shop, receiver)
    assert _sync(shop, receiver, NOW + HOUR - timedelta(seconds=1)).left == {"accepted": 1}
    assert _sync(shop, receiver, NOW + HOUR).left == {state: 1}
    assert receiver.job_count == (1 if state == "unknown" else 2), "what may be repeated, is"


def test_a_person_answers_for_an_accepted_row_only_once_nobody_else_can(shop: Shop) -> None:
    receiver = Later(idempotency=Idempotency.NONE)
    _people(shop, "c1")
    _sync(shop, receiver)
    (row,) = open_intents(shop.store, ["accepted"])
    with pytest.raises(Exception, match="accepted it"):
        resolve(shop.store, row.key, "arrived", by="Ada", at=NOW)
    _sync(shop, receiver, NOW + HOUR)
    assert resolve(shop.store, row.key, "arrived", by="Ada", at=NOW).row_count == 1
    assert _sync(shop, receiver, NOW + HOUR).left == {}


def test_a_destination_that_cannot_be_asked_keeps_nobody_there(shop: Shop) -> None:
    receiver = Later(asking_fails=busy())
    _people(shop, "c1", "c2")
    _sync(shop, receiver)
    assert _sync(shop, receiver).left == {"accepted": 2}
    receiver.asking_fails = ValueError("c1@example.com is odd")
    _without(shop, "c1")
    with pytest.raises(DestinationFailedError) as told:
        _sync(shop, receiver)
    assert "example.com" not in str(told.value)
    assert [row.customer_id for row in receiver.jobs["job-2"]] == ["c1"], "the removal left first"


def test_what_can_never_be_known_counts_as_sent_and_the_ledger_says_so(shop: Shop) -> None:
    receiver = Receiver(acknowledgement=Acknowledgement.UNKNOWABLE)
    _people(shop, "c1")
    assert _sync(shop, receiver).left == {}
    assert [row["outcome"] for row in _ledger(shop)] == ["accepted"]


@pytest.mark.parametrize("still_wanted", [True, False])
def test_an_accepted_row_of_a_merged_id_waits_for_its_answer(
    shop: Shop, *, still_wanted: bool
) -> None:
    receiver = Later()
    _people(shop, "c1")
    _sync(shop, receiver)
    del shop.people["c1"], shop.members["c1"]
    shop.aliases["c1"] = "c2"
    shop.add("c2", "c1@example.com", member=still_wanted)
    shop.publish()
    report = _sync(shop, receiver, NOW + HOUR / 4)
    if not still_wanted:
        assert [row.operation for row in receiver.jobs["job-2"]] == ["removed"]
        return
    assert (receiver.job_count, report.left) == (1, {"accepted": 1})
    receiver.apply("job-1")
    _sync(shop, receiver, NOW + HOUR / 2)
    assert [(row.customer_id, row.operation) for row in receiver.jobs["job-2"]] == [
        ("c2", "updated")
    ]


def test_whoever_has_an_open_job_may_still_be_there(shop: Shop) -> None:
    receiver = Later()
    _people(shop, "c1")
    _sync(shop, receiver)
    _without(shop, "c1")
    _sync(shop, receiver, NOW + timedelta(minutes=1))
    receiver.apply("job-2")
    _sync(shop, receiver, NOW + timedelta(minutes=2))
    with shop.store.read() as connection:
        assert waiting(connection, ["c1"]) == {("receiver", "vip", "c1")}
    receiver.apply("job-1")
    _sync(shop, receiver, NOW + timedelta(minutes=3))
    receiver.apply("job-3")
    _sync(shop, receiver, NOW + timedelta(minutes=4))
    with shop.store.read() as connection:
        assert waiting(connection, ["c1"]) == set()
    assert receiver.members == {}
