"""Consent facts into ops, and the export of ops that models read.

Belongs here: the step between raw and models. Does not belong here: what a consent fact is
(orchestration/ops) or how permission is judged (models and the gate).
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.errors import errors_as_data
from orchestration.defs.ingestion import raw_asset_keys
from orchestration.defs.resources import RunResource
from orchestration.ops.export import QUARANTINE, export_ops, export_quarantine
from orchestration.ops.shapes import leaving
from orchestration.run.shop_currency import refuse_another_currency

GROUP = "sources"  # what ops knows is read by models as any other source is
RUN_CONTEXT = "run_context"


@dg.multi_asset(
    name="ops_export",
    specs=[
        dg.AssetSpec(
            ["ops", name],
            group_name=GROUP,
            deps=raw_asset_keys(),
            kinds={"sqlite", "parquet"},
            description=f"`{name}` of the operational store as of the run, for models to read.",
        )
        for name in (RUN_CONTEXT, QUARANTINE, *(table.name for table in leaving()))
    ],
    description="Append consent facts of the sources to ops, once each, and export ops for dbt.",
    pool="duckdb",
    can_subset=True,
)
@errors_as_data
def ops_export(
    context: dg.AssetExecutionContext, run: RunResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Record the facts, write all files: those that were not asked for are as new as the others."""
    current = run.current
    facts = current.record_permission()
    # Only after the refusals among them are in force.
    refuse_another_currency(current.home.raw, current.settings)
    current.say(f"  permission: {facts.consents + facts.suppressions:,} new facts")
    for line in facts.for_a_person():
        current.say(f"  permission: {line}")
    exported = current.home.ops_export
    sizes = {RUN_CONTEXT: 1, **export_ops(current.store, exported, current.facts)}
    sizes[QUARANTINE] = export_quarantine(exported, current.rows_in_quarantine())
    for key in sorted(context.selected_asset_keys):
        metadata = {"dagster/row_count": sizes[key.path[-1]]}
        yield dg.MaterializeResult(asset_key=key, metadata=metadata)
