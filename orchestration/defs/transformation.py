"""dbt's models, seeds and tests as assets and checks.

Belongs here: the two dbt steps of a run. Does not belong here: what Dagster calls a model
(dbt_translator), calling dbt by hand (orchestration/run/dbt.py) or any model (dbt_project).
"""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliInvocation, DbtCliResource, dbt_assets

from ingestion.errors import CheckFailedError, RegularsError
from ingestion.settings_file import load_settings
from orchestration.defs.dbt_translator import Translator
from orchestration.defs.errors import errors_as_data
from orchestration.defs.resources import RunResource
from orchestration.home.interrupts import noticing_interrupts
from orchestration.home.layout import Home
from orchestration.published.candidate import SCHEMAS
from orchestration.quality.dbt_record import record_of
from orchestration.quality.segment_files import check_segment_files
from orchestration.run.dbt import (
    WITHOUT_UNIT_TESTS,
    column_types,
    failure_sentence,
    manifest_path,
    read_manifest,
    row_counts,
    segment_names,
    target_path,
    vars_argument,
)

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
    yield from _build(context, dbt, run)


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
    yield from _build(context, dbt, run)


DBT_CALLS = (models, models_after_science)
MODELS = [key for each in DBT_CALLS for key in each.keys]


def _build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, run: RunResource
) -> Iterator[Any]:
    current = run.current
    check_segment_files(segment_names(), PROJECT.segments, current.settings)
    record = record_of(current.home)
    names = {key.path[-1] for key in context.selected_asset_keys}
    current.export_for_models()
    record.require_parents(names)
    record.begin(names)
    full = ["--full-refresh"] if current.request.full_refresh else []
    log_path = ["--log-path", str(current.home.dbt / "logs")]
    events = []
    # dagster-dbt swallows an interrupt while it starts dbt and while it reads a line of it
    with noticing_interrupts() as interrupted:
        invocation = dbt.cli(
            ["build", *WITHOUT_UNIT_TESTS, *full, *log_path, *vars_argument(current.settings)],
            context=context,
            target_path=target_path(current.home),
            raise_on_error=False,
        )
        try:
            for event in invocation.stream() if not interrupted() else ():
                events.append(event)
                if interrupted():
                    break
            if interrupted():
                raise dg.DagsterExecutionInterruptedError
        except BaseException as error:
            _end(invocation)
            if isinstance(error, KeyError):  # dbt names a model that was not there at the start
                raise RegularsError(
                    "The dbt project was changed while the run worked on it; nothing is published.",
                    "Run again.",
                ) from error
            raise
    record.end()
    counts, columns = row_counts(current.home), column_types(current.home)
    yield from (_with_facts(context, event, counts, columns) for event in events)
    if not invocation.is_successful():
        raise CheckFailedError(failure_sentence(current.home))


def _end(invocation: DbtCliInvocation) -> None:
    """Ask dbt to stop, and make it where it does not: it holds the stores."""
    invocation.process.send_signal(signal.SIGINT)
    try:
        invocation.process.wait(timeout=invocation.termination_timeout_seconds)
    except subprocess.TimeoutExpired:
        invocation.process.kill()


def _with_facts(
    context: dg.AssetExecutionContext,
    event: Any,
    counts: Mapping[str, int],
    columns: Mapping[str, Sequence[tuple[str, str]]],
) -> Any:
    """The same event with the model's rows and column types, where the warehouse has them."""
    if not isinstance(event, dg.Output):
        return event
    name = context.asset_key_for_output(event.output_name).path[-1]
    facts: dict[str, Any] = {}
    if name in counts:
        facts["dagster/row_count"] = dg.MetadataValue.int(counts[name])
    if name in columns:
        descriptions = PROJECT.columns.get(name, {})
        facts["dagster/column_schema"] = dg.TableSchema(
            [
                dg.TableColumn(column, kind, description=descriptions.get(column) or None)
                for column, kind in columns[name]
            ]
        )
    return dg.Output(
        event.value, output_name=event.output_name, metadata={**event.metadata, **facts}
    )


def published_tables() -> list[str]:
    """The models that are published, as `schema.table`."""
    return [f"{schema}.{name}" for schema, name in PROJECT.models if schema in SCHEMAS]
