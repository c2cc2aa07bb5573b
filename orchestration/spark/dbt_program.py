"""dbt with a Spark session in its process: what stands in for the program `dbt` on that engine.

    python -m orchestration.spark.dbt_program [--anew] build --select ...

With `--anew` raw is written for Spark and what earlier calls built is deleted; without it a call
finds what the calls before it built, and builds other models. Belongs here: the session around one
call of dbt. Does not belong here: what dbt is asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from orchestration.home.layout import Home
from orchestration.spark.catalogue import enter, forget_models, keep_views, raw
from orchestration.spark.raw_tables import export_raw
from orchestration.spark.session import start

ANEW = "--anew"


def main(arguments: Sequence[str]) -> int:
    """One call of dbt; its exit code."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - as late as the session

    home = Home.locate()
    if ANEW in arguments:
        forget_models(home)
        export_raw(home.raw, raw(home))
    spark = start(
        home,
        os.environ.get("REGULARS_SPARK_MASTER", "local[*]"),
        os.environ.get("REGULARS_SPARK_MEMORY", "4g"),
    )
    try:
        enter(spark, home)
        words = [word for word in arguments if word != ANEW]
        done = dbtRunner().invoke([*words, "--target", "spark"])
        keep_views(spark, home)
    finally:
        spark.stop()
    if done.exception is not None:
        sys.stderr.write(f"{done.exception}\n")
        return 2
    return 0 if done.success else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
