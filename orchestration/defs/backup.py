"""Backups that are made by themselves: after each run, of the operational store every hour, and a
trial every night.

Belongs here: the assets, which are there where the settings name a folder. Does not belong here:
when they run (backup_jobs.py), what a backup holds, its name, or which stay (orchestration/backup).
"""

import os
from collections.abc import Callable
from datetime import datetime

import dagster as dg

from ingestion.config import Settings
from ingestion.errors import RegularsError
from ingestion.settings_file import load_settings
from ingestion.settings_place import config_path
from orchestration.backup.scheduled import back_up, back_up_ops, try_newest
from orchestration.defs.errors import errors_as_data
from orchestration.defs.keys import PUBLISH, PUBLISHED
from orchestration.defs.resources import RunResource
from orchestration.home.kind import take_settings
from orchestration.home.layout import Home
from orchestration.ops.store import URL_VARIABLE
from orchestration.run.notify import Notice, send_notice
from orchestration.run.run import clock

GROUP = "backup"
Work = Callable[[Home, Settings, datetime], dict[str, int]]
LAST = {"dagster/priority": "-1"}  # after what is sent, so that it holds what was delivered


def assets_of(settings: Settings) -> list[dg.AssetsDefinition]:
    """The step of a run, and those that are none; nothing without a folder."""
    if not settings.backup.folder:
        return []
    trial = _apart(
        "trial", "The newest backup restored for a moment, every table as it was.", try_newest
    )
    if os.environ.get(URL_VARIABLE):  # a server's own backups are its owner's
        return [_after_a_run(), trial]
    ops = _apart(
        "ops",
        "A backup of consent, ids and deliveries alone, which no source tells again.",
        back_up_ops,
    )
    return [_after_a_run(), ops, trial]


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


def _apart(name: str, description: str, work: Work) -> dg.AssetsDefinition:
    """A step that is no part of a run and needs no lock; a failure is told as that of a run is."""

    @dg.asset(key=[GROUP, name], group_name=GROUP, description=description)
    @errors_as_data
    def apart(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        home = Home.locate()
        take_settings(home)
        settings = load_settings()
        try:
            return dg.MaterializeResult(metadata=work(home, settings, clock()))
        except RegularsError as error:
            _tell(settings, context, error)
            raise

    return apart


def _tell(settings: Settings, context: dg.AssetExecutionContext, error: RegularsError) -> None:
    step = context.asset_key.to_user_string()
    send_notice(settings, Notice.of(context.run_id, clock(), error, steps=[step]))


backups = assets_of(load_settings())
