"""The dbt command as Dagster's steps call it.

Belongs here: the resource of dagster-dbt. Does not belong here: the steps (transformation.py), and
calling dbt by hand (orchestration/run/dbt.py).
"""

import sys
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource
from packaging.version import Version

from ingestion.config import Settings
from orchestration.home.layout import Home
from orchestration.run.dbt import DBT_PROJECT, dbt_executable
from orchestration.run.engines import on_spark
from orchestration.spark.dbt_program import words_of
from orchestration.spark.store import spark_store


class InstalledDbt(DbtCliResource):
    """dbt as requirements.lock installed it, asked neither for its version nor for an adapter.

    dagster-dbt starts `dbt --version` before every command (three CPU seconds) and opens an adapter
    beside it, which only fetches column metadata that we take from the candidate.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:  # noqa: ARG002
        return None


def dbt_command() -> dg.ResourceDefinition:
    """The resource, fixed: a run's configuration could otherwise name another program as dbt."""
    return dg.ResourceDefinition.hardcoded_resource(
        InstalledDbt(
            project_dir=str(DBT_PROJECT),
            profiles_dir=str(DBT_PROJECT),
            dbt_executable=dbt_executable(),
        )
    )


def command_of(dbt: DbtCliResource, home: Home, settings: Settings) -> DbtCliResource:
    """The command that builds on the engine of the settings: dbt's own, or ours around Spark."""
    if not on_spark(settings):
        return dbt
    return InstalledDbt(
        project_dir=dbt.project_dir,
        profiles_dir=dbt.profiles_dir,
        dbt_executable=sys.executable,
        global_config_flags=words_of(spark_store(home, settings.engine), settings.engine),
    )
