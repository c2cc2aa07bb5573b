"""The rhythm in which a thing is used up: a narrow peak of gaps among those of people who are late.

Whoever buys again because the thing is used up does so after nearly the same time; others come
back much later, or from elsewhere. Gaps are thus a mixture of two log-normal distributions: one
narrow (the rhythm), one wide (everything else). Waits that are not over count with the
probability of lasting longer (right censoring). Fitted by expectation-maximisation on counts per
step of the logarithm of days, all products at once.

Belongs here: the fit. Does not belong here: whether its outcome is used (judging).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from orchestration.science.purchases import Floats
from orchestration.science.replenishment.gaps import Gaps

STEP = 0.05
ROUNDS = 100
# A peak that is wider than this is no rhythm: a third of its gaps would be a fifth off and more
NARROW, WIDE = (0.05, 0.2), (0.5, 2.0)
SHARE = (0.02, 0.98)
STARTS = (0.1, 0.25, 0.45, 0.65)
_LOG_TAU = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Rhythms:
    """One row per product: the median of its rhythm in days, NaN with too few gaps; its share."""

    days: Floats
    share: Floats


@dataclass(frozen=True)
class _Mixture:
    """Parameters, each of shape (products, starts, 1)."""

    share: Floats
    narrow: tuple[Floats, Floats]
    wide: tuple[Floats, Floats]


def fit(gaps: Gaps, products: int, least: int) -> Rhythms:
    """The rhythm of each of `products` products that has at least so many finished gaps."""
    over, open_ = _counts(gaps, products)
    enough = over.sum(axis=1) >= max(least, 1)
    days, share = np.full(products, np.nan), np.zeros(products)
    if enough.any():
        mixture, likelihood = _fitted(over[enough], open_[enough])
        best = likelihood.argmax(axis=1)
        rows = np.arange(len(best))
        days[enough] = np.exp(mixture.narrow[0][rows, best, 0])
        share[enough] = mixture.share[rows, best, 0]
    return Rhythms(days, share)


def _counts(gaps: Gaps, products: int) -> tuple[Floats, Floats]:
    """Finished gaps and open waits per product and step of the logarithm."""
    step = np.rint(np.log(np.maximum(gaps.days, 1)) / STEP).astype(np.int64)
    steps = int(step.max(initial=0)) + 1
    cell = gaps.product * steps + step
    over, open_ = (
        np.bincount(cell[rows], minlength=products * steps).reshape(products, steps).astype(float)
        for rows in (gaps.is_over, ~gaps.is_over)
    )
    return over, open_


def _fitted(over: Floats, open_: Floats) -> tuple[_Mixture, Floats]:
    """The mixtures from every start, and the log-likelihood of each."""
    at: Floats = STEP * np.arange(over.shape[1], dtype=np.float64)
    mixture = _start(over, at)
    over, open_ = over[:, None, :], open_[:, None, :]
    for _ in range(ROUNDS):
        mixture = _improved(mixture, over, open_, at)
    density, survival = _logs(mixture, at)
    fits = over * np.logaddexp(*density) + open_ * np.logaddexp(*survival)
    return mixture, fits.sum(axis=2)


def _start(over: Floats, at: Floats) -> _Mixture:
    """Rhythms at several quantiles of the finished gaps; the rest as wide as they all are."""
    below = over.cumsum(axis=1) / over.sum(axis=1, keepdims=True)
    centre = np.stack([at[(below >= part).argmax(axis=1)] for part in STARTS], axis=1)[:, :, None]
    same = np.ones_like(centre)
    mean = (over * at).sum(axis=1) / over.sum(axis=1)
    return _Mixture(0.5 * same, (centre, 0.15 * same), (mean[:, None, None] + 0.5 * same, same))


def _logs(mixture: _Mixture, at: Floats) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Logarithms of density and survival of both parts, each with its share."""
    shares = np.log(mixture.share), np.log1p(-mixture.share)
    standard = [(at - mean) / sd for mean, sd in (mixture.narrow, mixture.wide)]
    density = [
        share - 0.5 * (z**2 + _LOG_TAU) - np.log(sd)
        for share, z, (_, sd) in zip(shares, standard, (mixture.narrow, mixture.wide), strict=True)
    ]
    survival = [share + log_ndtr(-z) for share, z in zip(shares, standard, strict=True)]
    return (density[0], density[1]), (survival[0], survival[1])


def _improved(mixture: _Mixture, over: Floats, open_: Floats, at: Floats) -> _Mixture:
    """One round: whose each gap is, then what each part is like."""
    density, survival = _logs(mixture, at)
    rhythmic = over * _first_share(density)
    waiting = open_ * _first_share(survival)
    narrow = _part(mixture.narrow, rhythmic, waiting, at, NARROW)
    wide = _part(mixture.wide, over - rhythmic, open_ - waiting, at, WIDE)
    total = (over + open_).sum(axis=2, keepdims=True)
    share = (rhythmic + waiting).sum(axis=2, keepdims=True) / total
    return _Mixture(np.clip(share, *SHARE), narrow, wide)


def _first_share(logs: tuple[Floats, Floats]) -> Floats:
    return np.exp(logs[0] - np.logaddexp(*logs))


def _part(
    part: tuple[Floats, Floats], over: Floats, open_: Floats, at: Floats,
    bounds: tuple[float, float],
) -> tuple[Floats, Floats]:  # fmt: skip
    """Mean and deviation: an open wait counts with the moments of what is longer than it."""
    mean, sd = part
    z = (at - mean) / sd
    hazard = np.exp(-0.5 * (z**2 + _LOG_TAU) - log_ndtr(-z))
    longer = mean + sd * hazard
    spread = sd**2 * (1 + z * hazard - hazard**2)
    weight = (over + open_).sum(axis=2, keepdims=True) + 1e-9
    new = (over * at + open_ * longer).sum(axis=2, keepdims=True) / weight
    squares = over * (at - new) ** 2 + open_ * (np.maximum(spread, 0) + (longer - new) ** 2)
    return new, np.clip(np.sqrt(squares.sum(axis=2, keepdims=True) / weight), *bounds)
