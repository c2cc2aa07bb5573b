"""`regulars plan SEGMENT --draft FILE`: what a segment would be, from what is published.

Belongs here: layout. Does not belong here: the figures (orchestration/segments/draft.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ingestion.settings_file import load_settings
from orchestration.commands.rivals import render_conflicts, render_rivals
from orchestration.home.layout import Home
from orchestration.segments.declared_content import content_in_words
from orchestration.segments.draft import Draft, read_draft, try_draft


def print_draft(home: Home, segment: str, file: Path, out: Console, *, as_json: bool) -> None:
    """Print who would be in a drafted segment, and what may reach them; nothing is sent or kept."""
    draft = try_draft(home, segment, read_draft(file), load_settings().dbt_vars())
    if as_json:
        out.print_json(json.dumps(asdict(draft), default=str))
        return
    out.print(
        f"{draft.segment}, a draft, as of {draft.as_of}: {draft.people:,} of"
        f" {draft.of_all:,} people, {draft.known:,} of them known."
    )
    if draft.joined is not None:
        out.print(f"Against the live segment: {draft.joined:,} would join, {draft.left:,} leave.")
    out.print(_reach(draft))
    if shown := content_in_words(draft.landing_page, draft.slots):
        out.print(f"On the site its members are shown {shown}.")
    if draft.funnel:
        out.print(_funnel(draft))
    shared = ", ".join(f"{name} {count:,}" for name, count in draft.overlap.items())
    out.print(f"Also in: {shared or 'no live segment'}.")
    render_rivals(draft.segment, draft.rivals, out)
    render_conflicts({draft.segment: draft.rivals}, out)
    for who, reason in draft.samples:
        out.print(f"  {who}  {reason}", markup=False, highlight=False)


def _reach(draft: Draft) -> str:
    counts = [
        f"{channel} {draft.reach.get(channel, 0):,}"
        for channel in (*draft.channels, *sorted(set(draft.reach) - set(draft.channels)))
    ]
    return f"May be reached for {draft.purpose}: {', '.join(counts)}. Its channels come first."


def _funnel(draft: Draft) -> Table:
    table = Table("condition", "keeps alone", "drops alone", "left in order", "dropped in order")
    for row in draft.funnel:
        figures = ("kept_alone", "dropped_alone", "kept_in_order", "dropped_in_order")
        table.add_row(row["words"], *(f"{row[f'{figure}_count']:,}" for figure in figures))
    return table
