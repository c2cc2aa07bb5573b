"""dbt's results become check results without any message of dbt."""

import json

import pytest

from orchestration.quality.dbt_results import dbt_checks


@pytest.fixture
def target(tmp_path):
    def write(*results):
        (tmp_path / "run_results.json").write_text(json.dumps({"results": list(results)}))
        nodes = {
            "test.regulars.unique_x.abc": {
                "name": "unique_x",
                "attached_node": "model.regulars.dim_customers",
            }
        }
        (tmp_path / "manifest.json").write_text(json.dumps({"nodes": nodes}))
        return tmp_path

    return write


def result(unique_id, status, failures=None):
    return {
        "unique_id": unique_id,
        "status": status,
        "failures": failures,
        "message": "Got canary@example.org",
    }


@pytest.mark.parametrize(
    ("status", "failures", "passed", "severity", "raised"),
    [
        ("pass", 0, True, "blocking", False),
        ("fail", 3, False, "blocking", False),
        ("warn", 3, False, "warning", False),
        ("error", None, False, "blocking", True),
        ("skipped", None, False, "blocking", True),
    ],
)
def test_each_state_of_a_test(target, status, failures, passed, severity, raised):
    (check,) = dbt_checks(target(result("test.regulars.unique_x.abc", status, failures)))
    assert (check.passed, check.severity, check.raised) == (passed, severity, raised)
    assert check.table == "dim_customers"
    assert check.name == "dbt.unique_x"
    assert "canary" not in str(check)


def test_a_model_that_was_not_built_stops(target):
    checks = dbt_checks(
        target(
            result("model.regulars.stg_a", "success"),
            result("model.regulars.stg_b", "error"),
            result("test.regulars.unique_x.abc", "pass", 0),
        )
    )
    assert [check.name for check in checks if check.stops] == ["dbt.build.stg_b"]


def test_no_results_and_no_tests_stop(target, tmp_path):
    assert dbt_checks(tmp_path / "nothing")[0].stops
    assert dbt_checks(target(result("model.regulars.stg_a", "success")))[0].stops
