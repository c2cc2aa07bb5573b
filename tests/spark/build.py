"""`make spark`: the pretend shop's tables built on Spark, and held against DuckDB's.

    python -m tests.spark.build HOME [SELECT ...]

HOME is a home that a run of this version left. What DuckDB made there stays; Spark's tables lie in
its folder `spark/`. Ends with 1 if a table that was equal is so no more (`equal.csv`). Belongs
here: the steps. Does not belong here: what is equal (compare.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from time import monotonic

from ingestion.config import REPOSITORY
from orchestration.home.layout import Home
from orchestration.spark.catalogue import tables
from tests.spark.compare import NOT_BUILT, compare

EQUAL = Path(__file__).with_name("equal.csv")
SCHEMAS = ("marts", "segments", "activity", "ops")
PROJECT = REPOSITORY / "dbt_project"


def main(home: Home, select: list[str]) -> int:
    """Build, compare, print; the exit code."""
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        print("Spark needs Java 17, and there is no `java` on the PATH.", file=sys.stderr)
        return 1
    started = monotonic()
    built = subprocess.run(_command(home, select), env=_environment(home), check=False)
    print(f"dbt on Spark ended with {built.returncode} after {monotonic() - started:,.0f} s.")
    equal, differences = compare(home.warehouse, tables(home), SCHEMAS)
    print(f"{len(equal)} tables are equal on both engines.")
    for difference in differences:
        print(f"  {difference.table}: {difference.what}")
    known = set(EQUAL.read_text("utf-8").split()) - {"table"}
    differ = {each.table for each in differences if not (select and each.what == NOT_BUILT)}
    lost, new = sorted(known & differ), sorted(set(equal) - known)
    if lost:
        print(f"No longer equal: {', '.join(lost)}.")
    if new:
        print(f"Equal, and not in {EQUAL.name}: {', '.join(new)}. Write them in.")
    return 1 if lost else 0


def _command(home: Home, select: list[str]) -> list[str]:
    # The first line is the manifest's size, the second the variables of the run
    variables = (home.dbt / "manifest_vars.json").read_text("utf-8").split("\n", 1)[1]
    return [
        *(sys.executable, "-m", "orchestration.spark.dbt_program", "--anew"),
        *("--no-use-colors", "build", "--resource-type", "model", "--resource-type", "seed"),
        *(("--select", *select) if select else ()),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--vars", variables),
        *("--target-path", str(home.root / "spark/target")),
        *("--log-path", str(home.root / "spark/logs")),
    ]


def _environment(home: Home) -> dict[str, str]:
    return {
        **os.environ,
        "REGULARS_HOME": str(home.root),
        "REGULARS_SPARK_MASTER": os.environ.get("REGULARS_SPARK_MASTER", "local[2]"),
        "PYTHONPATH": str(REPOSITORY),
    }


if __name__ == "__main__":
    sys.exit(main(Home(Path(sys.argv[1]).resolve()), sys.argv[2:]))
