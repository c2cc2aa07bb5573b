"""Days of a pretend shop, moved from Dagster's page: "Materialize all", and a part of the graph.

Belongs here: moving a demo home on and telling what came of each run as JSON. Does not belong here:
what must have come of them (test_days.py). It is a program of its own, as selections.py is.

Usage: python -m tests.end_to_end.days DEMO_HOME DAYS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.end_to_end.selections import Page

if __name__ == "__main__":
    page = Page(Path(sys.argv[1]))
    page.told["at first"] = page.state()
    for day in range(1, int(sys.argv[2]) + 1):
        page.materialize_all(f"day {day}")
    page.materialize("a part", "dim_customers+")
    page.materialize_all("back", as_of="2026-07-02T00:00:00Z")
    print(json.dumps(page.told))
