"""What two homes published, held against each other: one went on with DuckDB, one with Spark.

    python -m tests.spark.homes HOME OTHER

Both are copies of one home that went on by a run of the same moment each. Ends with 1 if a table or
view differs. Belongs here: the words. Does not belong here: what is equal (compare.py).
"""

from __future__ import annotations

import sys
from pathlib import Path

from orchestration.home.layout import Home
from tests.spark.compare import compare_published


def main(one: Path, other: Path) -> int:
    """Compare, print; the exit code."""
    equal, differences = compare_published(Home(one).published, Home(other).published)
    print(f"{len(equal)} tables and views are equal.")
    for each in differences:
        print(f"{each.table}: {each.what}")
    return 1 if differences or not equal else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
