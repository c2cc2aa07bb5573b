"""The figures of data health: sources of the last run, freshness, identity, warnings.

Belongs here: reading the published file, and what the operational store knows of how rows come in
and go out. Does not belong here: layout, or judging a run (quality).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from ingestion.duckdb import has_table
from ingestion.settings_file import load_settings
from orchestration.home.layout import Home
from orchestration.ops.runs import AuditLog
from orchestration.ops.store import has_store, open_store
from orchestration.published.audit import AuditRecord
from orchestration.report.complaints import read_complaints
from orchestration.report.figures import Build, rows
from orchestration.run.degraded_notices import what_is_degraded

STALE_HOURS = 48

# Rows that came in since the last publication before this run, with runs that did not publish.
EARLIER = """
with numbered as (
    select run_id, status, try_cast(regexp_extract(run_id, '[0-9]+$') as bigint) as number
    from ops.runs
),
own as (select number from numbered where run_id = (select run_id from ops.build)),
published as (
    select coalesce(max(number), 0) as number from numbered
    where status = 'succeeded' and number < (select number from own)
)
select coalesce(sum(rows_loaded), 0), count(distinct run_id)
from ops.run_sources join numbered using (run_id)
where status in ('failed', 'unpublished') and rows_loaded > 0
    and number > (select number from published) and number < (select number from own)
"""


@dataclass(frozen=True)
class Source:
    """What one source brought in the run behind this page."""

    name: str
    received: int
    loaded: int
    quarantined: int
    duplicate: int


@dataclass(frozen=True)
class Freshness:
    """The newest thing known from a source."""

    source: str
    what: str
    rows: int
    last_week: int
    hours: float | None


@dataclass(frozen=True)
class Identity:
    """How people were put together."""

    people: int
    identifiers: int
    joined: int
    merged: int
    used: int
    refused: tuple[tuple[str, int], ...]
    households: int = 0
    perhaps_several: int = 0
    perhaps_one: int = 0


@dataclass(frozen=True)
class Caveat:
    """Something to know before trusting a figure, for one and for several."""

    count: int
    one: str
    several: str

    @property
    def text(self) -> str:
        """The words that fit the count."""
        return self.one if self.count == 1 else self.several


def read_sources(connection: duckdb.DuckDBPyConnection, build: Build) -> list[Source]:
    """Per source, the rows of this run."""
    return [
        Source(*row)
        for row in rows(
            connection,
            """
            select source, sum(rows_received)::bigint, sum(rows_loaded)::bigint,
                sum(rows_quarantined)::bigint, sum(rows_duplicate)::bigint
            from ops.run_sources where run_id = ? group by source order by source
            """,
            build.run_id,
        )
    ]


def read_earlier(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Rows loaded since the publication before this one by runs that did not publish; the runs."""
    if not (has_table(connection, "ops", "runs") and has_table(connection, "ops", "run_sources")):
        return 0, 0
    sums = rows(connection, EARLIER)[0]
    return int(sums[0]), int(sums[1])


def read_freshness(connection: duckdb.DuckDBPyConnection) -> list[Freshness]:
    """Per source, how much there is and how new it is."""
    if not has_table(connection, "ops", "source_freshness"):
        return []
    return [
        Freshness(*row)
        for row in rows(
            connection,
            "select source, what, row_count, row_count_7d, hours_since_last_event"
            " from ops.source_freshness order by source, what",
        )
    ]


def read_identity(connection: duckdb.DuckDBPyConnection) -> Identity:
    """People, identifiers, joins and refusals."""
    ((people, identifiers, joined),) = rows(
        connection,
        """
        select count(*), coalesce(sum(n), 0)::bigint, count(*) filter (where n > 1) from (
            select customer_id, count(*) as n from marts.bridge_customer_identifiers
            where customer_id is not null group by customer_id)
        """,
    )
    merged = 0
    if has_table(connection, "marts", "customer_aliases"):
        ((merged,),) = rows(connection, "select count(*) from marts.customer_aliases")
    ((used,),) = rows(
        connection, "select count(*) from marts.fct_identity_edges where status = 'used'"
    )
    refused = rows(
        connection,
        """
        select coalesce(refusal_reason, 'other'), count(*) from marts.fct_identity_edges
        where status = 'refused' group by 1 order by 2 desc, 1
        """,
    )
    return Identity(
        people,
        identifiers,
        joined,
        merged,
        used,
        tuple((r, n) for r, n in refused),
        households=_count(connection, "dim_households", "household_id"),
        perhaps_several=_count(connection, "qa_identity_over_merging", "customer_id"),
        perhaps_one=_count(connection, "qa_identity_under_merging", "(customer_a, customer_b)"),
    )


def _count(connection: duckdb.DuckDBPyConnection, table: str, what: str) -> int:
    """How many different ones a table of `marts` has; none where there is no such table."""
    if not has_table(connection, "marts", table):
        return 0
    ((number,),) = rows(connection, f"select count(distinct {what}) from marts.{table}")
    return int(number)


def read_degraded(home: Home, as_of: datetime) -> list[str]:
    """What is degraded while runs go on, a sentence each; nothing in a home without a store."""
    if not has_store(home):
        return []
    with open_store(home) as store:
        current = what_is_degraded(store, load_settings(), at=as_of, as_of=as_of)
    return [each.sentence for each in current]


def read_audit(home: Home) -> AuditRecord | None:
    """What the checks of the last run found, which need not be the published build's."""
    if not has_store(home):
        return None
    with open_store(home) as store:
        record = AuditLog(store).newest_audit()
    return None if record is None else AuditRecord.from_json(record)


def waiting_in_quarantine(connection: duckdb.DuckDBPyConnection) -> int:
    """Rows of all runs that are in quarantine, until they are replayed or dismissed."""
    if not has_table(connection, "ops", "quarantine"):
        return 0
    ((number,),) = rows(connection, "select coalesce(sum(row_count), 0) from ops.quarantine")
    return int(number)


def read_caveats(
    connection: duckdb.DuckDBPyConnection,
    freshness: list[Freshness],
) -> list[Caveat]:
    """What is incomplete, in counts and words."""
    old = [f for f in freshness if f.hours is not None and f.hours > STALE_HOURS]
    warned = read_complaints(connection)
    caveats = [
        Caveat(
            waiting_in_quarantine(connection),
            "row is in quarantine (`regulars quarantine list`)",
            "rows are in quarantine (`regulars quarantine list`)",
        ),
        *_orders(connection),
        Caveat(
            len(old),
            f"source has brought nothing newer than {STALE_HOURS} hours",
            f"sources have brought nothing newer than {STALE_HOURS} hours",
        ),
        Caveat(
            len(warned),
            "sending domain has too many complaints about spam (`regulars doctor`)",
            "sending domains have too many complaints about spam (`regulars doctor`)",
        ),
        Caveat(
            sum(domain.held_until is not None for domain in warned),
            "sending domain holds back promotions by email because of that",
            "sending domains hold back promotions by email because of that",
        ),
    ]
    return [caveat for caveat in caveats if caveat.count]


def _orders(connection: duckdb.DuckDBPyConnection) -> list[Caveat]:
    columns = {row[0] for row in rows(connection, "describe marts.fct_orders")}
    ((nobody,),) = rows(
        connection, "select count(*) from marts.fct_orders where customer_id is null"
    )
    caveats = [
        Caveat(
            nobody,
            "order belongs to nobody known; it counts in totals only",
            "orders belong to nobody known; they count in totals only",
        )
    ]
    if "conversion_issue" in columns:
        caveats += [
            Caveat(
                number,
                f"order is left out of sums: {_CONVERSION.get(issue, issue)}",
                f"orders are left out of sums: {_CONVERSION.get(issue, issue)}",
            )
            for issue, number in rows(
                connection,
                "select conversion_issue, count(*) from marts.fct_orders"
                " where conversion_issue is not null group by 1 order by 1",
            )
        ]
    return caveats


_CONVERSION = {
    "missing_rate": "no exchange rate is known for the day",
    "unknown_currency": "the currency is not known",
    "unknown_refund": "what a refund in another currency came to is not known",
}
