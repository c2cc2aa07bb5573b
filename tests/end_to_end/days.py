"""Runs from Dagster's page that move no day of a pretend shop: a part of the graph, a day before.

Belongs here: starting them and telling what came of each as JSON. Does not belong here: what must
have come of them, and the days themselves (test_days.py). It is a program of its own, as
selections.py is.

Usage: python -m tests.end_to_end.days DEMO_HOME
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.end_to_end.selections import Page

if __name__ == "__main__":
    page = Page(Path(sys.argv[1]))
    page.materialize("a part", "dim_customers+")
    page.materialize_all("back", as_of="2026-07-02T00:00:00Z")
    print(json.dumps(page.told))
