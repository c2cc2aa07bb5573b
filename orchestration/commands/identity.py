"""`regulars plan --identity`: who moves, what follows, and the rules that do nothing.

Belongs here: layout. Does not belong here: how it is found out (orchestration/preview/identity.py,
consequences.py, idle_rules.py). Ids, counts and line numbers only; no identifier
of anybody.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from ingestion.settings_file import load_settings
from orchestration.home.layout import Home
from orchestration.preview.consequences import Consequence
from orchestration.preview.identity import SHOWN, Change, Example, preview
from orchestration.preview.idle_rules import IdleRules
from orchestration.words.codes import REFUSALS

MEANINGS = {
    "merged": "would become one with another",
    "split": "would be two people",
    "refused": "would lose values that join nobody",
    "restored": "would get values back",
}
REASONS = {
    **REFUSALS,
    "evidence": "Evidence",
    "must_link": "Joined by a rule",
    "evidence_gone": "Nothing joins them any more",
}

FOLLOWS = {
    "people": "people",
    "orders": "whose order it is",
    "stage": "journey stage",
    "rfm": "RFM group",
    "segment": "places in a segment",
    "permission": "may be contacted",
    "destination": "sent to a destination",
}

# What is said of one rule, of several
IDLE = {
    "same_value": (
        "rule names one and the same value twice and does nothing",
        "rules name one and the same value twice and do nothing",
    ),
    "unknown_value": (
        "rule names a value that nobody in the data has and by itself does nothing",
        "rules name a value that nobody in the data has and by themselves do nothing",
    ),
    "contradicted": (
        "must_link does nothing: a cannot_link, directly or through others, keeps the two apart",
        "must_links do nothing: a cannot_link, directly or through others, keeps the two apart",
    ),
    "refused": (
        "must_link does nothing: one of its values is blocked and joins nobody",
        "must_links do nothing: one of the values of each is blocked and joins nobody",
    ),
}


def plan_identity(home: Home, location: str, out: Console, err: Console, *, as_json: bool) -> None:
    """Print who would merge or split, why, what follows, and which rules do nothing.

    JSON is an object of `changes` and `consequences`; the sentences about rules then go to `err`.
    """
    previewed = preview(home, load_settings(), location, err.print)
    if as_json:
        facts = asdict(previewed)
        out.print_json(json.dumps({name: facts[name] for name in ("changes", "consequences")}))
    else:
        render(previewed.changes, previewed.consequences, out)
    render_idle(previewed.idle, err if as_json else out, is_afresh=bool(location))


def render(changes: list[Change], consequences: list[Consequence], out: Console) -> None:
    """One line per kind of change and reason, then one per thing that follows."""
    if not changes:
        out.print("Nobody would merge or split.")
        return
    out.print(_changes(changes))
    if consequences:
        out.print(_consequences(consequences))
    out.print("Nothing has changed yet; `regulars run` would do it.")


def _changes(changes: list[Change]) -> Table:
    table = Table("people", "change", "why", "identifiers", "orders", "in segments", "for example")
    table.columns[-1].overflow = "fold"
    for change in changes:
        table.add_row(
            f"{change.people:,}",
            MEANINGS.get(change.change_type, change.change_type),
            REASONS.get(change.reason, change.reason),
            f"{change.identifiers:,}",
            f"{change.orders:,}",
            f"{change.members:,}",
            "\n".join(_in_words(example) for example in change.examples),
        )
    return table


def _consequences(consequences: list[Consequence]) -> Table:
    table = Table("what follows", "which", "new", "another", "gone")
    for column in table.columns[2:]:
        column.justify = "right"
    for consequence in consequences:
        counts = (
            f"{count:,}" for count in (consequence.added, consequence.changed, consequence.removed)
        )
        table.add_row(FOLLOWS[consequence.what], consequence.name, *counts)
    return table


def _in_words(example: Example) -> str:
    """Who, and whom they would go to."""
    others = [*example.goes_to[:SHOWN], *(["..."] if len(example.goes_to) > SHOWN else [])]
    return f"{example.customer_id} -> {', '.join(others)}" if others else example.customer_id


def render_idle(idle: list[IdleRules], out: Console, *, is_afresh: bool) -> None:
    """One sentence per reason for which rules do nothing.

    Args:
        idle: what was found.
        out: where to say it.
        is_afresh: the lines are those of the file as it is now, not as a rule was first loaded.
    """
    for rules in idle:
        one, several = IDLE[rules.reason]
        words = one if rules.rules == 1 else several
        out.print(f"{rules.rules:,} {words}{_where(rules, is_afresh=is_afresh)}.")


def _where(rules: IdleRules, *, is_afresh: bool) -> str:
    """The first few lines in brackets; nothing where none is known."""
    if not rules.lines:
        return ""
    numbers = ", ".join(str(line) for line in rules.lines)
    more = ", ..." if len(rules.lines) < rules.rules else ""
    noun = "line" if rules.rules == 1 else "lines"
    return f" ({noun} {numbers}{more}{'' if is_afresh else ' when first loaded'})"
