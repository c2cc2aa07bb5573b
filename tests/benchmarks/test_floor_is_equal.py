"""The hand-written SQL that the models are measured beside makes the same tables still."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.bench import main


@pytest.mark.faults
def test_models_and_floor_make_the_same_tables(tmp_path: Path) -> None:
    options = ["--people", "300", "--models-only", "--out", str(tmp_path / "page.md")]
    assert main([*options, "--work", str(tmp_path / "work")]) == 0
