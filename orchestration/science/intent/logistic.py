"""Logistic regression with a small penalty, by Newton's method: nothing of it is drawn.

Belongs here: the fit and the chance it gives. Does not belong here: what the columns mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.science.verdicts import Floats

# The penalty on each weight of a standardised column: that of one row, which decides nothing in a
# shop of some size and keeps weights finite where a column tells two groups apart for certain
PENALTY = 1.0
STEPS = 50
TOLERANCE = 1e-8
# Farther from nothing a chance is no longer told from 0 or 1
MOST_LOGIT = 30.0


@dataclass(frozen=True)
class Logistic:
    """A fit: weights of the constant and of each standardised column."""

    means: Floats
    scales: Floats
    weights: Floats

    def chance(self, columns: Floats) -> Floats:
        """The chance of each row, 0 to 1."""
        return _chance(_standard(columns, self.means, self.scales), self.weights)


def fit(columns: Floats, happened: Floats) -> Logistic | None:
    """The fit of rows of which is known whether it happened (0 or 1); None where none is found."""
    means, scales = columns.mean(axis=0), columns.std(axis=0)
    scales = np.where(scales > 0, scales, 1.0)
    standard = _standard(columns, means, scales)
    penalty = np.full(standard.shape[1], PENALTY)
    penalty[0] = 0.0
    weights = np.zeros(standard.shape[1])
    for _ in range(STEPS):
        chance = _chance(standard, weights)
        slope = standard.T @ (happened - chance) - penalty * weights
        curve = (standard * (chance * (1 - chance))[:, None]).T @ standard + np.diag(penalty)
        try:
            step = np.linalg.solve(curve, slope)
        except np.linalg.LinAlgError:
            return None
        weights = weights + step
        if not np.isfinite(weights).all():
            return None
        if np.abs(step).max() < TOLERANCE:
            return Logistic(means, scales, weights)
    return None


def _standard(columns: Floats, means: Floats, scales: Floats) -> Floats:
    standard: Floats = np.column_stack([np.ones(len(columns)), (columns - means) / scales])
    return standard


def _chance(standard: Floats, weights: Floats) -> Floats:
    logit = np.clip(standard @ weights, -MOST_LOGIT, MOST_LOGIT)
    chance: Floats = 1 / (1 + np.exp(-logit))
    return chance
