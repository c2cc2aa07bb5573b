"""Plan, queue, deliver: only differences, resumable, and nobody who said no (A1-A6, A12)."""

from __future__ import annotations

import csv
import random
import socket
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from typing import Any

import duckdb
import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from ingestion import config
from ingestion.errors import UsageError
from orchestration.activation import delivery, gate
from orchestration.activation import sync as sync_module
from orchestration.activation.authority import Approval, ApprovalError, as_asked, may_send
from orchestration.activation.ledger import (
    broken_laws,
    open_intents,
)
from orchestration.activation.moments import stopped
from orchestration.activation.people import Target, permitted_traits, targets
from orchestration.activation.plan import Plan, build_plan
from orchestration.activation.sync import SyncReport, sync
from orchestration.destinations.base import (
    Batch,
    DestinationFailedError,
    Idempotency,
    Limits,
    Outcome,
)
from orchestration.destinations.file import create
from orchestration.ops import schema
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import StoreError
from orchestration.run.run import Send
from tests.orchestration.activation.records import records_of, state_counts
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop, busy

pytestmark = pytest.mark.slow


def _sync(shop: Shop, receiver: Receiver, approve: str | None = None) -> SyncReport:
    report = sync(
        shop.store,
        shop.home,
        TARGET,
        receiver,
        at=NOW,
        approval=Approval(approve, "Ada", "looks right") if approve else None,
        wait=lambda _: None,
    )
    assert broken_laws(shop.store) == []
    return report


def _plan(shop: Shop) -> Plan:
    return build_plan(shop.store, shop.home, TARGET, at=NOW)


def _people(shop: Shop, *names: str) -> None:
    for name in names:
        shop.add(name, f"{name}@example.com")
        shop.grant(f"{name}@example.com")
    shop.publish()


def test_a_plan_reaches_nothing_and_equals_the_later_send(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _people(shop, "c1", "c2", "c3")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a plan opened a socket")

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "connect", refuse)
        patched.setattr(socket, "create_connection", refuse)
        plan = _plan(shop)
    assert plan.counts == {"added": 3, "updated": 0, "removed": 0}
    receiver = Receiver()
    report = _sync(shop, receiver)
    assert report.plan_hash == plan.plan_hash
    sent = [(row.operation, row.customer_id, dict(row.payload)) for row in receiver.log]
    assert sent == [(c.operation, c.customer_id, dict(c.payload)) for c in plan.changes]


def test_a_large_segment_is_planned_as_a_small_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("c1", "c2", "c3", "c4"):
        shop.add(name, f"{name}@example.com", f"login:{name}", f"device:d-{name}")
        shop.grant(f"{name}@example.com")
    shop.add("c5", "device:d-c5")
    shop.add("c6", "c6@example.com", "login:c6")
    shop.grant("c6", kind="login")
    shop.revoke("c2", kind="login")
    shop.suppress("d-c3", "manual", kind="device")
    shop.suppress("c4@example.com", "hard_bounce")
    shop.publish()
    small = _plan(shop)
    monkeypatch.setattr(gate, "_LARGE", 0)
    assert _plan(shop) == small
    assert small.counts["added"] == 2
    assert small.held_back_counts == {"hard_bounce": 1, "manual": 1, "no_consent": 1, "revoked": 1}


def test_only_differences_are_sent(shop: Shop) -> None:
    receiver = Receiver()
    _people(shop, "c1", "c2", "c3")
    assert _sync(shop, receiver).sent == {"added": 3, "updated": 0, "removed": 0}
    again = _sync(shop, receiver)
    assert (again.planned, again.unchanged, receiver.calls) == (0, 3, 2)
    shop.members["c1"] = "another reason"
    del shop.members["c2"]
    _people(shop, "c4")
    assert _sync(shop, receiver).sent == {"added": 1, "updated": 1, "removed": 1}
    assert set(receiver.members) == {"c1", "c3", "c4"}
    assert receiver.members["c1"]["reason"] == "another reason"
    assert [p["customer_id"] for p in receiver.audience] == ["c1", "c3", "c4"]


def test_a_removed_row_carries_what_was_delivered(shop: Shop) -> None:
    receiver = Receiver()
    _people(shop, "c1")
    _sync(shop, receiver)
    shop.members.clear()
    shop.people.clear()
    shop.publish()
    _sync(shop, receiver)
    assert receiver.log[-1].operation == "removed"
    assert receiver.log[-1].payload["email"] == "c1@example.com"
    with shop.store.read() as connection:
        rows = connection.execute(select(schema.outbox.c.payload)).scalars().all()
        kept = connection.execute(select(schema.audience_states.c.payload)).scalars().all()
    assert {*rows, *kept} == {None}


def test_held_back_with_reason_and_recorded_once(shop: Shop) -> None:
    shop.add("c1", "c1@example.com")
    shop.add("c2", "c2@example.com")
    shop.grant("c2@example.com")
    shop.suppress("c2@example.com", "unsubscribed")
    shop.publish()
    receiver = Receiver()
    report = _sync(shop, receiver)
    assert report.held_back == {"no_consent": 1, "unsubscribed": 1}
    _sync(shop, receiver)
    held_back = records_of(shop.store, schema.held_back, "c1")
    assert [row["reason"] for row in held_back] == ["no_consent"]
    assert receiver.log == []


def test_the_receipt_stands_in_the_ledger(shop: Shop) -> None:
    shop.add("c1", "c1@example.com")
    receipt = shop.grant("c1@example.com")
    shop.publish()
    _sync(shop, Receiver())
    (sent,) = records_of(shop.store, schema.deliveries, "c1")
    assert (sent["operation"], sent["consent_receipt_id"]) == ("added", receipt)


def test_an_opt_out_between_plan_and_send_is_honoured(shop: Shop) -> None:
    _people(shop, "c1", "c2", "c3")

    receiver = Receiver(limits=Limits(1))
    _sync(shop, receiver)
    shop.members.update(c1="new", c2="new", c3="new")
    shop.publish()
    real = sync_module._send
    seen = []

    def opt_out_first(session: object, key: object) -> float:
        if not seen:
            shop.revoke("c2@example.com")
        seen.append(key)
        return real(session, key)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sync_module, "_send", opt_out_first)
        report = _sync(shop, receiver)
    assert report.held_back == {"revoked": 1}
    assert set(receiver.members) == {"c1", "c3"}
    last = [row.operation for row in receiver.log if row.customer_id == "c2"]
    assert last == ["added", "removed"]


def test_an_opt_out_waits_for_the_batch_that_is_leaving(shop: Shop) -> None:
    """A batch and an opt-out never overlap: the store's write lock orders them."""
    _people(shop, "c1")
    locked = []

    class Slow(Receiver):
        def deliver(self, batch: Batch) -> list[Outcome]:
            with shop.store.engine.connect() as other:
                other.exec_driver_sql("PRAGMA busy_timeout=50")
                try:
                    other.exec_driver_sql("BEGIN IMMEDIATE")
                except Exception as error:
                    locked.append(str(error.__cause__ or error))
            return super().deliver(batch)

    _sync(shop, Slow())
    assert locked and "locked" in locked[0]


def test_an_opt_out_removes_whom_we_had_sent(shop: Shop) -> None:
    receiver = Receiver()
    _people(shop, "c1", "c2")
    _sync(shop, receiver)
    shop.suppress("c1@example.com", "spam_report")
    report = _sync(shop, receiver)
    assert report.sent["removed"] == 1
    assert set(receiver.members) == {"c2"}


def test_no_store_no_send(shop: Shop) -> None:
    _people(shop, "c1")
    with shop.store.write() as connection:
        connection.execute(text("drop table consent_events"))
    receiver = Receiver()
    with pytest.raises(StoreError):
        _sync(shop, receiver)
    assert receiver.calls == 0


@pytest.mark.parametrize(
    ("pragma", "told"),
    [("query_only = on", "cannot be written"), ("max_page_count = 1", "disk is full")],
)
def test_a_store_that_cannot_be_written_sends_nothing_and_says_so(
    shop: Shop, pragma: str, told: str
) -> None:
    _people(shop, *(f"c{number}" for number in range(300)))
    shop.store.engine.dispose()

    def limit(connection: Any, _record: object) -> None:
        connection.execute(f"pragma {pragma}")

    event.listen(shop.store.engine, "connect", limit)
    receiver = Receiver()
    with pytest.raises((StoreError, OperationalError), match=told):
        _sync(shop, receiver)
    assert receiver.calls == 0


def test_busy_destinations_are_asked_again(shop: Shop) -> None:
    _people(shop, "c1", "c2", "c3", "c4")
    waits: list[float] = []
    receiver = Receiver(answers=[busy(7.0), None, busy()])
    report = sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=waits.append)
    assert report.left == {} and len(receiver.members) == 4
    assert waits[0] == pytest.approx(7.0, abs=1.0), "before anything else is sent there"


def test_a_destination_that_stays_busy_keeps_the_queue(shop: Shop) -> None:
    _people(shop, "c1", "c2", "c3")
    receiver = Receiver(answers=[busy()] * 100)
    report = _sync(shop, receiver)
    assert report.left == {"pending": 3}
    receiver.answers.clear()
    report = _sync(shop, receiver)
    assert report.left == {} and receiver.duplicates == 0
    assert state_counts(shop.store) == {"sent": 3}


def test_a_lost_answer_is_repeated_under_the_same_key(shop: Shop) -> None:
    _people(shop, "c1", "c2")
    receiver = Receiver(answers=[False] * 100)
    assert _sync(shop, receiver).left == {"pending": 2}
    receiver.answers.clear()
    assert _sync(shop, receiver).left == {}
    assert len(receiver.log) == 2 and receiver.duplicates > 0


def test_whoever_may_be_there_and_left_is_removed(shop: Shop) -> None:
    _people(shop, "c1", "c2")
    receiver = Receiver(answers=[False] * 100)
    _sync(shop, receiver)
    assert set(receiver.members) == {"c1", "c2"}
    del shop.members["c1"]
    shop.publish()
    shop.revoke("c2@example.com")
    receiver.answers.clear()
    _sync(shop, receiver)
    assert receiver.members == {}


def test_a_withheld_retry_that_may_have_arrived_is_removed_at_once(shop: Shop) -> None:
    _people(shop, "c1")
    receiver = Receiver(answers=[False] * 100)
    _sync(shop, receiver)
    receiver.answers.clear()
    real = sync_module._send

    def opt_out_first(session: object, key: object) -> float:
        shop.revoke("c1@example.com")
        return real(session, key)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sync_module, "_send", opt_out_first)
        _sync(shop, receiver)
    assert receiver.members == {}


def test_a_refused_row_is_dead_and_tried_again_by_the_next_sync(shop: Shop) -> None:
    _people(shop, "c1", "c2", "c3")
    receiver = Receiver(answers=["rejected"])
    report = _sync(shop, receiver)
    assert report.left == {"dead": 2}
    assert len(open_intents(shop.store)) == 2
    report = _sync(shop, receiver)
    assert report.left == {} and len(receiver.members) == 3


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("http_422", "http_422"),
        ("no_address", "no_address"),
        ('{"email": "c1@example.com"}', "reason_in_words"),
        ("+44 7700 900123", "reason_in_words"),
        ("number_447700900123", "reason_in_words"),
    ],
)
def test_a_reason_is_kept_where_it_is_a_code(shop: Shop, said: str, kept: str) -> None:
    """What a system says of a row may quote it."""
    _people(shop, "c1")
    receiver = Receiver(limits=Limits(1))
    receiver.deliver = lambda batch: [  # type: ignore[method-assign]
        Outcome(row.key, "rejected", said) for row in batch.rows
    ]
    _sync(shop, receiver)
    (intent,) = open_intents(shop.store)
    assert intent.last_error == kept


def test_a_refused_removal_is_never_given_up(shop: Shop) -> None:
    _people(shop, "c1")
    receiver = Receiver()
    _sync(shop, receiver)
    shop.members.clear()
    shop.publish()
    receiver.answers = ["rejected"] * 100
    assert _sync(shop, receiver).left == {"pending": 1}
    (intent,) = open_intents(shop.store, ["pending"])
    assert intent.last_error == "told_so"
    receiver.answers.clear()
    assert _sync(shop, receiver).left == {}
    assert receiver.members == {}


def test_rows_that_must_not_repeat_wait_for_a_person(shop: Shop) -> None:
    _people(shop, "c1", "c2", "c3")
    receiver = Receiver(idempotency=Idempotency.NONE, limits=Limits(1), answers=["unknown", False])
    report = _sync(shop, receiver)
    assert report.left == {"unknown": 2}
    calls = receiver.calls
    report = _sync(shop, receiver)
    assert receiver.calls == calls and report.left == {"unknown": 2}


def test_a_crash_in_flight_is_resumed(shop: Shop) -> None:
    _people(shop, "c1", "c2", "c3")
    receiver = Receiver(answers=[None, KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        _sync(shop, receiver)
    assert len(receiver.members) == 2
    assert _sync(shop, receiver).left == {}
    assert len(receiver.members) == 3 and receiver.duplicates == 0


def test_a_destination_that_breaks_off_is_told_without_what_it_repeats(shop: Shop) -> None:
    """Its rows are as after a crash; what its system said of people or secrets goes nowhere."""
    _people(shop, "c1", "c2", "c3")
    receiver = Receiver(answers=[None, ValueError("400 key=s3cret c2@example.com")])
    with pytest.raises(DestinationFailedError, match="broke off: ValueError") as caught:
        _sync(shop, receiver)
    told = f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"
    assert "s3cret" not in told and "c2" not in told
    assert _sync(shop, receiver).left == {}
    assert len(receiver.members) == 3 and receiver.duplicates == 0


def test_a_crash_where_nothing_may_repeat_leaves_unknown(shop: Shop) -> None:
    _people(shop, "c1", "c2")
    receiver = Receiver(
        idempotency=Idempotency.NONE, limits=Limits(1), answers=[KeyboardInterrupt()]
    )
    with pytest.raises(KeyboardInterrupt):
        _sync(shop, receiver)
    report = _sync(shop, receiver)
    assert report.left == {"unknown": 1}
    assert len(receiver.members) == 1


def test_approval_binds_to_the_plan(shop: Shop) -> None:
    _people(shop, "c1", "c2")
    approved = _plan(shop).plan_hash
    _people(shop, "c3")
    receiver = Receiver()
    with pytest.raises(ApprovalError, match="nothing was sent"):
        _sync(shop, receiver, approve=approved)
    assert receiver.calls == 0
    _sync(shop, receiver, approve=_plan(shop).plan_hash)
    assert len(receiver.members) == 3
    with shop.store.read() as connection:
        names = connection.execute(select(schema.approvals.c.approved_by)).scalars().all()
    assert names == ["Ada"]


def test_an_approved_sync_can_be_finished_after_a_crash(shop: Shop) -> None:
    _people(shop, "c1", "c2", "c3")
    approved = _plan(shop).plan_hash
    receiver = Receiver(answers=[None, KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        _sync(shop, receiver, approve=approved)
    assert _sync(shop, receiver, approve=approved).left == {}
    assert _sync(shop, receiver, approve=approved).planned == 0
    with pytest.raises(ApprovalError):
        _sync(shop, receiver, approve="0000000000000000")


def test_a_merge_moves_the_place_without_removing_the_address(shop: Shop) -> None:
    receiver = Receiver()
    _people(shop, "c1", "c2")
    _sync(shop, receiver)
    shop.people["c2"] = [*shop.people["c2"], ("email", "c1@example.com")]
    del shop.people["c1"], shop.members["c1"]
    shop.aliases = {"c1": "c2"}
    shop.publish()
    _sync(shop, receiver)
    operations = [(row.customer_id, row.operation) for row in receiver.log[2:]]
    assert operations == [("c1", "removed")]

    shop.people["c3"] = shop.people.pop("c2")
    shop.members["c3"] = shop.members.pop("c2")
    shop.aliases = {"c1": "c3", "c2": "c3"}
    shop.publish()
    _sync(shop, receiver)
    last = receiver.log[-1]
    assert (last.customer_id, last.operation, last.version) == ("c3", "updated", 2)
    assert last.previous is not None and last.previous["customer_id"] == "c2"
    assert _plan(shop).changes == ()


def test_the_strictest_word_survives_a_merge(shop: Shop) -> None:
    receiver = Receiver()
    _people(shop, "c1", "c2")
    shop.revoke("c1@example.com")
    _sync(shop, receiver)
    shop.people["c2"] = [*shop.people["c2"], ("email", "c1@example.com")]
    del shop.people["c1"], shop.members["c1"]
    shop.aliases = {"c1": "c2"}
    shop.publish()
    report = _sync(shop, receiver)
    assert receiver.members == {} and report.held_back == {"revoked": 1}


def test_versions_rise_for_ever(shop: Shop) -> None:
    receiver = Receiver()
    for number in range(3):
        shop.members["c1"] = f"reason {number}"
        shop.add("c1", "c1@example.com")
        shop.grant("c1@example.com")
        shop.publish()
        _sync(shop, receiver)
        del shop.members["c1"]
        shop.publish()
        _sync(shop, receiver)
    assert [row.version for row in receiver.log] == [1, 2, 3, 4, 5, 6]


def test_a_channel_the_destination_lacks_is_refused(shop: Shop) -> None:
    _people(shop, "c1")
    with pytest.raises(UsageError, match="does not reach"):
        _sync(shop, Receiver(channels=frozenset({"sms"})))


def test_targets_come_from_segments_and_settings(shop: Shop) -> None:
    _people(shop, "c1")
    settings = config.Settings(
        destinations={"receiver": config.Destination(), "other": config.Destination(enabled=False)}
    )
    assert targets(shop.home, settings) == [TARGET]
    moved = settings.model_copy(
        update={"segments": {"vip": config.Segment(destinations=["receiver", "other"])}}
    )
    assert targets(shop.home, moved) == [TARGET]
    off = settings.model_copy(update={"segments": {"vip": config.Segment(enabled=False)}})
    assert targets(shop.home, off) == []
    with pytest.raises(UsageError, match="No published segment"):
        targets(shop.home, settings, segment="nobody")
    assert targets(shop.home, config.Settings()) == []
    with pytest.raises(UsageError, match="`vip` goes to any destination"):
        targets(shop.home, config.Settings(), segment="vip")


def test_an_unpublished_segment_or_trait_is_named(shop: Shop) -> None:
    _people(shop, "c1")
    with pytest.raises(UsageError, match="no published segment"):
        build_plan(shop.store, shop.home, Target("x", "receiver", "email", "marketing"), at=NOW)
    odd = Target("vip", "receiver", "email", "marketing", traits=("shoe_size",))
    with pytest.raises(UsageError, match="shoe_size"):
        build_plan(shop.store, shop.home, odd, at=NOW)


def test_a_sensitive_trait_goes_to_no_destination(shop: Shop) -> None:
    """Not as a row of customer_traits, and not as a column that a shop gave its customers table."""
    _people(shop, "c1")
    with duckdb.connect(str(shop.home.published)) as published:
        published.execute("alter table marts.dim_customers add column religion varchar")
        published.execute("alter table marts.dim_customers add column shoe_size varchar")
        published.execute(
            "create table marts.customer_traits as select *, 'x' as value, 'stated' as"
            " evidence_kind, null::timestamp as valid_to from (values"
            " ('c1', 'religion', 'sensitive'), ('c1', 'shoe_size', 'personal'),"
            " ('c1', 'health', 'sensitive')) as t (customer_id, trait, sensitivity)"
        )
    for trait, words in (("religion", "sensitive trait"), ("health", "no column")):
        refused = Target("vip", "receiver", "email", "marketing", traits=("first_name", trait))
        with pytest.raises(UsageError, match=words):
            build_plan(shop.store, shop.home, refused, at=NOW)
    allowed = Target("vip", "receiver", "email", "marketing", traits=("shoe_size",))
    assert build_plan(shop.store, shop.home, allowed, at=NOW)


TRAITS = ("first_name", "last_name", "country_code", "lifetime_net_sales", "shoe_size")
OF_LEVEL = {"full": set(TRAITS), "segment": {"first_name", "last_name", "country_code"}}


def test_of_a_person_goes_out_what_their_level_permits_whatever_is_asked_for(shop: Shop) -> None:
    """Every choice of columns, every level and a person without one: the address always, of the
    other columns no more than the level's."""
    levels = {"c1": "none", "c2": "segment", "c3": "full", "c4": None}
    shop.rows["marts.customer_personalisation"] = [[*each] for each in levels.items() if each[1]]
    _people(shop, *levels)
    with duckdb.connect(str(shop.home.published)) as published:
        for column, value in (("lifetime_net_sales", "12.5"), ("shoe_size", "'38'")):
            published.execute(f"alter table marts.dim_customers add column {column} varchar")
            published.execute(f"update marts.dim_customers set {column} = {value}")
    for count in range(len(TRAITS) + 1):
        for traits in combinations(TRAITS, count):
            target = Target("vip", "receiver", "email", "marketing", traits=traits)
            changes = build_plan(shop.store, shop.home, target, at=NOW).changes
            assert {each.customer_id for each in changes} == levels.keys()
            for change in changes:
                assert tuple(change.payload) == target.columns
                assert change.payload["email"] == f"{change.customer_id}@example.com"
                sent = {trait for trait in traits if change.payload[trait] is not None}
                level = levels[change.customer_id] or ""
                assert sent == OF_LEVEL.get(level, set()) & set(traits), level
        assert not permitted_traits("a level we do not know", TRAITS[:count])


@pytest.mark.parametrize("at_terminal", [True, False])
@pytest.mark.parametrize(
    ("destination", "asked", "expected"),
    [
        (config.Destination(), "no", False),
        (config.Destination(send=True), "no", False),
        (config.Destination(), "scheduled", False),
        (config.Destination(send=True), "scheduled", True),
        (config.Destination(send=True, enabled=False), "scheduled", False),
        (config.Destination(enabled=False), "yes", False),
    ],
)
def test_nothing_is_sent_without_a_word(
    destination: config.Destination, asked: Send, expected: bool, at_terminal: bool
) -> None:
    assert may_send(destination, as_asked(asked, at_terminal=at_terminal)) is expected


@pytest.mark.parametrize("send", [True, False])
def test_only_at_a_terminal_may_a_person_ask_for_every_destination(send: bool) -> None:
    destination = config.Destination(send=send)
    assert may_send(destination, as_asked("yes", at_terminal=True))
    assert may_send(destination, as_asked("yes", at_terminal=False)) is send


def test_what_nobody_asked_for_is_not_sent_whoever_calls(shop: Shop, monkeypatch) -> None:
    """The last door: also code that forgets to ask sends nothing."""
    settings = config.Settings(destinations={"receiver": config.Destination()})
    receiver = Receiver()
    monkeypatch.setattr(delivery, "open_destination", lambda *_: receiver)
    _people(shop, "c1")
    with pytest.raises(UsageError, match="Nobody asked"):
        delivery.DeliveryContext(shop.home, settings, shop.store, stopped(NOW)).sync(TARGET)
    assert not receiver.calls
    delivery.DeliveryContext(shop.home, settings, shop.store, stopped(NOW), "yes").sync(TARGET)
    assert receiver.members.keys() == {"c1"}


def test_a_thousand_opt_outs_during_a_paced_send(shop: Shop) -> None:
    names = [f"c{number:04d}" for number in range(1000)]
    for name in names:
        shop.add(name, f"{name}@example.com")
    grants = [_statement(name, "granted") for name in names]
    record_consents(shop.store, grants, recorded_at=NOW)
    shop.publish()
    said_no: set[str] = set()
    too_late: list[str] = []
    real = sync_module._send
    rest = iter(names[::-1])

    class Watcher(Receiver):
        def deliver(self, batch: Batch) -> list[Outcome]:
            too_late.extend(
                row.customer_id
                for row in batch.rows
                if row.customer_id in said_no and row.operation != "removed"
            )
            return super().deliver(batch)

    def opt_out_first(session: object, key: object) -> float:
        batch = [name for name in (next(rest, None) for _ in range(30)) if name]
        record_consents(shop.store, [_statement(n, "revoked") for n in batch], recorded_at=NOW)
        said_no.update(batch)
        return real(session, key)  # type: ignore[arg-type]

    receiver = Watcher(limits=Limits(20))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sync_module, "_send", opt_out_first)
        _sync(shop, receiver)
    assert len(said_no) == 1000
    assert too_late == []
    _sync(shop, receiver)
    assert receiver.members == {}


def _statement(name: str, status: str) -> ConsentEvent:
    when = NOW - timedelta(days=9) if status == "granted" else NOW
    address = f"{name}@example.com"
    return ConsentEvent("email", address, "email", "marketing", status, when, "form", "v1")


@pytest.mark.parametrize("seed", range(8))
def test_no_refusal_that_was_acknowledged_stands_in_the_finished_file(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    choice = random.Random(seed)
    names = [f"c{number:02d}" for number in range(20)]
    _people(shop, *names)
    destination = create("receiver", {"batch_size": 3}, shop.home)
    refused: set[str] = set()
    finishing: list[bool] = []

    def refuses(step: Callable[..., Any]) -> Callable[..., Any]:
        def then(*arguments: Any) -> Any:
            # Whoever refuses after the file was finished is the next sync's.
            for name in choice.sample(names, choice.randrange(3)) if not finishing else ():
                refused.add(name)
                shop.revoke(f"{name}@example.com")
            if step is finish:
                finishing.append(True)
            return step(*arguments)

        return then

    finish = sync_module._finish
    for step in ("_send", "_remove_withheld", "_finish"):
        monkeypatch.setattr(sync_module, step, refuses(getattr(sync_module, step)))
    sync(shop.store, shop.home, TARGET, destination, at=NOW, wait=lambda _: None)
    (audience,) = shop.home.delivered.glob("receiver/vip/audience.csv")
    with audience.open(newline="") as file:
        members = {row["customer_id"] for row in csv.DictReader(file)}
    assert refused
    assert members == set(names) - refused


def test_whoever_refuses_before_the_end_is_removed_by_the_same_sync(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _people(shop, "c1", "c2")
    finish = sync_module._finish

    def late(*arguments: Any) -> None:
        shop.revoke("c2@example.com")
        finish(*arguments)

    monkeypatch.setattr(sync_module, "_finish", late)
    receiver = Receiver()
    report = _sync(shop, receiver)
    assert set(receiver.members) == {"c1"}
    assert [payload["customer_id"] for payload in receiver.audience] == ["c1"]
    assert (report.sent["removed"], report.held_back) == (1, {"revoked": 1})
    assert report.left == {}
