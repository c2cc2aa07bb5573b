"""Customers: one row per person, a type that fits their orders, times that make sense.

Table: marts.dim_customers. Belongs here: what must hold for people in any shop.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.config import Settings
from orchestration.quality.expectations import Suite, none

QUERY = """
    select
        count(*) - count(distinct customer_id) as repeated_ids,
        count(*) filter (where customer_id is null or customer_id = '') as missing_ids,
        count(*) filter (where coalesce(
            customer_type not in ('anonymous', 'prospect', 'buyer'), true)) as unknown_types,
        count(*) filter (where (customer_type = 'buyer') <> (order_count > 0)) as wrong_buyers,
        count(*) filter (where customer_type = 'anonymous'
            and (email is not null or phone is not null)) as named_anonymous,
        count(*) filter (where coalesce(first_seen_at > last_seen_at, false)
            or coalesce(first_ordered_at > last_ordered_at, false)) as reversed_times,
        count(*) filter (where last_seen_at > (select as_of from ops.build)
            or last_ordered_at > (select as_of from ops.build)) as later_than_as_of,
        count(*) filter (where order_count > 0 and first_ordered_at is null) as undated_buyers,
        count(*) filter (where coalesce(order_count, -1) < 0) as negative_counts,
        count(*) filter (where currency is null) as missing_currencies,
        (count(email) - count(distinct email))::bigint as shared_emails,
        (select count(*) from marts.fct_orders o where o.customer_id is not null
            and o.customer_id not in (select customer_id from {table})) as orders_of_nobody
    from {table}
"""


def suites(_settings: Settings, _tables: Sequence[str]) -> list[Suite]:
    """The suite of people."""
    identity = "Look at marts.fct_identity_edges and `regulars explain`."
    model = "Look at the model dim_customers and at what changed in its inputs."
    return [
        Suite(
            "customers",
            "marts.dim_customers",
            QUERY,
            (
                none("repeated_ids", "{observed} people share a customer_id.", identity),
                none("missing_ids", "{observed} people have no customer_id.", identity),
                none("unknown_types", "{observed} people have an unknown customer_type.", model),
                none("wrong_buyers", "{observed} people's type contradicts their orders.", model),
                none("named_anonymous", "{observed} anonymous people have an address.", model),
                none("reversed_times", "{observed} people were last seen before first.", model),
                none("later_than_as_of", "{observed} people were seen after as_of.", model),
                none("undated_buyers", "{observed} buyers have no first order date.", model),
                none("negative_counts", "{observed} people lack an order count.", model),
                none("missing_currencies", "{observed} people's sales have no currency.", model),
                none(
                    "shared_emails",
                    "{observed} people share their main email address with somebody.",
                    identity,
                ),
                none(
                    "orders_of_nobody",
                    "{observed} orders belong to people who are not there.",
                    model,
                ),
            ),
        )
    ]
