"""A folder of unfinished work goes with its process, however that ends, and no sooner."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.home.scratch import scratch_folder, sweep

WORK = """
import sys, time, pathlib
from orchestration.home.scratch import scratch_folder
with scratch_folder(pathlib.Path(sys.argv[1]), "work") as folder:
    (folder / "deep").mkdir()
    (folder / "deep" / "row").write_text("somebody's")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def worker(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(str(tmp_path / ".work-"))
    yield process
    process.kill()
    process.wait()


def test_it_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder(tmp_path, "work") as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.parent == tmp_path
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_taken_away_and_what_is_in_use_is_not(
    tmp_path: Path, worker: subprocess.Popen
) -> None:
    assert sweep(tmp_path, "work") == 0
    worker.kill()
    worker.wait()
    assert len(list(tmp_path.glob(".work-*"))) == 1
    with scratch_folder(tmp_path, "work") as own:
        assert sweep(tmp_path, "work") == 1
        assert list(tmp_path.iterdir()) == [own]


def test_a_folder_of_an_older_version_goes_and_what_is_no_such_folder_stays(tmp_path: Path) -> None:
    (tmp_path / ".work-old").mkdir()
    (tmp_path / ".work-file").write_text("")
    (tmp_path / ".workshop").mkdir()
    (tmp_path / ".work-link").symlink_to(tmp_path / ".workshop")
    assert sweep(tmp_path, "work") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".work-file", ".work-link", ".workshop",
    ]  # fmt: skip


def test_a_folder_that_is_moved_to_its_place_stays_there(tmp_path: Path) -> None:
    with scratch_folder(tmp_path, "work") as folder:
        (folder / "row").write_text("kept")
        folder.rename(tmp_path / "whole")
    assert (tmp_path / "whole" / "row").read_text() == "kept"
