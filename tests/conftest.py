"""What all tests share: no telemetry, no clock, costly fixtures on one worker, a browser in CI."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

DEMO_FILES = {
    f"test_{name}.py"
    for name in (
        *("demo", "growth", "households", "pages", "report_figures", "selections"),
        *("served_pages", "subject"),
    )
}
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
# A busy machine makes no test wrong. The same commit is judged by the same examples every time;
# new ones are looked for by `make soak`, and `make quick` takes a few of them.
settings.register_profile(
    "shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile(
    "soak", settings.get_profile("shared"), derandomize=False, max_examples=1000
)
settings.register_profile("quick", settings.get_profile("shared"), max_examples=10)
settings.load_profile(
    "soak"
    if os.environ.get("REGULARS_SOAK")
    else "quick"
    if os.environ.get("REGULARS_QUICK")
    else "shared"
)


class OneWorkerPerFixture(LoadScopeScheduling):
    """Each group of tests on one worker, so that one home or one dbt build serves all of it.

    xdist's own groups do not reach its scheduler under this pytest, so the group is read off the
    file: the folders of dbt tests share one build each, the demo's files one home, others nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", maxsplit=1)[0]
        if Path(path).name in DEMO_FILES:
            return "demo"
        folder = str(Path(path).parent)
        return folder if folder.endswith(("dbt/marts", "dbt/models")) else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneWorkerPerFixture:
    """In the order of collection: what takes longest comes early in it."""
    config.option.loadscopereorder = False
    return OneWorkerPerFixture(config, log)


def pytest_collection_finish() -> None:
    """What collection loaded stays to the end, so no search for garbage looks through it again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a browser must be (REGULARS_NEEDS_BROWSER, set by `.ci/run`), no test goes without."""
    report = yield
    needed = os.environ.get("REGULARS_NEEDS_BROWSER") and item.get_closest_marker("browser")
    if needed and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, though REGULARS_NEEDS_BROWSER is set: {report.longrepr}"
    return report
