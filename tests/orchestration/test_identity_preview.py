"""`regulars plan --identity`: its words; what it finds is tested end to end."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console

from ingestion.config import Settings
from ingestion.errors import RegularsError, UsageError
from ingestion.pipelines import RunContext, open_input
from orchestration.commands.identity import render
from orchestration.home import Home
from orchestration.identity_preview import Change, preview, refuse_bad_lines


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


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("must_link,emial,a@a.example,email,b@a.example", "type_a: unknown_value"),
        ("must_lnk,email,a@a.example,email,b@a.example", "rule: unknown_value"),
        ("cannot_link,email,a@a.example,,", "value_b: missing_value"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_not_passed_over(
    tmp_path: Path, line: str, problem: str
) -> None:
    head, good = "rule,type_a,value_a,type_b,value_b,reason", "block,phone,+441,,,a till"
    (tmp_path / "identity_rules.csv").write_text(f"{head}\n{good}\n{line},why\n", "utf-8")
    settings, now = Settings(), datetime(2026, 7, 1)
    folder = open_input(tmp_path, settings)
    context = RunContext(tmp_path / "raw", tmp_path / "dlt", "preview", now, settings, folder)
    with pytest.raises(RegularsError, match=f"line 3 of identity_rules.csv .{problem}"):
        refuse_bad_lines(context)
