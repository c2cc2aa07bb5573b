"""What is worked out of the models' facts between dbt's two calls, and the verdict on it.

Belongs here: Dagster's view of the steps. Does not belong here: which there are
(orchestration/science/steps.py), or any method.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.errors import errors_as_data
from orchestration.defs.resources import RunResource
from orchestration.science.steps import STEPS, Outcome, Step, run_step

SCIENCE = "science"
VERDICT = "verdict"


def _key(file: str) -> dg.AssetKey:
    return dg.AssetKey([SCIENCE, file])


def _assets_of(step: Step) -> dg.AssetsDefinition:
    """The files of a step as assets of their own: a part of the graph may need this step alone."""

    @dg.multi_asset(
        name=f"{SCIENCE}_{step.name}",
        specs=[
            dg.AssetSpec(
                _key(file),
                group_name="value_and_journey",
                deps=[dg.AssetKey([model]) for model in step.reads],
                kinds={"python", "parquet"},
                description=f"{step.description} `{file}` of this run, for models to read.",
            )
            for file in step.files
        ],
        check_specs=[
            dg.AssetCheckSpec(
                VERDICT,
                asset=_key(step.files[-1]),
                description="What is published and what is withheld, and why.",
            )
        ],
        description=step.description,
        pool="duckdb",
    )
    @errors_as_data
    def work_out(run: RunResource) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        current = run.current
        current.say(f"Working out {step.name.replace('_', ' ')} ...")
        outcome = run_step(step, current.home, current.as_of, current.settings.shop)
        if outcome.error:
            current.say(f"  {step.name}: not worked out ({outcome.error}); its tables are empty")
        for file in step.files:
            yield dg.MaterializeResult(asset_key=_key(file))
        yield _check(step, outcome)

    return work_out


def _check(step: Step, outcome: Outcome) -> dg.AssetCheckResult:
    """What the check of a step shows; one that failed published nothing, and the others go on."""
    return dg.AssetCheckResult(
        asset_key=_key(step.files[-1]),
        check_name=VERDICT,
        passed=outcome.error is None,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"failed": outcome.error} if outcome.error else dict(outcome.verdict),
    )


SCIENCE_STEPS = [_assets_of(step) for step in STEPS]
