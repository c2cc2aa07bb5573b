"""When backups that are no part of a run are made, and tried.

Belongs here: their jobs and schedules. Does not belong here: the steps (backup.py).
"""

from typing import Any

import dagster as dg

from ingestion.config import Settings
from ingestion.settings_file import load_settings
from orchestration.defs.backup import GROUP, backups

# Not at the full hour, when a run begins that it would wait for.
JOBS = {"ops": ("backup_ops", "45 * * * *"), "trial": ("try_backup", "30 3 * * *")}


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


def schedules_of(jobs: list[Any], settings: Settings) -> list[dg.ScheduleDefinition]:
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
        for job in jobs
    ]


jobs = jobs_of(backups)
schedules = schedules_of(jobs, load_settings())
