"""What is worked out of the models' facts between dbt's two calls, and the verdict on it.

Belongs here: Dagster's view of it. Does not belong here: any method (orchestration/science).
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.errors import errors_as_data
from orchestration.defs.resources import RunResource
from orchestration.science.files import FILES, predict_or_nothing
from orchestration.science.value import Predictions

SCIENCE = "science"
CHECK = "back_test"
KEYS = [dg.AssetKey([SCIENCE, name]) for name in FILES]


@dg.multi_asset(
    name=SCIENCE,
    specs=[
        dg.AssetSpec(
            key,
            group_name="value_and_journey",
            deps=[dg.AssetKey(["fct_orders"])],
            kinds={"python", "parquet"},
            description=f"`{key.path[-1]}` as worked out in this run, for models to read.",
        )
        for key in KEYS
    ],
    check_specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=KEYS[-1],
            description="Each prediction: published, by which model, or withheld and why.",
        )
    ],
    description="Predict what buyers are worth, and prove it on the shop's own past.",
    pool="duckdb",
)
@errors_as_data
def science(run: RunResource) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Predict, or take away what an earlier run predicted: a failure publishes no guess."""
    current = run.current
    current.say("Predicting: fitted on the shop's past, beside naive rules ...")
    zone = current.settings.shop.timezone
    predictions = predict_or_nothing(current.home, current.as_of, zone)
    if isinstance(predictions, str):
        current.say(f"  nothing could be predicted ({predictions}); the predictions are empty")
    for key in KEYS:
        yield dg.MaterializeResult(asset_key=key)
    yield dg.AssetCheckResult(
        asset_key=KEYS[-1],
        check_name=CHECK,
        passed=not isinstance(predictions, str),
        severity=dg.AssetCheckSeverity.WARN,
        metadata=_verdict(predictions),
    )


def _verdict(predictions: Predictions | str) -> dict[str, str | int]:
    """What the check shows."""
    if isinstance(predictions, str):
        return {"failed": predictions}
    words = {
        target: f"withheld: {reason}" if reason else f"published, by {predictions.models[target]}"
        for target, reason in predictions.reasons.items()
    }
    return {"people": len(predictions.person), **words}
