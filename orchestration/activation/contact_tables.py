"""The decision as tables of the next published file: who is contacted by what, who is held out, and
how many the site is for.

Belongs here: the rows and what their columns mean. Does not belong here: the decision
(contact_day.py), copying the other tables (orchestration/published/candidate.py).

Written into the candidate before it is judged, so that the checks judge them with everything else,
and committed to the store with the publication (orchestration/ops/commit.py).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Table, select

from ingestion.duckdb import literal
from orchestration.activation.contact_day import (
    Judged,
    held_out_people,
    load_contact_day,
    load_rules,
)
from orchestration.activation.decision import WAITS, ContactDecision, Outcome, Verdict
from orchestration.activation.people import Target
from orchestration.activation.quiet_hours import day_of
from orchestration.ops import schema
from orchestration.ops.shapes import arrow_schema
from orchestration.ops.store import Store, from_micros, to_micros

DECISIONS = "activity.fct_contact_decisions"
HOLDOUTS = "activity.fct_holdouts"
ONSITE = "activity.rpt_onsite_contacts"
KEPT_DAYS = 35  # days of decisions that the published file has; the store has all
_DATES = {"decided_for": "decided_for::date as decided_for"}  # the store keeps it as a moment

COMMENTS = {
    DECISIONS: (
        "One row per person, day and class: the segment whose contact goes first among all that"
        " want the person, or why none goes out.",
        {
            "customer_id": "The resolved person.",
            "decided_for": "The shop's day.",
            "class": "marketing, or service (the transactional purpose), decided apart.",
            "segment": "The segment that goes first, without seg_.",
            "channel": "The channel that it uses: the first of its channels that is permitted.",
            "address_kind": "Kind of the address there: email, phone, device or login.",
            "message_kind": "What the message is for.",
            "send_at": "When it may leave at the earliest, UTC; NULL where it does not.",
            "not_after": "Until when it is worth sending, UTC; NULL without an end.",
            "held_until": "Until when what keeps it back holds, UTC; NULL where nothing does.",
            "outcome": "chosen, deferred (it keeps its place) or dropped.",
            "reason": "Why it is deferred or dropped.",
            "is_plain": "Whether the plain context goes out, for the person's level.",
            "is_standing": "Whether the person is in the audience already: no new contact.",
            "rivals": "JSON list of the other segments that want the person: segment, channel,"
            " outcome, reason.",
        },
    ),
    HOLDOUTS: (
        "One row per known person and holdout: people who are contacted by no segment (global) or"
        " not by one, to measure what contacts do.",
        {
            "customer_id": "The resolved person.",
            "holdout": "global, or the segment.",
            "is_held_out": "Whether the person is held out.",
            "assigned_at": "Since when that is so, UTC.",
        },
    ),
    ONSITE: (
        "One row per segment for the site, outcome and reason on the day of the run: how many"
        " people. What the site shows interrupts nobody, so it is decided for each segment by"
        " itself and is no contact of the day.",
        {
            "segment": "The segment, without seg_.",
            "outcome": "chosen (the site may show it), deferred or dropped.",
            "reason": "Why it is deferred or dropped; NULL where it is chosen.",
            "people": "People with that outcome for that reason.",
        },
    ),
}
_ONSITE_SHAPE = pa.schema(
    [
        ("segment", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("people", pa.int64()),
    ]
)


def add_contact_tables(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    as_of: datetime,
    *,
    double_opt_in: bool = False,
    pairs: Iterable[Target] = (),
) -> None:
    """Decide the day for everybody and write the tables into an open candidate.

    Args:
        connection: the candidate, opened.
        store: the operational store.
        as_of: the moment that the candidate describes.
        double_opt_in: whether opt-ins need proof.
        pairs: where the shop sends what.

    Raises:
        StoreError: the permission facts cannot be read.
    """
    rules = load_rules(connection)
    _write(connection, HOLDOUTS, schema.holdouts, _holdout_rows(connection, store, as_of))
    held_out: dict[str, list[str]] = defaultdict(list)
    for customer_id, holdout in connection.execute(
        f"select customer_id, holdout from {HOLDOUTS} where is_held_out"
    ).fetchall():
        held_out[customer_id].append(holdout)
    day = load_contact_day(connection, as_of, held_out=held_out, pairs=pairs)
    with store.read() as facts:
        judged = day.judge(facts, as_of, double_opt_in=double_opt_in)
    today = day_of(as_of, rules.shop.timezone)
    kinds = {segment: each.message_kind for segment, each in rules.segments.items()}
    rows = [
        *_earlier(store, today, day.aliases),
        *(_row(each, today, kinds) for each in judged.rows),
    ]
    _write(connection, DECISIONS, schema.contact_decisions, rows)
    _write_onsite(connection, judged)


def _write_onsite(connection: duckdb.DuckDBPyConnection, judged: Judged) -> None:
    counts = Counter(
        (verdict.segment, str(verdict.outcome), verdict.reason and str(verdict.reason))
        for verdicts in judged.verdicts.values()
        for verdict in verdicts.values()
        if verdict.channel == WAITS
    )
    rows = [
        {"segment": segment, "outcome": outcome, "reason": reason, "people": people}
        for (segment, outcome, reason), people in counts.items()
    ]
    connection.register("decided", pa.Table.from_pylist(rows, schema=_ONSITE_SHAPE))
    connection.execute(f"create table {ONSITE} as select * from decided order by all")
    connection.unregister("decided")
    _comment(connection, ONSITE)


def _holdout_rows(
    connection: duckdb.DuckDBPyConnection, store: Store, as_of: datetime
) -> list[dict[str, Any]]:
    """Each draw, with the time since when it comes out as it does."""
    table = schema.holdouts
    with store.read() as facts:
        known = {
            (row.customer_id, row.holdout): row
            for row in facts.execute(select(table).where(table.c.assigned_at <= to_micros(as_of)))
        }
    rows = []
    for customer_id, holdout, is_out in held_out_people(connection, load_rules(connection)):
        earlier = known.get((customer_id, holdout))
        stays = earlier is not None and bool(earlier.is_held_out) == is_out
        assigned_at = from_micros(earlier.assigned_at) if stays and earlier else as_of
        rows.append(
            {
                "customer_id": customer_id,
                "holdout": holdout,
                "is_held_out": is_out,
                "assigned_at": assigned_at,
            }
        )
    return rows


def _row(decision: ContactDecision, today: date, kinds: Mapping[str, str]) -> dict[str, Any]:
    verdict = decision.verdict
    goes = verdict.outcome is Outcome.CHOSEN
    send_at = None if verdict.send_at is None else from_micros(verdict.send_at)
    return {
        "customer_id": decision.customer_id,
        "decided_for": _midnight(today),
        "class": decision.contact_class,
        "segment": verdict.segment,
        "channel": verdict.channel,
        "address_kind": verdict.address_kind,
        "message_kind": kinds[verdict.segment],
        "send_at": send_at,
        "not_after": None if verdict.not_after is None else from_micros(verdict.not_after),
        "held_until": None if goes else send_at,
        "outcome": str(verdict.outcome),
        "reason": None if verdict.reason is None else str(verdict.reason),
        "is_plain": verdict.is_plain,
        "is_standing": verdict.is_standing,
        "rivals": json.dumps([_rival(each) for each in decision.rivals]),
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _rival(verdict: Verdict) -> dict[str, Any]:
    return {
        "segment": verdict.segment,
        "channel": verdict.channel,
        "outcome": str(verdict.outcome),
        "reason": None if verdict.reason is None else str(verdict.reason),
    }


def _earlier(store: Store, today: date, aliases: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """Decisions of the days before, each person under today's id; of two in one, the older id's."""
    table = schema.contact_decisions
    since, until = (to_micros(_midnight(day)) for day in (today - timedelta(KEPT_DAYS), today))
    query = (
        select(table)
        .where(table.c.decided_for >= since, table.c.decided_for < until)
        .order_by(table.c.customer_id, table.c.decided_for, table.c["class"])
    )
    decisions: dict[tuple[str, int, str], dict[str, Any]] = {}
    with store.read() as facts:
        for row in facts.execute(query).mappings():
            survivor = aliases.get(row["customer_id"], row["customer_id"])
            key = (survivor, row["decided_for"], row["class"])
            if key not in decisions or row["customer_id"] == survivor:
                decisions[key] = {
                    column.name: from_micros(row[column.name])
                    if column.info.get(schema.IS_TIME) and row[column.name] is not None
                    else row[column.name]
                    for column in table.columns
                } | {"customer_id": survivor}
    return decisions.values()


def _write(
    connection: duckdb.DuckDBPyConnection,
    full_name: str,
    shape: Table,
    rows: Iterable[Mapping[str, Any]],
) -> None:
    connection.register("decided", pa.Table.from_pylist(list(rows), schema=arrow_schema(shape)))
    columns = ", ".join(_DATES.get(column.name, column.name) for column in shape.columns)
    key = ", ".join(column.name for column in shape.primary_key)
    connection.execute(f"create table {full_name} as select {columns} from decided order by {key}")
    connection.unregister("decided")
    _comment(connection, full_name)


def _comment(connection: duckdb.DuckDBPyConnection, full_name: str) -> None:
    text, meanings = COMMENTS[full_name]
    connection.execute(f"comment on table {full_name} is {literal(text)}")
    for column, meaning in meanings.items():
        connection.execute(f"comment on column {full_name}.{column} is {literal(meaning)}")
