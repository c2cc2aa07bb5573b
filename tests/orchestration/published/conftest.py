"""A tiny home with a warehouse, and an audit log in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.home.layout import Home
from orchestration.published.audit import record_audit
from orchestration.published.candidate import build_candidate
from orchestration.published.checks import REQUIRED_KINDS, CheckResult
from orchestration.published.swap import publish

AS_OF = datetime.fromisoformat("2026-07-01")


@dataclass(frozen=True)
class RunDouble:
    run_id: str = "run0"
    as_of: datetime = AS_OF


@dataclass
class LogDouble:
    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def record_audit(self, digest: str, record: dict[str, Any]) -> None:
        self.records[digest] = record

    def find_audit(self, digest: str) -> dict[str, Any] | None:
        return self.records.get(digest)


def passing_checks() -> list[CheckResult]:
    return [CheckResult(kind, f"{kind}_check", "marts.t", True) for kind in REQUIRED_KINDS]


def write_warehouse(path: Path, number: int, rows: int = 200, descending: bool = False) -> None:
    """Tables that all carry `number`, so that a mixture of two builds shows."""
    path.unlink(missing_ok=True)
    order = "desc" if descending else "asc"
    with duckdb.connect(str(path)) as con:
        for schema in ("staging", "marts", "segments", "activity", "ops"):
            con.execute(f"create schema {schema}")
        con.execute("create table staging.private as select 1 as secret")
        for table in ("marts.dim_customers", "segments.seg_vip", "ops.runs"):
            con.execute(
                f"create table {table} as select 'c' || i as customer_id, {number} as number,"
                f" [i, i] as list from range({rows}) r(i) order by i {order}"
            )
        con.execute("create view marts.v as select * from staging.private")
        con.execute("comment on table marts.dim_customers is 'One row per person''s profile.'")
        con.execute("comment on column marts.dim_customers.customer_id is 'The resolved id.'")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").create()
    write_warehouse(made.warehouse, 0)
    return made


@pytest.fixture
def log() -> LogDouble:
    return LogDouble()


@pytest.fixture
def run() -> RunDouble:
    return RunDouble()


@pytest.fixture
def run_named() -> Callable[[str], RunDouble]:
    return RunDouble


@pytest.fixture
def checks() -> list[CheckResult]:
    return passing_checks()


@pytest.fixture
def warehouse_writer() -> Callable[..., None]:
    return write_warehouse


@dataclass
class Shop:
    """A home, its audit log and its warehouse, with the usual steps in one call."""

    home: Home
    log: LogDouble
    checks: list[CheckResult]

    def publish(self, run_id: str, number: int) -> None:
        write_warehouse(self.home.warehouse, number)
        candidate = build_candidate(self.home, RunDouble(run_id))
        record_audit(self.log, candidate, self.checks)
        publish(self.home, self.log, candidate)


@pytest.fixture
def shop(home: Home, log: LogDouble, checks: list[CheckResult]) -> Shop:
    return Shop(home, log, checks)
