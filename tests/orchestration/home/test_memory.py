"""A command keeps to the memory of its home's settings, and leaves nothing of it on the disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ingestion import memory
from ingestion.duckdb import connect
from ingestion.errors import MemoryLimitError
from ingestion.memory import MEMORY_VARIABLE
from orchestration.home.kind import take_settings
from orchestration.home.layout import Home
from orchestration.home.memory import clear_spill
from orchestration.words.failures import our_error

WORK = """
import sys, time
from ingestion.duckdb import connect
from orchestration.home.kind import take_settings
from orchestration.home.layout import Home
take_settings(Home.locate(sys.argv[1]))
session = connect()
session.execute("create table t as select md5(range::varchar) as v from range(5_000_000)")
print("spilt", flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose settings allow 100 MB."""
    settings = tmp_path / "regulars.toml"
    settings.write_text('[engine]\nmemory_limit = "100MB"\n', "utf-8")
    monkeypatch.setenv("REGULARS_CONFIG", str(settings))
    monkeypatch.setenv(MEMORY_VARIABLE, "")
    monkeypatch.setattr(memory._spill, "folder", None)
    return Home(tmp_path / "home").create()


def _spilt(home: Home) -> list[Path]:
    return [file for folder in home.root.glob(".spill-*") for file in folder.rglob("*.tmp")]


def test_what_a_killed_process_put_on_the_disk_is_taken_away_and_a_living_ones_is_not(
    home: Home,
) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORK, str(home.root)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "spilt\n"
        clear_spill(home)
        assert _spilt(home)
    finally:
        worker.kill()
        worker.wait()
    for store in (home.raw, home.warehouse):
        Path(f"{store}.tmp").mkdir()
    clear_spill(home)
    assert not _spilt(home)
    assert not list(home.root.glob("*.tmp"))


def test_a_commands_sessions_spill_inside_its_home_and_in_no_other(
    home: Home, tmp_path: Path
) -> None:
    take_settings(home)
    with connect() as connection:
        folder = connection.execute("select current_setting('temp_directory')").fetchone()
        assert folder is not None
        assert Path(folder[0]).parents[1] == home.root
    another = Home(tmp_path / "another").create()
    take_settings(another)
    connect().close()
    assert not list(home.root.glob(".spill-*"))
    assert len(list(another.root.glob(".spill-*"))) == 1


def test_a_home_that_is_not_there_yet_is_not_made(tmp_path: Path, home: Home) -> None:
    take_settings(Home(tmp_path / "none"))
    with connect() as connection:
        assert connection.execute("select current_setting('temp_directory')").fetchone() == ("",)
    assert not (tmp_path / "none").exists()


def test_too_little_memory_in_a_step_is_our_own_sentence(home: Home) -> None:
    take_settings(home)
    with pytest.raises(duckdb.OutOfMemoryException) as raised, connect() as connection:
        connection.execute("select list(range) from range(50_000_000)")
    error = our_error(raised.value, lambda: "load_web")
    assert isinstance(error, MemoryLimitError)
    assert error.exit_code == 1
    assert "memory_limit under [engine]" in error.hint
