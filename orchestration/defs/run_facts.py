"""What Dagster knows of a run of ours: what it makes, who started it, what failed.

Belongs here: reading that off Dagster's run, and writing ours into its tags. Does not belong here:
what follows from it (resources.py).
"""

from datetime import datetime

import dagster as dg

from orchestration.defs.keys import PUBLISH
from orchestration.home.layout import Home
from orchestration.ops.run_context import NAME as RUN_CONTEXT
from orchestration.ops.run_context import last_context
from orchestration.ops.runs import rows_received
from orchestration.quality.dbt_record import record_of
from orchestration.run import console
from orchestration.run.run import Run


def planned_assets(context: dg.InitResourceContext) -> frozenset[dg.AssetKey]:
    """The assets that this run makes: all of them, a selection, or what is left of a failed run."""
    plan = context.run.execution_plan_snapshot_id if context.run else None
    if plan is None or context.instance is None:
        return frozenset()
    snapshot = context.instance.get_execution_plan_snapshot(plan)
    wanted = set(snapshot.step_keys_to_execute)
    keys = (key for step in snapshot.steps if step.key in wanted for key in step.entity_keys)
    return frozenset(key for key in keys if isinstance(key, dg.AssetKey))


def moment_of_the_others(home: Home, planned: frozenset[dg.AssetKey]) -> datetime | None:
    """As of when the tables are that the run leaves alone; None where it makes all, or none."""
    works = any(len(key.path) == 1 or key.path[0] in ("ops", PUBLISH) for key in planned)
    names = {key.path[-1] for key in planned}
    is_whole = names >= record_of(home).tables and RUN_CONTEXT in names
    last = last_context(home.ops_export) if works and not is_whole else None
    return last.as_of if last else None


def tag_starter(context: dg.InitResourceContext) -> None:
    """Write who started the run: the command line, a schedule, a sensor, or somebody in the UI."""
    tags = context.run.tags if context.run else {}
    known = {"dagster/schedule_name": "schedule", "dagster/sensor_name": "sensor"}
    starter = next((who for key, who in known.items() if key in tags), "ui")
    _tag(context, started_by="cli" if console.attached() else starter)


def tag_moment(context: dg.InitResourceContext, run: Run) -> None:
    """Write the run's moment as the list of runs has place for: without seconds that are none."""
    _tag(context, as_of=f"{run.as_of.isoformat(timespec='seconds').removesuffix(':00')}Z")


def tag_outcome(context: dg.InitResourceContext, run: Run) -> None:
    """Write how many rows the run received, and whether it published."""
    rows = str(rows_received(run.store, run.run_id))
    _tag(context, rows=rows, published="yes" if run.is_published else "no")


def _tag(context: dg.InitResourceContext, **tags: str) -> None:
    """Write facts of our run to Dagster's, to be seen and searched in its list of runs."""
    if context.instance is not None and context.run is not None:
        named = {f"regulars/{name}": value for name, value in tags.items()}
        context.instance.add_run_tags(context.run.run_id, named)


def failed_steps(context: dg.InitResourceContext) -> list[str]:
    """The steps of this run that failed, for the notice."""
    if context.instance is None or context.run_id is None:
        return []
    failures = context.instance.all_logs(context.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [event.dagster_event.step_key or "" for event in failures if event.dagster_event]
