"""Which segments want the same people, for `plan` and `plan --draft`.

Belongs here: layout. Does not belong here: who is a rival (orchestration/segments/overlap.py).
Imports nothing that dbt, dlt or Dagster need, as a draft is told in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from orchestration.segments.overlap import Rival

RIVALS_SHOWN = 15
Rivals = Mapping[str, Sequence[Rival]]  # by segment


def render_rivals(segment: str, rivals: Sequence[Rival], out: Console) -> None:
    """Which segments want the same people on the same day, how many, and who goes first."""
    if not rivals:
        out.print("No other segment wants the same people on the same day.")
        return
    table = Table("wants the same people", "people", "priority", "goes first", header_style="bold")
    table.columns[1].justify = "right"
    for each in rivals[:RIVALS_SHOWN]:
        first = each.first if not each.is_conflict else f"{each.first}, by name alone"
        table.add_row(each.segment, f"{each.people:,}", str(each.priority), first)
    out.print(table)
    if len(rivals) > RIVALS_SHOWN:
        out.print(
            f"The first {RIVALS_SHOWN} of {len(rivals)};"
            f" `regulars plan {segment} --json` has them all."
        )


def render_conflicts(rivals: Rivals, out: Console) -> None:
    """Segments of one priority on one channel: a line for each two, and what to do."""
    pairs = {
        tuple(sorted((segment, each.segment))): each
        for segment, others in rivals.items()
        for each in others
        if each.is_conflict
    }
    for (one, other), each in sorted(pairs.items()):
        out.print(
            f"{one} and {other} have the same priority {each.priority} on"
            f" {' and '.join(each.channels)} and want {each.people:,} people both;"
            f" {each.first} goes first by its name alone. Give one of them another priority."
        )
