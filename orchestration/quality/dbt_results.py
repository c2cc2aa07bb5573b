"""What dbt's own tests found, as check results.

Belongs here: judging the newest result of each node. Does not belong here: starting dbt, or keeping
the results of earlier runs (dbt_record.py).
Messages of dbt may hold values of failing rows, so only names, states and counts are taken.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestration.published.checks import CheckResult
from orchestration.quality.dbt_record import UNFINISHED, last_results

_HINT = "Look at the test's description in the dbt project; the run's log names the model."


def dbt_checks(target: Path) -> list[CheckResult]:
    """One result per dbt test, and one per model that could not be built.

    Args:
        target: dbt's target folder of this home, with its results and `manifest.json`.
    """
    results = last_results(target)
    if not results:
        return [_nothing_ran("dbt left no results.")]
    nodes = _nodes(target / "manifest.json")
    checks = [
        check
        for result in results
        for check in [_check(result, nodes.get(result["unique_id"], {}))]
        if check is not None
    ]
    return checks or [_nothing_ran("dbt ran no tests.")]


def _nodes(manifest: Path) -> dict[str, Any]:
    if not manifest.exists():
        return {}
    content = json.loads(manifest.read_text("utf-8"))
    return {**content.get("nodes", {}), **content.get("unit_tests", {})}


def _check(result: dict[str, Any], node: dict[str, Any]) -> CheckResult | None:
    kind, _, rest = str(result["unique_id"]).partition(".")
    name = str(node.get("name") or rest.partition(".")[2])
    status = str(result["status"])
    if kind in ("test", "unit_test"):
        return _test(name, _tested(node), status, result.get("failures"))
    if status in ("error", "skipped", UNFINISHED):
        return CheckResult(
            kind="dbt",
            name=f"dbt.build.{name}",
            table=name,
            passed=False,
            sentence=f"The model {name} was {'skipped' if status == 'skipped' else 'not built'}.",
            hint="Look for it in the run's log.",
            raised=True,
        )
    return None


def _test(name: str, table: str, status: str, failures: object) -> CheckResult:
    count = float(failures) if isinstance(failures, int) else None
    rows = f" on {int(count):,} rows" if count else ""
    raised = status in ("error", "skipped")
    state = "could not be carried out" if raised else f"failed{rows}"
    passed = status in ("pass", "success")
    return CheckResult(
        kind="dbt",
        name=f"dbt.{name}",
        table=table,
        passed=passed,
        severity="warning" if status == "warn" else "blocking",
        observed=count,
        sentence="" if passed else f"The dbt test {name} {state}.",
        hint="" if passed else _HINT,
        raised=raised,
    )


def _tested(node: dict[str, Any]) -> str:
    attached = str(node.get("attached_node") or "")
    if not attached:
        attached = next(iter(node.get("depends_on", {}).get("nodes", [])), "")
    return attached.rpartition(".")[2]


def _nothing_ran(sentence: str) -> CheckResult:
    return CheckResult(
        kind="dbt",
        name="dbt.results",
        table="",
        passed=False,
        sentence=sentence,
        hint="Run again; if it stays, look at dbt's log.",
        raised=True,
    )
