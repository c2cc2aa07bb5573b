"""What Dagster is told of a model that dbt built: its rows, and its columns with their types.

Belongs here: adding that to dbt's own event. Does not belong here: the call (dbt_build.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from orchestration.run.dbt import Manifest


def with_facts(
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
