"""`regulars plan` and `regulars sync`: the tables they print.

Belongs here: layout. Does not belong here: plans and syncs (orchestration/delivery). Counts and
reasons only; who they are is in the files of the destination.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from orchestration.activation.plan import Plan
from orchestration.activation.sync import SyncReport

REASONS = {
    "spam_report": "reported spam",
    "unsubscribed": "unsubscribed",
    "manual": "stopped by hand",
    "gpc": "browser says do not share",
    "unknown_opt_out": "opted out",
    "revoked": "permission withdrawn",
    "denied": "permission denied",
    "hard_bounce": "address bounced",
    "unconfirmed": "opt-in not confirmed",
    "expired": "permission expired",
    "no_consent": "no permission on record",
    "no_address": "no address for the channel",
    "unknown_person": "no longer known",
    "address_changed": "address changed meanwhile",
}


def render_plans(plans: Sequence[Plan], out: Console, *, as_json: bool) -> None:
    """What would be added, updated, removed and held back, and why."""
    if as_json:
        sys.stdout.write(json.dumps([_facts(plan) for plan in plans], indent=2) + "\n")
        return
    table = Table(
        *("segment", "destination", "add", "update", "remove", "held back", "why", "approve"),
        header_style="bold",
    )
    for number in (2, 3, 4, 5):
        table.columns[number].justify = "right"
    for plan in plans:
        counts = plan.counts
        table.add_row(
            plan.target.segment,
            f"{plan.target.destination} ({plan.target.channel}, {plan.target.purpose})",
            *(f"{counts[name]:,}" for name in ("added", "updated", "removed")),
            f"{len(plan.held_back):,}",
            reasons_in_words(plan.held_back_counts),
            plan.plan_hash,
        )
    out.print(table)
    out.print(
        "Nothing was sent. `regulars sync SEGMENT DESTINATION --approve HASH` sends exactly this."
    )


def render_results(reports: Sequence[SyncReport], out: Console) -> None:
    """What was sent, held back and left."""
    table = Table(
        *("segment", "destination", "added", "updated", "removed", "held back", "why", "left"),
        header_style="bold",
    )
    for number in (2, 3, 4, 5, 7):
        table.columns[number].justify = "right"
    for report in reports:
        table.add_row(
            report.target.segment,
            report.target.destination,
            *(f"{report.sent.get(name, 0):,}" for name in ("added", "updated", "removed")),
            f"{sum(report.held_back.values()):,}",
            reasons_in_words(report.held_back),
            f"{sum(report.left.values()):,}",
        )
    out.print(table)
    if any(not report.is_complete for report in reports):
        out.print("Some rows are left; they stay queued and the next sync tries again.")


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
