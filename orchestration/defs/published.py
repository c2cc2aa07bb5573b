"""The swap, after which people read what was built, and whether sources have fallen silent.

Belongs here: Dagster's view of publishing. Does not belong here: the swap itself
(orchestration/published). The publisher itself refuses what was not audited, so a step left out
here cannot publish anything.
"""

from contextlib import suppress
from datetime import timedelta

import dagster as dg
import duckdb

from ingestion.errors import RegularsError
from orchestration.defs.errors import errors_as_data
from orchestration.defs.keys import CANDIDATE, PAGE, PUBLISH, PUBLISHED
from orchestration.defs.resources import RunResource
from orchestration.ops.commit import commit_after_publish
from orchestration.ops.runs import SUCCEEDED, AuditLog, finish_run
from orchestration.published.reader import open_published
from orchestration.published.swap import publish
from orchestration.quality.freshness import silent_sources
from orchestration.report.charted import charted_figures
from orchestration.report.health import read_audit
from orchestration.run.run import Run, clock


@dg.asset(
    key=PUBLISHED,
    deps=[CANDIDATE],
    group_name=PUBLISH,
    kinds={"duckdb", "parquet"},
    pool="duckdb",
    metadata={PAGE: dg.MetadataValue.url("/")},
    description="The audited file that people, BI and planners read; swapped whole.",
    freshness_policy=dg.FreshnessPolicy.time_window(
        warn_window=timedelta(hours=26), fail_window=timedelta(days=3)
    ),
)
@errors_as_data
def published(run: RunResource) -> dg.MaterializeResult[None]:
    """Swap the candidate in and commit memberships, ids and the run to ops."""
    current = run.current
    candidate = current.candidate_to_judge()
    publish(current.home, AuditLog(current.store), candidate)
    done = commit_after_publish(current.store, current.home, finished_at=clock())
    finish_run(current.store, current.run_id, SUCCEEDED, finished_at=clock())  # if another built it
    current.is_published = True
    current.say("Published.")
    return dg.MaterializeResult(
        metadata={
            **_charted(current),
            "build": candidate.build_id,
            "as of": candidate.as_of.isoformat(),
            "memberships changed": done.memberships,
            "ids registered": done.registered,
            "ids merged away": done.aliased,
        }
    )


def _charted(current: Run) -> dict[str, int | float]:
    """What Dagster draws over runs; nothing where the build cannot be read, which is published."""
    audit = read_audit(current.home)
    with suppress(RegularsError, duckdb.Error), open_published(current.home) as connection:
        checks = audit.checks if audit else ()
        return charted_figures(connection, current.settings.shop.timezone, checks)
    return {}


@dg.asset_check(
    asset=published,
    description="Every source that ever spoke has spoken within its time, as of the run.",
)
@errors_as_data
def freshness(run: RunResource) -> dg.AssetCheckResult:
    """Warn of sources that have fallen silent; silence is no reason to stop what is true."""
    silent = silent_sources(run.current.home)
    return dg.AssetCheckResult(
        passed=not silent,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={f"{name} (days)": days for name, days in silent.items()},
    )
