"""Segments: members exist once, each with a reason and a context, and never simply everybody.

Tables: every segments.seg_<name>. Belongs here: what must hold for any segment, so that adding one
needs no suite of its own. Changes of size are the breaker's (orchestration/quality/breaker.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.config import Settings
from orchestration.published.checks import EVERYBODY, everybody_subject
from orchestration.quality.expectations import Suite, at_most, none

# A segment that holds nearly everybody is a blanket mailing by mistake. Everybody is whom its
# channel could address (for email and SMS the known people, elsewhere the anonymous ones too), and
# also whom the gate would let through there for its purpose: where half of a list may be mailed,
# that half are all who get it. Only people seen for a month count, because a shop's first weeks are
# new to everybody, and only where they are enough to tell. A segment that may hold everybody says
# `may_be_everybody` in its own file.
MAX_SHARE = 0.9
ESTABLISHED_DAYS = 30
ESTABLISHED_MIN = 200


def _share(of: str) -> str:
    """How many of these people the segment holds; none while there are too few to tell."""
    return f"""
        (select case when count(*) < {ESTABLISHED_MIN} then 0.0
            else count(*) filter (where customer_id in (select customer_id from {{table}}))
                / count(*) end from {of})"""


QUERY = f"""
    with segment as (
        select channel, purpose, may_be_everybody
        from marts.dim_segments where segment = '{{segment}}'
    ),
    established as (
        select customer_id from marts.dim_customers
        where first_seen_at < (select as_of - interval {ESTABLISHED_DAYS} day from ops.build)
            and (is_known or coalesce((select channel not in ('email', 'sms') from segment), true))
    ),
    reachable as (
        select customer_id from established
        where customer_id in (
            select customer_id from marts.contactability
            where is_contactable and (channel, purpose) = (select (channel, purpose) from segment)
        )
    )
    select
        count(*) - count(distinct customer_id) as repeated_members,
        count(*) filter (where customer_id not in (select customer_id from marts.dim_customers)
            or customer_id is null) as strangers,
        count(*) filter (where reason is null or trim(reason) = '') as without_reason,
        count(*) filter (where context is null or not json_valid(context::varchar)
            or left(ltrim(context::varchar), 1) <> '{{') as wrong_context,
        case when coalesce((select may_be_everybody from segment), false) then 0.0
            else greatest({_share("established")}, {_share("reachable")}) end as share_of_all
    from {{table}}
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
        at_most(
            "share_of_all",
            MAX_SHARE,
            f"{segment} holds {{observed}} of all people whom its channel could address or may"
            " reach: that is everybody, not a segment.",
            "If everybody is meant, write 'may_be_everybody': True in"
            f" dbt_project/models/segments/seg_{segment}.sql; to let it pass once:"
            f" `regulars release {everybody_subject(segment)} --by NAME --reason TEXT`, and run"
            " again. Else mend the model.",
            name=EVERYBODY,
            is_share=True,
        ),
    )
    return Suite(f"segment_{segment}", table, QUERY.replace("{segment}", segment), expectations)
