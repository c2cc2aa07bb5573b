"""Without its own operational store a home plans and sends nothing (RELIABILITY A5, B5)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import select

from ingestion.config import Settings
from ingestion.errors import UsageError
from orchestration.activation import delivery
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.continuity import (
    begin_anew,
    check_continuity,
    is_damaged,
    what_is_wrong,
)
from orchestration.ops.runs import AuditLog, Run, start_run
from orchestration.ops.store import StoreError, open_store
from orchestration.run.run import RunRequest, open_run
from tests.orchestration.ops.conftest import AS_OF


def _publish(home: Home, run_id: str) -> None:
    home.published.unlink(missing_ok=True)
    with duckdb.connect(str(home.published)) as connection:
        connection.execute("create schema ops")
        connection.execute(
            "create table ops.build as select 'b' as build_id, ? as run_id, ?::timestamp as as_of",
            [run_id, AS_OF],
        )


@pytest.fixture
def kept(tmp_path: Path) -> Home:
    """A home whose store knows the run that published."""
    home = Home(tmp_path / "home").create()
    with open_store(home) as store:
        start_run(store, Run("run1", AS_OF, "test"), started_at=AS_OF)
    _publish(home, "run1")
    return home


def _lose(home: Home) -> None:
    for path in home.root.glob("ops.sqlite*"):
        path.unlink()


def _damage(home: Home) -> None:
    with closing(sqlite3.connect(home.ops)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = home.ops.read_bytes()
    home.ops.write_bytes(content[:8192] + bytes(byte ^ 0xFF for byte in content[8192:]))


def _replace(home: Home) -> None:
    _lose(home)
    with open_store(home):
        pass


def test_an_empty_home_and_a_kept_one_are_well(tmp_path: Path, kept: Home) -> None:
    assert what_is_wrong(Home(tmp_path / "new").create()) == ""
    assert what_is_wrong(kept) == ""


def test_a_store_of_another_home_with_the_same_run_id_is_foreign(kept: Home) -> None:
    with open_store(kept) as store:
        log = AuditLog(store)
        record = {"run_id": "run1", "as_of": AS_OF.isoformat(), "passed": True, "checks": []}
        log.record_audit("d1", {**record, "build_id": "other"})
        assert "does not know" in what_is_wrong(kept)
        log.record_audit("d2", {**record, "build_id": "b"})
    assert what_is_wrong(kept) == ""


@pytest.mark.parametrize("harm", [_lose, _damage, _replace])
@pytest.mark.parametrize("way", ["run", "plan", "sync"])
def test_a_home_without_its_own_store_plans_and_sends_nothing(
    kept: Home, harm: Callable[[Home], None], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    harm(kept)
    before = sorted(path.name for path in kept.root.glob("ops.sqlite*"))
    monkeypatch.setattr(delivery, "targets", lambda *_: pytest.fail("it went on"))

    def run() -> None:
        with open_run(kept, Settings(), RunRequest(AS_OF, send="yes")):
            pytest.fail("it went on")

    ways: dict[str, Callable[[], Any]] = {
        "run": run,
        "plan": lambda: delivery.plan_all(kept, None, None),
        "sync": lambda: delivery.sync_all(kept, None, None),
    }
    with pytest.raises(StoreError, match=r"Nothing is planned or sent\.") as caught:
        ways[way]()
    assert caught.value.exit_code == 1
    assert "begin-anew" in caught.value.hint
    if harm is _lose:
        assert sorted(path.name for path in kept.root.glob("ops.sqlite*")) == before == []


@pytest.mark.parametrize("harm", [_lose, _damage, _replace])
def test_a_person_says_that_it_begins_anew(kept: Home, harm: Callable[[Home], None]) -> None:
    harm(kept)
    lost = begin_anew(kept, person="Ada", reason="the disk died", at=AS_OF)
    assert any("by hand" in each for each in lost)
    check_continuity(kept, begins_run=True)
    with pytest.raises(StoreError, match="still empty"):
        check_continuity(kept)
    with open_store(kept) as store, store.read() as connection:
        said = connection.execute(
            select(schema.meta.c.value).where(schema.meta.c.key == "begun_anew")
        ).scalar_one()
    assert '"by": "Ada"' in said
    assert len(list(kept.root.glob("ops.sqlite.damaged-*"))) == (1 if harm is _damage else 0)
    _publish(kept, "a run of somewhere else")
    assert what_is_wrong(kept) != "", "the word of a person is for one loss"


def test_a_store_that_is_well_is_not_begun_anew(kept: Home) -> None:
    with pytest.raises(UsageError, match="nothing is to begin anew"):
        begin_anew(kept, person="Ada", reason="why not", at=AS_OF)
    _lose(kept)
    with pytest.raises(UsageError, match="who says so"):
        begin_anew(kept, person=" ", reason="why not", at=AS_OF)


def test_data_without_a_store_is_a_loss_although_nothing_was_published(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    home.raw.touch()
    assert "gone" in what_is_wrong(home)
    with open_store(home):
        pass
    assert "empty" in what_is_wrong(home)


def test_damage_is_told_in_one_sentence_without_what_stands_in_the_file(kept: Home) -> None:
    assert not is_damaged(kept)
    _damage(kept)
    assert is_damaged(kept)
    with pytest.raises(StoreError) as caught, open_store(kept) as store:
        for table in schema.metadata.sorted_tables:
            with store.read() as connection:
                connection.execute(select(table)).all()
        pytest.fail("nothing was damaged")
    assert "SQL" not in caught.value.message
