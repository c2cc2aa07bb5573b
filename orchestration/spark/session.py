"""A Spark session as our models need it.

Belongs here: its settings, each with its reason. Does not belong here: what it reads (catalogue.py)
and what it is asked (dbt).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from orchestration.home.layout import Home
from orchestration.spark.catalogue import folder, tables
from orchestration.spark.functions import register


def start(home: Home, master: str, memory: str) -> Any:
    """A session with our functions, and nothing in its catalogue.

    Args:
        home: whose tables it keeps.
        master: `local[*]`, `local[2]` or `spark://host:port`.
        memory: of the JVM of this process and of each executor, such as `4g`.
    """
    from pyspark.sql import SparkSession  # noqa: PLC0415 - the extra `spark`

    scratch = folder(home) / "scratch"
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Workers run our functions: with the Python that runs this
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName("regulars").master(master)
    for setting, value in _settings(home, scratch, memory).items():
        builder = builder.config(setting, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    register(spark)
    return spark


def _settings(home: Home, scratch: Path, memory: str) -> dict[str, str]:
    return {
        "spark.driver.memory": memory,
        "spark.executor.memory": memory,
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(tables(home)),
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
