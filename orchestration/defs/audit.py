"""The checks that judge the candidate, one per suite and one for each other kind.

Belongs here: Dagster's view of the audit; a failed check stops what follows. Does not belong here:
what is checked (orchestration/quality).
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from ingestion.settings_file import load_settings
from orchestration.defs.errors import errors_as_data
from orchestration.defs.keys import CANDIDATE
from orchestration.defs.resources import RunResource
from orchestration.defs.transformation import published_tables
from orchestration.ops.runs import AuditLog
from orchestration.published.audit import failure, record_audit
from orchestration.published.checks import CheckResult, stopping
from orchestration.quality.checks import by_check, check_candidate, check_names
from orchestration.quality.contactable import contactable_changes


@dg.multi_asset_check(
    name="audit",
    specs=[
        dg.AssetCheckSpec(
            name,
            asset=CANDIDATE,
            blocking=True,
            description=f"Everything `{name}` says about the candidate.",
        )
        for name in check_names(load_settings(), published_tables())
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
    candidate = current.candidate_to_judge()
    for sentence in contactable_changes(current.home, candidate):
        current.say(sentence)
    current.say("Checking: contract, suites, sizes ...")
    results = check_candidate(current.home, candidate, current.settings, current.store)
    record_audit(AuditLog(current.store), candidate, results)
    current.checks = results
    by_name = by_check(results)
    for name in sorted(key.name for key in context.selected_asset_check_keys):
        yield _check_result(name, by_name.get(name, ()))
    if failed := stopping(results):
        raise failure(failed)


def _check_result(name: str, results: Sequence[CheckResult]) -> dg.AssetCheckResult:
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
