"""dbt's models, seeds and tests as assets and checks.

Belongs here: the translation of dbt names to asset names and the one dbt step of a run. Does not
belong here: calling dbt by hand (orchestration/transformation.py) or any model (dbt_project).
"""

import signal
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, dbt_assets

from ingestion.config import load_settings
from ingestion.errors import RegularsError
from orchestration.defs.resources import RunResource
from orchestration.home import Home
from orchestration.interrupts import noticing_interrupts
from orchestration.publishing.candidate import SCHEMAS
from orchestration.transformation import (
    WITHOUT_UNIT_TESTS,
    failure_sentence,
    manifest_path,
    read_manifest,
    row_counts,
    target_path,
    vars_argument,
)

# Found once: looking whether it is still fresh means looking at every file of the project.
MANIFEST = manifest_path(Home.locate(), load_settings())
PROJECT = read_manifest(MANIFEST)


class Translator(DagsterDbtTranslator):
    """Models are named by their name, sources `<source>/<table>`, groups are folders."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`web/events` for a raw table, `dim_customers` for a model."""
        if dbt_resource_props["resource_type"] == "source":
            schema = dbt_resource_props["schema"].removeprefix("raw_")
            return dg.AssetKey([schema, dbt_resource_props["name"]])
        return dg.AssetKey([dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The folder that holds the model; all staging folders are one group."""
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        folders = dbt_resource_props["fqn"][1:-1]
        if not folders:
            return None
        return "staging" if folders[0] == "staging" else folders[-1]


@dbt_assets(
    manifest=MANIFEST,
    dagster_dbt_translator=Translator(),
    pool="duckdb",
    name="models",
)
def models(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, run: RunResource
) -> Iterator[Any]:
    """Build and test every selected model; a failing test fails the step, so nothing follows."""
    current = run.current
    full = ["--full-refresh"] if current.request.full_refresh else []
    log_path = ["--log-path", str(current.home.dbt / "logs")]
    current.say("Modelling: who is who, value, stages, segments ...")
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
    counts = row_counts(current.home)
    yield from (_with_rows(context, event, counts) for event in events)
    if not invocation.is_successful():
        raise dg.Failure(failure_sentence(current.home), allow_retries=False)


def _end(invocation: DbtCliInvocation) -> None:
    """Ask dbt to stop, and make it where it does not: it holds the stores."""
    invocation.process.send_signal(signal.SIGINT)
    try:
        invocation.process.wait(timeout=invocation.termination_timeout_seconds)
    except subprocess.TimeoutExpired:
        invocation.process.kill()


def _with_rows(context: dg.AssetExecutionContext, event: Any, counts: Mapping[str, int]) -> Any:
    """The same event with the model's row count, where the warehouse has one."""
    if not isinstance(event, dg.Output):
        return event
    name = context.asset_key_for_output(event.output_name).path[-1]
    if name not in counts:
        return event
    rows = {"dagster/row_count": dg.MetadataValue.int(counts[name])}
    return dg.Output(
        event.value, output_name=event.output_name, metadata={**event.metadata, **rows}
    )


def published_tables() -> list[str]:
    """The models that are published, as `schema.table`."""
    return [f"{schema}.{name}" for schema, name in PROJECT.models if schema in SCHEMAS]
