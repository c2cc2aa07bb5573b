"""`regulars plan --identity`: the table it prints.

Belongs here: layout. Does not belong here: how it is found out (orchestration/identity_preview.py).
Ids and counts only; no identifier of anybody.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from ingestion.config import load_settings
from orchestration.home import Home
from orchestration.identity_preview import Change, preview
from orchestration.report.words import REFUSALS

MEANINGS = {
    "merged": "would become one with another",
    "split": "would be two people",
    "refused": "would lose values that tie nobody",
    "restored": "would get values back",
}
REASONS = {
    **REFUSALS,
    "evidence": "Evidence",
    "must_link": "Joined by a rule",
    "evidence_gone": "Nothing ties them any more",
}


def plan_identity(home: Home, location: str, out: Console, *, as_json: bool) -> None:
    """Print who would merge or split, why, and what hangs on it."""
    changes = preview(home, load_settings(), location)
    if as_json:
        out.print_json(json.dumps([asdict(change) for change in changes]))
        return
    render(changes, out)


def render(changes: list[Change], out: Console) -> None:
    """One line per kind of change and reason."""
    if not changes:
        out.print("Nobody would merge or split.")
        return
    table = Table("people", "change", "why", "identifiers", "orders", "in segments", "for example")
    for change in changes:
        table.add_row(
            f"{change.people:,}",
            MEANINGS.get(change.change_type, change.change_type),
            REASONS.get(change.reason, change.reason),
            f"{change.identifiers:,}",
            f"{change.orders:,}",
            f"{change.members:,}",
            "\n".join(change.examples),
        )
    out.print(table)
    out.print("Nothing has changed yet; `regulars run` would do it.")
