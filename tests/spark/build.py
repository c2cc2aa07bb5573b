"""`make spark`: the pretend shop's tables built on Spark, and held against DuckDB's.

    python -m tests.spark.build HOME [--cluster] [SELECT ...]

HOME is a home that a run of this version left. What DuckDB made there stays; Spark's tables lie in
its folder `spark/`. With `--cluster` a master with two workers builds, of which one is killed in
the middle. Ends with 1 if a table that was equal is so no more (`equal.csv`). Belongs here: the
steps. Does not belong here: what is equal (compare.py), and the master (cluster.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

from ingestion.config import REPOSITORY, Engine
from ingestion.duckdb import connect, literal, name
from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.spark.bring_back import bring_back
from orchestration.spark.dbt_program import words_of
from orchestration.spark.raw_tables import copy_for_spark
from orchestration.spark.readiness import require
from orchestration.spark.store import SparkStore, spark_store
from tests.spark.cluster import Cluster, cluster
from tests.spark.compare import NOT_BUILT, compare

EQUAL = Path(__file__).with_name("equal.csv")
SCHEMAS = ("marts", "segments", "activity", "ops")
PROJECT = REPOSITORY / "dbt_project"
# Enough for the models of a shop of 300 people; with 2 GB rpt_segment_funnel ran out of it
MEMORY = "4GB"
ON_A_WORKER = "3GB"
KILL_AT = 150  # tables that are built when a worker is killed; of a part,
KILL_PART_AT = 30


def main(home: Home, words: list[str]) -> int:
    """Build, compare, print; the exit code."""
    select = [word for word in words if word != "--cluster"]
    try:
        require(Engine(name="spark", master="local[2]"), home)
    except RegularsError as error:
        print(error.sentences, file=sys.stderr)
        return 1
    if "--cluster" not in words:
        return _build(home, Engine(name="spark", master="local[2]", memory=MEMORY), select)
    with cluster(home.root / "spark/cluster") as started:
        killing = Thread(
            target=_kill_one, args=(started, home, KILL_PART_AT if select else KILL_AT), daemon=True
        )
        engine = Engine(name="spark", master=started.master, memory=ON_A_WORKER)
        return _build(home, engine, select, killing)


def _build(home: Home, engine: Engine, select: list[str], killing: Thread | None = None) -> int:
    store = spark_store(home, engine)
    store.remove()
    started = time.monotonic()
    copy_for_spark(home, store, "make-spark")
    if killing:
        killing.start()
    command = _command(home, store, engine, select)
    built = subprocess.run(command, env=_environment(home), check=False, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    print(f"dbt on Spark ({engine.master}) ended with {built.returncode} after {seconds:,.0f} s.")
    folders = [store.tables] if select else [store.tables, _views(home, store)]
    equal, differences = compare(home.warehouse, folders, SCHEMAS, home.raw)
    return _judge(equal, {each.table: each.what for each in differences}, select)


def _judge(equal: list[str], differences: dict[str, str], select: list[str]) -> int:
    print(f"{len(equal)} tables are equal on both engines.")
    for table, what in differences.items():
        if not (select and what == NOT_BUILT):
            print(f"  {table}: {what}")
    known = set(EQUAL.read_text("utf-8").split()) - {"table"}
    differ = {table for table, what in differences.items() if not (select and what == NOT_BUILT)}
    lost, new = sorted(known & differ), sorted(set(equal) - known)
    if lost:
        print(f"No longer equal: {', '.join(lost)}.")
    if new:
        print(f"Equal, and not in {EQUAL.name}: {', '.join(new)}. Write them in.")
    return 1 if lost else 0


def _views(home: Home, store: SparkStore) -> Path:
    """DuckDB's public views over Spark's tables, which is what a run publishes of them."""
    filled, folder = store.root / "filled.duckdb", store.root / "compared"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copyfile(home.warehouse, filled)
    names = {table.name for table in store.tables.glob("*.db/*")}
    bring_back(filled, store, names)
    with connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for alias, path in (("filled", filled), ("raw", home.raw)):
            connection.execute(f"attach {literal(path)} as {alias} (read_only)")
        connection.execute("use filled")
        views = connection.execute(
            "select schema_name, view_name from duckdb_views() where database_name = 'filled'"
            " and schema_name in (select unnest(?)) order by all",
            [list(SCHEMAS)],
        ).fetchall()
        for schema, view in views:
            rows = folder / f"{schema}.db" / view
            rows.mkdir(parents=True)
            connection.execute(
                f"copy (from {name(schema, view)}) to {literal(rows / 'rows.parquet')}"
            )
            (rows / "_SUCCESS").touch()
    filled.unlink()
    return folder


def _kill_one(started: Cluster, home: Home, count: int) -> None:
    """Kill a worker, and with it what it had worked out, once some tables are built."""
    tables = home.root / "spark/tables"
    while len(list(tables.glob("*.db/*/_SUCCESS"))) < count:
        time.sleep(0.2)
    started.workers[0].kill()
    print("A worker was killed.")


def _command(home: Home, store: SparkStore, engine: Engine, select: list[str]) -> list[str]:
    # The first line is the manifest's size, the second the variables of the run
    variables = (home.dbt / "manifest_vars.json").read_text("utf-8").split("\n", 1)[1]
    return [
        *(sys.executable, *words_of(store, engine)),
        *("--no-use-colors", "build", "--resource-type", "model", "--resource-type", "seed"),
        *(("--select", *select) if select else ()),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--vars", variables),
        *("--target-path", str(home.root / "spark/target")),
        *("--log-path", str(home.root / "spark/logs")),
    ]


def _environment(home: Home) -> dict[str, str]:
    return {**os.environ, "REGULARS_HOME": str(home.root), "PYTHONPATH": str(REPOSITORY)}


if __name__ == "__main__":
    sys.exit(main(Home(Path(sys.argv[1]).resolve()), sys.argv[2:]))
