"""Jobs, schedules and sensors: when things run.

Belongs here: `refresh` and `rebuild`, the hourly and daily schedule, and the sensor for new
files. Does not belong here: what a run does.
"""

import datetime

import dagster as dg

from ingestion.files.input_mark import fingerprint
from ingestion.registry import SOURCES
from ingestion.settings_file import load_settings
from orchestration.defs.backup import GROUP as BACKUP
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home

_settings = load_settings()
# A backup after each run is a part of it; those of the hour and the night have jobs of their own.
_of_a_run = dg.AssetSelection.all() - dg.AssetSelection.groups(BACKUP)
_WRITES = {"regulars/writes": "home"}  # one at a time (orchestration/host/dagster.yaml)
refresh = dg.define_asset_job(
    "refresh",
    tags=_WRITES,
    selection=_of_a_run,
    description="Ingest what is new, model, check, publish; then plan, and deliver where allowed.",
)
rebuild = dg.define_asset_job(
    "rebuild",
    tags=_WRITES,
    selection=_of_a_run,
    config={"resources": {"run": {"config": {"full_refresh": True}}}},
    description="The same with every incremental model built anew from raw; ids are kept.",
)


def _status(on: bool) -> dg.DefaultScheduleStatus:
    return dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED


def _request(moment: datetime.datetime) -> dg.RunRequest:
    """A run as of the tick, so that a late start still means the planned moment.

    The pretend shop's clock is its own: each tick moves it on by a day.
    """
    as_of = moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    run_facts = {"as_of": "" if is_demo(Home.locate()) else as_of, "send": "scheduled"}
    return dg.RunRequest(run_key=as_of, run_config={"resources": {"run": {"config": run_facts}}})


@dg.schedule(
    job=refresh,
    cron_schedule="0 * * * *",
    default_status=_status(_settings.schedule.hourly),
    description="Every hour; delivers only to destinations whose settings say `send = true`.",
)
def hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One run an hour."""
    return _request(context.scheduled_execution_time)


_hour, _minute = _settings.schedule.daily_at.split(":")


@dg.schedule(
    job=refresh,
    cron_schedule=f"{int(_minute)} {int(_hour)} * * *",
    execution_timezone=_settings.shop.timezone,
    default_status=_status(_settings.schedule.daily),
    description="Once a day in the shop's zone; delivers only where settings say `send = true`.",
)
def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One run a day."""
    return _request(context.scheduled_execution_time)


@dg.sensor(
    job=refresh,
    minimum_interval_seconds=60,
    description="Starts a run when a file of the settings' input is new or changed.",
)
def new_files(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Compare a fingerprint of the input's file list with the last one seen."""
    if is_demo(Home.locate()):
        return dg.SkipReason("The pretend shop writes its own files: run `refresh` to move a day.")
    if not _settings.input:
        return dg.SkipReason("No `input` is set in regulars.toml.")
    seen = fingerprint(_settings.input, SOURCES.values())
    if seen == context.cursor:
        return dg.SkipReason("No new or changed file.")
    context.update_cursor(seen)
    return dg.RunRequest(run_key=seen)
