"""One call of dbt by a step: what it is asked, and how it ends.

Belongs here: that call. Does not belong here: which models a step has (transformation.py), what
Dagster calls a model (dbt_translator.py).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource

from ingestion.errors import CheckFailedError, RegularsError
from orchestration.defs.dbt_command import command_of
from orchestration.defs.dbt_facts import with_facts
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
from orchestration.run.engines import (
    forget,
    make_ready,
    on_spark,
    raise_what_spark_said,
    take_over,
)

ENGINE = "engine"  # in what a run's steps share: which one was made ready


def build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, run: RunResource, manifest: Manifest
) -> Iterator[Any]:
    """Build and test the selected models, and yield what came of each."""
    current = run.current
    check_segment_files(segment_names(), manifest.segments, current.settings)
    names = {key.path[-1] for key in context.selected_asset_keys}
    current.export_for_models()
    make_ready(
        current.home,
        current.settings,
        current.run_id,
        anew=current.request.full_refresh and ENGINE not in current.shared,
        say=current.say,
    )
    current.shared[ENGINE] = current.settings.engine.name
    record = record_of(current.home)
    record.require_parents(names)
    record.begin(names)
    if on_spark(current.settings):
        forget(current.home, current.settings, names, record.tables)
    full = ["--full-refresh"] if current.request.full_refresh else []
    log_path = ["--log-path", str(current.home.dbt / "logs")]
    events = []
    # dagster-dbt swallows an interrupt while it starts dbt and while it reads a line of it
    with noticing_interrupts() as interrupted:
        invocation = command_of(dbt, current.home, current.settings).cli(
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
    if on_spark(current.settings):
        raise_what_spark_said(current.home)
        if invocation.is_successful():
            current.say("  bringing Spark's tables back ...")
            take_over(current.home, current.settings, names)
    counts, columns = row_counts(current.home), column_types(current.home)
    yield from (with_facts(context, event, counts, columns, manifest) for event in events)
    if not invocation.is_successful():
        rules = "" if on_spark(current.settings) else broken_rules(current.home)
        raise CheckFailedError(failure_sentence(current.home), rules)
