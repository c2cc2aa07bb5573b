"""What the site is told of a person beside their segments: the stage, and the type of each browser.

Belongs here: reading both from the published file. Does not belong here: permission (`gate`), whom
a segment means (`people`), what the site makes of it (`orchestration.destinations.onsite`).

A stage is true of a group, so the level `none` has none. Somebody anonymous has no level: their
browser's own yes is what let them pass the gate, and permits what is true of the group.
"""

from __future__ import annotations

import duckdb

from ingestion.duckdb import has_table


def stages_of(connection: duckdb.DuckDBPyConnection, people: str) -> dict[str, str]:
    """The current stage of the people that a query names, of those whose level permits it."""
    if not has_table(connection, "marts", "fct_customer_journey_stages"):
        return {}
    rows = connection.execute(
        f"""
        select stages.customer_id, stages.stage
        from marts.fct_customer_journey_stages as stages
        inner join marts.dim_customers as customers using (customer_id)
        left join marts.customer_personalisation as levels using (customer_id)
        where stages.is_current
            and stages.customer_id in ({people})
            and (levels.level in ('segment', 'full') or (levels.level is null and not is_known))
        """
    ).fetchall()
    return dict(rows)


def device_types_of(connection: duckdb.DuckDBPyConnection, people: str) -> dict[str, str]:
    """What each browser of these people was at its latest visit: desktop, mobile or tablet."""
    if not has_table(connection, "marts", "fct_web_sessions"):
        return {}
    rows = connection.execute(
        f"""
        select device_id, device_type
        from marts.fct_web_sessions
        where device_type is not null and customer_id in ({people})
        qualify row_number() over (
            partition by device_id order by started_at desc, session_id desc
        ) = 1
        """
    ).fetchall()
    return dict(rows)
