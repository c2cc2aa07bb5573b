"""A statement for a customer, laid out for a terminal and as a page.

Belongs here: the two layouts. Does not belong here: what is told (`build`).

The page needs no other file and no script. Values are escaped, and each is written in the direction
of its own letters.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orchestration.who.statement.parts import Section, Statement
from orchestration.words import pages

TEMPLATES = Path(__file__).parent / "templates"


def render(document: Statement) -> RenderableType:
    """The statement for a terminal of any width."""
    return Group(_text(document.title, "bold"), _text(document.about, "dim"), *_sections(document))


def page(document: Statement) -> str:
    """The statement as one HTML page."""
    return pages.environment(TEMPLATES).get_template("statement.html.j2").render(document=document)


def _sections(document: Statement) -> Iterator[RenderableType]:
    for section in document.sections:
        yield _text(f"\n{section.title}", "bold")
        yield Padding(Group(*_body(section)), (0, 0, 0, 2))


def _body(section: Section) -> Iterator[RenderableType]:
    yield from (_text(sentence) for sentence in section.sentences)
    if section.rows:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for column in section.columns:
            table.add_column(column, overflow="fold")
        for row in section.rows:
            table.add_row(*map(_text, row))
        yield table


def _text(content: str, style: str = "") -> Text:
    return Text(content, style, no_wrap=False, overflow="fold")
