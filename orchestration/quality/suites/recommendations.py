"""Recommendations: nothing that somebody has or that cannot be bought; reminders before the need.

Tables: marts.fct_recommendations, marts.fct_replenishments. Belongs here: what must hold in any
shop. Does not belong here: how good they are (marts.rpt_recommendation_backtests).
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.config import Settings
from orchestration.quality.expectations import Suite, none

SHOWN = """
    select
        count(*) filter (where p.in_stock = false) as out_of_stock,
        count(*) filter (where r.kind <> 'replenish' and o.product_id is not null) as owned,
        count(*) filter (where r.reason is null or trim(r.reason) = '') as without_reason
    from {table} r
    join marts.dim_products p using (product_id)
    left join (
        select distinct l.customer_id, l.product_id
        from marts.fct_order_lines l
        join marts.fct_orders k on l.order_id = k.order_id and l.order_source = k.order_source
        where k.is_kept and not l.is_return_line and l.quantity > 0 and l.line_kind = 'goods'
    ) o on r.customer_id = o.customer_id and r.product_id = o.product_id
"""
REMINDED = """
    select
        count(*) filter (where remind_at > due_at or remind_at < last_bought_at) as odd_times,
        count(*) filter (where last_bought_at > (select as_of from ops.build)) as later_than_as_of,
        count(*) filter (where is_displeased <> (displeased_by is not null)) as unexplained
    from {table}
"""


def suites(_settings: Settings, _tables: Sequence[str]) -> list[Suite]:
    """The suites of what is shown and of what people are reminded of."""
    shown, reminded = "fct_recommendations", "fct_replenishments"
    look = "Look at the model {}."
    return [
        Suite(
            "recommendations",
            f"marts.{shown}",
            SHOWN,
            (
                none(
                    "out_of_stock",
                    "{observed} recommended products are out of stock.",
                    look.format(shown),
                ),
                none(
                    "owned",
                    "{observed} recommendations are of what their person has.",
                    look.format(shown),
                ),
                none(
                    "without_reason",
                    "{observed} recommendations say no reason.",
                    look.format(shown),
                ),
            ),
        ),
        Suite(
            "replenishments",
            f"marts.{reminded}",
            REMINDED,
            (
                none(
                    "odd_times",
                    "{observed} reminders are not between purchase and need.",
                    look.format(reminded),
                ),
                none(
                    "later_than_as_of",
                    "{observed} replenishments are of purchases after as_of.",
                    look.format(reminded),
                ),
                none(
                    "unexplained",
                    "{observed} displeased people have no reason.",
                    look.format(reminded),
                ),
            ),
        ),
    ]
