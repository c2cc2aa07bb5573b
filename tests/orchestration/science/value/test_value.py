"""The back-test's verdict and what is predicted: proven shops, young shops, odd shops."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orchestration.science import verdicts
from orchestration.science.value.back_test import back_test, origins
from orchestration.science.value.buyers import Sales, buyers_on
from orchestration.science.value.judging import (
    ALIVE,
    NEXT_ORDER,
    ORDERS,
    SPEND,
    TARGETS,
    WINDOWS,
    outcome_of,
)
from orchestration.science.value.judging import MARGIN as MARGIN_TARGET
from orchestration.science.value.margins import margin_share
from orchestration.science.value.value import Predictions, predict
from orchestration.science.verdicts import REASONS, Judgement, drift
from tests.orchestration.science.value.shops import (
    MARGIN,
    drawn_shop,
    nothing,
    online_retail,
    pretend_shop,
    sales,
)

YEAR = 365
REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def proven() -> tuple[Sales, Predictions]:
    shop = drawn_shop(600, 1000, seed=12)
    return shop, predict(shop, 999, YEAR)


def test_a_shop_as_the_models_say_is_published(proven) -> None:
    shop, predictions = proven
    assert predictions.reasons == dict.fromkeys((*TARGETS, *WINDOWS))
    assert len(predictions.person) == len(np.unique(shop.person))
    assert (predictions.spend_low <= predictions.spend_high).all()
    assert np.isfinite(predictions.spend).all()
    assert ((predictions.alive >= 0) & (predictions.alive <= 1)).all()
    week, month, quarter = (predictions.buys[target] for target in WINDOWS)
    assert ((week <= month) & (month <= quarter) & (quarter <= 1 - predictions.churn + 1e-5)).all()
    assert (predictions.churn >= 1 - predictions.alive - 1e-6).all()
    assert (predictions.churn_low < predictions.churn_high).mean() > 0.9
    waits = predictions.wait[~np.isnan(predictions.wait)]
    assert ((waits >= 0) & (waits <= YEAR)).all()


def test_the_margin_is_the_shops_share_of_the_spend(proven) -> None:
    _, predictions = proven
    np.testing.assert_allclose(predictions.margin, MARGIN * predictions.spend, atol=1e-3)


def test_a_cost_that_is_not_known_withholds_the_margin_alone(proven) -> None:
    shop, predictions = proven
    assert shop.margin is not None
    margin = shop.margin.copy()
    margin[np.argmin(np.abs(shop.ordered - 500))] = np.nan
    other = predict(replace(shop, margin=margin), 999, YEAR)
    np.testing.assert_array_equal(other.spend, predictions.spend)
    assert other.reasons == predictions.reasons | {MARGIN_TARGET: "unknown_cost"}
    assert np.isnan(other.margin).all()


def test_the_share_is_of_the_orders_of_the_horizon() -> None:
    """Orders of one person on three days, what came back of the second, and one without a cost."""
    days = np.array([100, 200, 200, 300])
    shop = Sales(
        *(np.zeros(4, dtype=np.int64), days, days + np.array([0, 0, 5, 0])),
        amount=np.array([50.0, 100.0, -20.0, 40.0]),
        margin=np.array([25.0, 20.0, 0.0, np.nan]),
    )
    assert margin_share(shop, 250, 100) == 20 / 80
    assert margin_share(shop, 250, 200) == 45 / 130
    assert margin_share(shop, 300, 100) == "unknown_cost"
    assert margin_share(shop, 99, 50) == "nothing_paid"
    assert margin_share(replace(shop, margin=None), 250, 100) == "unknown_cost"


def test_a_margin_that_is_another_than_it_was_is_withheld(proven) -> None:
    """Nine tenths stayed until the origin and a tenth after it."""
    shop, _ = proven
    margin = np.where(shop.ordered < 634, 0.9, 0.1) * shop.amount
    decisions = back_test(replace(shop, margin=margin), 999, YEAR).decisions
    assert decisions[SPEND].reason is None
    assert decisions[MARGIN_TARGET].reason == "not_surely_better"


def test_the_same_shop_gives_the_same_figures(proven) -> None:
    shop, predictions = proven
    mixed = np.random.default_rng(1).permutation(len(shop.person))
    again = predict(shop._where(mixed), 999, YEAR)
    for name in ("person", "spend", "spend_low", "spend_high", "alive", "orders", "wait"):
        np.testing.assert_array_equal(getattr(again, name), getattr(predictions, name))


def test_money_in_another_currency_gives_the_same_verdict_and_scaled_spend(proven) -> None:
    shop, predictions = proven
    yen = Sales(shop.person, shop.ordered, shop.known, shop.amount * 160, shop.margin * 160)
    other = predict(yen, 999, YEAR)
    assert other.reasons == predictions.reasons
    assert other.spend == pytest.approx(predictions.spend * 160, rel=1e-3, abs=0.1)
    np.testing.assert_allclose(other.orders, predictions.orders, atol=1e-6)


def test_what_comes_later_changes_nothing(proven) -> None:
    shop, predictions = proven
    more = sales([(0, 1005, 10.0), (700, 1001, 99.0)])
    longer = Sales(
        *(
            np.concatenate([a, b])
            for a, b in zip(vars(shop).values(), vars(more).values(), strict=False)
        )
    )
    again = predict(longer, 999, YEAR)
    np.testing.assert_array_equal(again.spend, predictions.spend)


ODD_SHOPS = {
    "nobody": nothing(),
    "three customers": sales([(p, d * 90, 20.0) for p in range(3) for d in range(10)]),
    "one product": sales([(p, p % 97 + d * 91, 9.0) for p in range(80) for d in range(10)]),
    "only returns": Sales(np.arange(40), np.full(40, 100), np.full(40, 200), np.full(40, -5.0)),
    "one order each": sales([(p, p * 4, 30.0) for p in range(240)]),
    "one day": sales([(p, 0, 30.0 + p) for p in range(60)]),
    "today": sales([(p, 999, 30.0 + p) for p in range(60)]),
    "price 0": sales([(p, p % 50 + d * 60, 0.0) for p in range(80) for d in range(15)]),
    "half by one": sales(
        [(0, d, 1000.0) for d in range(0, 990, 2)]
        + [(1 + d // 2, d, 20.0) for d in range(0, 990, 2)]
    ),
    "all daily": sales([(p, d, 3.0) for p in range(12) for d in range(999)]),
    "a month": sales([(p, 970 + p % 29, 12.0) for p in range(200)]),
    "long ago": sales([(p, d * 20 + p % 20, 12.0) for p in range(80) for d in range(5)]),
}


@pytest.mark.parametrize("name", ODD_SHOPS)
def test_odd_shops_get_figures_or_a_reason(name: str) -> None:
    with np.errstate(all="raise", under="ignore"):
        predictions = predict(ODD_SHOPS[name], 999, YEAR)
    columns = {SPEND: "spend", MARGIN_TARGET: "margin", ORDERS: "orders"}
    columns |= {ALIVE: "alive", NEXT_ORDER: "wait"}
    for target, column in columns.items():
        values, why = getattr(predictions, column), predictions.reasons[target]
        assert not np.isinf(values).any()
        if why:
            assert why in REASONS
            assert np.isnan(values).all()
        elif target != NEXT_ORDER:
            assert not np.isnan(values).any()
    for low, high in zip(predictions.spend_low, predictions.spend_high, strict=True):
        assert np.isnan(low) or 0 <= low <= high < np.inf
    for target, chance in predictions.buys.items():
        assert np.isnan(chance).all() == (predictions.reasons[target] is not None)
        assert np.isnan(chance).all() or ((chance >= 0) & (chance <= 1)).all()
    proven = ~np.isnan(predictions.churn)
    assert proven.all() == (predictions.reasons[ALIVE] is None) or not len(proven)
    low, risk, high = (
        each[proven] for each in (predictions.churn_low, predictions.churn, predictions.churn_high)
    )
    assert ((low >= 0) & (low <= risk) & (risk <= high) & (high <= 1)).all()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("three customers", "too_few_repeat_buyers"),
        ("one order each", "too_few_repeat_buyers"),
        ("a month", "history_too_short"),
        ("nobody", "history_too_short"),
        ("price 0", "nothing_paid"),
    ],
)
def test_the_reason_is_the_plain_one(name: str, reason: str) -> None:
    assert predict(ODD_SHOPS[name], 999, YEAR).reasons[SPEND] == reason


def test_a_rule_that_is_right_beats_the_model() -> None:
    """Everybody orders once every 60 days for ever: last year's orders are the answer."""
    clockwork = sales([(p, p % 60 + d * 60, 10.0 + p) for p in range(150) for d in range(18)])
    verdict = back_test(clockwork, 1080, YEAR)
    assert verdict.decisions[ORDERS].reason == "loses_to_baseline"
    assert verdict.decisions[SPEND].reason == "loses_to_baseline"
    assert predict(clockwork, 1080, YEAR).spend.tolist() == pytest.approx(
        [np.nan] * 150, nan_ok=True
    )


def test_intervals_that_miss_are_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "UNLIKELY", -10.0)
    decisions = back_test(drawn_shop(300, 800, seed=12), 799, YEAR).decisions
    assert decisions[ORDERS].reason == "interval_misses"


def test_an_origin_has_a_horizon_before_it_and_one_after_it() -> None:
    long = sales([(0, 0, 1.0), (0, 1500, 1.0)])
    assert origins(long, 1500, YEAR) == [1135, 952, 769, 586]
    assert origins(sales([(0, 0, 1.0)]), 600, YEAR) == [235]
    assert origins(sales([(0, 0, 1.0)]), 500, YEAR) == []


def test_drift_is_the_usual_one_until_the_shop_says_otherwise() -> None:
    ended = Judgement("bg_nbd", ORDERS, 0, YEAR, 10, predicted_total=100.0, actual_total=200.0)
    assert drift([], 400, YEAR, YEAR) == pytest.approx(0.13)
    assert drift([], 400, YEAR, YEAR // 2) == pytest.approx(0.26, rel=0.01)
    assert drift([ended], 400, YEAR, YEAR) > 0.4
    assert drift([ended], 300, YEAR, YEAR) == pytest.approx(0.13)  # its horizon goes on


def test_a_return_counts_on_its_own_day_and_is_no_order() -> None:
    shop = Sales(
        np.array([0, 0, 0]),
        np.array([10, 10, 50]),
        np.array([10, 60, 50]),
        np.array([100.0, -100.0, 30.0]),
    )
    then, now = buyers_on(shop, 55), buyers_on(shop, 60)
    assert (then.spent, then.paid_orders) == (130.0, 2)
    assert (now.spent, now.paid_orders, now.mean_value) == (30.0, 1, 30.0)
    after = outcome_of(shop, then, 55, 30)
    assert (after.orders, after.spend, after.wait) == (0, -100.0, 30)


@pytest.mark.faults
def test_intervals_of_ten_pretend_shops_cover_85_to_95_percent() -> None:
    """What is published of ten shops: totals of 50 random groups, and single people."""
    totals: dict[str, list[float]] = {}
    people: dict[str, list[float]] = {}
    for seed in range(10):
        shop = pretend_shop(700, seed, months=36)
        verdict = back_test(shop, int(shop.ordered.max()), YEAR)
        for target, decision in verdict.decisions.items():
            for j in verdict.judgements:
                if j.model == decision.model and j.target == target and decision.reason is None:
                    assert j.baseline_error is not None
                    totals.setdefault(target, []).append(j.coverage or 0.0)
                    people.setdefault(target, []).append(j.coverage_people or 0.0)
    print(totals, people)
    for target in (ORDERS, SPEND, ALIVE, *WINDOWS):
        assert len(totals[target]) >= 5
        assert 0.85 <= np.mean(totals[target]) <= 0.95, target
    for target in (ORDERS, SPEND, NEXT_ORDER):
        assert 0.85 <= np.mean(people[target]) <= 0.95, target


@pytest.mark.faults
def test_online_retail_nine_months_to_three(capsys: pytest.CaptureFixture[str]) -> None:
    shared = Path(os.environ.get("REGULARS_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not (shared / "online_retail").exists():
        pytest.skip(f"the UCI Online Retail files are not at {shared}")
    shop = online_retail(shared)
    verdict = back_test(shop, int(shop.ordered.max()), 92)
    with capsys.disabled():
        for j in verdict.judgements:
            if j.origin == max(k.origin for k in verdict.judgements):
                print(
                    f"\n{j.target:10} {j.model:8} {j.people:5} people: error {j.error:.3f},"
                    f" best rule {j.baseline} {j.baseline_error:.3f}; coverage of totals"
                    f" {j.coverage}, of people {j.coverage_people}",
                    end="",
                )
        print("\n", verdict.decisions)
    assert all(d.reason is None or d.reason in REASONS for d in verdict.decisions.values())
