"""What is known of the warehouse when runs build parts of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import RegularsError
from orchestration.quality.dbt_record import Record, in_short
from orchestration.quality.dbt_results import dbt_checks

PARENTS = {
    "stg_orders": ("view", []),
    "int_lines": ("ephemeral", ["stg_orders"]),
    "orders": ("table", ["int_lines"]),
    "customers": ("table", ["orders"]),
    "value": ("table", ["customers", "orders"]),
    "products": ("table", []),
}


def uid(name: str) -> str:
    return f"model.shop.{name}"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    nodes: dict[str, Any] = {
        uid(name): {
            "resource_type": "model",
            "name": name,
            "config": {"materialized": kind},
            "depends_on": {"nodes": [uid(parent) for parent in parents]},
        }
        for name, (kind, parents) in PARENTS.items()
    }
    nodes["test.shop.unique_orders"] = {"resource_type": "test", "name": "unique_orders"}
    (tmp_path / "manifest.json").write_text(json.dumps({"nodes": nodes}), "utf-8")
    return tmp_path


def build(target: Path, *names: str, **states: str) -> Record:
    """One dbt command; a state by name where it is not `success`. `killed` leaves no results."""
    record = Record(target)
    record.begin(names)
    if "killed" in states:
        return record
    results = [
        {"unique_id": uid(name), "status": states.get(name, "success"), "message": "a@example.org"}
        for name in names
        if name != "int_lines"
    ]
    results.append({"unique_id": "test.shop.unique_orders", "status": states.get("test", "pass")})
    (target / "run_results.json").write_text(json.dumps({"results": results}), "utf-8")
    record.end()
    return record


def test_a_whole_build_belongs_together(target: Path) -> None:
    assert build(target, *PARENTS).tables == set(PARENTS) - {"int_lines"}
    record = Record(target)
    record.require_whole()
    record.require_parents(["value"])
    assert not [check for check in dbt_checks(target) if check.stops]
    assert "example.org" not in (target / "record.json").read_text("utf-8")


def test_a_failure_stays_until_its_model_is_built_again(target: Path) -> None:
    """dbt's own last results would know nothing of it."""
    build(target, *PARENTS, orders="error", customers="skipped", value="skipped")
    build(target, "products")
    with pytest.raises(RegularsError, match=r"3 of 5 tables.*customers, orders, value"):
        Record(target).require_whole()
    assert {check.table for check in dbt_checks(target) if check.stops} == {
        "customers",
        "orders",
        "value",
    }
    build(target, "orders", "customers", "value")
    Record(target).require_whole()


def test_a_test_that_failed_stays_until_it_passes(target: Path) -> None:
    build(target, *PARENTS, test="fail")
    assert [check.name for check in dbt_checks(target) if check.stops] == ["dbt.unique_orders"]
    build(target, "orders", "customers", "value")
    assert not [check for check in dbt_checks(target) if check.stops]


def test_a_build_that_was_killed_counts_as_none(target: Path) -> None:
    build(target, *PARENTS)
    build(target, "customers", killed="yes")
    assert Record(target).not_built() == ["customers"]
    assert not (target / "run_results.json").exists(), "what an earlier command said is not its"


@pytest.mark.parametrize(
    ("again", "older"),
    [
        (["orders"], ["customers", "value"]),
        (["customers"], ["value"]),
        (["stg_orders"], ["orders"]),  # through the view and what is written into the table
        (["value"], []),
        (["orders", "customers", "value"], []),
    ],
)
def test_what_was_not_built_again_after_its_parents_is_older(
    target: Path, again: list[str], older: list[str]
) -> None:
    build(target, *PARENTS)
    build(target, *again)
    assert Record(target).older_than_parents() == older
    if older:
        with pytest.raises(RegularsError, match="older than what they are made of"):
            Record(target).require_whole()


def test_what_comes_before_must_be_there(target: Path) -> None:
    build(target, "products")
    with pytest.raises(RegularsError, match=r"value cannot be built.*customers, orders"):
        Record(target).require_parents(["value"])
    Record(target).require_parents(["stg_orders", "orders"])


def test_without_a_warehouse_nothing_is_known(target: Path) -> None:
    build(target, *PARENTS)
    assert len(Record(target, is_empty=True).not_built()) == 5


def test_long_lists_are_cut() -> None:
    assert in_short(list("abcdefg")) == "a, b, c, d, e and 2 more"
