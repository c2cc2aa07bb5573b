"""The job `release` and its schedule: what was put off leaves when its time has come.

Belongs here: Dagster's view of orchestration/activation/release.py. Does not belong here: what is
due and who may receive it.
"""

from datetime import UTC

import dagster as dg

from ingestion.settings_file import load_settings
from orchestration.activation.release import release_due, what_is_due
from orchestration.defs.errors import errors_as_data
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops.adoption import what_is_copied
from orchestration.ops.store import has_store, open_store, to_micros


@dg.op(description="Judges again what was put off, and sends what is due where settings allow.")
@errors_as_data
def send_due(context: dg.OpExecutionContext) -> None:
    """One release; counts alone are told."""
    sent = release_due(Home.locate(), load_settings())
    counts = {name: sum(each.counts.get(name, 0) for each in sent) for name in ("added", "updated")}
    context.add_output_metadata({"pairs": len(sent), **counts})


@dg.job(description="Sends what was put off until now; needs no run and reads nothing new.")
def release() -> None:
    """One step."""
    send_due()


@dg.schedule(
    job=release,
    cron_schedule="*/5 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every five minutes, where something is due or unanswered and may be sent.",
)
def releases(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """A run where something is due."""
    home = Home.locate()
    if not any(each.enabled and each.send for each in load_settings().destinations.values()):
        return dg.SkipReason("No destination may be sent to by a schedule.")
    if not has_store(home) or not home.published.exists():
        return dg.SkipReason("Nothing is published yet.")
    if lock.is_busy(home.sending_lock):
        return dg.SkipReason("Somebody is sending.")
    with open_store(home) as store:
        if problem := what_is_copied(store, home):
            return dg.SkipReason(f"{problem} Nothing is sent.")
        due = what_is_due(store, to_micros(context.scheduled_execution_time.astimezone(UTC)))
    if due.is_nothing:
        return dg.SkipReason("Nothing is due.")
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())
