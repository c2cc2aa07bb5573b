"""What the site is told of a person beside their segments: the stage, the type of each browser, and
products to show.

Belongs here: reading them from the published file. Does not belong here: permission (`gate`), whom
a segment means (`people`), what the site makes of it (`orchestration.destinations.onsite`).

A stage is true of a group, so the level `none` has none. Somebody anonymous has no level: their
browser's own yes is what let them pass the gate, and permits what is true of the group.

Who asks by a browser may be anybody who uses it. So a browser has what goes with the products of
its own latest visit, which whoever sits there has just looked at: nothing that its owner bought,
said or looked at elsewhere. What is for the person, known by their login or id, needs level full.
"""

from __future__ import annotations

import json

import duckdb

from ingestion.duckdb import has_table

OF_A_KIND = 3  # products of each kind for a person
OF_A_VISIT = 6  # products for a browser
_VISIT_TABLES = ("recent_interactions", "fct_web_sessions", "product_affinities", "dim_products")

Shown = list[dict[str, str]]  # kind and product_id of each product, best first


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


def shown_to(connection: duckdb.DuckDBPyConnection, people: str) -> dict[str, Shown]:
    """What to show the people that a query names, of those whose level is full."""
    if not has_table(connection, "marts", "fct_recommendations"):
        return {}
    rows = connection.execute(
        f"""
        select customer_id, to_json(list(
            {{'kind': kind, 'product_id': product_id}} order by kind = 'next' desc, kind, rank
        ))
        from marts.fct_recommendations
        inner join marts.customer_personalisation as levels using (customer_id)
        where levels.level = 'full' and rank <= {OF_A_KIND} and customer_id in ({people})
        group by customer_id
        """
    ).fetchall()
    return {customer_id: json.loads(shown) for customer_id, shown in rows}


def shown_after_visits(connection: duckdb.DuckDBPyConnection, people: str) -> dict[str, Shown]:
    """What goes with the products of each browser's latest visit, of the browsers of these people.

    What was looked at in the visit is left out, and so is what is out of stock.
    """
    if not all(has_table(connection, "marts", table) for table in _VISIT_TABLES):
        return {}
    rows = connection.execute(
        f"""
        with viewed as (
            select sessions.device_id, sessions.session_id, steps.product_id,
                max(steps.occurred_at) as viewed_at
            from marts.recent_interactions as steps
            inner join marts.fct_web_sessions as sessions using (session_id)
            where steps.event_name = 'Product Viewed' and steps.product_id is not null
                and sessions.device_id is not null and sessions.customer_id in ({people})
            group by all
        ),
        latest as (
            select device_id, product_id
            from viewed
            qualify session_id = first_value(session_id) over (
                partition by device_id order by viewed_at desc, session_id desc
            )
        ),
        going_with as (
            select latest.device_id, pairs.other_product_id as product_id,
                max(round(pairs.support * ln(pairs.lift), 6)) as score
            from latest
            inner join marts.product_affinities as pairs
                on latest.product_id = pairs.product_id and pairs.kind = 'also_viewed'
            inner join marts.dim_products as products
                on pairs.other_product_id = products.product_id
            anti join latest as seen
                on latest.device_id = seen.device_id and pairs.other_product_id = seen.product_id
            where coalesce(products.in_stock, true)
            group by latest.device_id, pairs.other_product_id
            qualify row_number() over (
                partition by latest.device_id order by score desc, pairs.other_product_id
            ) <= {OF_A_VISIT}
        )
        select device_id, to_json(list(
            {{'kind': 'also_viewed', 'product_id': product_id}} order by score desc, product_id
        ))
        from going_with
        group by device_id
        """
    ).fetchall()
    return {device: json.loads(shown) for device, shown in rows}
