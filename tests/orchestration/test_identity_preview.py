"""`regulars plan --identity`: its words; what it finds is tested end to end."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from ingestion.config import Settings
from ingestion.errors import UsageError
from orchestration.commands.identity import render
from orchestration.home import Home
from orchestration.identity_preview import Change, preview


def shown(changes: list[Change]) -> str:
    out = io.StringIO()
    render(changes, Console(file=out, width=200))
    return out.getvalue()


def test_nothing_to_change_is_said() -> None:
    assert "Nobody would merge or split" in shown([])


def test_each_change_says_who_why_and_what_hangs_on_it() -> None:
    text = shown([Change("split", "cannot_link", 1, 3, 2, 4, ["abc"])])
    for part in ("would be two people", "Kept apart by a rule", "abc", "regulars run"):
        assert part in text


def test_before_the_first_run_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to compare with"):
        preview(Home(tmp_path), Settings(), "")
