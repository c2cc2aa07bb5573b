"""Nothing that strangers write steers the terminal."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

from orchestration import cli
from orchestration.words.plain_text import PlainConsole, plain, shown_name

HOSTILE = (
    "\x1b[2Jgone",
    "\x1b]8;;https://thief.example\x07click\x1b]8;;\x07",
    "\x9b31mred",
    "lamp\u202egnp.exe",
    "la\u200bmp",
    "over\rwritten",
    "bell\x07",
)


def printed(thing: Any) -> str:
    out = PlainConsole(file=StringIO(), width=120, markup=False, highlight=False)
    out.print(thing)
    return out.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", HOSTILE)
def test_what_steers_a_terminal_is_not_printed(words: str) -> None:
    table = Table("a")
    table.add_row(words)
    for thing in (words, Text(words), table):
        text = printed(thing)
        assert not set(text) & set("\x1b\x07\x9b\u202e\u200b\r")
        assert words not in text


def test_other_words_are_printed_as_they_are() -> None:
    words = "Crème brûlée, ब्लू मग, [red]not markup[/red]\tand a tab"
    assert plain(words) == words
    assert "[red]not markup[/red]" in printed("[red]not markup[/red]")


def test_the_command_line_prints_through_it() -> None:
    assert isinstance(cli.out, PlainConsole)
    assert isinstance(cli.err, PlainConsole)


def test_a_columns_name_is_shown_without_an_address_and_in_one_line() -> None:
    assert shown_name("mood\nof\x1bday") == "mood of\ufffdday"
    assert shown_name("ann@people.example") == "[address]"
    assert len(shown_name("x" * 500)) == 60
