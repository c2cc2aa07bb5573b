"""`regulars pulse`: what arrived since the last run, judged and sent without one.

Belongs here: layout; counts alone are shown. Does not belong here: any step of it
(orchestration/activation/pulse).
"""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.table import Table

from ingestion.settings_file import load_settings
from orchestration.activation.pulse.pulse import Pulse, pulse
from orchestration.home.layout import Home


def print_pulse(home: Home, at: datetime | None, out: Console, *, send: bool) -> None:
    """Read, judge and print; send where it is asked for.

    Raises:
        BusyError: another process is sending.
        RegularsError: nothing is published, or a destination failed.
    """
    outcome = pulse(home, load_settings(), at=at, send="yes" if send else "no")
    out.print(_arrived(outcome))
    turned = outcome.turned
    if any((*turned.entered.values(), *turned.left.values())):
        out.print(_segments(outcome))
    if outcome.waits:
        out.print(f"{outcome.waits} Nothing is sent; the next pulse or run sends it.")
    elif outcome.deliveries:
        out.print(_deliveries(outcome, is_sent=send))
    else:
        out.print("Nothing to send.")
    if outcome.deliveries and not send:
        out.print("Nothing was sent or noted: `regulars pulse --send` sends.")


def _arrived(outcome: Pulse) -> str:
    arrivals = outcome.arrivals
    words = [
        f"As of {outcome.as_of.isoformat(sep=' ', timespec='minutes')} UTC:"
        f" {arrivals.new_count:,} rows that no pulse has read before,"
        f" {outcome.laid.events:,} events that no published run has,"
        f" {outcome.laid.of_people:,} of them by people who are known."
    ]
    if arrivals.bad_count:
        words.append(f"{arrivals.bad_count:,} rows cannot be used; the next run quarantines them.")
    if arrivals.left_count:
        words.append(f"{arrivals.left_count:,} files are left to the next run.")
    return " ".join(words)


def _segments(outcome: Pulse) -> Table:
    table = Table("segment", "enter", "leave", title="Members, against what is published")
    for segment, entered in outcome.turned.entered.items():
        if entered or outcome.turned.left[segment]:
            table.add_row(segment, f"{entered:,}", f"{outcome.turned.left[segment]:,}")
    return table


def _deliveries(outcome: Pulse, *, is_sent: bool) -> Table:
    title = "Sent" if is_sent else "Would be sent"
    table = Table("segment", "destination", "added", "updated", "removed", "held back", title=title)
    for each in outcome.deliveries:
        counts = (each.counts.get(name, 0) for name in ("added", "updated", "removed"))
        held = sum(each.held_back.values())
        table.add_row(
            each.target.segment, each.target.destination, *(f"{n:,}" for n in (*counts, held))
        )
    return table
