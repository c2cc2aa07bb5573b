"""What a Spark session can read: raw, the ops export, science, and what earlier calls of dbt built.

Tables of Spark lie as Parquet in a folder of the home, `spark/`. The catalogue that knows their
names lives in the session only, so there is no second database to keep; each call of dbt is told
again where they are. Belongs here: that folder, and telling. Does not belong here: the session
(session.py), writing raw as Parquet (raw_tables.py).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from orchestration.home.layout import Home

OPS_SCHEMA, SCIENCE_SCHEMA = "ops_export", "science"
VIEWS = "views.json"


def folder(home: Home) -> Path:
    """Where all that Spark keeps of this home lies; can be deleted and made again."""
    return home.root / "spark"


def tables(home: Home) -> Path:
    """Where Spark puts the tables of models: `<schema>.db/<table>/`."""
    return folder(home) / "tables"


def raw(home: Home) -> Path:
    """Where raw tables lie: `<schema>/<table>/`."""
    return folder(home) / "raw"


def forget_models(home: Home) -> None:
    """Delete what earlier calls built: the next call builds everything anew."""
    shutil.rmtree(tables(home), ignore_errors=True)
    (folder(home) / VIEWS).unlink(missing_ok=True)


def enter(spark: Any, home: Home) -> None:
    """Tell the session of every table that lies on disk, and of the views of earlier calls."""
    for path in sorted(raw(home).glob("*/*/*.parquet")):
        _enter(spark, path.parent.parent.name, path.parent.name, path.parent, path)
    for schema, exported in ((OPS_SCHEMA, home.ops_export), (SCIENCE_SCHEMA, home.science)):
        spark.sql(f"create schema if not exists `{schema}`")
        for path in sorted(exported.glob("*.parquet")):
            _enter(spark, schema, path.stem, path, path)
    for done in sorted(tables(home).glob("*.db/*/_SUCCESS")):
        table = done.parent
        part = next(table.glob("*.parquet"))  # Spark writes one even of no rows
        _enter(spark, table.parent.stem, table.name, table, part)
    _enter_views(spark, folder(home) / VIEWS)


def keep_views(spark: Any, home: Home) -> None:
    """Write down the views of the session, for the next call."""
    statements = []
    for schema in spark.sql("show databases").collect():
        for view in spark.sql(f"show views in `{schema[0]}`").collect():
            if not view.isTemporary:
                made = spark.sql(f"show create table `{schema[0]}`.`{view.viewName}`").first()
                statements.append(made[0])
    (folder(home) / VIEWS).write_text(json.dumps(statements), "utf-8")


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


def _enter_views(spark: Any, path: Path) -> None:
    """Make the views again; one that reads another comes after it, whatever their order."""
    from pyspark.errors import AnalysisException  # noqa: PLC0415 - the extra `spark`

    waiting = json.loads(path.read_text("utf-8")) if path.exists() else []
    while waiting:
        refused = []
        for statement in waiting:
            try:
                spark.sql(statement)
            except AnalysisException:
                refused.append(statement)
        if len(refused) == len(waiting):
            spark.sql(refused[0])  # says what is wrong with it
        waiting = refused
