"""The job `reconcile` and its schedule: what destinations say they have, held against the ledger.

Belongs here: Dagster's view of orchestration/activation/sizes.py, and one notice for all that
differs. Does not belong here: the comparison.
"""

import dagster as dg

from ingestion.config import Settings
from ingestion.errors import RegularsError
from ingestion.settings_file import load_settings
from orchestration.activation.sizes import Asked, SyncGoesOnError, ask_destinations
from orchestration.defs.errors import errors_as_data
from orchestration.home.kind import take_settings
from orchestration.home.layout import Home
from orchestration.run.notify import Notice, send_notice
from orchestration.run.run import clock


class DriftError(RegularsError):
    """A destination has others than the ledger says, or could not be asked."""


@dg.op(description="Asks each destination that can tell whom it has, and keeps its answer.")
@errors_as_data
def ask_whom_they_have(context: dg.OpExecutionContext) -> None:
    """One round; counts alone are told."""
    home = Home.locate()
    take_settings(home)
    settings = load_settings()
    asked = list(ask_destinations(home, settings))
    drifts = [drift for each in asked for drift in each.drifts]
    different = [drift for drift in drifts if drift.missing or drift.surplus]
    unasked = [each for each in asked if each.error and not isinstance(each.error, SyncGoesOnError)]
    counts = {
        "segments": len(drifts),
        "missing": sum(len(drift.missing) for drift in drifts),
        "not sent": sum(len(drift.surplus) for drift in drifts),
        "could not be asked": len(unasked),
    }
    context.add_output_metadata(counts)
    if different or unasked:
        _tell(settings, context.run_id, unasked, len(different))


def _tell(settings: Settings, run_id: str, unasked: list[Asked], segments: int) -> None:
    """One notice, however much differs; the next sync makes it right, so the job does not fail."""
    error = DriftError(
        f"Destinations have others than they should in {segments} segments; {len(unasked)} could"
        " not be asked.",
        "See `regulars doctor --connect`.",
    )
    send_notice(settings, Notice.of(run_id, clock(), error, steps=["reconcile"]))


@dg.job(description="Compares what destinations have with what was sent to them.")
def reconcile() -> None:
    """One step."""
    ask_whom_they_have()


# At night, before the runs of the day would change what is there.
nightly = dg.ScheduleDefinition(
    name="reconcile_schedule",
    job=reconcile,
    cron_schedule="15 4 * * *",
    execution_timezone=load_settings().shop.timezone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night; asks those destinations that can tell.",
)
