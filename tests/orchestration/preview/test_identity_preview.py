"""`regulars plan --identity`: its words; what it finds is tested end to end."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console

from ingestion.config import Settings
from ingestion.errors import RegularsError, UsageError
from ingestion.files.folder import InputFolder
from ingestion.input_folder import open_input
from ingestion.pipelines import RunContext, run_source
from orchestration.commands.identity import render, render_idle
from orchestration.home.layout import Home
from orchestration.preview.consequences import Consequence
from orchestration.preview.identity import RULES, Change, Example, preview, read_afresh
from orchestration.preview.idle_rules import IdleRules, file_lines


def shown(changes: list[Change], *consequences: Consequence) -> str:
    out = io.StringIO()
    render(changes, list(consequences), Console(file=out, width=200))
    return out.getvalue()


def test_nothing_to_change_is_said() -> None:
    assert "Nobody would merge or split" in shown([])


def test_each_change_says_who_why_and_what_hangs_on_it() -> None:
    examples = [Example("abc", ["def"]), Example("ghi", []), Example("jkl", list("123456"))]
    text = shown([Change("split", "cannot_link", 1, 3, 2, 4, examples)])
    for part in ("would be two people", "Kept apart by a rule", "regulars run"):
        assert part in text
    assert "abc -> def" in text
    assert "ghi -> " not in text
    assert "jkl -> 1, 2, 3, 4, 5, ... " in text


def test_what_follows_is_said_of_each_table_and_destination() -> None:
    split = Change("split", "cannot_link", 1, 1, 0, 0, [Example("abc", [])])
    lines = shown(
        [split],
        Consequence("segment", "vip", 0, 0, 1),
        Consequence("destination", "file, vip", 1200, 2, 1),
    ).splitlines()
    (segment,) = [line for line in lines if "places in a segment" in line]
    assert [cell.strip() for cell in segment.split("│")[2:-1]] == ["vip", "0", "0", "1"]
    (sent,) = [line for line in lines if "sent to a destination" in line]
    assert [cell.strip() for cell in sent.split("│")[2:-1]] == ["file, vip", "1,200", "2", "1"]


def told(*idle: IdleRules, is_afresh: bool = True) -> str:
    out = io.StringIO()
    render_idle(list(idle), Console(file=out, width=200), is_afresh=is_afresh)
    return out.getvalue()


def test_rules_that_all_do_something_are_not_spoken_of() -> None:
    assert told() == ""


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("same_value", "one and the same value"),
        ("unknown_value", "nobody in the data has"),
        ("contradicted", "keeps the two apart"),
        ("refused", "blocked"),
    ],
)
def test_rules_that_do_nothing_are_one_sentence_with_their_lines(reason: str, words: str) -> None:
    one = told(IdleRules(reason, 1, [3]))
    assert one.startswith("1 ")
    assert words in one
    assert one.endswith(" (line 3).\n")
    many = told(IdleRules(reason, 1200, [2, 5]))
    assert many.startswith("1,200 ")
    assert words in many
    assert many.endswith(" (lines 2, 5, ...).\n")


def test_an_unknown_line_is_not_made_up() -> None:
    assert "line" not in told(IdleRules("same_value", 2, []))


def test_a_line_of_an_earlier_load_is_called_one() -> None:
    assert "(line 3 when first loaded)" in told(IdleRules("refused", 1, [3]), is_afresh=False)


def test_lines_are_those_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    """What was loaded before keeps the line that it first stood on; the plan names today's."""
    home = Home(tmp_path / "home").create()
    folder = tmp_path / "input"
    folder.mkdir()
    context = RunContext(
        home.raw, home.dlt, "run", datetime(2026, 7, 1), Settings(), InputFolder.at(folder)
    )
    lines = ["rule,type_a,value_a,type_b,value_b,reason", "block,login,till,,,a till"]
    for first in (lines, [lines[0], "block,login,desk,,,a desk", lines[1]]):
        (folder / "identity_rules.csv").write_text("\n".join(first) + "\n", "utf-8")
        run_source(RULES, context)
    loaded, now = file_lines(home.raw), file_lines(read_afresh(home, context))
    assert sorted(loaded.values()) == [2, 2]
    assert sorted(now.values()) == [2, 3]
    assert loaded.keys() == now.keys()


def test_before_the_first_run_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to compare with"):
        preview(Home(tmp_path), Settings(), "", print)


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
    home = Home(tmp_path / "home").create()
    context = RunContext(home.raw, home.dlt, "preview", now, settings, folder)
    with pytest.raises(RegularsError, match=f"line 3 of identity_rules.csv .{problem}"):
        read_afresh(home, context)
