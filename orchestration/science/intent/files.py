"""What intent is read of, and the Parquet files that the models read of it.

Belongs here: columns and files. Does not belong here: the model, or judging it.

Data flow: warehouse.duckdb (intermediate.int_intent_features, marts.fct_orders,
marts.fct_customer_journey_stages) ->
`$REGULARS_HOME/science/{customer_intent,intent_backtests}.parquet`.
"""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa

from ingestion.config import Shop
from ingestion.duckdb import connect
from ingestion.vocabulary import STAGES
from orchestration.home.layout import Home
from orchestration.science.intent.judging import (
    INTENT,
    NEXT_STAGE,
    Learnt,
    Target,
    alike,
    learn,
    targets,
    usual_next_stages,
    verdict_of,
)
from orchestration.science.intent.rows import Rows
from orchestration.science.parquet import day_number, figures, today_of, write_tables
from orchestration.science.purchases import Floats, Ints
from orchestration.science.verdicts import back_test_table

ROWS, BACK_TESTS = "customer_intent", "intent_backtests"
FILES = (ROWS, BACK_TESTS)
READS = ("int_intent_features", "fct_orders", "fct_customer_journey_stages")
# Stages from which nobody moves on: none, and the last
ODD_STAGES = {-1: "no_stage", len(STAGES) - 1: "last_stage"}
DIGITS = 6
# Days are counted from 1970. A stage is the one in which somebody is at the end of a day.
FEATURES = """
with order_days as (
    select distinct customer_id, ordered_date from marts.fct_orders
    where is_kept and customer_id is not null
),
stages as (
    select customer_id, max(stage_number) - 1 as stage,
        cast(timezone($zone, timezone('UTC', entered_at)) as date) as entered_date
    from marts.fct_customer_journey_stages
    group by all
)
select features.*, features.as_of_date - date '1970-01-01' as day,
    features.carted_count + features.checked_out_count > 0 as has_cart,
    features.as_of_date - features.last_signal_date as silent,
    coalesce(features.order_day_count, 0) as order_days,
    cast(features.as_of_date - features.last_ordered_date as double) as since_order,
    coalesce(stages.stage, -1) as stage,
    coalesce(features.as_of_date - stages.entered_date, 0) as stage_days,
    cast(orders_after.ordered_date - features.as_of_date as double) as until_order,
    cast(stages_after.entered_date - features.as_of_date as double) as until_stage,
    coalesce(stages_after.stage, -1) as later_stage
from intermediate.int_intent_features as features
asof left join stages
    on features.customer_id = stages.customer_id and features.as_of_date >= stages.entered_date
asof left join order_days as orders_after
    on features.customer_id = orders_after.customer_id
    and features.as_of_date < orders_after.ordered_date
asof left join stages as stages_after
    on features.customer_id = stages_after.customer_id
    and features.as_of_date < stages_after.entered_date
order by features.customer_id, day
"""


def write_intent(home: Home, as_of: datetime, shop: Shop) -> dict[str, str | int]:
    """Learn, judge and predict from the warehouse as it is, and write both files.

    Returns:
        How many people there are, and for each target whether it is published and why not.
    """
    today = today_of(as_of, shop)
    ids, rows = read_rows(home, shop.timezone)
    aims = targets(len(STAGES) - 1)
    learnt = {aim.name: learn(rows, aim, day_number(today)) for aim in aims}
    horizons = {aim.name: aim.horizon for aim in aims}
    write_tables(
        home,
        {
            ROWS: intent_table(rows, ids, learnt, aims, today),
            BACK_TESTS: back_test_table(verdict_of(learnt), today, horizons),
        },
    )
    words = {
        name: f"withheld: {each.decision.reason}"
        if each.decision.reason
        else f"published, by {each.decision.model}"
        for name, each in learnt.items()
    }
    return {"people": len(ids), **words}


def read_rows(home: Home, zone: str) -> tuple[list[str], Rows]:
    """The customers, in order, and what is known of them on days with signals."""
    with connect(home.warehouse, read_only=True) as connection:
        columns = connection.execute(FEATURES, {"zone": zone}).fetchnumpy()
    ids, person = np.unique(columns["customer_id"].astype(str), return_inverse=True)
    weights = [_floats(columns[name]) for name in columns if name.endswith("_weight")]
    return ids.tolist(), Rows(
        person=person.astype(np.int64),
        day=_ints(columns["day"]),
        signals=np.column_stack(weights),
        has_cart=np.asarray(columns["has_cart"], dtype=np.bool_),
        silent=_floats(columns["silent"]),
        order_days=_floats(columns["order_days"]),
        since_order=_floats(columns["since_order"]),
        stage=_ints(columns["stage"]),
        stage_days=_floats(columns["stage_days"]),
        until_order=_floats(columns["until_order"], missing=np.inf),
        until_stage=_floats(columns["until_stage"], missing=np.inf),
        later_stage=_ints(columns["later_stage"]),
    )


def _floats(column: np.ndarray, missing: float = np.nan) -> Floats:
    """A column of numbers, in which NULL is `missing`."""
    return np.ma.filled(np.ma.asarray(column).astype(np.float64), missing)


def _ints(column: np.ndarray) -> Ints:
    return np.asarray(column, dtype=np.int64)


def intent_table(
    rows: Rows,
    ids: list[str],
    learnt: dict[str, Learnt],
    aims: tuple[Target, ...],
    today: date,
) -> pa.Table:
    """One row per person and date: the chances and their calibration, or why there are none."""
    count = len(rows)
    like = alike(learnt[INTENT])
    chance = learnt[NEXT_STAGE].chance
    horizon = next(aim.horizon for aim in aims if aim.name == NEXT_STAGE)
    usual = usual_next_stages(rows, horizon)
    reason = learnt[NEXT_STAGE].decision.reason
    stages = [
        STAGES[stage] if stage >= 0 and not np.isnan(each) else None
        for stage, each in zip(usual, chance, strict=True)
    ]
    day = rows.day.astype("datetime64[D]")
    return pa.table(
        {
            "customer_id": pa.array([ids[person] for person in rows.person], pa.string()),
            "as_of_date": pa.array(day, pa.date32()),
            "computed_on": pa.array([today] * count, pa.date32()),
            "intent": figures(learnt[INTENT].chance.round(DIGITS)),
            "alike_share": figures(like.share.round(DIGITS)),
            "alike_people": figures(like.people),
            "null_reason": pa.array([learnt[INTENT].decision.reason] * count, pa.string()),
            "next_stage": pa.array(stages, pa.string()),
            "next_stage_28d": figures(chance.round(DIGITS)),
            "next_stage_null_reason": pa.array(
                [reason or ODD_STAGES.get(stage) for stage in rows.stage.tolist()], pa.string()
            ),
        }
    )
