"""What identity rules would change, before they do: the resolution of a copy of the home.

Belongs here: making the copy, resolving it, reading who moved. Does not belong here: the rules
(dbt_project/seeds, the input's identity_rules.csv), counting what follows
(orchestration/preview/consequences.py) and the layout (orchestration/commands/identity.py).

Data flow: raw.duckdb, warehouse.duckdb, ops.sqlite -> a copy inside the home -> identity models ->
int_identity_moved -> counts, and the rules that do nothing (idle_rules.py); where anybody
moves, all other models -> a published file of the copy -> what follows. The home itself does not
change and nothing is published.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ingestion.config import Settings
from ingestion.duckdb import connect, literal
from ingestion.errors import RegularsError, UsageError
from ingestion.input_folder import open_input
from ingestion.pipelines import RunContext, run_source
from ingestion.quarantine import quarantined_rows
from orchestration.activation.delivery import DeliveryContext, clock_of
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops.export import export_ops
from orchestration.ops.runs import Run
from orchestration.ops.store import open_store
from orchestration.preview.consequences import Consequence, consequences
from orchestration.preview.idle_rules import IdleRules, file_lines, idle_rules
from orchestration.published.candidate import build_candidate
from orchestration.published.reader import read_build
from orchestration.run.dbt import run_dbt
from orchestration.run.run import code_version

RULES = "identity_rules"
SHOWN = 5
_MODELS = (
    "path:seeds",
    "path:models/staging/identity_rules",
    "path:models/staging/ops",
    "path:models/intermediate/identity",
)
_TESTS = ("resource_type:test", "resource_type:unit_test")


@dataclass(frozen=True)
class Example:
    """One customer who would change, and to whom their identifiers would go; nobody: empty."""

    customer_id: str
    goes_to: list[str]


@dataclass(frozen=True)
class Change:
    """People that one kind of change, for one reason, would touch.

    `people` counts those who would lose identifiers to somebody else or to nobody; `orders` and
    `members` count their orders and their places in segments, as published. `examples` are the
    first few, by id.
    """

    change_type: str
    reason: str
    people: int
    identifiers: int
    orders: int
    members: int
    examples: list[Example]


@dataclass(frozen=True)
class Preview:
    """What the rules would change, what follows from it, and which of them do nothing."""

    changes: list[Change]
    consequences: list[Consequence]
    idle: list[IdleRules]


def preview(home: Home, settings: Settings, location: str, say: Callable[[str], object]) -> Preview:
    """Who would merge or split if the rules as they stand now were published, and what follows.

    What follows is worked out only where somebody moves: it takes as long as a run.

    Args:
        location: an input folder whose identity_rules.csv is tried; empty: the rules of the last
            run, so that only changed seeds show.
        say: told what is being done.

    Raises:
        UsageError: nothing was published yet.
        RegularsError: a rule file or seed that cannot be used, in one sentence.
        BusyError: another run holds the home.
    """
    if not home.published.exists() or not home.warehouse.exists():
        raise UsageError("There is nothing to compare with yet.", "Run once, then plan.")
    with lock.hold(home.lock), _copy(home) as copy, open_store(home) as store:
        _, _, as_of = read_build(home.published)
        run = Run("preview", as_of, code_version())
        export_ops(store, copy.ops_export, run)
        numbered = copy.raw
        if location:
            folder = open_input(location, settings)
            context = RunContext(copy.raw, copy.dlt, run.run_id, as_of, settings, folder)
            numbered = read_afresh(copy, context)
            run_source(RULES, context)
        logs = home.dbt / "logs"
        say("Trying the rules on a copy ...")
        run_dbt(copy, settings, "build", "--select", *_MODELS, "--exclude", *_TESTS, logs=logs)
        follows: list[Consequence] = []
        if changes := _changes(copy, home, as_of):
            say("Building the copy to see what follows ...")
            run_dbt(copy, settings, "build", "--exclude", *_MODELS, *_TESTS, logs=logs)
            build_candidate(copy, run).path.replace(copy.published)
            sending = DeliveryContext(home, settings, store, clock_of(home))
            follows = consequences(sending, copy, _touched(copy, as_of))
        return Preview(changes, follows, idle_rules(copy, file_lines(numbered)))


def read_afresh(copy: Home, context: RunContext) -> Path:
    """A raw store of this file alone: the loaded one knows a rule by the line it first stood on.

    Raises:
        RegularsError: a line cannot be used, so what the file would do cannot be shown.
    """
    scratch = Home(copy.root / "afresh").create()
    afresh = replace(context, raw_path=scratch.raw, dlt_dir=scratch.dlt)
    run_source(RULES, afresh)
    if held := quarantined_rows(afresh, RULES, limit=SHOWN):
        lines = [f"line {row.line} of {row.file} ({row.field}: {row.reason})" for row in held]
        raise RegularsError(
            f"No rule was tried, for not all can be used: {', '.join(lines)}.",
            "Mend or remove what is named, then plan again; docs/formats.md has the columns.",
        )
    return scratch.raw


@contextmanager
def _copy(home: Home) -> Iterator[Home]:
    """A home inside the home, with what the resolution reads; gone afterwards."""
    scratch = Home(home.root / "preview")
    shutil.rmtree(scratch.root, ignore_errors=True)
    scratch.create()
    try:
        for name in ("raw", "warehouse"):
            shutil.copyfile(getattr(home, name), getattr(scratch, name))
        for folder in ("dlt", "dbt"):
            original: Path = getattr(home, folder)
            if original.exists():
                shutil.copytree(original, getattr(scratch, folder), dirs_exist_ok=True)
        yield scratch
    finally:
        shutil.rmtree(scratch.root, ignore_errors=True)


# Of the moves of this moment, those that the last run has not made
_MOVED = """
    select told.move_type, told.reason, told.from_customer_id, told.to_customer_id
    from copy.intermediate.int_identity_moves_next as told
    join copy.intermediate.int_identity_moved using (identifier_type, identifier_value)
    where told.moved_at = $as_of
"""
_CHANGES = (
    f"with moved as ({_MOVED}),"
    """
people as (
    select move_type, reason, coalesce(from_customer_id, to_customer_id) as customer_id,
        count(*) as identifiers,
        coalesce(
            list(distinct to_customer_id order by to_customer_id)
                filter (where to_customer_id <> from_customer_id),
            []
        ) as goes_to
    from moved group by move_type, reason, customer_id
),
orders as (
    select customer_id, count(*) as orders from published.marts.fct_orders group by customer_id
),
members as (
    select customer_id, count(*) as members from published.marts.fct_segment_memberships
    where is_current group by customer_id
)
select move_type, reason, count(*), sum(identifiers)::bigint, coalesce(sum(orders), 0)::bigint,
    coalesce(sum(members), 0)::bigint,
    list({'customer_id': customer_id, 'goes_to': goes_to} order by customer_id)[:3]
from people
left join orders using (customer_id)
left join members using (customer_id)
group by move_type, reason
order by move_type, reason
"""
)

_TOUCHED = f"""
from (select unnest([from_customer_id, to_customer_id]) as customer_id from ({_MOVED}))
where customer_id is not null
"""


def _changes(copy: Home, home: Home, as_of: datetime) -> list[Change]:
    with connect() as connection:
        connection.execute(f"attach {literal(str(copy.warehouse))} as copy (read_only)")
        connection.execute(f"attach {literal(str(home.published))} as published (read_only)")
        rows = connection.execute(_CHANGES, {"as_of": as_of}).fetchall()
    return [
        Change(
            kind, why, people, values, orders, members, [Example(**example) for example in shown]
        )
        for kind, why, people, values, orders, members, shown in rows
    ]


def _touched(copy: Home, as_of: datetime) -> set[str]:
    """Everybody who would gain or lose an identifier."""
    with connect() as connection:
        connection.execute(f"attach {literal(str(copy.warehouse))} as copy (read_only)")
        rows = connection.execute(_TOUCHED, {"as_of": as_of}).fetchall()
    return {customer_id for (customer_id,) in rows}
