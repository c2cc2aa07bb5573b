"""What builds the models of a run: DuckDB, or Spark with DuckDB's empty tables to take its rows.

Belongs here: what each engine must find before dbt is called, and what follows the call. Does not
belong here: calling dbt (defs/dbt_build.py), or anything of Spark's own (orchestration/spark).

The warehouse of a run on Spark has every table, view, type and comment that DuckDB gives them:
DuckDB builds the models once over raw tables without rows, and Spark's rows are put in.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from ingestion.config import Settings
from ingestion.duckdb import connect, literal, name
from orchestration.home.layout import Home
from orchestration.home.scratch import SHELLS, scratch_folder
from orchestration.published.files import disk_errors_explained, remove_database
from orchestration.run.dbt import manifest_path, project_vars, run_dbt, target_path
from orchestration.spark.bring_back import bring_back
from orchestration.spark.catalogue import forget_models
from orchestration.spark.dbt_program import failure_of
from orchestration.spark.raw_tables import copy_for_spark
from orchestration.spark.store import spark_store

# Written once the empty tables are whole; says what they were made of
_BUILT_BY_SPARK = "built_by_spark.txt"
# The model that asks the conditions; with the segments it is what is looked into
RESULTS = "int_condition_results"


def on_spark(settings: Settings) -> bool:
    """Whether Spark builds the models."""
    return settings.engine.name == "spark"


def make_ready(
    home: Home,
    settings: Settings,
    run_id: str,
    *,
    anew: bool = False,
    say: Callable[[str], None] = lambda _text: None,
) -> None:
    """Leave no warehouse that the run's engine did not build, and give Spark what it needs.

    Called before it is asked what the warehouse has. Models that the other engine built are built
    anew: what an engine keeps to see what has changed is its own.

    Args:
        home: the home.
        settings: the run's.
        run_id: the run's.
        anew: build every model anew.
        say: is told where all models are built anew because their engine is another.

    Raises:
        RegularsError: DuckDB cannot build the empty tables, or the disk is full.
    """
    mark = home.dbt / _BUILT_BY_SPARK
    if on_spark(settings):
        _make_spark_ready(home, settings, run_id, mark, anew=anew)
    elif mark.exists():
        remove_database(home.warehouse)
        mark.unlink()
        say("  Spark built the models before; DuckDB builds all of them anew.")


def _make_spark_ready(
    home: Home, settings: Settings, run_id: str, mark: Path, *, anew: bool
) -> None:
    store = spark_store(home, settings.engine)
    with disk_errors_explained(store.root):
        copy_for_spark(home, store, run_id)
    made_of = signature(home, settings)
    known = mark.read_text("utf-8") if mark.exists() and home.warehouse.exists() else ""
    if known == made_of and not anew:
        return
    mark.unlink(missing_ok=True)
    remove_database(home.warehouse)
    store.remove_tables()
    _build_shells(home, settings)
    mark.write_text(made_of, "utf-8")


def forget(home: Home, settings: Settings, names: Collection[str], known: Collection[str]) -> None:
    """Take away what Spark built of these models before, so that it builds them anew."""
    forget_models(spark_store(home, settings.engine), names, known)


def take_over(home: Home, settings: Settings, names: Collection[str]) -> None:
    """Put what Spark built of these models into the warehouse, and DuckDB's SQL beside it.

    What looks into the SQL of segments (checks, what changed code makes of them) reads DuckDB's.

    Raises:
        RegularsError: a table is not there or has other columns, or the disk is full.
    """
    with disk_errors_explained(home.root):
        bring_back(home.warehouse, spark_store(home, settings.engine), names)
    compiled = target_path(home) / "compiled"
    shutil.rmtree(compiled, ignore_errors=True)
    with scratch_folder(home.root, SHELLS) as folder:
        run_dbt(
            home,
            settings,
            *("compile", "--quiet", "--select", "path:models/segments", RESULTS),
            logs=folder,
            target=folder / "target",
        )
        shutil.copytree(folder / "target/compiled", compiled)


def raise_what_spark_said(home: Home) -> None:
    """End as the last call on Spark did, where that was no model's fault.

    Raises:
        RegularsError: the master was lost, or is of another Spark.
    """
    if error := failure_of(home):
        raise error


def signature(home: Home, settings: Settings) -> str:
    """What the empty tables follow from: models, macros, settings, and the columns of raw."""
    manifest = json.loads(manifest_path(home, settings).read_text("utf-8"))
    nodes = {
        uid: [node["checksum"], node["config"], node["description"], node.get("columns")]
        for uid, node in manifest["nodes"].items()
    }
    macros = {uid: macro["macro_sql"] for uid, macro in manifest["macros"].items()}
    content = json.dumps(
        [nodes, macros, project_vars(settings), _raw_columns(home)], sort_keys=True, default=str
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _raw_columns(home: Home) -> list[list[str]]:
    with connect(home.raw, read_only=True) as connection:
        return [
            list(row)
            for row in connection.execute(
                "select table_schema, table_name, column_name, data_type"
                " from information_schema.columns order by all"
            ).fetchall()
        ]


def _build_shells(home: Home, settings: Settings) -> None:
    with scratch_folder(home.root, SHELLS) as folder:
        empty = folder / "raw.duckdb"
        copy_without_rows(home.raw, empty)
        run_dbt(
            home,
            settings,
            *("build", "--resource-type", "model", "--resource-type", "seed"),
            logs=folder,
            target=folder / "target",
            environment={"REGULARS_RAW": str(empty)},
        )


def copy_without_rows(raw: Path, to: Path) -> None:
    """A database with every table of raw, none of which has a row."""
    with connect(to) as connection:
        own = connection.execute("select current_database()").fetchone()
        assert own is not None  # noqa: S101 - a scalar always makes one row
        connection.execute(f"attach {literal(raw)} as whole (read_only)")
        connection.execute(f"copy from database whole to {name(own[0])} (schema)")
