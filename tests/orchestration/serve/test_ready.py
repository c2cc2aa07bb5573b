"""`regulars dev` beside a run: it waits for nobody, and says at once that one is at work (O3)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from ingestion.errors import BusyError
from orchestration.home.layout import Home
from orchestration.host.launch import is_prepared, prepare
from orchestration.serve.server import _make_ready
from tests.orchestration.home.test_lock import HOLD


@contextmanager
def run_at_work(home: Home) -> Iterator[int]:
    """Another process that holds the home."""
    command = [sys.executable, "-c", HOLD, str(home.lock)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("REGULARS_HOME", "DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
    return Home(tmp_path).create()


def test_a_home_that_is_ready_is_served_beside_a_run(home: Home) -> None:
    prepare(home)
    assert not is_prepared(home)
    with dg.DagsterInstance.get():
        pass
    assert is_prepared(home)
    said: list[str] = []
    with run_at_work(home) as pid:
        began = time.monotonic()
        _make_ready(home, said.append)
        assert time.monotonic() - began < 5
    (line,) = said
    assert line.startswith(f"Another run (process {pid}) is working in ")
    assert line.endswith("What is started here meanwhile waits for it.")


def test_a_new_home_that_is_held_is_busy_within_five_seconds(home: Home) -> None:
    with run_at_work(home):
        began = time.monotonic()
        with pytest.raises(BusyError):
            _make_ready(home, [].append)
        assert time.monotonic() - began < 5
    _make_ready(home, [].append)
    assert is_prepared(home)
