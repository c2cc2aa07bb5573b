"""A raw store that is gone or damaged is told from one that never was."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import RegularsError
from orchestration.health.raw_store import require_raw
from orchestration.home.layout import Home
from orchestration.ops import runs
from orchestration.ops.store import open_store

AS_OF = datetime(2026, 7, 1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "shop").create()


@pytest.fixture
def loaded(home: Home) -> Callable[[int], None]:
    """Record a run that loaded so many rows."""

    def record(rows: int) -> None:
        with open_store(home) as store:
            run = runs.Run("20260701T000000Z-0001", AS_OF, "test")
            runs.start_run(store, run, started_at=AS_OF)
            counts = runs.SourceCounts("web", "events", rows, rows, 0, 0)
            runs.record_source_counts(store, run.run_id, [counts])

    return record


def test_a_new_home_needs_none(home: Home, loaded: Callable[[int], None]) -> None:
    require_raw(home, begin_anew=False)
    loaded(0)
    require_raw(home, begin_anew=False)


def test_one_that_is_gone_stops_the_run(home: Home, loaded: Callable[[int], None]) -> None:
    loaded(7)
    with pytest.raises(RegularsError, match=r"raw\.duckdb is gone") as caught:
        require_raw(home, begin_anew=False)
    assert "backup" in caught.value.hint
    assert "--full-refresh" in caught.value.hint


def test_a_person_may_begin_anew(home: Home, loaded: Callable[[int], None]) -> None:
    loaded(7)
    (home.dlt / "cursor").write_text("x")
    require_raw(home, begin_anew=True)
    assert list(home.dlt.iterdir()) == [], "an API is read from its beginning"


@pytest.mark.parametrize("kept", [0, 10, 8192, 300_000])
@pytest.mark.parametrize("begin_anew", [False, True])
def test_a_cut_one_stops_the_run_and_stays(home: Home, kept: int, begin_anew: bool) -> None:
    with duckdb.connect(str(home.raw)) as connection:
        connection.execute("create table t as select range, md5(range::text) from range(100000)")
    os.truncate(home.raw, kept)
    with pytest.raises(RegularsError, match=r"raw\.duckdb is damaged") as caught:
        require_raw(home, begin_anew=begin_anew)
    assert "Move it away" in caught.value.hint
    assert home.raw.stat().st_size == kept


def test_a_whole_one_is_fine(home: Home, loaded: Callable[[int], None]) -> None:
    loaded(7)
    duckdb.connect(str(home.raw)).close()
    require_raw(home, begin_anew=False)


def test_damage_to_a_block_is_no_lock(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.raw.write_bytes(b"x")

    def fails(*_args: object, **_options: object) -> None:
        raise duckdb.IOException("Corrupt database file: wrong checksum in block 7")

    monkeypatch.setattr(duckdb, "connect", fails)
    with pytest.raises(RegularsError, match="is damaged"):
        require_raw(home, begin_anew=False)
