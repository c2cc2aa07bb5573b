"""dbt with a Spark session in its process: what stands in for the program `dbt` on that engine.

    python -m orchestration.spark.dbt_program --spark-catalogue=… --spark-master=… build …

A call finds what the calls before it built, and builds other models. Belongs here: the session
around one call of dbt, and what of its end is no model's fault. Does not belong here: what dbt is
asked, and what a call must find there (orchestration/run/engines.py).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingestion.config import Engine
from ingestion.errors import (
    DiskFullError,
    RegularsError,
    as_fields,
    from_fields,
    tells_of_a_full_disk,
)
from orchestration.home.layout import Home
from orchestration.home.whole_file import whole_file
from orchestration.spark.catalogue import enter, enter_views, keep_views
from orchestration.spark.session import start
from orchestration.spark.store import SparkStore

MODULE = "orchestration.spark.dbt_program"
FAILURE = "spark_failure.json"
STOPPED = RegularsError(
    "Spark's master was lost while the models were built; nothing was published.",
    "Look at the master's page and run again.",
)


def words_of(store: SparkStore, engine: Engine) -> list[str]:
    """What follows this Python's name on the command line, before dbt's own words."""
    return [
        *("-m", MODULE),
        f"--spark-catalogue={store.root}",
        f"--spark-master={engine.master}",
        f"--spark-memory={engine.spark_memory}",
    ]


def failure_of(home: Home) -> RegularsError | None:
    """Why the last call ended, where it was no model's fault."""
    path = home.dbt / FAILURE
    return from_fields(json.loads(path.read_text("utf-8"))) if path.exists() else None


def main(arguments: Sequence[str]) -> int:
    """One call of dbt; its exit code."""
    ours, words = _parser().parse_known_args(arguments)
    home, store = Home.locate(), SparkStore(Path(ours.spark_catalogue))
    (home.dbt / FAILURE).unlink(missing_ok=True)
    try:
        return _call(store, ours.spark_master, ours.spark_memory, words)
    except OSError as error:
        if not tells_of_a_full_disk(str(error)):
            raise
        _tell(home, DiskFullError())
    except RegularsError as error:
        _tell(home, error)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    for name in ("catalogue", "master", "memory"):
        parser.add_argument(f"--spark-{name}", required=True)
    return parser


def _call(store: SparkStore, master: str, memory: str, words: Sequence[str]) -> int:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - as late as the session

    spark = start(store, master, memory)
    try:
        waiting = enter(spark, store)
        done = dbtRunner().invoke([*words, "--target", "spark"])
        if _is_lost(spark):
            raise STOPPED
        enter_views(spark, waiting)
        keep_views(spark, store)
    finally:
        spark.stop()
    if done.exception is not None:
        sys.stderr.write(f"{done.exception}\n")
        return 2
    return 0 if done.success else 1


def _is_lost(spark: Any) -> bool:
    """Whether the session ended by itself: its master is gone, or the JVM."""
    try:
        return bool(spark.sparkContext._jsc.sc().isStopped())
    except Exception:
        return True  # no answer: the JVM is gone


def _tell(home: Home, error: RegularsError) -> None:
    """For whoever started this: Dagster reads dbt's own lines only."""
    sys.stderr.write(f"{error.sentences}\n")
    with whole_file(home.dbt / FAILURE) as stream:
        stream.write(json.dumps(as_fields(error)).encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
