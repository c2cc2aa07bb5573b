"""Errors of a forecast beside those of naive rules, and how often its intervals were right.

Belongs here: measures that every back-test shares. Does not belong here: what is forecast, and
what follows from the measures (verdicts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestration.science.verdicts import GROUPS, Floats, Judgement

Rows = NDArray[np.intp]
SEED = 20_261_130
LOW, HIGH = 0.05, 0.95
LEAST_GROUP = 10
MOST_GROUP = 200
FIFTHS = 5
DRAWS = 400


def beside(
    blank: Judgement,
    loss: Floats,
    losses: Mapping[str, Floats],
    forecast: Floats,
    actual: Floats,
) -> Judgement:
    """The mean losses of the forecast and of the best rule, and the totals."""
    best = min(losses, key=lambda name: (losses[name].mean(), name))
    return replace(
        blank,
        error=float(loss.mean()),
        baseline_error=float(losses[best].mean()),
        baseline=best,
        predicted_total=float(forecast.sum()),
        actual_total=float(actual.sum()),
        advantages=losses[best] - loss,
    )


def coverage(drawn: Floats, actual: Floats, groups: list[Rows]) -> float | None:
    """The share of groups whose total lies within its 90 % interval; None without groups.

    `drawn` has the members of the groups side by side.
    """
    if not groups:
        return None
    low, high = np.quantile(_totals(drawn, groups), (LOW, HIGH), axis=0)
    happened = np.array([actual[group].sum() for group in groups])
    return float(((low <= happened) & (happened <= high)).mean())


def coverage_of_counts(drawn: NDArray[Any], actual: Floats, groups: list[Rows]) -> float | None:
    """The same of how many of each group do something, by the randomised probability transform.

    Intervals of small counts hold more than they say.
    """
    if not groups:
        return None
    totals = _totals(drawn, groups)
    happened = np.array([actual[group].sum() for group in groups])
    distribution = (totals < happened).mean(axis=0), (totals <= happened).mean(axis=0)
    return within(distribution, np.random.default_rng(SEED).random(len(groups)))


def _totals(drawn: NDArray[Any], groups: list[Rows]) -> NDArray[Any]:
    """A row per draw and a column per group."""
    totals: NDArray[Any] = drawn.reshape(len(drawn), len(groups), -1).sum(axis=2)
    return totals


def within(distribution: tuple[Floats, Floats], chance: Floats) -> float:
    """The share of people whose randomised probability transform lies in the middle nine tenths."""
    below, until = distribution
    transform = below + chance * (until - below)
    return float(((transform >= LOW) & (transform <= HIGH)).mean())


def by_fifth(values: Floats, outcome: Floats, of: Floats) -> tuple[Floats, Floats]:
    """For each value of `of` the share of 1 in `outcome` among the same fifth of `values`, and how
    many those are."""
    edges = np.quantile(values, np.arange(1, FIFTHS) / FIFTHS)
    fifth, own = np.searchsorted(edges, values), np.searchsorted(edges, of)
    count = np.bincount(fifth, minlength=FIFTHS).astype(np.float64)
    share = np.bincount(fifth, weights=outcome, minlength=FIFTHS) / np.maximum(count, 1)
    return share[own], count[own]


def share_by_fifth(values: Floats, outcome: Floats, of: Floats) -> Floats:
    """The share alone of `by_fifth`."""
    return by_fifth(values, outcome, of)[0]


def moved_together(drift: float, rng: np.random.Generator) -> Floats:
    """What moves everybody at once: a factor of the horizon, one per draw, 1 on the average."""
    moved: Floats = np.exp(drift * rng.standard_normal((DRAWS, 1)) - drift**2 / 2)
    return moved


def random_groups(people: int, rng: np.random.Generator) -> list[Rows]:
    """Fifty groups of people, drawn anew each; none where there are too few to draw from."""
    size = min(max(LEAST_GROUP, people // GROUPS), MOST_GROUP)
    if people < size:
        return []
    return [np.sort(rng.choice(people, size, replace=False)) for _ in range(GROUPS)]
