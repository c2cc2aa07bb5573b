"""Intent and the next stage: what is learnt, when it is published, and odd shops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orchestration.science.intent.judging import (
    INTENT,
    NEXT_STAGE,
    Learnt,
    alike,
    learn,
    targets,
    usual_next_stages,
)
from orchestration.science.intent.logistic import fit
from orchestration.science.intent.rows import Rows

TODAY = 20_000
LAST = 4
AIMS = {aim.name: aim for aim in targets(LAST)}


def rows(people: int, weeks: int, chance: object, seed: int = 1) -> Rows:
    """People each seen on the last day of so many weeks; `chance` tells of signals how likely an
    order within a week and a later stage within four are."""
    rng = np.random.default_rng(seed)
    count = people * weeks
    person = np.repeat(np.arange(people), weeks)
    day = TODAY - 7 * np.tile(np.arange(weeks), people)
    signals = rng.gamma(1.0, 2.0, (count, 8))
    happens = rng.random(count) < (chance(signals) if callable(chance) else np.full(count, chance))
    after = np.where(happens, rng.integers(1, 8, count), np.inf).astype(np.float64)
    # Nothing is known of what comes after today
    after[day + after > TODAY] = np.inf
    return Rows(
        person,
        day,
        signals,
        rng.random(count) < 0.3,
        rng.integers(0, 30, count).astype(np.float64),
        np.zeros(count),
        np.full(count, np.nan),
        np.full(count, 1),
        rng.integers(0, 90, count).astype(np.float64),
        after,
        after.copy(),
        np.where(np.isfinite(after), 2, -1),
    )


def by_signals(signals: np.ndarray) -> np.ndarray:
    """Carts and checkouts announce orders."""
    return 1 / (1 + np.exp(4.5 - 1.5 * np.log1p(signals[:, 6:8]).sum(axis=1)))


def test_the_fit_finds_the_weights_that_made_the_rows() -> None:
    rng = np.random.default_rng(3)
    columns = rng.standard_normal((20_000, 3))
    happened = rng.random(20_000) < 1 / (1 + np.exp(1 - columns @ np.array([1.0, -0.5, 0.0])))
    model = fit(columns, happened.astype(np.float64))
    assert model is not None
    assert model.weights[1:] / model.scales == pytest.approx([1.0, -0.5, 0.0], abs=0.05)
    assert model.chance(columns).mean() == pytest.approx(happened.mean(), abs=1e-6)


@pytest.mark.parametrize("column", ["tells all", "constant", "huge"])
def test_a_fit_is_finite_whatever_the_column(column: str) -> None:
    happened = np.arange(100) % 2
    values = {"tells all": happened, "constant": happened * 0 + 3, "huge": happened * 1e12}[column]
    model = fit(values[:, None].astype(np.float64), happened.astype(np.float64))
    assert model is not None
    chance = model.chance(values[:, None].astype(np.float64))
    assert np.isfinite(chance).all()
    assert ((chance > 0) & (chance < 1)).all()


@pytest.mark.parametrize("name", [INTENT, NEXT_STAGE])
def test_what_signals_announce_is_published_with_its_calibration(name: str) -> None:
    shop = rows(300, 27, by_signals)
    learnt = learn(shop, AIMS[name], TODAY)
    assert learnt.decision.reason is None
    assert learnt.decision.model == "logistic"
    assert {j.horizon for j in learnt.judgements} == {AIMS[name].horizon}
    assert np.abs(learnt.chance - by_signals(shop.signals)).mean() < 0.03
    like = alike(learnt)
    assert (like.people >= 100).all()
    order = np.argsort(learnt.chance)
    low, high = like.share[order[:500]].mean(), like.share[order[-500:]].mean()
    assert low < 0.1
    assert high > 0.25


@pytest.mark.parametrize("name", [INTENT, NEXT_STAGE])
def test_what_comes_by_lot_is_withheld(name: str) -> None:
    learnt = learn(rows(200, 27, 0.1), AIMS[name], TODAY)
    assert learnt.decision.reason in ("loses_to_baseline", "not_surely_better")
    assert np.isnan(learnt.chance).all()
    assert np.isnan(alike(learnt).share).all()


def test_what_one_naive_rule_knows_is_no_news() -> None:
    """Orders that follow from the silence since the last one alone."""
    shop = rows(300, 27, 0.0)
    rng = np.random.default_rng(5)
    recent = rng.random(len(shop)) < 0.3
    happens = recent & (rng.random(len(shop)) < 0.5)
    shop = replace(
        shop,
        order_days=np.ones(len(shop)),
        since_order=np.where(recent, 3.0, 90.0),
        until_order=np.where(happens & (shop.day <= TODAY - 7), 2.0, np.inf),
    )
    learnt = learn(shop, AIMS[INTENT], TODAY)
    assert {j.baseline for j in learnt.judgements} == {"by_last_order"}
    assert learnt.decision.reason is not None


@pytest.mark.parametrize(
    ("shop", "reason"),
    [
        (rows(0, 27, 0.1), "too_few_signals"),
        (rows(3, 27, 0.5), "too_few_signals"),
        (rows(200, 1, 0.5), "history_too_short"),
        (rows(200, 2, 0.5), "history_too_short"),
        (rows(200, 27, 0.0), "too_few_signals"),
        (rows(200, 27, 1.0), "too_few_signals"),
    ],
    ids=["nobody", "three people", "one day", "a week", "no orders", "always orders"],
)
def test_odd_shops_get_their_reason(shop: Rows, reason: str) -> None:
    learnt = learn(shop, AIMS[INTENT], TODAY)
    assert learnt.decision.reason == reason
    assert len(learnt.chance) == len(shop)


def test_whoever_is_in_the_last_stage_gets_no_chance_of_a_later_one() -> None:
    shop = rows(500, 27, by_signals)
    shop = replace(shop, stage=np.where(shop.person < 50, LAST, 1))
    learnt = learn(shop, AIMS[NEXT_STAGE], TODAY)
    assert learnt.decision.reason is None
    assert np.isnan(learnt.chance[shop.person < 50]).all()
    assert not np.isnan(learnt.chance[shop.person >= 50]).any()
    assert set(usual_next_stages(shop, 28)[shop.person >= 50]) == {2}


def test_an_origin_knows_nothing_of_what_came_after_it() -> None:
    """The judgements of a day are those of a shop that ended a horizon later."""
    shop = rows(200, 27, by_signals)
    origin = TODAY - 28
    before = shop.where(shop.day <= origin + 7)
    early = replace(before, until_order=np.where(
        before.day + before.until_order <= origin + 7, before.until_order, np.inf
    ))  # fmt: skip
    then, now = (
        learn(each, AIMS[INTENT], day) for each, day in ((early, origin + 7), (shop, TODAY))
    )

    def at(learnt: Learnt) -> tuple[float | None, ...]:
        (judgement,) = [j for j in learnt.judgements if j.origin == origin]
        return judgement.error, judgement.baseline_error, judgement.predicted_total

    assert at(then) == at(now)
