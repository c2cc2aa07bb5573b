"""The closing summary of a run: people, value, stages, segments, deliveries, where to look next.

Belongs here: what a person reads when a run has ended. Does not belong here: the figures' meaning
(dbt_project) and the deliveries themselves (orchestration/activation). Counts only, no one's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from ingestion.settings_file import load_settings
from ingestion.vocabulary import STAGES
from orchestration.health.home_health import complaints, degraded, quarantine
from orchestration.home.layout import Home
from orchestration.published.reader import open_published
from orchestration.quality.identity import Metrics, read_metrics
from orchestration.report.health import read_earlier
from orchestration.run.run import clock
from orchestration.words.amounts import exact
from orchestration.words.codes import few_buyers
from orchestration.words.plain_text import shown_name

PEOPLE = """
select customer_type, count(*) from marts.dim_customers group by customer_type
order by list_position(['buyer', 'prospect', 'anonymous'], customer_type)
"""
RFM = """
select rfm_segment, count(*), sum(monetary) from marts.fct_customer_rfm
where as_of_date = (select max(as_of_date) from marts.fct_customer_rfm)
group by rfm_segment order by 2 desc, 1
"""
CURRENT_STAGES = f"""
select stage, count(*) from marts.fct_customer_journey_stages where is_current group by stage
order by list_position(
    {list(STAGES)}, stage)
"""
SEGMENTS = """
select s.segment, any_value(s.label), count(m.customer_id)
from marts.dim_segments s
left join marts.fct_segment_memberships m on m.segment = s.segment and m.is_current
group by s.segment order by min(s.priority), s.segment
"""
SOURCES = """
select source, sum(rows_received), sum(rows_loaded), sum(rows_quarantined), sum(rows_duplicate)
from ops.run_sources where run_id = (select run_id from ops.build)
group by source having sum(rows_received) > 0 order by source
"""
IDENTITY = """
select
    (select count(*) from marts.bridge_customer_identifiers),
    (select count(*) from (
        select customer_id from marts.bridge_customer_identifiers
        group by customer_id having count(*) > 1)),
    (select count(*) from marts.fct_identity_edges where status = 'refused')
"""

REFUSED = """
select count(*), coalesce(sum(order_count), 0)::bigint, coalesce(sum(net_sales), 0)
from marts.qa_refused_identifiers where order_count > 0
"""

CURRENCY = "select coalesce(max(currency), '') from marts.dim_customers"
ADDRESSES = """
select count(*) from marts.bridge_customer_identifiers where identifier_type in ('email', 'phone')
"""


def print_summary(home: Home, out: Console, ignored: Mapping[str, Sequence[str]]) -> None:
    """Tell what the published file holds, what of the input the run did not use, what is degraded.

    `ignored`: which columns of the input each raw table left out.
    """
    with open_published(home) as published:
        _print_people(published, out)
        _print_value(published, out)
        _print_segments(published, out)
        _print_sources(published, out)
    for held in (
        *quarantine(home, busy=False),
        *complaints(home),
        *degraded(home, load_settings(), clock()),
    ):
        if held.status == "warning":
            out.print(f"  {held.sentence} {held.hint}")
    for table, columns in sorted(ignored.items()):
        noun = "column" if len(columns) == 1 else "columns"
        names = ", ".join(map(shown_name, columns))
        out.print(f"  {len(columns):,} unknown {noun} ignored in {table}: {names}.")


def print_next(out: Console, commands: Sequence[tuple[str, str]]) -> None:
    """Commands to paste, with what each is for."""
    out.print("\nNext", style="bold")
    width = max(len(command) for command, _ in commands)
    for command, purpose in commands:
        out.print(f"  {command:<{width}}   {purpose}")


def _print_people(published: duckdb.DuckDBPyConnection, out: Console) -> None:
    rows = published.execute(PEOPLE).fetchall()
    total = sum(count for _, count in rows)
    kinds = ", ".join(f"{count:,} {_plural(kind, count)}" for kind, count in rows)
    identifiers, merged, refused = _one(published, IDENTITY)
    out.print("\nPeople", style="bold", end="")
    out.print(f"  {total:,}: {kinds}")
    out.print(
        f"  {identifiers:,} identifiers; {merged:,} people are made of several profiles; "
        f"{refused:,} edges refused (shared or blocked values, or no proof of one person)."
    )
    if sentence := _since_earlier_runs(read_metrics(published)):
        out.print(f"  {sentence}")
    if total and not _one(published, ADDRESSES)[0]:
        out.print(
            "  No email address and no phone number of anybody is known: nothing can be sent."
        )
    values, orders, sales = _one(published, REFUSED)
    if orders:
        sold = exact(sales, *_one(published, CURRENCY))
        out.print(
            f"  Sales of nobody: {orders:,} {_plural('order', orders)}, {sold} net, because "
            f"of {values:,} {_plural('identifier', values)} that may not stand for one person."
        )
        out.print("  Which, and why: marts.qa_refused_identifiers, or `regulars explain VALUE`.")


def _since_earlier_runs(metrics: Metrics) -> str:
    """What became of the people of earlier runs; empty on a home's first run."""
    kept, new, merged, split, gone = (
        sum(value for (metric, _), value in metrics.items() if metric == flow)
        for flow in ("carried_over", "born", "merged", "split", "gone")
    )
    if not kept + merged + gone:
        return ""
    return (
        f"Since earlier runs: {kept:,} carried over, {new:,} new, {merged:,} merged into others, "
        f"{split:,} split off, {gone:,} of whom no row is left."
    )


def _print_value(published: duckdb.DuckDBPyConnection, out: Console) -> None:
    rfm = Table("RFM group", "people", "net value", title_justify="left", header_style="bold")
    for column in rfm.columns[1:]:
        column.justify = "right"
    groups = published.execute(RFM).fetchall()
    (currency,) = _one(published, CURRENCY)
    for group, count, value in groups:
        name = group or "value unknown (an order's amount in the shop's currency is not known)"
        rfm.add_row(name, f"{count:,}", "" if value is None else exact(value, currency))
    stages = Table("Stage", "people", header_style="bold")
    stages.columns[1].justify = "right"
    for stage, count in published.execute(CURRENT_STAGES).fetchall():
        stages.add_row(stage, f"{count:,}")
    grid = Table.grid(padding=(0, 4))
    grid.add_row(rfm, stages)
    out.print(grid)
    if note := few_buyers(sum(count for _, count, _ in groups)):
        out.print(f"  {note}")


def _print_segments(published: duckdb.DuckDBPyConnection, out: Console) -> None:
    table = Table("Segment", "in words", "people", header_style="bold")
    table.columns[2].justify = "right"
    for segment, label, count in published.execute(SEGMENTS).fetchall():
        table.add_row(segment, label, f"{count:,}")
    out.print(table)


def _print_sources(published: duckdb.DuckDBPyConnection, out: Console) -> None:
    rows = published.execute(SOURCES).fetchall()
    received, loaded, quarantined, duplicate = (
        sum(int(row[number]) for row in rows) for number in range(1, 5)
    )
    out.print("Rows", style="bold", end="")
    out.print(
        f"  {received:,} received = {loaded:,} loaded + {quarantined:,} "
        f"quarantined + {duplicate:,} exact duplicates."
    )
    earlier, runs = read_earlier(published)
    if earlier:
        noun = "an earlier run" if runs == 1 else f"{runs:,} earlier runs"
        out.print(
            f"  {earlier:,} more were loaded by {noun} that did not publish; they are in now too."
        )


def _one(published: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = published.execute(query).fetchone()
    return row if row is not None else ()


def _plural(kind: str, count: int) -> str:
    return kind if count == 1 or kind == "anonymous" else f"{kind}s"
