"""Segments: members exist once, each with a reason and a context; everybody is a warning.

Tables: every segments.seg_<name>. Belongs here: what must hold for any segment, so that adding one
needs no suite of its own. Changes of size are the breaker's (orchestration/quality/breaker.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.config import Settings
from orchestration.quality.expectations import Suite, none

QUERY = """
    select
        count(*) - count(distinct customer_id) as repeated_members,
        count(*) filter (where customer_id not in (select customer_id from marts.dim_customers)
            or customer_id is null) as strangers,
        count(*) filter (where reason is null or trim(reason) = '') as without_reason,
        count(*) filter (where context is null or not json_valid(context::varchar)
            or left(ltrim(context::varchar), 1) <> '{') as wrong_context,
        (select count(*) from marts.rpt_segment_reach
            where segment = '{segment}' and is_everybody) as channels_of_everybody
    from {table}
"""


def suites(_settings: Settings, tables: Sequence[str]) -> list[Suite]:
    """One suite per segment table."""
    return [_suite(table) for table in sorted(tables) if table.startswith("segments.seg_")]


def _suite(table: str) -> Suite:
    segment = table.removeprefix("segments.seg_")
    model = f"Look at the model seg_{segment}."
    expectations = (
        none("repeated_members", f"{{observed}} members stand in {segment} twice.", model),
        none("strangers", f"{{observed}} members of {segment} do not exist.", model),
        none("without_reason", f"{{observed}} members of {segment} have no reason.", model),
        none("wrong_context", f"{{observed}} members of {segment} have no JSON context.", model),
        none(
            "channels_of_everybody",
            f"{segment} holds nearly everybody whom its channel could address or may reach: that"
            " is everybody, not a segment. It gets nobody new.",
            "If everybody is meant, write 'may_be_everybody': True in"
            f" dbt_project/models/segments/seg_{segment}.sql; else mend the model."
            " marts.rpt_segment_reach has the counts.",
            name="not_everybody",
            severity="warning",
        ),
    )
    return Suite(f"segment_{segment}", table, QUERY.replace("{segment}", segment), expectations)
