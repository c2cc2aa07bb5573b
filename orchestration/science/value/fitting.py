"""Maximum likelihood of a few positive parameters: fixed starts, bounds, and how sure the fit is.

Belongs here: what every likelihood of this folder shares. Does not belong here: any likelihood.

Parameters are sought as logarithms, so that they stay positive; the starts are fixed and nothing
is drawn, so the same data give the same parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
# The log-likelihood of log parameters and its gradient
LogLikelihood = Callable[[Floats], tuple[float, Floats]]

STEP = 1e-4  # of a log parameter, for derivatives by differences
NEWTON_STEPS = 20
# What is left of the gradient, per person, in a fit that has converged
TOLERANCE = 1e-6
BOUND_MARGIN = 1e-3


def sums(row_of: NDArray[np.integer], values: Floats, rows: int) -> Floats:
    """The sum of the values that belong to each row."""
    return np.bincount(row_of, weights=values, minlength=rows).astype(np.float64)


class NotConvergedError(Exception):
    """No start led to a maximum of the likelihood."""


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is highest.

    `logs` are the logarithms of the parameters, `covariance` is theirs, `log_likelihood` the sum
    over people.
    """

    logs: Floats
    covariance: Floats
    log_likelihood: float


def maximise(
    of: LogLikelihood,
    starts: tuple[tuple[float, ...], ...],
    bounds: tuple[tuple[float, float], ...],
    people: float,
) -> Maximum:
    """The maximum that the first of the starts to reach one leads to.

    Args:
        of: the log-likelihood, summed over people.
        starts: parameters to begin from, not their logarithms.
        bounds: the least and greatest value of each parameter. A parameter that ends at one is
            taken as known: its covariance is zero.
        people: how many people the likelihood is of.

    Raises:
        NotConvergedError: no start led to a maximum.
    """
    low, high = np.log(np.array(bounds)).T

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, gradient = of(logs)
        return -value / people, -gradient / people

    for start in starts:
        optimum = minimize(
            loss,
            np.log(np.array(start)),
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)),
            options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-7},
        )
        logs = _polished(of, np.asarray(optimum.x, dtype=np.float64), low, high)
        value, gradient = of(logs)
        free = _free(gradient, logs, low, high)
        if np.isfinite(value) and np.all(np.abs(gradient[free]) <= TOLERANCE * people):
            return Maximum(logs, _covariance(of, logs, free), value)
    raise NotConvergedError


def _free(gradient: Floats, logs: Floats, low: Floats, high: Floats) -> NDArray[np.bool_]:
    """The parameters that no bound holds back."""
    held = ((logs <= low + BOUND_MARGIN) & (gradient <= 0)) | (
        (logs >= high - BOUND_MARGIN) & (gradient >= 0)
    )
    return ~held


def _polished(of: LogLikelihood, logs: Floats, low: Floats, high: Floats) -> Floats:
    """A few steps of Newton's method from where the search ended, as long as they help."""
    value, gradient = of(logs)
    for _ in range(NEWTON_STEPS):
        free = _free(gradient, logs, low, high)
        if not free.any() or np.abs(gradient[free]).max() < 1e-9:
            break
        curvature = _curvature(of, logs, free)
        step = np.zeros_like(logs)
        step[free] = np.linalg.lstsq(curvature, gradient[free], rcond=1e-10)[0]
        coming = np.clip(logs + np.clip(step, -1, 1), low, high)
        coming_value, coming_gradient = of(coming)
        if not coming_value >= value:
            break
        logs, value, gradient = coming, coming_value, coming_gradient
    return logs


def _curvature(of: LogLikelihood, logs: Floats, free: NDArray[np.bool_]) -> Floats:
    """Minus the second derivatives of the log-likelihood, of the free parameters."""
    columns = []
    for i in np.flatnonzero(free):
        up, down = logs.copy(), logs.copy()
        up[i] += STEP
        down[i] -= STEP
        columns.append(-(of(up)[1] - of(down)[1])[free] / (2 * STEP))
    curvature = np.array(columns)
    return (curvature + curvature.T) / 2


def _covariance(of: LogLikelihood, logs: Floats, free: NDArray[np.bool_]) -> Floats:
    """The covariance of the log parameters; directions the data say nothing of are cut short."""
    covariance = np.zeros((len(logs), len(logs)))
    if free.any():
        values, vectors = np.linalg.eigh(_curvature(of, logs, free))
        # A standard deviation of more than 2 (a factor of seven) tells nothing further
        spread = np.where(values > 0.25, 1 / np.maximum(values, 0.25), 4.0)
        covariance[np.ix_(free, free)] = (vectors * spread) @ vectors.T
    return covariance
