"""What is worked out between dbt's two calls: the list of steps, and how one of them is run.

A step reads tables that dbt's first call built and writes Parquet files that the second reads. To
add one: a line of `STEPS` and, for each file, a table of the source `science` with its staging
model (dbt_project/models/staging/science).

Belongs here: which steps there are, and what becomes of their files where one fails. Does not
belong here: any method, or Dagster's view of them (orchestration/defs/science.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ingestion.config import Shop
from orchestration.home.layout import Home
from orchestration.science.attribution import files as attribution
from orchestration.science.experiments import files as experiments
from orchestration.science.intent import files as intent
from orchestration.science.next_category import files as next_category
from orchestration.science.parquet import remove_tables
from orchestration.science.purchases import READS
from orchestration.science.recommendations import files as recommendations
from orchestration.science.replenishment import files as replenishment
from orchestration.science.value import files as value

# What the check of a step shows, in words and numbers
Verdict = Mapping[str, str | int]


@dataclass(frozen=True)
class Step:
    """One thing that is worked out.

    `files` are the tables it writes, without `.parquet`; `reads` the models it reads; `run` takes
    the home, the run's "now" (naive UTC) and the shop, writes every file and returns the verdict.
    """

    name: str
    description: str
    files: tuple[str, ...]
    reads: tuple[str, ...]
    run: Callable[[Home, datetime, Shop], Verdict]


@dataclass(frozen=True)
class Outcome:
    """How a step ended: its verdict, or the kind of the error (its text may carry a value)."""

    verdict: Verdict
    error: str | None = None


STEPS = (
    Step(
        "value",
        "What buyers are worth in the time ahead, proven on the shop's own past.",
        value.FILES,
        ("fct_orders",),
        value.write_predictions,
    ),
    Step(
        "replenishment",
        "After how many days each product is bought again, found and proven or declared.",
        replenishment.FILES,
        READS,
        replenishment.write_intervals,
    ),
    Step(
        "next_category",
        "In which category each buyer buys next, proven on the shop's own past.",
        next_category.FILES,
        next_category.READS,
        next_category.write_next_categories,
    ),
    Step(
        "intent",
        "How likely people who show signals order soon and move on, proven on the shop's own past.",
        intent.FILES,
        intent.READS,
        intent.write_intent,
    ),
    Step(
        "recommendations",
        "What each buyer may like next, by the method that the shop's past chose.",
        recommendations.FILES,
        READS,
        recommendations.write_scores,
    ),
    Step(
        "attribution",
        "What each marketing channel changes about whether people buy.",
        attribution.FILES,
        attribution.READS,
        attribution.write_effects,
    ),
    Step(
        "experiments",
        "What treating people changed, by those who were held out.",
        experiments.FILES,
        experiments.READS,
        experiments.write_results,
    ),
)


def run_step(step: Step, home: Home, as_of: datetime, shop: Shop) -> Outcome:
    """Run a step; where it fails take its files away, so that no guess of an earlier run stays."""
    try:
        return Outcome(step.run(home, as_of, shop))
    except Exception as error:
        remove_tables(home, step.files)
        return Outcome({}, type(error).__name__)
