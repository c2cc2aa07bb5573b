"""A Spark session as our models need it.

Belongs here: its settings, each with its reason, and whether what it was promised is there. Does
not belong here: what it reads (catalogue.py), what it is asked (dbt), and what can be known before
it is begun (readiness.py).
"""

from __future__ import annotations

import os
import sys
from threading import Thread
from typing import Any

from ingestion.config import REPOSITORY
from ingestion.errors import RegularsError
from orchestration.spark.functions import register
from orchestration.spark.readiness import other_version
from orchestration.spark.store import SparkStore

WAIT_SECONDS = 90.0
# Each place that works says which Spark it is; not known before it runs, so not answered here
_VERSIONS = (
    "select distinct java_method('org.apache.spark.package', 'SPARK_VERSION') as version"
    " from range(0, 64, 1, 16)"
)


def start(store: SparkStore, master: str, memory: str) -> Any:
    """A session with our functions, and nothing in its catalogue.

    Args:
        store: whose tables it keeps.
        master: `local[*]`, `local[2]` or `spark://host:port`.
        memory: of the JVM of this process and of each executor, such as `4g`.

    Raises:
        RegularsError: the master gives no worker, or its Spark is another.
    """
    from pyspark import __version__  # noqa: PLC0415 - the extra `spark`
    from pyspark.sql import SparkSession  # noqa: PLC0415

    store.create()
    # Workers run our functions: with the Python that runs this
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName("regulars").master(master)
    for setting, value in settings_of(store, master, memory).items():
        builder = builder.config(setting, value)
    begun = within(WAIT_SECONDS, builder.getOrCreate)
    if begun is None:
        raise no_worker(master, __version__)
    spark = begun
    spark.sparkContext.setLogLevel("ERROR")
    if not master.startswith("local"):
        answered = within(WAIT_SECONDS, lambda: [row[0] for row in spark.sql(_VERSIONS).collect()])
        if not answered:
            raise no_worker(master, __version__)
        if set(answered) != {__version__}:
            raise other_version(master, ", ".join(sorted(answered)), __version__)
    register(spark)
    return spark


def within(seconds: float, ask: Any) -> Any:
    """The answer; None where there is none in that time, or Spark refuses."""
    answers: list[Any] = []

    def answer() -> None:
        try:
            answers.append(ask())
        except Exception:
            # What Spark says here is that no master answered, in a page of Java
            answers.append(None)

    thread = Thread(target=answer, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else None


def no_worker(master: str, version: str) -> RegularsError:
    """Of a master that answers on its port and lets nothing be worked."""
    return RegularsError(
        f"The master at {master} let nothing be worked within {WAIT_SECONDS:.0f} s: no worker with"
        f" enough memory is free, or it is of another Spark than {version}.",
        "Look at its page, lower `memory` under [engine] in regulars.toml, or start it and its"
        " workers from this environment (docs/scale.md).",
    )


def settings_of(store: SparkStore, master: str, memory: str) -> dict[str, str]:
    """What the session is set to."""
    settings = {
        "spark.driver.memory": memory,
        "spark.executor.memory": memory,
        "spark.local.dir": str(store.scratch),
        "spark.sql.warehouse.dir": str(store.tables),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
        "spark.executor.extraJavaOptions": "-Duser.timezone=UTC",
        # As raw means them: a timestamp is UTC with or without a mark in the file
        "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        # dbt-spark turns it off for every statement; so from the first
        "spark.sql.ansi.enabled": "false",
        # Else the plan of a model with a part for each condition is written out whole, in gigabytes
        "spark.sql.maxPlanStringLength": "100000",
        # Two threads of dbt ask at once: small models wait for each other otherwise
        "spark.scheduler.mode": "FAIR",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    if not master.startswith("local"):
        # A worker's Python finds our functions, and what a lost worker had is worked again
        settings |= {
            "spark.executorEnv.PYTHONPATH": str(REPOSITORY),
            "spark.executorEnv.TZ": "UTC",
            "spark.task.maxFailures": "8",
            "spark.stage.maxConsecutiveAttempts": "8",
        }
    return settings
