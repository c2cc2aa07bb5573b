"""The figures of each segment: size, reach, overlap, members.

Belongs here: reading the published file, segment by segment. Does not belong here: layout.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from ingestion.duckdb import has_table, name
from orchestration.report.figures import Build, rows
from orchestration.segments.declared_content import content_in_words, read_content
from orchestration.words.amounts import FEW
from orchestration.words.masks import mask, without_addresses

SHOWN = 10
OVERLAPS = 4


@dataclass(frozen=True)
class Member:
    """Somebody in a segment, not to be recognised."""

    who: str
    reason: str
    orders: int
    value: Decimal | None


@dataclass
class SegmentFigures:
    """Everything the page tells of one segment."""

    name: str
    label: str
    description: str
    channel: str
    purpose: str
    shown: str = ""  # on the site, as its file says
    size: int = 0
    average_value: Decimal | None = None
    repeat_share: float | None = None
    reach: list[tuple[str, int]] = field(default_factory=list)
    unreachable: list[tuple[str, int]] = field(default_factory=list)
    overlaps: list[tuple[str, int]] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    entered: int | None = None
    left: int | None = None

    @property
    def is_few(self) -> bool:
        """Whether the segment is too small to be looked into."""
        return self.size < FEW

    @property
    def pair(self) -> tuple[str, str]:
        """Name and label."""
        return self.name, self.label

    @property
    def reachable(self) -> int:
        """Members who may be contacted on the segment's own channel."""
        return dict(self.reach).get(self.channel, 0)


def read_segments(connection: duckdb.DuckDBPyConnection, build: Build) -> list[SegmentFigures]:
    """Every segment in order of priority."""
    described = rows(
        connection,
        "select segment, label, description, channel, purpose from marts.dim_segments"
        " order by priority, segment",
    )
    labels = {row[0]: row[1] for row in described}
    shown = {each.segment: each for each in read_content(connection)}
    # Before a week of stays is recorded, everybody would seem to have just entered.
    recorded = rows(
        connection,
        "select count(*) from marts.fct_segment_memberships"
        " where entered_at <= $1 - interval 7 day",
        build.as_of,
    )
    result = []
    for row in described:
        figures = SegmentFigures(*row)
        if content := shown.get(figures.name):
            figures.shown = content_in_words(content.landing_page, content.slots)
        if has_table(connection, "segments", f"seg_{figures.name}"):
            _fill(connection, figures, labels)
        if recorded[0][0]:
            figures.entered, figures.left = _movements(connection, figures.name, build)
        result.append(figures)
    return result


def _fill(
    connection: duckdb.DuckDBPyConnection, figures: SegmentFigures, labels: dict[str, str]
) -> None:
    table = f"segments.{name('seg_' + figures.name)}"
    ((size, value, again),) = rows(
        connection,
        f"""
        select count(*), avg(d.lifetime_net_sales), avg((d.order_count > 1)::int)
        from {table} s left join marts.dim_customers d using (customer_id)
        """,
    )
    figures.size, figures.average_value, figures.repeat_share = size, value, again
    if figures.is_few:
        return
    figures.reach = [
        (channel, people)
        for channel, people in rows(
            connection,
            f"""
            select c.channel, count(*) filter (where c.is_contactable)
            from marts.contactability c semi join {table} s using (customer_id)
            where c.purpose = ? group by c.channel
            order by c.channel = ? desc, 2 desc, c.channel
            """,
            figures.purpose,
            figures.channel,
        )
        if people or channel == figures.channel
    ]
    # An anonymous member of whom nothing was said has no row, and no permission.
    figures.unreachable = [
        (reason, people)
        for reason, people in rows(
            connection,
            f"""
            select coalesce(c.reason, 'no_consent'), count(*) from {table} s
            left join marts.contactability c
                on c.customer_id = s.customer_id and c.purpose = ? and c.channel = ?
            where not coalesce(c.is_contactable, false)
            group by 1 order by 2 desc, 1
            """,
            figures.purpose,
            figures.channel,
        )
    ]
    figures.overlaps = [
        (labels[other], people)
        for other, people in rows(
            connection,
            f"""
            select m.segment, count(*) from marts.fct_segment_memberships m
            semi join {table} s using (customer_id)
            where m.is_current and m.segment <> ?
            group by m.segment order by 2 desc, 1
            """,
            figures.name,
        )
        if other in labels and people >= FEW
    ][:OVERLAPS]
    figures.members = [
        Member(mask(email, first, last), without_addresses(reason), orders, worth)
        for email, first, last, reason, orders, worth in rows(
            connection,
            f"""
            select d.email, d.first_name, d.last_name, s.reason, d.order_count,
                d.lifetime_net_sales
            from {table} s join marts.dim_customers d using (customer_id)
            order by d.lifetime_net_sales desc nulls last, d.order_count desc,
                d.last_seen_at desc, s.customer_id
            limit {SHOWN}
            """,
        )
    ]


def _movements(
    connection: duckdb.DuckDBPyConnection, segment: str, build: Build
) -> tuple[int, int]:
    """Who entered and who left in the last seven days."""
    ((entered, left),) = rows(
        connection,
        """
        select count(*) filter (where entered_at > $2 - interval 7 day and is_current),
            count(*) filter (where exited_at > $2 - interval 7 day)
        from marts.fct_segment_memberships where segment = $1
        """,
        segment,
        build.as_of,
    )
    return entered, left
