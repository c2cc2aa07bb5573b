"""dbt's models, seeds and tests as assets and checks.

Belongs here: the two dbt steps of a run. Does not belong here: the call (dbt_build.py), what
Dagster calls a model (dbt_translator.py), calling dbt by hand (orchestration/run/dbt.py) or any
model (dbt_project).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from ingestion.settings_file import load_settings
from orchestration.defs.dbt_build import build
from orchestration.defs.dbt_translator import Translator
from orchestration.defs.errors import errors_as_data
from orchestration.defs.resources import RunResource
from orchestration.home.layout import Home
from orchestration.published.candidate import SCHEMAS
from orchestration.run.dbt import manifest_path, read_manifest

# Found once: looking whether it is still fresh means looking at every file of the project.
MANIFEST = manifest_path(Home.locate(), load_settings())
PROJECT = read_manifest(MANIFEST)


# What rests on the science (defs/science.py), which rests on the other models.
AFTER_SCIENCE = "source:science+"


@dbt_assets(
    manifest=MANIFEST,
    dagster_dbt_translator=Translator(),
    pool="duckdb",
    name="models",
    exclude=AFTER_SCIENCE,
)
@errors_as_data
def models(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, run: RunResource
) -> Iterator[Any]:
    """Build and test every selected model; a failing test fails the step, so nothing follows."""
    run.current.say("Modelling: who is who, value, stages, segments ...")
    yield from build(context, dbt, run, PROJECT)


@dbt_assets(
    manifest=MANIFEST,
    dagster_dbt_translator=Translator(),
    pool="duckdb",
    name="models_after_science",
    select=AFTER_SCIENCE,
)
@errors_as_data
def models_after_science(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, run: RunResource
) -> Iterator[Any]:
    """The same of what rests on the science: dbt's second call."""
    yield from build(context, dbt, run, PROJECT)


DBT_CALLS = (models, models_after_science)
MODELS = [key for each in DBT_CALLS for key in each.keys]


def published_tables() -> list[str]:
    """The models that are published, as `schema.table`."""
    return [f"{schema}.{name}" for schema, name in PROJECT.models if schema in SCHEMAS]
