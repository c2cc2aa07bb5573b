"""Every dlt resource as an asset `<source>/<table>`, one step per source.

Belongs here: making assets of the registry (ingestion/registry.py). Does not belong here: how a
source is read or loaded.
"""

from collections.abc import Iterator

import dagster as dg

from ingestion.apis.source import ApiSource
from ingestion.registry import SOURCES
from ingestion.settings_file import load_settings
from orchestration.defs.errors import errors_as_data
from orchestration.defs.resources import RunResource
from orchestration.run import console
from orchestration.run.reading import read_source

# Loads merge on a key, so a step may run twice; APIs have bad minutes.
RETRY = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)
GROUP = "sources"
Materialized = dg.MaterializeResult[None] | dg.AssetMaterialization


def raw_asset_keys() -> list[dg.AssetKey]:
    """The keys of all raw tables, whether their source is switched on or not."""
    return [
        dg.AssetKey([name, table.name])
        for name, source in SOURCES.items()
        for table in source.tables
    ]


def source_assets(name: str) -> dg.AssetsDefinition:
    """The step that pulls one source into raw and says what became of its rows."""
    source = SOURCES[name]
    specs = [
        dg.AssetSpec(
            [name, table.name],
            group_name=GROUP,
            description=table.description,
            kinds={"dlt", "duckdb"},
            metadata={"schema": f"raw_{name}"},
        )
        for table in source.tables
    ]

    @dg.multi_asset(
        name=f"load_{name}",
        specs=specs,
        pool="duckdb",
        can_subset=True,
        retry_policy=RETRY if isinstance(source, ApiSource) else None,
        description=source.description,
    )
    @errors_as_data
    def load(context: dg.AssetExecutionContext, run: RunResource) -> Iterator[Materialized]:
        counts = read_source(name, run.current)
        by_table = {count.table: count for count in counts}
        for table in source.tables:
            count = by_table.get(table.name)
            ignored = count.ignored_columns if count else ()
            console.ignored(f"{name}/{table.name}", ignored)
            # A source is read as a whole, also when only one of its tables was asked for.
            key = dg.AssetKey([name, table.name])
            kind = (
                dg.MaterializeResult
                if key in context.selected_asset_keys
                else dg.AssetMaterialization
            )
            yield kind(
                asset_key=key,
                metadata={
                    "received": count.received if count else 0,
                    "loaded": count.loaded if count else 0,
                    "quarantined": count.quarantined if count else 0,
                    "exact duplicates": count.duplicate if count else 0,
                    "unknown columns ignored": len(ignored),
                    "values left empty": count.values_emptied if count else 0,
                    "taken out": count.withdrawn if count else 0,
                    "enabled": bool(counts),
                },
            )

    return load


load_settings()  # a typo in the settings stops the code location here, with its sentence
raw_tables = [source_assets(name) for name in SOURCES]
