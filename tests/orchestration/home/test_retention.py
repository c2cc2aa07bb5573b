"""What was written for people who asked goes when it is old, and nothing else does."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.home.layout import Home
from orchestration.home.retention import delete_old_exports

NOW = datetime(2026, 6, 1, 12)


def aged(path: Path, days: float) -> Path:
    """The file as if it had been written so many days ago."""
    moment = (NOW - timedelta(days=days)).replace(tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment), follow_symlinks=False)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.subject_exports.mkdir(parents=True)
    return home


def test_an_old_file_goes_and_a_newer_one_stays(home: Home) -> None:
    for name, days in (("old.json", 30.1), ("newer.json", 29.9)):
        (home.subject_exports / name).write_text("{}")
        aged(home.subject_exports / name, days)
    assert delete_old_exports(home, days=30, at=NOW) == 1
    assert [path.name for path in home.subject_exports.iterdir()] == ["newer.json"]


def test_folders_and_links_stay_and_end_no_run(home: Home, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("not ours")
    folder, dangling, link = (home.subject_exports / name for name in ("folder", "gone", "link"))
    folder.mkdir()
    dangling.symlink_to(tmp_path / "nowhere")
    link.symlink_to(elsewhere)
    for path in (folder, dangling, link, elsewhere):
        aged(path, 99)
    assert delete_old_exports(home, days=30, at=NOW) == 0
    assert folder.is_dir() and dangling.is_symlink() and link.read_text() == "not ours"


def test_the_folder_is_made_private_again(home: Home) -> None:
    home.subject_exports.chmod(0o755)
    delete_old_exports(home, days=30, at=NOW)
    assert stat.S_IMODE(home.subject_exports.stat().st_mode) == 0o700


def test_a_home_without_such_a_folder_has_nothing_to_delete(tmp_path: Path) -> None:
    assert delete_old_exports(Home(tmp_path), days=30, at=NOW) == 0
    assert list(tmp_path.iterdir()) == []
