"""`regulars explain WHO --for-customer`: what is known about a person, for that person.

Belongs here: where the statement goes. Does not belong here: what is in it
(orchestration/activation/statement_now) and its words (orchestration/who/statement).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rich.console import Console

from ingestion.errors import UsageError
from orchestration.activation.statement_now import Link, statement_now
from orchestration.home.layout import Home
from orchestration.home.whole_file import whole_file
from orchestration.who.statement.page import page, render


def print_statement(
    home: Home, who: str | None, html: Path | None, out: Console, link: Link, *, at: datetime
) -> None:
    """Print the statement, or write it as a page that only its owner reads.

    Args:
        home: the shop's home.
        who: any identifier or id of the person.
        html: the page to write instead.
        out: where to print.
        link: the address at which an identifier is unsubscribed by one click; empty where the shop
            has none.
        at: now, naive UTC.

    Raises:
        UsageError: nobody is named, or the page cannot be written.
    """
    if who is None:
        raise UsageError("Say whose statement.", "`regulars explain EMAIL --for-customer`.")
    statement = statement_now(home, who, link, at)
    if html is None:
        out.print(render(statement))
        return
    try:
        with whole_file(html) as stream:
            stream.write(page(statement).encode())
    except OSError as error:
        raise UsageError(
            f"{html} cannot be written ({error.strerror}).",
            "Name a file in a folder that is there.",
        ) from error
    out.print(f"Written: {html}; only you can read it, and nothing deletes it but you.")
