"""Journey stages: known names, one current stage per person, visits that follow one another.

Table: marts.fct_customer_journey_stages. Belongs here: what must hold for any journey.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.config import Settings
from ingestion.vocabulary import STAGES
from orchestration.quality.expectations import Suite, none, only

NAMES = "select stage, count(*) from {table} group by stage"
FACTS = """
    select
        count(*) filter (where entered_at is null or exited_at < entered_at) as reversed_times,
        count(*) filter (where entered_at > (select as_of from ops.build)) as later_than_as_of,
        count(*) filter (where is_current <> (exited_at is null)) as wrong_current,
        count(*) filter (where entry_reason is null or trim(entry_reason) = '') as without_reason,
        count(*) filter (where stage is null) as missing_stages,
        (select count(*) from (select customer_id from {table} where is_current
            group by customer_id having count(*) > 1)) as several_current,
        (select count(*) from (select distinct customer_id from {table})
            where customer_id not in (select customer_id from marts.dim_customers)) as strangers,
        (select count(*) from {table} s join marts.dim_customers d using (customer_id)
            where s.is_current and s.stage = 'purchase'
            and d.customer_type <> 'buyer') as purchase_without_order
    from {table}
"""


def suites(_settings: Settings, _tables: Sequence[str]) -> list[Suite]:
    """The suite of journey stages."""
    model = "Look at the model fct_customer_journey_stages."
    table = "marts.fct_customer_journey_stages"
    return [
        Suite(
            "stage_names",
            table,
            NAMES,
            (only("stage", STAGES, "Some stages are unknown.", model, name="known"),),
        ),
        Suite(
            "stages",
            table,
            FACTS,
            (
                none("reversed_times", "{observed} stage visits end before they begin.", model),
                none("later_than_as_of", "{observed} stage visits begin after as_of.", model),
                none("wrong_current", "{observed} visits contradict their end.", model),
                none("without_reason", "{observed} stage visits give no reason.", model),
                none("missing_stages", "{observed} stage visits have no stage.", model),
                none("several_current", "{observed} people are in two stages at once.", model),
                none("strangers", "{observed} people have stages but do not exist.", model),
                none(
                    "purchase_without_order",
                    "{observed} people are in the purchase stage without an order.",
                    model,
                ),
            ),
        ),
    ]
