"""The text of one page, of a small shop that is published for it."""

from __future__ import annotations

import re
from pathlib import Path

from orchestration.home.layout import Home
from orchestration.serve.guard import VIEWER
from tests.orchestration.serve.pages.test_site import open_pages, publish

HERE = Path(__file__).parent


def page_of(root: Path, path: str, *statements: str) -> str:
    """The page at `path`, as HTML, of the small shop changed by these statements."""
    home = Home(root)
    home.create()
    publish(home, *statements)
    with open_pages(home) as clients:
        answer = clients[VIEWER].get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def words_of(html: str) -> str:
    """What is read on it: the text of its content, with one space between words."""
    body = html.partition('id="content">')[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def empty_and_older(root: Path, path: str, tables: str) -> tuple[str, str]:
    """The page of a shop whose tables are empty, and of a build without them; each says so."""
    empty = page_of(root / "empty", path, tables)
    assert "no table or column" not in empty
    older = page_of(root / "older", path)
    assert "This build has no table or column for it." in older
    return empty, older
