"""The dbt command as Dagster's steps call it.

Belongs here: the resource of dagster-dbt. Does not belong here: the steps (transformation.py), and
calling dbt by hand (orchestration/run/dbt.py).
"""

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource
from packaging.version import Version

from orchestration.run.dbt import DBT_PROJECT, dbt_executable


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
