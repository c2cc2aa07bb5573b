"""`regulars sql`: a question to the published file, answered as a table or JSON.

Belongs here: which file is asked, and printing the answer. Does not belong here: the layout of an
answer (`answer`), what may be asked (published/reader), what a masked copy has (published/masked).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from rich.console import Console

from orchestration.commands.answering import answer_apart
from orchestration.commands.tables import TABLES
from orchestration.home.layout import Home
from orchestration.ops.tombstones import masking_key
from orchestration.published.masked import masked_copy
from orchestration.published.reader import (
    not_published,
    require_question,
)

# DuckDB's own answer names the tables of one schema, and none stands there.
_SHOW_TABLES = re.compile(r"\s*show\s+tables\s*;?\s*", re.IGNORECASE)


def print_query(
    home: Home, query: str, out: Console, *, as_json: bool, masked: bool = False
) -> None:
    """Answer `query`, or list the tables when it is empty or asks for them.

    Args:
        home: the shop's home.
        query: one read-only statement.
        out: where to print.
        as_json: print JSON, whole.
        masked: ask the copy without personal data instead of the published file.
    """
    if not query or _SHOW_TABLES.fullmatch(query):
        query = TABLES
    require_question(query)
    file = asked_file(home, masked=masked)
    text = answer_apart(
        {
            "file": str(file),
            "home": "" if masked else str(home.root),
            "query": query,
            "as_json": as_json,
            "width": out.width,
            "colour": out.color_system if out.is_terminal else None,
        }
    )
    (sys.stdout if as_json else out.file).write(text)


def asked_file(home: Home, *, masked: bool) -> Path:
    """What is published now, or the copy of it without personal data.

    Raises:
        RegularsError: nothing is published yet, or the copy cannot be made.
    """
    if not home.published.exists():
        raise not_published(home)
    return masked_copy(home, masking_key(home)) if masked else home.published
