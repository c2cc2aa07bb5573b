"""Rows of experiments: every metric has one, with figures or the reason why not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from ingestion.config import Shop
from orchestration.home.layout import Home
from orchestration.science.experiments.files import (
    BEFORE,
    MEANS,
    METRICS,
    RESULTS,
    SINCE,
    compare,
    write_results,
)

AS_OF = dt.datetime(2026, 3, 31, 12)


def outcomes(treated: int, control: int, more: float = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    is_treated = np.arange(treated + control) < treated
    columns: dict[str, np.ndarray] = {"is_treated": is_treated}
    for metric in (*MEANS, *SINCE):
        columns[metric] = rng.poisson(2.0, treated + control) + more * is_treated
        columns[f"{metric}_before"] = np.zeros(treated + control)
    columns["unsubscribes"] = np.zeros(treated + control)
    return columns


def by_metric(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["metric"]: row for row in rows}


def test_a_difference_that_is_there_is_told_with_its_interval() -> None:
    rows = by_metric(compare(outcomes(800, 200, more=1), 28, 28, 0.8))
    visits = rows["visits"]
    assert visits["lift"] == pytest.approx(1, abs=0.3)
    assert visits["lift_low"] < 1 < visits["lift_high"]
    assert visits["is_conclusive"] and not visits["is_unequal"]
    assert visits["weeks_to_detect"] > 0
    assert (visits["share_done"], visits["null_reason"]) == (1, None)


def test_sales_by_order_and_clicks_by_message_are_of_the_groups_sums() -> None:
    """Every treated person ordered twice for 60 together, half of the others once for 20."""
    columns = outcomes(400, 200)
    treated = columns["is_treated"]
    other = np.arange(600) % 2 == 0
    columns["orders"] = np.where(treated, 2.0, other)
    columns["net_sales"] = np.where(treated, 60.0 + 10 * other, 20.0 * other)
    columns["conversion"] = (columns["orders"] > 0).astype(float)
    columns["messages"] = np.where(treated, 4.0, other * (np.arange(600) < 440))
    columns["clicks"] = np.where(treated, other, 0.0)
    rows = by_metric(compare(columns, 28, 28, None))
    conversion, order = rows["conversion"], rows["average_order"]
    assert (conversion["treated"], conversion["control"]) == (1, 0.5)
    assert (order["treated"], order["control"], order["lift"]) == (32.5, 20, 12.5)
    assert order["is_conclusive"] and order["lift_low"] < 12.5 < order["lift_high"]
    clicks = rows["click_through"]
    assert (clicks["treated"], clicks["control"]) == (0.125, 0)
    assert (clicks["lift"], clicks["null_reason"]) == (None, "too_few_people"), "20 got a message"


def test_where_nothing_can_be_said_the_row_says_why() -> None:
    rows = by_metric(compare(outcomes(800, 200), 28, 28, None))
    silent = rows["unsubscribes"]
    assert (silent["lift_low"], silent["null_reason"]) == (None, "nothing_differs")
    assert silent["is_unequal"] is None
    few = by_metric(compare(outcomes(800, 29), 28, 28, None))["visits"]
    assert (few["lift"], few["null_reason"], few["is_conclusive"]) == (
        None,
        "too_few_people",
        False,
    )
    assert few["weeks_to_detect"] is None


def test_groups_that_were_not_drawn_as_planned_are_called_unequal() -> None:
    assert by_metric(compare(outcomes(700, 300), 28, 28, 0.8))["orders"]["is_unequal"]


def test_it_reads_the_warehouse_and_a_shop_without_experiments_has_no_rows(tmp_path: Path) -> None:
    names = [*SINCE, *(f"{metric}_before" for metric in BEFORE)]
    columns = ", ".join(f"{name} decimal(18, 4)" for name in names)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.fct_experiment_outcomes (experiment_outcome_id text, kind text,"
            " experiment text, is_treated boolean, assigned_at timestamp, measured_until timestamp,"
            f" planned_days integer, planned_share double, {columns})"
        )
    home = Home(tmp_path)
    assert write_results(home, AS_OF, Shop()) == {"experiments": 0, "conclusive": 0}
    assert pq.read_table(tmp_path / "science" / f"{RESULTS}.parquet").num_rows == 0
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(
            "insert into marts.fct_experiment_outcomes select n, 'experiment', 'spring',"
            " n % 2 = 0, ?, ?, 28, null, n % 3, 0, n % 2, 0, 0, 0, 0, 0, 0, 0"
            " from range(100) as r(n)",
            [AS_OF - dt.timedelta(days=28), AS_OF],
        )
    assert write_results(home, AS_OF, Shop())["experiments"] == 1
    rows = pq.read_table(tmp_path / "science" / f"{RESULTS}.parquet").to_pylist()
    assert [row["metric"] for row in rows] == list(METRICS)
    assert {(row["treated_count"], row["control_count"]) for row in rows} == {(50, 50)}
