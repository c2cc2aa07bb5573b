"""What people answered when they were asked, and how often they are written to, in counts.

Belongs here: reading the two tables of the published file for the page. Does not belong here: who
may be written to (figures, segments), what became of today's contacts (today).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from ingestion.duckdb import has_table
from orchestration.report.figures import rows

MONTHS, WEEKS = 6, 6
# What somebody is asked: offers on a channel, or to be addressed as the one they are.
SUBJECTS = ("email", "sms", "push", "personalisation")


@dataclass(frozen=True)
class Answers:
    """What one month's people said to one question, over all its wordings."""

    asked: int
    granted: int
    withdrawn: int


@dataclass(frozen=True)
class MonthOfAnswers:
    """The answers of one month, by subject; a subject that nobody was asked about is absent."""

    first_day: date
    answers: dict[str, Answers]


@dataclass(frozen=True)
class WeekOfMessages:
    """How many people got none, a usual number and too many marketing messages in a week."""

    last_day: date
    silent: int
    written: int
    flooded: int


def read_answers(connection: duckdb.DuckDBPyConnection) -> list[MonthOfAnswers]:
    """The last months in which somebody was asked or withdrew, the oldest first; none in a file of
    an earlier version."""
    if not has_table(connection, "marts", "rpt_permission_trend"):
        return []
    counts = rows(
        connection,
        f"""
        with said as (
            select month, case purpose when 'marketing' then channel else purpose end as subject,
                channel, wording_version, level, asked_count::bigint as asked_count,
                granted_count::bigint as granted_count, withdrawn_count::bigint as withdrawn_count
            from marts.rpt_permission_trend where purpose in ('marketing', 'personalisation')
        ),
        by_wording as (
            -- Each level's row has all who were asked; a no to every trait is no opt-in
            select month, subject, max(asked_count) as asked,
                sum(granted_count) filter (where level <> 'none') as granted,
                sum(withdrawn_count) as withdrawn
            from said group by month, subject, channel, wording_version
        )
        select month, subject, sum(asked)::bigint, least(sum(asked), sum(granted))::bigint,
            sum(withdrawn)::bigint
        from by_wording where subject in (select unnest(?))
        group by month, subject
        qualify dense_rank() over (order by month desc) <= {MONTHS}
        order by month, subject
        """,
        list(SUBJECTS),
    )
    months: dict[date, dict[str, Answers]] = {}
    for month, subject, asked, granted, withdrawn in counts:
        months.setdefault(month, {})[subject] = Answers(asked, granted or 0, withdrawn)
    return [MonthOfAnswers(month, answers) for month, answers in months.items()]


def read_pressure(connection: duckdb.DuckDBPyConnection) -> list[WeekOfMessages]:
    """The last weeks, the oldest first; none in a file of an earlier version."""
    if not has_table(connection, "marts", "rpt_contact_pressure"):
        return []
    weeks = rows(
        connection,
        f"""
        select week_ends_on, coalesce(sum(people) filter (where message_count = 0), 0)::bigint,
            coalesce(sum(people) filter (where message_count > 0 and not is_over_limit), 0)::bigint,
            coalesce(sum(people) filter (where is_over_limit), 0)::bigint
        from (
            select week_ends_on, message_count::integer as message_count,
                is_over_limit::boolean as is_over_limit, people::bigint as people
            from marts.rpt_contact_pressure
        ) as weeks
        group by week_ends_on
        order by week_ends_on desc limit {WEEKS}
        """,
    )
    return [WeekOfMessages(*week) for week in reversed(weeks)]
