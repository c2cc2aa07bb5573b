"""The lock: one holder, at once free when the holder ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingestion.errors import BusyError, UsageError
from orchestration.home import lock

HOLD = """
import sys, time, pathlib
from orchestration.home import lock
with lock.hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / ".lock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    yield process
    process.kill()
    process.wait()


def test_a_second_process_is_told_who_holds_it(tmp_path: Path, holder: subprocess.Popen) -> None:
    with (
        pytest.raises(BusyError, match=str(holder.pid)) as caught,
        lock.hold(tmp_path / ".lock"),
    ):
        pass
    assert caught.value.exit_code == 75


def test_a_reader_is_told_which_store_is_held_and_until_when(
    tmp_path: Path, holder: subprocess.Popen
) -> None:
    with pytest.raises(BusyError) as caught, lock.hold(tmp_path / ".lock", store="raw.duckdb"):
        pass
    assert f"(process {holder.pid})" in caught.value.message
    assert "holds raw.duckdb, which this command reads, until it ends" in caught.value.message
    assert caught.value.hint.startswith("Try again when it has ended")


def test_a_killed_holder_frees_it_at_once(tmp_path: Path, holder: subprocess.Popen) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    started = time.monotonic()
    with lock.hold(tmp_path / ".lock"):
        assert time.monotonic() - started < 1


def test_waiting_ends_with_busy(tmp_path: Path, holder: subprocess.Popen) -> None:
    started = time.monotonic()
    with pytest.raises(BusyError), lock.hold(tmp_path / ".lock", wait_seconds=0.5):
        pass
    assert 0.4 < time.monotonic() - started < 5


def test_the_same_process_goes_on(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with lock.hold(path), lock.hold(path):
        assert lock.holder(path) is not None
    assert lock.holder(path) is None


def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    with lock.hold(tmp_path / ".lock"):
        assert (tmp_path / ".lock").stat().st_mode & 0o777 == 0o600


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with pytest.raises(UsageError, match="file cannot be used"), lock.hold(in_the_way / ".lock"):
        pass


def test_a_busy_home_refuses_before_anything_heavy_is_loaded(
    tmp_path: Path, holder: subprocess.Popen
) -> None:
    """O3: within five seconds, also on a machine that has other work."""
    script = (
        "import sys; from orchestration import cli; sys.argv[0] = 'regulars'\n"
        "try: cli.main()\n"
        "finally: print([name for name in ('dagster', 'dlt', 'duckdb', 'sqlalchemy')"
        " if name in sys.modules])"
    )
    (tmp_path / "input").mkdir()
    for command in (
        ["run", "--input", str(tmp_path / "input")],
        ["run", "--send"],
        ["demo"],
        ["sync"],
        ["quarantine", "replay"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", script, *command, "--home", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 75, done.stderr
        assert f"process {holder.pid}" in done.stderr
        assert done.stdout.endswith("[]\n"), command
