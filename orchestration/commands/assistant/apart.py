"""What an assistant words itself, SQL and drafts, answered in the process that can do nothing else.

Belongs here: the two answers, as JSON of bounded size. Does not belong here: starting that process
and taking its rights away (`commands/answering`), what may be asked (published/reader), what a
draft is (segments/draft).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orchestration.commands.answer import ask
from orchestration.commands.assistant.bounds import ENTRIES, bounded
from orchestration.published.reader import open_locked
from orchestration.segments.draft import draft_on


def rows_of(file: str, home: str, query: str) -> str:
    """The first rows of a question, with the names of its columns.

    Args:
        file: what is asked.
        home: whose published file that is; empty for a masked copy.
        query: one read-only statement.
    """
    # One row more than is told, so that the answer says that there are more
    result = ask(Path(file), home, query, ENTRIES + 1)
    return bounded({"columns": result.columns, "rows": result.rows})


def draft_of(file: str, segment: str, text: str, variables: Mapping[str, Any]) -> str:
    """Who would be in a drafted segment, in counts and masked samples.

    Args:
        file: what it is held against.
        segment: the name that it would have.
        text: what its file says.
        variables: the settings' variables, as dbt gets them.
    """
    with open_locked(Path(file)) as connection:
        return bounded(asdict(draft_on(connection, segment, text, variables)))
