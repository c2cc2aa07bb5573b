"""Dagster's entry point: loads everything under `defs/`. Nothing is defined here."""

from __future__ import annotations

import dagster as dg

from orchestration import defs
from orchestration.defs import arrivals, backup_jobs, pulse, reconcile, release, schedules
from orchestration.defs.dbt_command import dbt_command
from orchestration.defs.resources import RunResource

definitions = dg.Definitions(
    assets=dg.load_assets_from_package_module(defs),
    asset_checks=dg.load_asset_checks_from_package_module(defs),
    jobs=[
        schedules.refresh,
        schedules.rebuild,
        release.release,
        pulse.pulse,
        reconcile.reconcile,
        *backup_jobs.jobs,
    ],
    schedules=[
        schedules.hourly,
        schedules.daily,
        release.releases,
        pulse.pulses,
        reconcile.nightly,
        *backup_jobs.schedules,
    ],
    sensors=[schedules.new_files, arrivals.arrivals, pulse.web_arrivals],
    resources={"run": RunResource.configure_at_launch(), "dbt": dbt_command()},
    executor=dg.in_process_executor,
)
