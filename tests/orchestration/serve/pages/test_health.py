"""Health lists the checks of the last run, and says whether it is the run that is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from orchestration.home.layout import Home
from orchestration.ops.runs import AuditLog, Run, start_run
from orchestration.ops.store import open_store
from orchestration.published.audit import AuditRecord
from orchestration.published.checks import CheckResult
from orchestration.serve.guard import VIEWER
from orchestration.serve.pages.health import by_kind
from tests.orchestration.serve.pages.one_page import words_of
from tests.orchestration.serve.pages.test_site import open_pages, publish

SHOWN = "b1"  # explained_shop.sql
AT = datetime(2026, 6, 1)
CHECKS = (
    CheckResult("dbt", "dbt.unique", "dim_customers", passed=True),
    CheckResult("contract", "contract.columns", "marts.fct_orders", passed=True),
    CheckResult("suite", "suite.age", "marts.dim_customers", False, "warning", sentence="Too old."),
    CheckResult("breaker", "breaker.vip", "segments.seg_vip", passed=True),
)
STOPS = replace(CHECKS[3], passed=False, sentence="Half as many as before.", hint="Look at it.")


def health(root: Path, *audits: AuditRecord) -> str:
    """What Health says after these audits, each of a run that began later than the one before."""
    home = Home(root)
    home.create()
    publish(home)
    with open_store(home) as store:
        for number, audit in enumerate(audits):
            began_at = AT.replace(hour=number)
            start_run(store, Run(audit.run_id, AT, "test"), started_at=began_at)
            AuditLog(store).record_audit(audit.digest, audit.to_json())
    with open_pages(home) as clients:
        return words_of(clients[VIEWER].get("/health").text)


def audit(build_id: str, *checks: CheckResult) -> AuditRecord:
    return AuditRecord(f"digest-{build_id}", build_id, f"run-{build_id}", AT, checks)


def test_the_checks_of_the_build_are_counted_and_named(tmp_path: Path) -> None:
    text = health(tmp_path, audit(SHOWN, *CHECKS))
    assert "these checks are of this build" in text
    assert "Ranges, shares and segments 1 0 1 0" in text
    assert "Sizes beside those of the last runs 1 1 0 0" in text
    assert "marts.dim_customers : Too old." in text
    assert "dim_customers dbt.unique passed" in text


def test_a_later_run_that_was_stopped_is_told(tmp_path: Path) -> None:
    stopped = audit("later", *CHECKS[:3], STOPS)
    text = health(tmp_path, audit(SHOWN, *CHECKS), stopped)
    assert "was stopped by its checks and not published; this page shows an earlier build." in text
    assert "segments.seg_vip : Half as many as before. Look at it." in text
    assert "segments.seg_vip breaker.vip stops" in text


def test_a_home_whose_runs_never_came_to_checks_says_so(tmp_path: Path) -> None:
    assert "No run came to its checks yet" in health(tmp_path)


def test_a_kind_that_nothing_was_checked_of_is_left_out() -> None:
    (only,) = by_kind(CHECKS[:1])
    assert (only.passed, only.stopping) == (1, 0)
