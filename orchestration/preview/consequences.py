"""What follows when people merge or split: the same shop published before and after.

Belongs here: counting what is another afterwards, in the published tables and at destinations. Does
not belong here: making the second file (orchestration/preview/identity.py), its layout
(orchestration/commands/identity.py). Counts and names of tables only; no person.

Data flow: two homes with published.duckdb of one moment, ops.sqlite of the first -> counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ingestion.duckdb import connect, literal
from orchestration.activation.delivery import DeliveryContext
from orchestration.activation.people import targets
from orchestration.activation.plan import count_operations
from orchestration.home.layout import Home


@dataclass(frozen=True)
class Consequence:
    """How many of one thing would be new, another, or gone.

    `what` is people, orders, stage, rfm, segment, permission or destination; `name` says which,
    such as a segment, and is empty where there is but one. An order is another when it becomes
    somebody else's, a permission when another address is behind it, a person at a destination when
    what is sent of them is another.
    """

    what: str
    name: str
    added: int
    changed: int
    removed: int


# What: one row per thing of a person, and what of it counts
_THINGS = {
    "people": """
        select '' as name, customer_id as thing, customer_id, null as value
        from {marts}.dim_customers
    """,
    "orders": """
        select '' as name, order_id as thing, customer_id, null as value from {marts}.fct_orders
    """,
    "stage": """
        select '' as name, customer_id as thing, customer_id, stage as value
        from {marts}.fct_customer_journey_stages where is_current
    """,
    "rfm": """
        select '' as name, customer_id as thing, customer_id, rfm_segment as value
        from {marts}.fct_customer_rfm where is_current
    """,
    "segment": """
        select segment as name, customer_id as thing, customer_id, null as value
        from {marts}.fct_segment_memberships where is_current
    """,
    "permission": """
        select concat(channel, ', ', purpose) as name, customer_id as thing, customer_id,
            concat(address_type, '|', address) as value
        from {marts}.contactability where is_contactable
    """,
}


def consequences(
    context: DeliveryContext, after: Home, people: AbstractSet[str]
) -> list[Consequence]:
    """Everything that would be another, in the order of `Consequence.what`; nothing that stays.

    Args:
        context: the shop as it stands: what people read now, where segments go, who permits what.
        after: where the file is published that would follow.
        people: the customer ids that gain or lose identifiers; what is another of somebody else
            (new orders, other settings, a score next to theirs) does not follow from that.
    """
    return [*_published(context.home, after, people), *_destinations(context, after, people)]


def _published(before: Home, after: Home, people: AbstractSet[str]) -> Iterator[Consequence]:
    with connect() as connection:
        connection.execute(
            "create temp table people as select unnest(?::varchar[]) as customer_id",
            [sorted(people)],
        )
        for name, home in (("before", before), ("after", after)):
            connection.execute(f"attach {literal(str(home.published))} as {name} (read_only)")
        for what, things in _THINGS.items():
            rows = connection.execute(f"""
                with before as ({things.format(marts="before.marts")}),
                after as ({things.format(marts="after.marts")})
                select
                    name,
                    count(*) filter (before.thing is null) as added,
                    count(*) filter (
                        before.thing is not null and after.thing is not null
                        and (before.customer_id, before.value)
                            is distinct from (after.customer_id, after.value)
                    ) as changed,
                    count(*) filter (after.thing is null) as removed
                from before
                full outer join after using (name, thing)
                where before.customer_id in (from people) or after.customer_id in (from people)
                group by name
                having added + changed + removed > 0
                order by name
            """).fetchall()
            yield from (Consequence(what, *row) for row in rows)


def _destinations(
    context: DeliveryContext, after: Home, people: AbstractSet[str]
) -> Iterator[Consequence]:
    for target in targets(context.home, context.settings):
        changes = context.audience_difference(after, target)
        counts = count_operations(change for change in changes if change.customer_id in people)
        if any(counts.values()):
            name = f"{target.destination}, {target.segment}"
            yield Consequence(
                "destination", name, counts["added"], counts["updated"], counts["removed"]
            )
