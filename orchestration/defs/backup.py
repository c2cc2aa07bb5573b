"""Backups that are made by themselves: after each run, of the operational store every hour, and a
trial every night.

Belongs here: the assets, jobs and schedules, which are there where the settings name a folder. Does
not belong here: what a backup holds, its name, or which stay (orchestration/backup).
"""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

import dagster as dg

from ingestion.config import Settings
from ingestion.errors import RegularsError
from ingestion.settings_file import config_path, load_settings
from orchestration.backup.keys import key_of_environment
from orchestration.backup.scheduled import back_up, newest, try_and_note
from orchestration.defs.errors import errors_as_data
from orchestration.defs.keys import PUBLISH, PUBLISHED
from orchestration.defs.resources import RunResource
from orchestration.home.kind import take_settings
from orchestration.home.layout import Home
from orchestration.ops.store import URL_VARIABLE
from orchestration.run.notify import Notice, notify_failure
from orchestration.run.run import clock

GROUP = "backup"
LAST = {"dagster/priority": "-1"}  # after what is sent, so that it holds what was delivered


def assets_of(settings: Settings) -> list[dg.AssetsDefinition]:
    """The step of a run, and those that are none; nothing without a folder."""
    if not settings.backup.folder:
        return []
    has_ops = not os.environ.get(URL_VARIABLE)  # a server's own backups are its owner's
    return [_after_a_run(), *([_of_ops()] if has_ops else []), _trial()]


def _after_a_run() -> dg.AssetsDefinition:
    @dg.asset(
        key=[PUBLISH, "backup"],
        deps=[PUBLISHED],
        group_name=PUBLISH,
        op_tags=LAST,
        description="A backup of both stores in the settings' folder; older ones are deleted.",
    )
    @errors_as_data
    def backup(context: dg.AssetExecutionContext, run: RunResource) -> dg.MaterializeResult[None]:
        current = run.current
        try:
            made = back_up(
                current.home, current.settings, "whole", config=config_path(), at=clock()
            )
        except RegularsError as error:  # what is published and sent stays so without it
            current.say(f"No backup was made. {error.sentences}")
            _tell(current.settings, context, error)
            return dg.MaterializeResult(metadata={"problem": error.message})
        current.say(f"Backed up: {made.path}")
        return dg.MaterializeResult(metadata={"bytes": made.size, "rows": made.rows})

    return backup


def _of_ops() -> dg.AssetsDefinition:
    @dg.asset(
        key=[GROUP, "ops"],
        group_name=GROUP,
        description="A backup of consent, ids and deliveries alone, which no source tells again.",
    )
    @errors_as_data
    def ops(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        def work(home: Home, settings: Settings, at: datetime) -> dict[str, int]:
            made = back_up(home, settings, "ops", config=config_path(), at=at)
            return {"bytes": made.size, "rows": made.rows}

        return dg.MaterializeResult(metadata=_apart(context, work))

    return ops


def _trial() -> dg.AssetsDefinition:
    @dg.asset(
        key=[GROUP, "trial"],
        group_name=GROUP,
        description="The newest backup restored for a moment, every table as it was.",
    )
    @errors_as_data
    def trial(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        def work(home: Home, settings: Settings, at: datetime) -> dict[str, int]:
            source = newest(home, settings)
            tried = try_and_note(source, home, key_file=key_of_environment(), at=at)
            return {"tables": tried.tables, "rows": tried.rows}

        return dg.MaterializeResult(metadata=_apart(context, work))

    return trial


def _apart(
    context: dg.AssetExecutionContext, work: Callable[[Home, Settings, datetime], dict[str, int]]
) -> dict[str, int]:
    """Work that is no part of a run and needs no lock; a failure is told as that of a run is."""
    home = Home.locate()
    take_settings(home)
    settings = load_settings()
    try:
        return work(home, settings, clock())
    except RegularsError as error:
        _tell(settings, context, error)
        raise


def _tell(settings: Settings, context: dg.AssetExecutionContext, error: RegularsError) -> None:
    step = context.asset_key.to_user_string()
    notify_failure(settings, Notice.of(context.run_id, clock(), error, steps=[step]))


def jobs_of(assets: list[dg.AssetsDefinition]) -> list[Any]:
    """A job for each step that is no part of a run."""
    return [
        dg.define_asset_job(
            JOBS[asset.key.path[-1]][0],
            selection=dg.AssetSelection.assets(asset),
            description=next(iter(asset.descriptions_by_key.values())),
        )
        for asset in assets
        if asset.key.path[0] == GROUP
    ]


def schedules_of(found: list[Any], settings: Settings) -> list[dg.ScheduleDefinition]:
    """When each of the jobs runs while Dagster's daemon is up; on without further ado."""
    crons = dict(JOBS.values())
    return [
        dg.ScheduleDefinition(
            name=f"{job.name}_schedule",
            job=job,
            cron_schedule=crons[job.name],
            execution_timezone=settings.shop.timezone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
        for job in found
    ]


# Not at the full hour, when a run begins that it would wait for.
JOBS = {"ops": ("backup_ops", "45 * * * *"), "trial": ("try_backup", "30 3 * * *")}
_settings = load_settings()
backups = assets_of(_settings)
jobs = jobs_of(backups)
schedules = schedules_of(jobs, _settings)
