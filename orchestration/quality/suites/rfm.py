"""RFM: scores from 1 to 5, known groups, and every buyer scored on the current date.

A buyer whose value is unknown (an order without a currency rate) has no M score and no group.

Table: marts.fct_customer_rfm. Belongs here: what a score must be in any shop.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.config import Settings
from orchestration.quality.expectations import Suite, none, only
from orchestration.words.rfm_groups import group_names

SCORES = "select r_score, f_score, m_score, rfm_segment, count(*) from {table} group by all"
FACTS = """
    with current_scores as (
        from {table} where as_of_date = (select max(as_of_date) from {table})
    )
    select
        count(*) filter (where frequency < 1 or frequency is null) as without_orders,
        count(*) filter (where recency_days < 0 or recency_days is null) as negative_recency,
        count(*) filter (where r_score is null or f_score is null
            or (monetary is not null and (m_score is null or rfm_segment is null)))
            as missing_scores,
        (select count(*) from marts.dim_customers d where d.customer_type = 'buyer'
            and d.customer_id not in (select customer_id from current_scores)) as unscored_buyers,
        (select count(*) from current_scores c
            where c.customer_id not in (select customer_id from marts.dim_customers
                where customer_type = 'buyer')) as scored_others,
        (select count(*) from (select recency_days from current_scores group by recency_days
            having count(distinct r_score) > 1)) as unequal_scores
    from {table}
"""


def suites(settings: Settings, _tables: Sequence[str]) -> list[Suite]:
    """The suite of RFM scores; the number of buckets is the shop's."""
    buckets = range(1, int(settings.models.get("rfm_buckets", 5)) + 1)
    model = "Look at the model fct_customer_rfm."
    table = "marts.fct_customer_rfm"
    return [
        Suite(
            "rfm_scores",
            table,
            SCORES,
            (
                *(
                    only(f"{x}_score", buckets, f"Some {x} scores are out of range.", model, name=x)
                    for x in "rfm"
                ),
                only(
                    "rfm_segment",
                    group_names(),
                    "Some RFM groups are unknown.",
                    model,
                    name="groups",
                ),
            ),
        ),
        Suite(
            "rfm",
            table,
            FACTS,
            (
                none("without_orders", "{observed} scored people have no order.", model),
                none("negative_recency", "{observed} people ordered after as_of.", model),
                none("missing_scores", "{observed} buyers lack a score.", model),
                none("unscored_buyers", "{observed} buyers are not scored.", model),
                none("scored_others", "{observed} people are scored who are no buyers.", model),
                none("unequal_scores", "{observed} equal recencies have unequal scores.", model),
            ),
        ),
    ]
