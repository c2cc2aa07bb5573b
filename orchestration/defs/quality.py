"""The candidate, the checks that judge it, and the swap.

Belongs here: Dagster's view of write, audit, publish. Does not belong here: building or judging a
candidate (orchestration/published, orchestration/quality). The publisher itself refuses what was
not audited, so a step left out here cannot publish anything.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import duckdb

from ingestion.errors import RegularsError
from ingestion.settings_file import load_settings
from orchestration.activation.contact_tables import add_contact_tables
from orchestration.activation.people import targets_in
from orchestration.defs.errors import errors_as_data
from orchestration.defs.resources import RunResource
from orchestration.defs.transformation import MODELS, published_tables
from orchestration.ops.commit import commit_after_publish
from orchestration.ops.runs import SUCCEEDED, AuditLog, finish_run
from orchestration.published.audit import failure, record_audit
from orchestration.published.candidate import Candidate, build_candidate, describe_candidate
from orchestration.published.checks import CheckResult, stopping
from orchestration.published.swap import publish
from orchestration.quality.checks import check_candidate
from orchestration.quality.contactable import contactable_changes
from orchestration.quality.dbt_record import record_of
from orchestration.quality.freshness import silent_sources
from orchestration.quality.identity import NAME as IDENTITY_DRIFT
from orchestration.quality.run import find_suites
from orchestration.quality.segment_traits import add_segment_traits, judge_segments
from orchestration.run.run import Run, clock

GROUP = "publish"
CANDIDATE = dg.AssetKey([GROUP, "candidate"])
OTHERS = ("contract", "breaker", "dbt", IDENTITY_DRIFT)


@dg.asset(
    key=CANDIDATE,
    deps=MODELS,
    group_name=GROUP,
    kinds={"duckdb"},
    pool="duckdb",
    description="The next published file, built aside; checks judge this very file.",
)
@errors_as_data
def candidate(run: RunResource) -> dg.MaterializeResult[None]:
    """Copy the public tables out of the warehouse, where they belong together; decide the day."""
    current = run.current
    record_of(current.home).require_whole()
    double_opt_in = current.settings.double_opt_in
    judged = judge_segments(current.home)

    def further(connection: duckdb.DuckDBPyConnection) -> None:
        add_segment_traits(connection, judged)
        pairs = targets_in(connection, current.settings)
        add_contact_tables(
            connection, current.store, current.as_of, double_opt_in=double_opt_in, pairs=pairs
        )

    current.candidate = build_candidate(current.home, current, further=further)
    return dg.MaterializeResult(
        metadata={
            "build": current.candidate.build_id,
            "tables": len(current.candidate.tables),
            "rows": sum(table.rows for table in current.candidate.tables),
        }
    )


def _candidate(current: Run) -> Candidate:
    """The candidate of this run, else the one that an earlier run built and did not publish."""
    if current.candidate is None and current.home.candidate.exists():
        current.candidate = describe_candidate(current.home.candidate)
    if current.candidate is None:
        raise RegularsError(
            "There is no candidate to judge or publish.",
            "Materialize publish/candidate with everything downstream, or run the job `refresh`.",
        )
    return current.candidate


def _check_names() -> list[str]:
    """One check per suite, and one each for what is judged besides."""
    suites = find_suites(load_settings(), published_tables())
    return [*OTHERS, *dict.fromkeys(suite.name for suite in suites)]


@dg.multi_asset_check(
    name="audit",
    specs=[
        dg.AssetCheckSpec(
            name,
            asset=CANDIDATE,
            blocking=True,
            description=f"Everything `{name}` says about the candidate.",
        )
        for name in _check_names()
    ],
    description="dbt's results, the contract, Great Expectations, sizes and identity.",
    pool="duckdb",
    can_subset=True,
)
@errors_as_data
def audit(
    context: dg.AssetCheckExecutionContext, run: RunResource
) -> Iterator[dg.AssetCheckResult]:
    """Judge the candidate as a whole and keep the record; a failed check stops what follows."""
    current = run.current
    candidate = _candidate(current)
    for sentence in contactable_changes(current.home, candidate):
        current.say(sentence)
    current.say("Checking: contract, suites, sizes ...")
    results = check_candidate(current.home, candidate, current.settings, current.store)
    record_audit(AuditLog(current.store), candidate, results)
    current.checks = results
    by_name: dict[str, list[CheckResult]] = defaultdict(list)
    for result in results:
        by_name[_group(result)].append(result)
    for name in _check_names():
        if dg.AssetCheckKey(CANDIDATE, name) in context.selected_asset_check_keys:
            yield _check_result(name, by_name[name])
    if failed := stopping(results):
        raise failure(failed)


def _group(result: CheckResult) -> str:
    return result.kind if result.kind in OTHERS else result.name.partition(".")[0]


def _check_result(name: str, results: list[CheckResult]) -> dg.AssetCheckResult:
    failed = [result for result in results if not result.passed]
    blocking = any(result.stops for result in failed)
    return dg.AssetCheckResult(
        asset_key=CANDIDATE,
        check_name=name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        description=" ".join(f"{result.sentence} {result.hint}".strip() for result in failed)
        or None,
        metadata={
            "expectations": len(results),
            "failed": len(failed),
            **{
                result.name: dg.MetadataValue.text(f"{result.sentence} {result.hint}".strip())
                for result in failed
            },
        },
    )


@dg.asset(
    key=[GROUP, "published"],
    deps=[CANDIDATE],
    group_name=GROUP,
    kinds={"duckdb", "parquet"},
    pool="duckdb",
    description="The audited file that people, BI and planners read; swapped whole.",
    freshness_policy=dg.FreshnessPolicy.time_window(
        warn_window=timedelta(hours=26), fail_window=timedelta(days=3)
    ),
)
@errors_as_data
def published(run: RunResource) -> dg.MaterializeResult[None]:
    """Swap the candidate in and commit memberships, ids and the run to ops."""
    current = run.current
    candidate = _candidate(current)
    publish(current.home, AuditLog(current.store), candidate)
    done = commit_after_publish(current.store, current.home, finished_at=clock())
    finish_run(current.store, current.run_id, SUCCEEDED, finished_at=clock())  # if another built it
    current.is_published = True
    current.say("Published.")
    return dg.MaterializeResult(
        metadata={
            "build": candidate.build_id,
            "as of": candidate.as_of.isoformat(),
            "memberships changed": done.memberships,
            "ids registered": done.registered,
            "ids merged away": done.aliased,
        }
    )


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
