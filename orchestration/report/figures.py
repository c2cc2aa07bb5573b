"""The figures of the report's upper half: people, sales, stages and the recency × frequency grid.

Belongs here: reading the published file. Does not belong here: words and layout (words, templates).
Days and months are the shop's, as orders carry them (`ordered_date`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import ceil, sqrt
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from ingestion.duckdb import has_column, has_table
from ingestion.vocabulary import STAGES
from orchestration.words.amounts import FEW

MONTHS = 13


@dataclass(frozen=True)
class Build:
    """Which build the page shows."""

    build_id: str
    run_id: str
    as_of: datetime
    code_version: str
    currency: str
    timezone: str = "UTC"

    def _local(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(self.timezone))

    @property
    def last_day(self) -> date:
        """The shop's last day of which anything can be known."""
        return self._local(self.as_of - timedelta(microseconds=1)).date()

    @property
    def ends_a_month(self) -> bool:
        """Whether the shop's month is over at this very moment."""
        now = self._local(self.as_of)
        return now.day == 1 and now.time() == time.min


@dataclass(frozen=True)
class Month:
    """Net sales of one month: first orders, people who came back, and orders of nobody known."""

    first_day: date
    first_orders: float
    later_orders: float
    unknown_orders: float
    is_whole: bool

    @property
    def total(self) -> float:
        """All three."""
        return self.first_orders + self.later_orders + self.unknown_orders


@dataclass(frozen=True)
class Headline:
    """The numbers at the top; every short-term one has its long-term neighbour."""

    people: int
    known: int
    buyers: int
    prospects: int
    anonymous: int
    repeat_buyers: int
    emailable: int
    net_30d: Decimal | None
    net_before_30d: Decimal | None
    net_ever: Decimal | None
    orders_30d: int
    orders_ever: int
    average_value: Decimal | None
    first_order: date | None


@dataclass(frozen=True)
class Stage:
    """A journey stage: who ever reached it, who is in it now, where those who left went."""

    name: str
    reached: int
    here: int
    onward: tuple[tuple[str, int], ...]
    average_value: Decimal | None


@dataclass(frozen=True)
class Cell:
    """One field of the grid; a small group keeps its numbers to itself."""

    r: int
    f: int
    people: int
    value: Decimal | None
    level: int

    @property
    def is_few(self) -> bool:
        """Whether the group is too small to be told."""
        return 0 < self.people < FEW


@dataclass(frozen=True)
class RfmGroup:
    """One named group of buyers, and what half of them exceed; no name where no value is known."""

    name: str | None
    people: int
    value: Decimal | None
    order_count: int
    recency_days: int

    @property
    def value_or_zero(self) -> Decimal:
        """The value, for sums."""
        return self.value or Decimal(0)


@dataclass(frozen=True)
class Span:
    """The smallest and the largest number behind one score."""

    least: int
    most: int


@dataclass(frozen=True)
class Threshold:
    """A number that follows the shop's own rhythm, and why it is that."""

    name: str
    unit: str
    value: int
    basis: str
    repeat_count: int
    repeat_buyer_count: int


def rows(connection: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    records: list[tuple[Any, ...]] = connection.execute(sql, list(values)).fetchall()
    return records


def one(connection: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> tuple[Any, ...]:
    """The only row of an aggregate."""
    return rows(connection, sql, *values)[0]


def read_build(connection: duckdb.DuckDBPyConnection, timezone: str = "UTC") -> Build:
    """The build's own row, with the currency that sums are in and the zone of the shop's days."""
    build_id, run_id, as_of = one(connection, "select build_id, run_id, as_of from ops.build")
    version, currency = [], []
    if has_table(connection, "ops", "runs"):
        version = rows(connection, "select code_version from ops.runs where run_id = ?", run_id)
    if has_column(connection, "marts", "dim_customers", "currency"):
        query = "select currency from marts.dim_customers where currency is not null limit 1"
        currency = rows(connection, query)
    return Build(
        build_id,
        run_id,
        as_of,
        version[0][0] if version else "",
        currency[0][0] if currency else "",
        timezone,
    )


def read_headline(connection: duckdb.DuckDBPyConnection, build: Build) -> Headline:
    """People, sales of the last 30 days and of all time, and whom email may reach."""
    people = one(
        connection,
        """
        select count(*), count(*) filter (where is_known),
            count(*) filter (where customer_type = 'buyer'),
            count(*) filter (where customer_type = 'prospect'),
            count(*) filter (where customer_type = 'anonymous'),
            count(*) filter (where order_count > 1),
            avg(lifetime_net_sales) filter (where customer_type = 'buyer')
        from marts.dim_customers
        """,
    )
    sales = one(
        connection,
        f"""
        with sales as (
            select *, ordered_date > $1::date - 30 as is_30d,
                ordered_date > $1::date - 60 and ordered_date <= $1::date - 30 as is_before
            from ({_sales(connection)})
        )
        select {_known_sum("is_30d")}, {_known_sum("is_before")}, {_known_sum("true")},
            count(*) filter (where is_30d), count(*), min(ordered_date)
        from sales
        """,
        build.last_day,
    )
    emailable = one(
        connection,
        "select count(*) from marts.contactability"
        " where channel = 'email' and purpose = 'marketing' and is_contactable",
    )[0]
    return Headline(
        people=people[0],
        known=people[1],
        buyers=people[2],
        prospects=people[3],
        anonymous=people[4],
        repeat_buyers=people[5],
        average_value=people[6],
        emailable=emailable,
        net_30d=sales[0],
        net_before_30d=sales[1],
        net_ever=sales[2],
        orders_30d=sales[3],
        orders_ever=sales[4],
        first_order=sales[5],
    )


def read_months(connection: duckdb.DuckDBPyConnection, build: Build) -> list[Month]:
    """Net sales by month, the last thirteen months, empty ones included."""
    sums = rows(
        connection,
        f"""
        with sales as ({_sales(connection)}),
        numbered as (
            select *, row_number() over (partition by customer_id order by ordered_at, order_id) = 1
                as is_first
            from sales
        ),
        months as (
            select unnest(generate_series(
                date_trunc('month', $1::date) - interval {MONTHS - 1} month,
                date_trunc('month', $1::date), interval 1 month))::date as month
        )
        select m.month,
            coalesce(sum(net) filter (where customer_id is not null and is_first), 0)::double,
            coalesce(sum(net) filter (where customer_id is not null and not is_first), 0)::double,
            coalesce(sum(net) filter (where customer_id is null), 0)::double
        from months m left join numbered n on date_trunc('month', n.ordered_date)::date = m.month
        group by m.month order by m.month
        """,
        build.last_day,
    )
    open_month = None if build.ends_a_month else sums[-1][0]
    months = [
        Month(day, first, later, unknown, day != open_month) for day, first, later, unknown in sums
    ]
    started = next((n for n, m in enumerate(months) if m.total), len(months))
    return months[started:]


def read_stages(connection: duckdb.DuckDBPyConnection) -> list[Stage]:
    """The five stages in order."""
    facts = rows(
        connection,
        """
        select s.stage, count(distinct s.customer_id),
            count(distinct s.customer_id) filter (where s.is_current),
            avg(d.lifetime_net_sales) filter (where s.is_current)
        from marts.fct_customer_journey_stages s
        left join marts.dim_customers d using (customer_id)
        group by s.stage
        """,
    )
    moves = rows(
        connection,
        """
        with steps as (
            select stage, lead(stage) over (partition by customer_id order by entered_at, exited_at
                nulls last, stage) as next_stage
            from marts.fct_customer_journey_stages
        )
        select stage, next_stage, count(*) from steps where next_stage is not null
        group by stage, next_stage order by count(*) desc, next_stage
        """,
    )
    known = {name: (reached, here, value) for name, reached, here, value in facts}
    return [
        Stage(
            name,
            *known.get(name, (0, 0, None))[:2],
            onward=tuple((to, n) for origin, to, n in moves if origin == name),
            average_value=known.get(name, (0, 0, None))[2],
        )
        for name in STAGES
    ]


def read_grid(connection: duckdb.DuckDBPyConnection) -> list[list[Cell]]:
    """The grid, most frequent buyers first, each row from long ago to just now."""
    cells = {
        (r, f): (people, value)
        for r, f, people, value in rows(
            connection,
            f"""
            select r_score, f_score, count(*), sum(monetary) from ({_CURRENT_RFM})
            where r_score is not null and f_score is not null group by r_score, f_score
            """,
        )
    }
    if not cells:
        return []
    top = max(5, *(score for pair in cells for score in pair))
    most = max(people for people, _ in cells.values())
    return [
        [
            Cell(
                r,
                f,
                *cells.get((r, f), (0, None)),
                level=_level(cells.get((r, f), (0, 0))[0], most),
            )
            for r in range(1, top + 1)
        ]
        for f in range(top, 0, -1)
    ]


def read_spans(connection: duckdb.DuckDBPyConnection, score: str, value: str) -> dict[int, Span]:
    """What each score of recency or frequency stands for in this shop."""
    spans = rows(
        connection,
        f"select {score}, min({value}), max({value}) from ({_CURRENT_RFM})"
        f" where {score} is not null group by {score}",
    )
    return {int(number): Span(int(least), int(most)) for number, least, most in spans}


def read_rfm_groups(connection: duckdb.DuckDBPyConnection) -> list[RfmGroup]:
    """All groups, largest value first; buyers whose value is not known are the last one."""
    return [
        RfmGroup(*row)
        for row in rows(
            connection,
            f"""
            select rfm_segment, count(*), sum(monetary), quantile_disc(frequency, 0.5)::int,
                quantile_disc(recency_days, 0.5)::int
            from ({_CURRENT_RFM})
            group by rfm_segment order by rfm_segment is null, 3 desc nulls last, 1
            """,
        )
    ]


def read_thresholds(connection: duckdb.DuckDBPyConnection) -> list[Threshold]:
    """What loyal, at risk and recent mean in this build; nothing in an older file."""
    if not has_table(connection, "marts", "shop_rhythm"):
        return []
    return [
        Threshold(*row)
        for row in rows(
            connection,
            "select threshold, unit, threshold_value, basis, repeat_count, repeat_buyer_count"
            " from marts.shop_rhythm order by threshold",
        )
    ]


_CURRENT_RFM = """
    select * from marts.fct_customer_rfm
    where as_of_date = (select max(as_of_date) from marts.fct_customer_rfm)
"""


def _level(people: int, most: int) -> int:
    """How strongly a field is coloured, 0 to 7; a root, so that small fields still show."""
    return ceil(7 * sqrt(people / most)) if people else 0


def _sales(connection: duckdb.DuckDBPyConnection) -> str:
    """Orders that count, with net sales in the shop's currency."""
    columns = {
        row[0]
        for row in rows(
            connection,
            "select column_name from duckdb_columns()"
            " where schema_name = 'marts' and table_name = 'fct_orders'",
        )
    }
    net = "net_sales_shop" if "net_sales_shop" in columns else "net_sales"
    by_status = "status not in ('cancelled', 'voided', 'test')"
    counted = "is_counted" if "is_counted" in columns else by_status
    return (
        f"select order_id, customer_id, ordered_date, ordered_at, {net} as net"
        f" from marts.fct_orders where {counted}"
    )


def _known_sum(condition: str) -> str:
    """A sum that is nothing without orders, and unknown where no order's amount is known."""
    return (
        f"case when count(*) filter (where {condition}) > 0 and count(net) filter"
        f" (where {condition}) = 0 then null"
        f" else coalesce(sum(net) filter (where {condition}), 0) end"
    )
