"""The Parquet file that the models read of experiments and holdouts.

Belongs here: columns and files. Does not belong here: the estimate (lift.py), or what people did
(dbt's fct_experiment_outcomes).

Data flow: warehouse.duckdb (marts.fct_experiment_outcomes, read-only) ->
`$REGULARS_HOME/science/experiment_results.parquet`.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingestion.config import Shop
from ingestion.duckdb import connect
from orchestration.home.layout import Home
from orchestration.science.experiments.lift import (
    Flags,
    Floats,
    Lift,
    is_unequal,
    lift,
    ratio_lift,
    weeks_to_detect,
)
from orchestration.science.parquet import write_tables

RESULTS = "experiment_results"
FILES = (RESULTS,)
READS = ("fct_experiment_outcomes",)
# Added up since the draw and compared per person; whether somebody ordered at all is one of them
MEANS = ("visits", "orders", "net_sales", "unsubscribes", "conversion")
# What is compared per order or message, as one sum by another
RATIOS = {"average_order": ("net_sales", "orders"), "click_through": ("clicks", "messages")}
METRICS = (*MEANS, *RATIOS)
BEFORE = ("visits", "orders", "net_sales", "unsubscribes")
SINCE = (*BEFORE, "messages", "clicks")
TOO_FEW_PEOPLE, NOTHING_DIFFERS = "too_few_people", "nothing_differs"
# What is worth finding: so much more than those held out do.
WORTH_FINDING = 0.1
DIGITS = 9
DAY = timedelta(days=1)

SHAPE = pa.schema(
    [
        ("kind", pa.string()),
        ("experiment", pa.string()),
        ("metric", pa.string()),
        ("began_at", pa.timestamp("us")),
        ("measured_until", pa.timestamp("us")),
        ("share_done", pa.float64()),
        ("treated_count", pa.int64()),
        ("control_count", pa.int64()),
        ("is_unequal", pa.bool_()),
        ("treated", pa.float64()),
        ("control", pa.float64()),
        ("lift", pa.float64()),
        ("lift_low", pa.float64()),
        ("lift_high", pa.float64()),
        ("is_conclusive", pa.bool_()),
        ("weeks_to_detect", pa.float64()),
        ("variance_kept", pa.float64()),
        ("null_reason", pa.string()),
    ]
)
EXPERIMENTS = """
select kind, experiment, min(assigned_at), max(measured_until), any_value(planned_days),
    max(planned_share)
from marts.fct_experiment_outcomes
group by kind, experiment
order by kind, experiment
"""
OUTCOMES = f"""
select is_treated, {", ".join(f"cast({m} as double) as {m}" for m in SINCE)},
    {", ".join(f"cast({m}_before as double) as {m}_before" for m in BEFORE)},
    cast(orders > 0 as double) as conversion, cast(orders_before > 0 as double) as conversion_before
from marts.fct_experiment_outcomes
where kind = ? and experiment = ?
order by experiment_outcome_id
"""


def write_results(home: Home, as_of: datetime, shop: Shop) -> dict[str, str | int]:  # noqa: ARG001
    """Compare the groups of every experiment and holdout and write the file.

    Args:
        home: whose.
        as_of: the run's "now"; what people did ends there already.
        shop: whose; the same call as every step's.

    Returns:
        How many experiments and holdouts there are, and how many answers are conclusive.
    """
    rows: list[dict[str, Any]] = []
    with connect(home.warehouse, read_only=True) as connection:
        experiments = connection.execute(EXPERIMENTS).fetchall()
        for kind, name, began, until, days, share in experiments:
            outcomes = connection.execute(OUTCOMES, [kind, name]).fetchnumpy()
            elapsed = (until - began) / DAY
            facts = {"kind": kind, "experiment": name, "began_at": began, "measured_until": until}
            rows += [facts | row for row in compare(outcomes, elapsed, days, share)]
    write_tables(home, {RESULTS: pa.Table.from_pylist(rows, schema=SHAPE)})
    conclusive = sum(row["is_conclusive"] for row in rows)
    return {"experiments": len(experiments), "conclusive": conclusive}


def compare(
    outcomes: dict[str, NDArray[Any]], elapsed: float, planned_days: int, share: float | None
) -> list[dict[str, Any]]:
    """One row per metric of an experiment: the groups, their difference and its interval.

    Args:
        outcomes: `is_treated`, each of `SINCE`, and of `MEANS` with what was done before, by name,
            (people,).
        elapsed: days since the first person was drawn.
        planned_days: for how long it is planned.
        share: of people that were to be treated; None where nobody said it.
    """
    is_treated: Flags = np.asarray(outcomes["is_treated"], dtype=np.bool_)
    treated_count, control_count = int(is_treated.sum()), int((~is_treated).sum())
    counts = {
        "share_done": round(elapsed / planned_days, DIGITS),
        "treated_count": treated_count,
        "control_count": control_count,
        "is_unequal": None if share is None else is_unequal(treated_count, control_count, share),
    }
    columns: dict[str, Floats] = {
        name: np.asarray(values, dtype=np.float64) for name, values in outcomes.items()
    }
    done = elapsed / planned_days
    answers = {
        metric: lift(columns[metric], columns[f"{metric}_before"], is_treated, done)
        for metric in MEANS
    } | {
        metric: ratio_lift(columns[part], columns[whole], is_treated, done)
        for metric, (part, whole) in RATIOS.items()
    }
    return [{"metric": metric} | counts | _row(answers[metric], elapsed) for metric in METRICS]


def _row(answer: Lift, elapsed: float) -> dict[str, Any]:
    reason = None
    if math.isnan(answer.lift):
        reason = TOO_FEW_PEOPLE
    elif math.isnan(answer.low):
        reason = NOTHING_DIFFERS
    weeks = weeks_to_detect(answer.variance, WORTH_FINDING * answer.control, elapsed)
    return {
        "treated": _figure(answer.treated),
        "control": _figure(answer.control),
        "lift": _figure(answer.lift),
        "lift_low": _figure(answer.low),
        "lift_high": _figure(answer.high),
        "is_conclusive": answer.is_conclusive,
        "weeks_to_detect": None if reason or weeks is None else _figure(weeks),
        "variance_kept": _figure(answer.variance_kept),
        "null_reason": reason,
    }


def _figure(value: float) -> float | None:
    return None if math.isnan(value) else round(value, DIGITS)
