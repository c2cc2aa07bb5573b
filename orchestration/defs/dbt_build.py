"""One call of dbt by a step: what it is asked, how it ends, what Dagster is told of each model.

Belongs here: that call. Does not belong here: which models a step has (transformation.py), what
Dagster calls a model (dbt_translator.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource

from ingestion.errors import CheckFailedError, RegularsError
from orchestration.defs.resources import RunResource
from orchestration.home.interrupts import end_process, noticing_interrupts
from orchestration.quality.broken_rules import broken_rules
from orchestration.quality.dbt_record import record_of
from orchestration.quality.segment_files import check_segment_files
from orchestration.run.dbt import (
    WITHOUT_UNIT_TESTS,
    Manifest,
    column_types,
    failure_sentence,
    row_counts,
    segment_names,
    target_path,
    vars_argument,
)


def build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, run: RunResource, manifest: Manifest
) -> Iterator[Any]:
    """Build and test the selected models, and yield what came of each."""
    current = run.current
    check_segment_files(segment_names(), manifest.segments, current.settings)
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
            end_process(invocation.process, seconds=invocation.termination_timeout_seconds)
            if isinstance(error, KeyError):  # dbt names a model that was not there at the start
                raise RegularsError(
                    "The dbt project was changed while the run worked on it; nothing is published.",
                    "Run again.",
                ) from error
            raise
    record.end()
    counts, columns = row_counts(current.home), column_types(current.home)
    yield from (_with_facts(context, event, counts, columns, manifest) for event in events)
    if not invocation.is_successful():
        raise CheckFailedError(failure_sentence(current.home), broken_rules(current.home))


def _with_facts(
    context: dg.AssetExecutionContext,
    event: Any,
    counts: Mapping[str, int],
    columns: Mapping[str, Sequence[tuple[str, str]]],
    manifest: Manifest,
) -> Any:
    """The same event with the model's rows and column types, where the warehouse has them."""
    if not isinstance(event, dg.Output):
        return event
    name = context.asset_key_for_output(event.output_name).path[-1]
    facts: dict[str, Any] = {}
    if name in counts:
        facts["dagster/row_count"] = dg.MetadataValue.int(counts[name])
    if name in columns:
        descriptions = manifest.columns.get(name, {})
        facts["dagster/column_schema"] = dg.TableSchema(
            [
                dg.TableColumn(column, kind, description=descriptions.get(column) or None)
                for column, kind in columns[name]
            ]
        )
    return dg.Output(
        event.value, output_name=event.output_name, metadata={**event.metadata, **facts}
    )
