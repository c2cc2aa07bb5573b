"""Dagster works in the folder of the home and in no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.errors import UsageError
from orchestration.home.layout import Home
from orchestration.host.history import History
from orchestration.host.launch import prepare


@pytest.mark.parametrize("name", ["what?", "x%41y"])
def test_a_path_that_dagster_misreads_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="Dagster misreads the path"):
        prepare(Home(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["50% of #1 é", "it's; a & b"])
def test_other_names_are_taken_as_they_are(tmp_path: Path, name: str) -> None:
    History.from_local(str(Home(tmp_path / name).create().dagster))
    assert [path.name for path in tmp_path.iterdir()] == [name]
