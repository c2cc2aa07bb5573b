"""What a killed run leaves behind at work, and what is not ours to end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.home.workers import free_stores, is_alive, process_mark

pytestmark = pytest.mark.slow

HOLD = """
import sys, time, duckdb
held = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "shop").create()
    duckdb.connect(str(home.raw)).close()
    return home


@pytest.fixture
def holder(home: Home) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that holds the raw store, with more words on its command line."""
    started = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLD, str(home.raw), *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_the_dbt_of_a_killed_run_is_ended(home: Home, holder: Callable[..., object]) -> None:
    process = holder("dbt", "build", "--log-path", str(home.dbt / "logs"))
    assert free_stores(home) == 1
    assert process.poll() is not None  # type: ignore[attr-defined]
    duckdb.connect(str(home.raw)).close()


def test_the_dbt_of_a_killed_run_that_has_only_started_is_ended(home: Home) -> None:
    """It would open the stores while the next run is at work on them."""
    words = ("dbt", "build", "--log-path", str(home.dbt / "logs"))
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *words])
    assert free_stores(home) == 1
    assert process.poll() is not None
    assert free_stores(home) == 0


def test_another_program_is_named_and_left_alone(
    home: Home, holder: Callable[..., subprocess.Popen[str]]
) -> None:
    for words in (("notebook",), ("dbt", "--log-path", f"{home.root}-two/dbt/logs")):
        process = holder(*words)
        with pytest.raises(RegularsError, match=rf"raw.duckdb .*\(process {process.pid}\)"):
            free_stores(home, wait_seconds=0.6)
        assert process.poll() is None
        process.kill()
        process.wait()


def test_free_stores_are_simply_free(home: Home) -> None:
    assert free_stores(home) == 0


def test_a_process_is_known_by_its_start_and_a_gone_one_is_not() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    mark = process_mark(process.pid)
    assert mark is not None
    assert is_alive(mark)
    pid, _, start = mark.partition(":")
    assert not is_alive(f"{pid}:{int(start) - 3600}"), "the number belongs to a later process"
    assert is_alive(f"{pid}:{int(start) + 1}"), "the clock was set by a second"
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(mark), "ended, and not yet waited for"
    process.wait()
    assert not is_alive(mark)
    assert not is_alive("")
