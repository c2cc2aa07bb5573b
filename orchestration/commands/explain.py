"""`regulars explain`: one person, or with --why what is between two identifiers.

Belongs here: which of the two was asked, and JSON or text. Does not belong here: finding anything
(orchestration/who/explain.py, why.py), asking the gate beside the published file
(orchestration/activation/person_now.py) and how it is laid out (view.py).
"""

from __future__ import annotations

import sys
from datetime import datetime

from rich.console import Console

from ingestion.errors import UsageError
from orchestration.activation.person_now import explain_now
from orchestration.home.layout import Home
from orchestration.who.view import render, render_why
from orchestration.who.why import why


def print_explanation(
    home: Home,
    who: str | None,
    pair: tuple[str, str] | None,
    out: Console,
    *,
    at: datetime,
    as_json: bool,
) -> None:
    """Print who somebody is, with what may be sent at `at` (naive UTC), or why two values are one
    person.

    Raises:
        UsageError: neither a person nor two values are named, or both.
    """
    if (who is None) == (pair is None):
        raise UsageError(
            "Say whom to explain, or which two with --why.",
            "Try `regulars explain EMAIL`, or `regulars explain --why EMAIL PHONE`.",
        )
    if pair is not None:
        answer = why(home, *pair)
        if as_json:
            sys.stdout.write(answer.to_json() + "\n")
        else:
            out.print(render_why(answer))
        return
    explanation = explain_now(home, str(who), at=at)
    if as_json:
        sys.stdout.write(explanation.to_json() + "\n")
    else:
        out.print(render(explanation))
