"""`regulars explain`: one person, or with --why what is between two identifiers.

Belongs here: which of the two was asked, asking the gate beside the published file, and JSON or
text. Does not belong here: finding anything (orchestration/who/explain.py, why.py), what the gate's
answers change (now.py) and how it is laid out (view.py).
"""

from __future__ import annotations

import sys
from datetime import datetime

from rich.console import Console

from ingestion.errors import UsageError
from ingestion.settings_file import load_settings
from orchestration.activation.answers import permission_now
from orchestration.activation.gate import Key
from orchestration.home.layout import Home
from orchestration.ops.store import has_store
from orchestration.who.evidence import Explanation
from orchestration.who.explain import NotFoundError, explain
from orchestration.who.now import GRANTED, as_of_now, unpublished
from orchestration.who.subject import UNPUBLISHED, find_subject
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


def explain_now(home: Home, who: str, *, at: datetime) -> Explanation:
    """Everything published about a person, with the gate's answers of this moment.

    Whoever is in no published run, and of whom something is recorded, has the answers alone.

    Raises:
        NotFoundError: nothing is known or recorded of them.
        StoreError: the operational store cannot be read.
    """
    keys: tuple[Key, ...] = ()
    try:
        explanation = explain(home, who)
    except NotFoundError:
        if not has_store(home):
            raise
        explanation, keys = _recorded(home, who)
    if not has_store(home):
        return explanation
    double = load_settings().double_opt_in
    answers = permission_now(home, explanation.customer_id, keys, at=at, double_opt_in=double)
    answered = {
        pair: (answer.reason or GRANTED, answer.receipt_id) for pair, answer in answers.items()
    }
    return as_of_now(explanation, answered)


def _recorded(home: Home, who: str) -> tuple[Explanation, tuple[Key, ...]]:
    """Somebody of whom only the operational store knows; `explain` has told the others apart."""
    subject = find_subject(home, who)
    return unpublished(UNPUBLISHED, subject.keys[0][0]), tuple(subject.keys)
