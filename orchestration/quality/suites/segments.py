"""Segments: members exist once, each with a reason and a context, and never simply everybody.

Tables: every segments.seg_<name>. Belongs here: what must hold for any segment, so that adding one
needs no suite of its own. Changes of size are the breaker's (orchestration/quality/breaker.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.config import Settings
from orchestration.quality.expectations import Suite, at_most, none

# A segment that holds nearly all established people is a blanket mailing by mistake (S72). Only
# people known for a month count, because a shop's first weeks are new to everybody.
EVERYBODY = 0.9
ESTABLISHED_DAYS = 30
ESTABLISHED_MIN = 200

# Segments whose size says how far the shop has come, however large they are.
MAY_BE_EVERYBODY = frozenset({"buyers_without_email_permission"})

QUERY = f"""
    with established as (
        select customer_id from marts.dim_customers
        where first_seen_at < (select as_of - interval {ESTABLISHED_DAYS} day from ops.build)
    )
    select
        count(*) - count(distinct customer_id) as repeated_members,
        count(*) filter (where customer_id not in (select customer_id from marts.dim_customers)
            or customer_id is null) as strangers,
        count(*) filter (where reason is null or trim(reason) = '') as without_reason,
        count(*) filter (where context is null or not json_valid(context::varchar)
            or left(ltrim(context::varchar), 1) <> '{{') as wrong_context,
        case when (select count(*) from established) < {ESTABLISHED_MIN} then 0.0
            else (select count(*) from established where customer_id in (select customer_id
                from {{table}})) / (select count(*) from established) end as share_of_all
    from {{table}}
"""


def suites(_settings: Settings, tables: Sequence[str]) -> list[Suite]:
    """One suite per segment table."""
    return [_suite(table) for table in sorted(tables) if table.startswith("segments.seg_")]


def _suite(table: str) -> Suite:
    segment = table.removeprefix("segments.seg_")
    model = f"Look at the model seg_{segment}."
    expectations = [
        none("repeated_members", f"{{observed}} members stand in {segment} twice.", model),
        none("strangers", f"{{observed}} members of {segment} do not exist.", model),
        none("without_reason", f"{{observed}} members of {segment} have no reason.", model),
        none("wrong_context", f"{{observed}} members of {segment} have no JSON context.", model),
    ]
    if segment not in MAY_BE_EVERYBODY:
        expectations.append(
            at_most(
                "share_of_all",
                EVERYBODY,
                f"{segment} holds {{observed}} of all established people: that is everybody, not a"
                " segment.",
                f"{model} If everybody is meant, declare it in MAY_BE_EVERYBODY.",
                name="not_everybody",
            )
        )
    return Suite(f"segment_{segment}", table, QUERY, tuple(expectations))
