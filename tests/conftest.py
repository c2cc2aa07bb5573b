"""What all tests share: no telemetry, and files that share costly fixtures stay on one worker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


# First, because xdist reads the marks in a hook of its own.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With xdist: one demo home and one dbt build serve all the tests that need them."""
    for item in items:
        place = item.path.relative_to(HERE)
        shares = len(place.parts) > 2 and place.parts[:2] in (("dbt", "marts"), ("dbt", "models"))
        group = "/".join(place.parts[:2]) if shares else str(place)
        if "demo_home" in getattr(item, "fixturenames", ()):
            group = "demo"
        item.add_marker(pytest.mark.xdist_group(group))
