"""What a Spark session can read: raw, the ops export, science, and what earlier calls of dbt built.

The catalogue that knows the names of tables lives in the session only, so there is no second
database to keep; each call of dbt is told again where they are. Belongs here: telling, and what is
built anew. Does not belong here: the folder (store.py), the session (session.py), writing raw as
Parquet (raw_tables.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from orchestration.spark.raw_tables import ROWS
from orchestration.spark.store import SparkStore

# Between a model's name and that of a table that stands for one of its CTEs (materializations.sql)
_PART = "__"


def forget_models(store: SparkStore, names: Collection[str], others: Collection[str] = ()) -> None:
    """Delete what earlier calls built of these models: the next call builds them anew.

    Args:
        store: where they lie.
        names: of the models.
        others: of all models there are: a table that only looks like a part of one stays.
    """
    chosen, known = set(names), set(others)
    for table in store.tables.glob("*.db/*"):
        name = table.name
        parents = {name[:at] for at in range(len(name)) if name.startswith(_PART, at)}
        if name in chosen or (name not in known and parents & chosen):
            shutil.rmtree(table)


def enter(spark: Any, store: SparkStore) -> list[str]:
    """Tell the session of every table that lies on disk, and of the views of earlier calls.

    Returns:
        The views that rest on what is not there yet, as statements.
    """
    for path in sorted(store.read.glob(f"*/*/{ROWS}")):
        _enter(spark, path.parent.parent.name, path.parent.name, path.parent, path)
    for done in sorted(store.tables.glob("*.db/*/_SUCCESS")):
        table = done.parent
        part = next(table.glob("*.parquet"))  # Spark writes one even of no rows
        _enter(spark, table.parent.stem, table.name, table, part)
    return enter_views(spark, _statements(store.views))


def keep_views(spark: Any, store: SparkStore) -> None:
    """Write down the views of the session, for the next call."""
    statements = []
    for schema in spark.sql("show databases").collect():
        for view in spark.sql(f"show views in `{schema[0]}`").collect():
            if not view.isTemporary:
                made = spark.sql(f"show create table `{schema[0]}`.`{view.viewName}`").first()
                statements.append(made[0])
    store.views.write_text(json.dumps(statements), "utf-8")


def enter_views(spark: Any, statements: Sequence[str]) -> list[str]:
    """Make views; one that reads another comes after it, whatever their order.

    Returns:
        Those that cannot be made.
    """
    from pyspark.errors import AnalysisException  # noqa: PLC0415 - the extra `spark`

    waiting = list(statements)
    while waiting:
        refused = []
        for statement in waiting:
            try:
                spark.sql(statement)
            except AnalysisException:
                refused.append(statement)
        if len(refused) == len(waiting):
            break
        waiting = refused
    return waiting


def _statements(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [
        statement.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
        for statement in json.loads(path.read_text("utf-8"))
    ]


def _enter(spark: Any, schema: str, table: str, location: Path, part: Path) -> None:
    """One table, its columns taken from one of its files: Spark would start a job to ask."""
    from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - the extra `spark`

    spark.sql(f"create schema if not exists `{schema}`")
    spark.catalog.createTable(
        f"`{schema}`.`{table}`",
        path=str(location),
        source="parquet",
        schema=from_arrow_schema(pq.read_schema(part), prefer_timestamp_ntz=False),
    )
