"""Differences that are there are found, those that are not are not, however often one looks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ingestion.config import REPOSITORY
from orchestration.science.experiments.lift import (
    LEAST_GROUP,
    half_width,
    is_unequal,
    lift,
    ratio_lift,
    weeks_to_detect,
)

DAYS = 28


def people(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each one's rate a day, what they did in ninety days before, and whether they are treated."""
    rate = rng.gamma(0.7, 0.05, count)
    before = rng.poisson(rate * 90).astype(float)
    return rate, before, rng.random(count) < 0.8


def looks(seed: int, lift_of_rate: float, count: int = 600) -> list[tuple[float, float, bool]]:
    """The interval on each day of an experiment, and whether it was conclusive."""
    rng = np.random.default_rng(seed)
    rate, before, treated = people(rng, count)
    done = np.zeros(count)
    found = []
    for day in range(1, DAYS + 1):
        done += rng.poisson(rate + lift_of_rate * treated)
        answer = lift(done, before, treated, day / DAYS)
        found.append((answer.low, answer.high, answer.is_conclusive))
    return found


@pytest.mark.parametrize("tests", [60, pytest.param(500, marks=pytest.mark.faults)])
def test_looking_every_day_calls_few_tests_of_nothing_conclusive(tests: int) -> None:
    called = [any(conclusive for _, _, conclusive in looks(seed, 0)) for seed in range(tests)]
    assert sum(called) <= 0.05 * tests


@pytest.mark.parametrize("tests", [60, pytest.param(200, marks=pytest.mark.faults)])
def test_the_lift_is_within_its_interval(tests: int) -> None:
    true = 0.02 * DAYS
    last = [looks(1_000 + seed, 0.02)[-1] for seed in range(tests)]
    assert sum(low <= true <= high for low, high, _ in last) >= 0.93 * tests
    assert sum(conclusive for _, _, conclusive in last) > 0.5 * tests


def test_what_people_did_before_takes_chance_out() -> None:
    rng = np.random.default_rng(3)
    rate, before, treated = people(rng, 5_000)
    done = rng.poisson(rate * DAYS).astype(float)
    with_it = lift(done, before, treated, 1)
    without = lift(done, np.zeros(5_000), treated, 1)
    assert with_it.variance_kept < 0.75
    assert without.variance_kept == pytest.approx(1)
    assert with_it.high - with_it.low < without.high - without.low


def test_the_boundary_is_tightest_at_the_planned_end_and_never_the_textbook_s() -> None:
    widths = [half_width(share, share) / math.sqrt(share) for share in (0.05, 0.5, 1, 2, 10)]
    assert min(widths) == widths[2] == pytest.approx(3.03, abs=0.01)
    assert min(widths) > 1.96


@pytest.mark.parametrize(
    ("outcome", "treated"),
    [
        (np.zeros(200), np.arange(200) < 100),
        (np.ones(200), np.arange(200) < 100),
        (np.arange(200.0), np.arange(200) < LEAST_GROUP - 1),
        (np.zeros(0), np.zeros(0, dtype=bool)),
        (np.arange(3.0), np.array([True, False, True])),
    ],
)
def test_where_nothing_can_be_said_nothing_is_said(
    outcome: np.ndarray, treated: np.ndarray
) -> None:
    answer = lift(outcome, np.zeros(len(outcome)), treated, 1)
    assert math.isnan(answer.low)
    assert not answer.is_conclusive


def test_one_customer_with_half_of_all_sales_makes_the_interval_wide_not_the_answer_sure() -> None:
    rng = np.random.default_rng(5)
    sales = rng.exponential(10, 400)
    sales[0] = sales.sum()
    answer = lift(sales, np.zeros(400), np.arange(400) < 200, 1)
    assert not answer.is_conclusive


@pytest.mark.parametrize(
    ("treated", "control", "share", "unequal"),
    [
        (800, 200, 0.8, False),
        (760, 240, 0.8, False),
        (700, 300, 0.8, True),
        (0, 0, 0.8, False),
        (5, 0, 0.5, False),
        (50, 0, 0.5, True),
    ],
)
def test_groups_of_other_sizes_than_planned_are_called_unequal(
    treated: int, control: int, share: float, unequal: bool
) -> None:
    assert is_unequal(treated, control, share) is unequal


@pytest.mark.parametrize("tests", [60, pytest.param(500, marks=pytest.mark.faults)])
def test_shares_and_ratios_of_nothing_are_seldom_conclusive_however_often_one_looks(
    tests: int,
) -> None:
    """Whether somebody ordered at all, and net sales by order, on each day of an A/A test."""
    called = {"conversion": 0, "average_order": 0}
    for seed in range(tests):
        rng = np.random.default_rng(seed)
        rate, before, treated = people(rng, 600)
        orders, sales = np.zeros(600), np.zeros(600)
        conclusive = dict.fromkeys(called, False)
        for day in range(1, DAYS + 1):
            new = rng.poisson(rate)
            orders += new
            sales += new * rng.gamma(2, 20, 600)
            bought, bought_before = (orders > 0).astype(float), (before > 0).astype(float)
            answers = {
                "conversion": lift(bought, bought_before, treated, day / DAYS),
                "average_order": ratio_lift(sales, orders, treated, day / DAYS),
            }
            conclusive = {name: conclusive[name] or answers[name].is_conclusive for name in called}
        called = {name: count + conclusive[name] for name, count in called.items()}
    assert max(called.values()) <= 0.05 * tests


@pytest.mark.parametrize("tests", [60, pytest.param(200, marks=pytest.mark.faults)])
def test_a_difference_of_ratios_is_within_its_interval(tests: int) -> None:
    within = 0
    for seed in range(tests):
        rng = np.random.default_rng(2_000 + seed)
        rate, _, treated = people(rng, 600)
        orders = rng.poisson(rate * DAYS).astype(float)
        sales = orders * rng.gamma(2, 20, 600) + 5 * orders * treated
        answer = ratio_lift(sales, orders, treated, 1)
        within += answer.low <= 5 <= answer.high
    assert within >= 0.93 * tests


def test_a_difference_of_expected_value_is_as_wide_as_at_the_planned_end() -> None:
    model = REPOSITORY / "dbt_project/models/marts/experiments/rpt_experiments.sql"
    text = model.read_text("utf-8")
    assert f"set standard_errors = {half_width(1, 1):.6f} " in text
    assert f"set least_group = {LEAST_GROUP} " in text


def test_half_the_difference_takes_four_times_as_long_to_show() -> None:
    weeks = weeks_to_detect(0.01, 0.5, 28)
    assert weeks is not None
    assert weeks_to_detect(0.01, 0.25, 28) == pytest.approx(4 * weeks)
    assert weeks_to_detect(0.01, 0, 28) is None
    assert weeks_to_detect(0, 0.5, 28) is None
