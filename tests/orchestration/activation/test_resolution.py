"""A person says what became of rows of unknown fate: acted on once, and nothing else moves."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from typer.testing import CliRunner

from ingestion.errors import BusyError, UsageError
from orchestration import cli
from orchestration.activation.ledger import OpenIntent, broken_laws, open_intents
from orchestration.activation.resolution import Answer, Resolution, resolve
from orchestration.activation.sync import SyncReport, sync
from orchestration.destinations.base import Idempotency, Limits
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.runs import SUCCEEDED, Run, finish_run, start_run
from orchestration.ops.store import open_store, to_micros
from orchestration.words.plain_text import PlainConsole
from tests.orchestration.activation.records import records_of, state_counts
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop, deliver_to

pytestmark = pytest.mark.slow

LATER = NOW + timedelta(hours=2)
ALL_STATES = {"sent", "dead", "pending", "unknown", "withheld", "superseded"}


def _sync(shop: Shop, receiver: Receiver) -> SyncReport:
    report = sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=lambda _: None)
    assert broken_laws(shop.store) == []
    return report


def _resolve(shop: Shop, key: str, answer: Answer, by: str = "Ada") -> Resolution:
    done = resolve(shop.store, key, answer, by=by, at=LATER)
    assert broken_laws(shop.store) == []
    return done


def _unknown(shop: Shop) -> list[OpenIntent]:
    return open_intents(shop.store, ["unknown"])


def _in_doubt(shop: Shop, *names: str, batch_size: int = 1) -> Receiver:
    """A receiver that must not get a row twice, and answered nothing about these people."""
    for name in names:
        shop.add(name, f"{name}@example.com")
        shop.grant(f"{name}@example.com")
    shop.publish()
    receiver = Receiver(
        idempotency=Idempotency.NONE, limits=Limits(batch_size), answers=["unknown"] * len(names)
    )
    assert _sync(shop, receiver).left == {"unknown": len(names)}
    receiver.answers.clear()
    return receiver


def test_a_row_that_arrived_counts_as_sent_and_is_not_repeated(shop: Shop) -> None:
    receiver = _in_doubt(shop, "c1")
    (row,) = _unknown(shop)
    assert len(row.key) == 12
    done = _resolve(shop, row.key, "arrived")
    assert done == Resolution("arrived", 1, (("vip", "receiver"),))
    (sent,) = records_of(shop.store, schema.deliveries, "c1")
    assert (sent["outcome"], sent["delivered_at"]) == ("confirmed_by_person", to_micros(LATER))
    (outbox,) = records_of(shop.store, schema.outbox, "c1")
    assert (outbox["state"], outbox["payload"]) == ("sent", None), "its address goes with it"
    calls = receiver.calls
    assert _sync(shop, receiver).left == {}
    assert receiver.calls == calls


def test_a_lost_row_is_sent_by_the_next_sync_once(shop: Shop) -> None:
    receiver = _in_doubt(shop, "c1")
    (row,) = _unknown(shop)
    assert _resolve(shop, row.key, "lost").answer == "lost"
    assert state_counts(shop.store) == {"pending": 1}
    assert _sync(shop, receiver).sent["added"] == 1
    assert [each.key for each in receiver.log] == [row.idempotency_key]
    assert _sync(shop, receiver).sent["added"] == 0


def test_who_said_it_and_when_is_kept(shop: Shop) -> None:
    _in_doubt(shop, "c1")
    (row,) = _unknown(shop)
    _resolve(shop, row.key, "lost", by="Grace")
    with shop.store.read() as connection:
        (said,) = connection.execute(select(schema.resolutions)).mappings().all()
    assert dict(said) == {
        "idempotency_key": row.idempotency_key,
        "attempt": 1,
        "answer": "lost",
        "decided_by": "Grace",
        "decided_at": to_micros(LATER),
    }


def test_the_key_of_a_batch_answers_for_its_rows_of_unknown_fate_alone(shop: Shop) -> None:
    receiver = _in_doubt(shop, "c1", "c2", "c3", batch_size=2)
    (batch, *_), rows = sorted({row.batch_key for row in _unknown(shop)}), _unknown(shop)
    in_batch = [row for row in rows if row.batch_key == batch]
    _resolve(shop, in_batch[0].key, "arrived")
    assert _resolve(shop, batch, "lost").row_count == len(in_batch) - 1
    assert {row.batch_key for row in _unknown(shop)}.isdisjoint({batch})
    assert len(_unknown(shop)) == len(rows) - len(in_batch)
    assert _sync(shop, receiver).sent["added"] == len(in_batch) - 1


def test_the_same_answer_again_changes_nothing(shop: Shop) -> None:
    receiver = _in_doubt(shop, "c1", "c2")
    first, second = _unknown(shop)
    for row, answer in ((first, "arrived"), (second, "lost")):
        _resolve(shop, row.key, answer)  # type: ignore[arg-type]
        before = state_counts(shop.store)
        assert _resolve(shop, row.key, answer).is_repeated  # type: ignore[arg-type]
        assert state_counts(shop.store) == before
    assert _sync(shop, receiver).sent["added"] == 1
    assert _resolve(shop, second.key, "lost").is_repeated, "also after it was sent"
    assert state_counts(shop.store) == {"sent": 2}


@pytest.mark.parametrize(("said", "contrary"), [("arrived", "lost"), ("lost", "arrived")])
def test_a_contrary_answer_is_refused_and_names_the_first(
    shop: Shop, said: Answer, contrary: Answer
) -> None:
    _in_doubt(shop, "c1")
    (row,) = _unknown(shop)
    _resolve(shop, row.key, said)
    before = state_counts(shop.store)
    with pytest.raises(UsageError, match=f"Ada said on 2026-06-01 14:00 UTC of .*: {said}"):
        _resolve(shop, row.key, contrary, by="Grace")
    assert state_counts(shop.store) == before


def test_a_row_that_is_unknown_again_may_be_answered_again(shop: Shop) -> None:
    receiver = _in_doubt(shop, "c1")
    (row,) = _unknown(shop)
    _resolve(shop, row.key, "lost")
    receiver.answers = ["unknown"]
    assert _sync(shop, receiver).left == {"unknown": 1}
    assert not _resolve(shop, row.key, "arrived").is_repeated
    assert state_counts(shop.store) == {"sent": 1}


def test_a_lost_row_of_a_person_who_opted_out_since_is_not_sent(shop: Shop) -> None:
    receiver = _in_doubt(shop, "c1")
    (row,) = _unknown(shop)
    _resolve(shop, row.key, "lost")
    shop.suppress("c1@example.com", "unsubscribed")
    _sync(shop, receiver)
    assert [each.operation for each in receiver.log] == ["removed"], (
        "in case it was there after all"
    )
    assert state_counts(shop.store) == {"superseded": 1, "sent": 1}


def test_a_row_that_arrived_of_a_person_who_opted_out_since_is_removed(shop: Shop) -> None:
    receiver = _in_doubt(shop, "c1")
    (row,) = _unknown(shop)
    shop.suppress("c1@example.com", "unsubscribed")
    _resolve(shop, row.key, "arrived")
    assert _sync(shop, receiver).sent == {"added": 0, "updated": 0, "removed": 1}


def test_a_lost_row_that_has_changed_since_is_superseded_and_sent_as_it_is_now(shop: Shop) -> None:
    receiver = _in_doubt(shop, "c1")
    (row,) = _unknown(shop)
    _resolve(shop, row.key, "lost")
    shop.members["c1"] = "another reason"
    shop.publish()
    _sync(shop, receiver)
    assert [payload["reason"] for payload in receiver.members.values()] == ["another reason"]
    assert state_counts(shop.store) == {"superseded": 1, "sent": 1}


def test_a_row_superseded_since_needs_no_answer(shop: Shop) -> None:
    receiver = _in_doubt(shop, "c1")
    (row,) = _unknown(shop)
    del shop.members["c1"]
    shop.publish()
    _sync(shop, receiver)
    with pytest.raises(UsageError, match="a newer row of the same person took its place") as told:
        _resolve(shop, row.key, "arrived")
    assert "`regulars plan`" in told.value.hint


@pytest.mark.parametrize(
    "key", ["", "abc", "zzzzzzzz", "000000000000", "abcdef-x", "abcdef%-1", "-1"]
)
def test_a_key_that_names_no_row_is_one_sentence(shop: Shop, key: str) -> None:
    _in_doubt(shop, "c1")
    with pytest.raises(UsageError) as told:
        _resolve(shop, key, "arrived")
    assert told.value.exit_code == 2
    assert told.value.hint == "`regulars plan` lists the rows of unknown fate with their keys."
    assert state_counts(shop.store) == {"unknown": 1}


def test_a_key_that_begins_several_rows_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _in_doubt(shop, *(f"c{number}" for number in range(40)))
    monkeypatch.setattr("orchestration.activation.resolution.SHORTEST_KEY", 1)
    keys = [row.idempotency_key for row in _unknown(shop)]
    shared = next(key[0] for key in keys if sum(each[0] == key[0] for each in keys) > 1)
    with pytest.raises(UsageError, match="is the beginning of"):
        _resolve(shop, shared, "lost")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with one row of unknown fate at its one destination."""
    home = Home(tmp_path / "home").create()
    with open_store(home) as store:
        shop = Shop(home, store)
        receiver = _in_doubt(shop, "c1", "c2")
        start_run(store, Run("run1", NOW, "test"), started_at=NOW)
        finish_run(store, "run1", SUCCEEDED, finished_at=NOW)
    deliver_to(receiver, monkeypatch)
    return home


def _command(home: Home, *words: str) -> tuple[Result, str]:
    """How the command ended, and what it printed on its own console."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "out", PlainConsole(file=StringIO(), width=200, markup=False))
        done = CliRunner().invoke(cli.app, [*words, "--home", str(home.root)])
        return done, cli.out.file.getvalue()  # type: ignore[attr-defined]


def _states(home: Home) -> dict[str, int]:
    with open_store(home) as store:
        return state_counts(store)


def test_the_key_that_plan_shows_is_the_key_that_sync_takes(home: Home) -> None:
    with open_store(home) as store:
        first, second = open_intents(store, ["unknown"])
    _, listed = _command(home, "plan")
    assert first.key in listed and second.batch_key in listed
    assert "`regulars sync --resolve KEY arrived`" in listed
    done, said = _command(home, "sync", "--resolve", first.key, "arrived", "--by", "Ada")
    assert (done.exit_code, _states(home)) == (0, {"sent": 1, "unknown": 1})
    assert "Recorded: 1 row arrived, says Ada." in said
    assert "Counted as sent, and not repeated." in said
    again, said = _command(home, "sync", "--resolve", first.key, "arrived")
    assert again.exit_code == 0 and "nothing was changed" in said
    _, said = _command(home, "sync", "--resolve", second.batch_key, "lost")
    assert "Recorded: 1 row was lost, says " in said
    assert "Pending again: `regulars sync vip receiver`" in said
    assert _states(home) == {"sent": 1, "pending": 1}
    assert _command(home, "sync")[0].exit_code == 0
    assert _states(home) == {"sent": 2}
    assert first.key not in _command(home, "plan")[1]


def test_a_sync_that_leaves_rows_of_unknown_fate_says_where_they_are_listed(home: Home) -> None:
    _, said = _command(home, "sync")
    assert "2 may have arrived or not: `regulars plan` lists them with their keys." in said
    assert "Some rows are left" not in said


@pytest.mark.parametrize(
    "words",
    [
        ("--resolve", "abcdefabcdef", "perhaps"),
        ("--resolve", "abcdefabcdef", "arrived"),
        ("vip", "receiver", "--resolve", "abcdefabcdef", "arrived"),
        ("--by", "Ada"),
    ],
)
def test_misuse_is_a_usage_error_and_sends_nothing(home: Home, words: tuple[str, ...]) -> None:
    done, _ = _command(home, "sync", *words)
    assert isinstance(done.exception, UsageError)
    assert done.exception.exit_code == 2
    assert _states(home) == {"unknown": 2}


def test_while_a_run_holds_the_home_nothing_is_recorded(home: Home) -> None:
    with open_store(home) as store:
        key = open_intents(store, ["unknown"])[0].key
    words = ["sync", "--resolve", key, "lost", "--home", str(home.root)]
    with lock.hold(home.lock):
        code = subprocess.run(
            [sys.executable, "-c", "from orchestration.cli import main; main()", *words],
            capture_output=True,
            check=False,
        ).returncode
    assert (code, _states(home)) == (BusyError.exit_code, {"unknown": 2})


PEOPLE = ("c1", "c2", "c3")
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("sync"),
            st.lists(st.sampled_from([None, False, "unknown", "rejected", "crash"]), max_size=4),
        ),
        st.tuples(st.just("answer"), st.integers(0, 5)),
        st.tuples(st.just("member"), st.sampled_from(PEOPLE)),
        st.tuples(st.just("change"), st.sampled_from(PEOPLE)),
        st.tuples(st.just("stop"), st.sampled_from(PEOPLE)),
    ),
    max_size=20,
)


def _step(shop: Shop, receiver: Receiver, what: str, value: Any) -> None:
    if what == "sync":
        shop.publish()
        receiver.answers = [KeyboardInterrupt() if each == "crash" else each for each in value]
        with suppress(KeyboardInterrupt):
            sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=lambda _: None)
    elif what == "answer" and (rows := _unknown(shop)):
        row = rows[value % len(rows)]
        arrived = row.idempotency_key in receiver.keys  # the person looks, and says what is true
        resolve(shop.store, row.key, "arrived" if arrived else "lost", by="Ada", at=NOW)
    elif what == "member":
        shop.members[value] = "because" if shop.members.pop(value, None) is None else "again"
    elif what == "change" and value in shop.members:
        shop.members[value] += "!"
    elif what == "stop":
        shop.suppress(f"{value}@example.com", "unsubscribed")


def _conserves(shop: Shop) -> None:
    """queued = sent + dead + pending + unknown + withheld + superseded."""
    states = state_counts(shop.store)
    with shop.store.read() as connection:
        queued = connection.execute(select(func.sum(schema.sync_runs.c.queued))).scalar() or 0
        said = connection.execute(select(func.count()).select_from(schema.resolutions)).scalar()
    assert set(states) <= ALL_STATES | {"sending"}
    assert queued == sum(states.values())
    assert broken_laws(shop.store) == []
    assert said is not None


@pytest.mark.faults
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_no_history_of_answers_loses_or_doubles_a_row(history: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder)).create()
        with open_store(home) as store:
            shop = Shop(home, store)
            receiver = Receiver(idempotency=Idempotency.NONE, limits=Limits(2))
            for name in PEOPLE:
                shop.add(name, f"{name}@example.com")
                shop.grant(f"{name}@example.com")
            for what, value in history:
                _step(shop, receiver, what, value)
                _conserves(shop)
            for _ in range(2):  # whatever is left unknown is looked up, then sent
                _step(shop, receiver, "sync", [])
                while _unknown(shop):
                    _step(shop, receiver, "answer", 0)
                _conserves(shop)
            _step(shop, receiver, "sync", [])
            _conserves(shop)
            added = [row.key for row in receiver.log if row.operation != "removed"]
            assert len(added) == len(set(added))
            states = state_counts(shop.store)
            assert set(states) <= {"sent", "superseded", "withheld", "dead"}
