"""The job `pulse`, its schedule and its sensor: what arrived is judged and sent without a run.

Belongs here: Dagster's view of orchestration/activation/pulse, and when a pulse is due. Does not
belong here: what a pulse does.
"""

from datetime import timedelta

import dagster as dg

from ingestion.config import Settings
from ingestion.files.input_mark import fingerprint
from ingestion.settings_file import load_settings
from ingestion.sources.web import SOURCE
from orchestration.activation.pulse.pulse import pulse as send_pulse
from orchestration.defs.errors import errors_as_data
from orchestration.home import lock
from orchestration.home.inbox import newest_arrival
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home
from orchestration.ops.adoption import what_is_copied
from orchestration.ops.store import has_store, open_store

PACE = timedelta(seconds=60)  # at which the sensor looks


@dg.op(description="Reads what arrived, judges the triggers, and sends where settings allow.")
@errors_as_data
def send_what_arrived(context: dg.OpExecutionContext) -> None:
    """One pulse; counts alone are shown."""
    outcome = send_pulse(Home.locate(), load_settings(), send="scheduled")
    counts = {
        name: sum(each.counts.get(name, 0) for each in outcome.deliveries)
        for name in ("added", "updated", "removed")
    }
    arrivals = outcome.arrivals
    context.add_output_metadata(
        {
            "new_events": arrivals.new_count,
            "unusable_rows": arrivals.bad_count,
            "entered": sum(outcome.turned.entered.values()),
            "left": sum(outcome.turned.left.values()),
            **counts,
        }
    )


@dg.job(description="Sends what web events that arrived since the last run make of the triggers.")
def pulse() -> None:
    """One step."""
    send_what_arrived()


def _why_not(home: Home, settings: Settings) -> str:
    """Why no pulse is due, as a sentence; empty where one is."""
    if not any(each.enabled and each.send for each in settings.destinations.values()):
        return "No destination may be sent to by a schedule."
    if not has_store(home) or not home.published.exists():
        return "Nothing is published yet."
    if is_demo(home):
        return "The pretend shop's clock stands still between runs."
    if lock.is_busy(home.sending_lock):
        return "Somebody is sending."
    with open_store(home) as store:
        problem = what_is_copied(store, home)
    return f"{problem} Nothing is sent." if problem else ""


@dg.schedule(
    job=pulse,
    cron_schedule="*/5 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every five minutes, where anything may be sent: time alone makes a cart one left.",
)
def pulses(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """A pulse of the tick."""
    if why := _why_not(Home.locate(), load_settings()):
        return dg.SkipReason(why)
    return dg.RunRequest(run_key=f"tick {context.scheduled_execution_time.isoformat()}")


@dg.sensor(
    job=pulse,
    minimum_interval_seconds=int(PACE.total_seconds()),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="When web files are new or longer, or something came by a webhook.",
)
def web_arrivals(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """A pulse for what came since the last one that the sensor asked for."""
    home, settings = Home.locate(), load_settings()
    if why := _why_not(home, settings):
        return dg.SkipReason(why)
    files = fingerprint(settings.input, [SOURCE]) if settings.input else ""
    seen = f"{files} {newest_arrival(home.inbox) or ''}"
    if seen == context.cursor:
        return dg.SkipReason("Nothing arrived.")
    context.update_cursor(seen)
    return dg.RunRequest(run_key=f"arrived {seen}")
