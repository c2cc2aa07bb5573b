"""The tables of what was planned and what was sent, for `plan`, `sync`, `run` and `demo`.

Belongs here: layout. Does not belong here: plans and syncs (orchestration/delivery). Counts and
reasons only; who they are is in the files of the destination.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from orchestration.activation.plan import Plan
from orchestration.activation.sync import SyncReport
from orchestration.delivery import Delivery
from orchestration.report.words import REASONS

NOWHERE = "No segment goes anywhere: regulars.toml has no destination for any of them."


def render_plans(plans: Sequence[Plan], out: Console, *, as_json: bool) -> None:
    """What would be added, updated, removed and held back, and why."""
    if as_json:
        sys.stdout.write(json.dumps([_facts(plan) for plan in plans], indent=2) + "\n")
    elif plans:
        _print_planned([Delivery.planned(plan) for plan in plans], out)
    else:
        out.print(NOWHERE)


def render_results(reports: Sequence[SyncReport], out: Console) -> None:
    """What was sent, held back and left."""
    if reports:
        _print_sent([Delivery.sent(report) for report in reports], out)
    else:
        out.print(NOWHERE)


def render_deliveries(deliveries: Sequence[Delivery], out: Console) -> None:
    """What a run came to: what it sent, and what it only planned."""
    sent = [delivery for delivery in deliveries if not delivery.is_planned]
    planned = [delivery for delivery in deliveries if delivery.is_planned]
    if sent:
        _print_sent(sent, out)
    if planned:
        _print_planned(planned, out)


def _print_planned(deliveries: Sequence[Delivery], out: Console) -> None:
    table = _table("add", "update", "remove", last="approve")
    for delivery in deliveries:
        target = delivery.target
        place = f"{target.destination} ({target.channel}, {target.purpose})"
        table.add_row(target.segment, place, *_numbers(delivery), delivery.plan_hash)
    out.print(table)
    out.print(
        "Nothing was sent. `regulars sync SEGMENT DESTINATION --approve HASH` sends exactly this."
    )


def _print_sent(deliveries: Sequence[Delivery], out: Console) -> None:
    table = _table("added", "updated", "removed", last="left")
    table.columns[-1].justify = "right"
    for delivery in deliveries:
        target = delivery.target
        left = f"{delivery.left:,}"
        table.add_row(target.segment, target.destination, *_numbers(delivery), left)
    out.print(table)
    if any(delivery.left for delivery in deliveries):
        out.print("Some rows are left; they stay queued and the next sync tries again.")


def _table(*operations: str, last: str) -> Table:
    names = ("segment", "destination", *operations, "held back", "why", last)
    table = Table(*names, header_style="bold")
    for column in table.columns[2:6]:
        column.justify = "right"
    return table


def _numbers(delivery: Delivery) -> Iterator[str]:
    for name in ("added", "updated", "removed"):
        yield f"{delivery.counts.get(name, 0):,}"
    yield f"{sum(delivery.held_back.values()):,}"
    yield reasons_in_words(delivery.held_back)


def reasons_in_words(counts: Mapping[str, int]) -> str:
    """`12 unsubscribed, 3 permission expired`, most first."""
    return ", ".join(f"{count:,} {REASONS.get(reason, reason)}" for reason, count in counts.items())


def _facts(plan: Plan) -> dict[str, object]:
    return {
        "segment": plan.target.segment,
        "destination": plan.target.destination,
        "channel": plan.target.channel,
        "purpose": plan.target.purpose,
        **plan.counts,
        "unchanged": plan.unchanged_count,
        "held_back": plan.held_back_counts,
        "plan_hash": plan.plan_hash,
    }
