"""The tables of what was planned, sent and is unknown, for `plan`, `sync`, `run` and `demo`.

Belongs here: layout. Does not belong here: plans and syncs (orchestration/activation). Counts and
reasons only; who they are is in the files of the destination.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType

from rich.console import Console
from rich.table import Table

from ingestion.vocabulary import Reason
from orchestration.activation.code_effect import CodeEffects, in_signs
from orchestration.activation.delivery import (
    Delivery,
    Planned,
    Synced,
    last_deliveries,
    plan_all,
    resolve_rows,
    unknown_rows,
    who_is_planned,
)
from orchestration.activation.ledger import LastSync, OpenIntent
from orchestration.activation.new_profiles import NewProfiles
from orchestration.activation.people import Target
from orchestration.activation.plan import Plan
from orchestration.commands.rivals import Rivals, render_conflicts, render_rivals
from orchestration.home.kind import home_option
from orchestration.home.layout import Home
from orchestration.report.today import Today, count_wishes
from orchestration.segments.overlap import published_rivals
from orchestration.words.codes import REASONS, reasons_in_words
from orchestration.words.explaining import explained_by

PEOPLE_SHOWN = 100
NOBODY = "No person has a permitted address yet: nothing could be sent."
NOWHERE = (
    "No segment goes anywhere: regulars.toml has no destination for any of them. To get files,"
    ' write [destinations.file] and below it kind = "file"; to send one segment to a destination of'
    ' another name, [segments.NAME] and below it destinations = ["…"].'
)


def print_plans(
    home: Home,
    segment: str | None,
    destination: str | None,
    out: Console,
    *,
    as_json: bool,
    who: bool,
) -> None:
    """What a sync would do, what the last one did and, with `who`, the people."""
    planned = plan_all(home, segment, destination)
    plans, past = planned.plans, last_deliveries(home)
    if who:
        render_people(who_is_planned(home, plans), out, as_json=as_json, all_of_them=bool(segment))
    else:
        rivals = published_rivals(home, [plan.target.segment for plan in plans])
        render_plans(
            plans,
            past,
            out,
            as_json=as_json,
            all_of_them=bool(segment or destination),
            made=planned.new_profiles,
            effects=planned.code_effects,
            rivals=rivals,
        )
        if not as_json:
            if segment:
                render_rivals(segment, rivals.get(segment, ()), out)
            render_conflicts(rivals, out)
            render_today(count_wishes(planned.wishes), out, plans, home_option(home))
            render_unknown(unknown_rows(home, segment, destination), out)


def render_plans(
    plans: Sequence[Plan],
    past: Mapping[tuple[str, str], LastSync],
    out: Console,
    *,
    as_json: bool,
    all_of_them: bool = False,
    made: NewProfiles = MappingProxyType({}),
    effects: CodeEffects = MappingProxyType({}),
    rivals: Rivals = MappingProxyType({}),
) -> None:
    """What would be added, updated, removed and held back, and why; and what was delivered last.

    `made`: of whom a destination would make profiles that its vendor bills. `effects`: what of it
    changed code of segments makes. `rivals`: who wants the same people, for JSON.
    """
    if as_json:
        facts = [
            {
                **_facts(plan, past, made, effects),
                "rivals": [asdict(each) for each in rivals.get(plan.target.segment, ())],
            }
            for plan in plans
        ]
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    elif plans:
        planned = [Delivery.planned(plan) for plan in plans]
        _print_planned(planned, out, all_of_them=all_of_them)
        _print_unworded(planned, out)
        _print_new_profiles(made, out)
        _print_code_effects(plans, effects, out)
        deliveries = [(each.target, past.get(_pair(each.target))) for each in planned]
        _print_past(deliveries, out, nothing_at_all=not past)
    else:
        out.print(NOWHERE, markup=False)


def render_today(
    today: Sequence[Today], out: Console, plans: Sequence[Plan] = (), option: str = ""
) -> None:
    """Who gets what today over all destinations, why not, and what explains each reason.

    Of those whom it goes to, `new` are added by a sync of one of the plans; the destinations have
    the others. `option`: what a pasted command needs to find the home.
    """
    if not today:
        return
    names = ("today", "channel", "goes out", "of them new", "waits", "why not")
    table = Table(*names, header_style="bold")
    for column in table.columns[2:5]:
        column.justify = "right"
    added: dict[tuple[str, str], int] = {}
    for plan in plans:
        pair = (plan.target.segment, plan.target.channel)
        added[pair] = max(added.get(pair, 0), plan.counts.get("added", 0))
    segments: dict[str, str] = {}
    for row in today:
        why = reasons_in_words(dict(row.reasons))
        new = added.get((row.segment, row.channel))
        written = "" if new is None else f"{min(new, row.goes):,}"
        table.add_row(row.segment, row.channel, f"{row.goes:,}", written, f"{row.waits:,}", why)
        segments |= {reason: row.segment for reason, _ in row.reasons if reason not in segments}
    out.print(table)
    for reason in (str(each) for each in Reason if each in segments):
        command = explained_by(reason, segments[reason], option)
        out.print(f"  {REASONS[reason]}: {command}", soft_wrap=True)


def render_people(
    people: Sequence[Planned], out: Console, *, as_json: bool, all_of_them: bool
) -> None:
    """The people of the plans by their ids and masked addresses."""
    if as_json:
        listed = [
            {
                "segment": each.target.segment,
                "destination": each.target.destination,
                "customer_id": each.customer_id,
                "address": each.address,
                "state": each.state,
                "held_back": each.held_back,
            }
            for each in people
        ]
        sys.stdout.write(json.dumps(listed, indent=2) + "\n")
        return
    if not people:
        out.print("Nobody is in any of these segments, and nobody was sent.")
        return
    limit = len(people) if all_of_them else PEOPLE_SHOWN
    table = Table("segment", "destination", "customer", "address", "what", header_style="bold")
    for each in people[:limit]:
        why = f": {REASONS.get(each.held_back, each.held_back)}" if each.held_back else ""
        target, what = each.target, f"{each.state}{why}"
        table.add_row(target.segment, target.destination, each.customer_id, each.address, what)
    out.print(table)
    if len(people) > limit:
        out.print(
            f"The first {limit:,} of {len(people):,}; `regulars plan SEGMENT --who` shows all."
        )


def render_results(synced: Synced, out: Console) -> None:
    """What was sent, held back and left; then why the rest was not.

    Raises:
        RegularsError: something was not delivered.
    """
    if synced.reports:
        _print_sent([Delivery.sent(report) for report in synced.reports], out)
    elif not synced.failures:
        out.print(NOWHERE, markup=False)
    synced.raise_failures()


def render_unknown(rows: Sequence[OpenIntent], out: Console) -> None:
    """The rows that may have arrived or not, with the keys by which a person says which."""
    if not rows:
        return
    table = Table(
        "may have arrived",
        "batch",
        "segment",
        "destination",
        "customer",
        "what",
        header_style="bold",
    )
    for row in rows[:PEOPLE_SHOWN]:
        table.add_row(
            row.key, row.batch_key, row.segment, row.destination, row.customer_id, row.operation
        )
    out.print(table)
    more = f"The first {PEOPLE_SHOWN:,} of {len(rows):,}. " if len(rows) > PEOPLE_SHOWN else ""
    out.print(
        f"{more}Nobody gets these twice, so they wait: see whether the destination has them, then"
        " `regulars sync --resolve KEY arrived` or `regulars sync --resolve KEY lost`; the key of a"
        " batch answers for all its rows."
    )


def print_resolution(home: Home, key: str, answer: str, by: str, out: Console) -> None:
    """Record an answer about rows of unknown fate, and print what follows from it."""
    done = resolve_rows(home, key, answer, by)
    rows = f"{done.row_count:,} {'row' if done.row_count == 1 else 'rows'}"
    if done.is_repeated:
        out.print(f"That was said of {key} before ({done.answer}, {rows}); nothing was changed.")
        return
    verbs = {"arrived": "arrived", "lost": "was lost" if done.row_count == 1 else "were lost"}
    out.print(f"Recorded: {rows} {verbs[done.answer]}, says {by}.")
    if done.answer == "arrived":
        out.print("Counted as sent, and not repeated.")
        return
    for segment, destination in done.pairs:
        out.print(
            f"Pending again: `regulars sync {segment} {destination}` asks the gate and sends them,"
            " unless something newer takes their place."
        )


def render_deliveries(deliveries: Sequence[Delivery], out: Console) -> None:
    """What a run came to: what it sent, and what it only planned."""
    sent = [delivery for delivery in deliveries if not delivery.is_planned]
    planned = [delivery for delivery in deliveries if delivery.is_planned]
    if sent:
        _print_sent(sent, out)
    if planned:
        _print_planned(planned, out)
        _print_unworded(planned, out)


def _print_planned(
    deliveries: Sequence[Delivery], out: Console, *, all_of_them: bool = False
) -> None:
    """Plans that would send something or keep somebody; of the others one sentence."""
    shown = [each for each in deliveries if all_of_them or not each.is_idle]
    idle = [each for each in deliveries if each not in shown]
    if shown:
        table = _table("add", "update", "remove", last="approve")
        for delivery in shown:
            target = delivery.target
            receiver = f"{target.destination} ({target.channel}, {target.purpose})"
            approve = delivery.plan_hash if delivery.changes else ""
            table.add_row(target.segment, receiver, *_numbers(delivery), approve)
        out.print(table)
    if idle:
        out.print(_about_nobody(idle, everywhere=not shown))
    if any(each.changes for each in deliveries):
        out.print(
            "Nothing was sent. `regulars sync SEGMENT DESTINATION --approve HASH` sends exactly"
            " this."
        )
    elif any(each.kept for each in deliveries):
        out.print("Nothing to send: the destinations have everybody whom they may have.")
    _print_accepted(deliveries, out)


def _print_unworded(deliveries: Sequence[Delivery], out: Console) -> None:
    """Which segments send no message, since the shop has no template for it."""
    problems: dict[str, list[str]] = {}
    for target in (delivery.target for delivery in deliveries):
        if target.writer and target.writer.problem:
            segments = problems.setdefault(target.writer.problem, [])
            segments.append(f"{target.segment} to {target.destination}")
    for problem, segments in problems.items():
        out.print(f"{', '.join(segments)}: {problem}", markup=False)


def _print_new_profiles(made: NewProfiles, out: Console) -> None:
    """How many profiles a sync of all this would make, which somebody pays for."""
    for name, people in made.items():
        if people is None:
            out.print(
                f"{name} makes profiles of whoever has none there; how many is not known, since"
                " nothing is pulled from it."
            )
        elif people:
            word = "profile" if len(people) == 1 else "profiles"
            out.print(
                f"{len(people):,} new {word} at {name}, by the last pull: each that it may mail is"
                " billed there."
            )


def _print_code_effects(plans: Sequence[Plan], effects: CodeEffects, out: Console) -> None:
    """What changed code of segments makes of the plans; nothing where the code is as it was."""
    shown = [
        (plan, effect)
        for plan in plans
        if (effect := effects.get(_pair(plan.target))) is not None and not effect.is_nothing
    ]
    if not shown:
        return
    names = ("changed code", "destination", "by data", "by code", "kept back by code")
    table = Table(*names, header_style="bold")
    for plan, effect in shown:
        parts = (effect.by_data, effect.by_code, effect.kept_back)
        table.add_row(*_pair(plan.target), *map(in_signs, parts))
    out.print(table)
    out.print(
        "+ added, ~ updated, - removed. By data and by code add up to the plan; without the change"
        " of code it would be what is by data and what the code keeps back."
    )


def _print_accepted(deliveries: Sequence[Delivery], out: Console) -> None:
    """How many rows the destinations took and have not answered for."""
    if accepted := sum(delivery.accepted for delivery in deliveries):
        out.print(
            f"{accepted:,} accepted and not yet applied: the next sync asks what came of them."
        )


def _about_nobody(idle: Sequence[Delivery], *, everywhere: bool) -> str:
    """Why nothing could be sent there, in one sentence."""
    reasons: Counter[str] = Counter()
    for delivery in idle:
        reasons.update(delivery.held_back)
    if everywhere and reasons.keys() == {"no_address"}:
        return "The shop has no address of anybody: nothing could be sent."
    if everywhere and reasons:
        return f"{NOBODY} Held back: {reasons_in_words(dict(reasons.most_common()))}."
    if everywhere:
        return "No segment has a member yet: nothing could be sent."
    names = ", ".join(_with_held_back(each) for each in idle)
    return f"Nobody to reach: {names}. `regulars plan SEGMENT` says why."


def _with_held_back(delivery: Delivery) -> str:
    held_back = sum(delivery.held_back.values())
    name = f"{delivery.target.segment} to {delivery.target.destination}"
    return f"{name} ({held_back:,} held back)" if held_back else name


def _print_past(
    past: Sequence[tuple[Target, LastSync | None]], out: Console, *, nothing_at_all: bool
) -> None:
    """What the latest sync to each of these delivered."""
    known = [(target, last) for target, last in past if last is not None]
    if not known:
        out.print(f"Nothing {'' if nothing_at_all else 'of it '}was delivered yet.")
        return
    names = ("delivered last", "destination", "added", "updated", "removed", "at (UTC)")
    table = Table(*names, header_style="bold")
    for column in table.columns[2:5]:
        column.justify = "right"
    for target, last in known:
        numbers = [f"{last.counts.get(name, 0):,}" for name in ("added", "updated", "removed")]
        table.add_row(target.segment, target.destination, *numbers, f"{last.at:%Y-%m-%d %H:%M}")
    out.print(table)


def _pair(target: Target) -> tuple[str, str]:
    return target.segment, target.destination


def _print_sent(deliveries: Sequence[Delivery], out: Console) -> None:
    table = _table("added", "updated", "removed", last="left")
    table.columns[-1].justify = "right"
    for delivery in deliveries:
        target = delivery.target
        left = f"{delivery.left:,}"
        table.add_row(target.segment, target.destination, *_numbers(delivery), left)
    out.print(table)
    _print_unworded(deliveries, out)
    if any(delivery.left > delivery.unknown for delivery in deliveries):
        out.print("Some rows are left; they stay queued and the next sync tries again.")
    if unknown := sum(delivery.unknown for delivery in deliveries):
        out.print(
            f"{unknown:,} may have arrived or not: `regulars plan` lists them with their keys."
        )
    _print_accepted(deliveries, out)


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


def _facts(
    plan: Plan,
    past: Mapping[tuple[str, str], LastSync],
    made: NewProfiles,
    effects: CodeEffects,
) -> dict[str, object]:
    effect = effects.get(_pair(plan.target))
    last = past.get(_pair(plan.target))
    without = made.get(plan.target.destination, frozenset())
    added = {change.customer_id for change in plan.changes if change.operation == "added"}
    return {
        "segment": plan.target.segment,
        "destination": plan.target.destination,
        "channel": plan.target.channel,
        "purpose": plan.target.purpose,
        **plan.counts,
        "unchanged": plan.unchanged_count,
        "unknown": plan.waiting_count,
        "accepted": plan.accepted_count,
        "new_profiles": None if without is None else len(added & without),
        "by_data": effect and dict(effect.by_data),
        "by_code": effect and dict(effect.by_code),
        "kept_back_by_code": effect and dict(effect.kept_back),
        "held_back": plan.held_back_counts,
        "plan_hash": plan.plan_hash,
        "last_delivery": {"at": last.at.isoformat(), **last.counts} if last else None,
    }
