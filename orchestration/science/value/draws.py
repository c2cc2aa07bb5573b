"""What groups of people will do together, by seeded draws from the fitted models.

Three things make a total unsure, and each draw has its own of all three: chance (what people with
the same history do differs), the parameters (another sample of the same shop would give others) and
drift (the models know no season and no change of the shop, which moves everybody at once).

Belongs here: drawing. Does not belong here: what is expected of one person, in closed
form (outlook).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.science.measures import DRAWS, HIGH, LOW, SEED, moved_together
from orchestration.science.value.bg_nbd import Histories, OrderModel
from orchestration.science.value.buyers import Buyers
from orchestration.science.value.fitting import Floats
from orchestration.science.value.outlook import Models

ROWS_AT_ONCE = 10_000  # of histories, each with all draws


@dataclass(frozen=True)
class Draws:
    """A row per draw and a column per person: orders, and spend where it can be said."""

    orders: Floats
    spend: Floats | None


def draw(
    models: Models, buyers: Buyers, horizon: float, drift: float, rng: np.random.Generator
) -> Draws:
    """Draw what these buyers do within so many days.

    Args:
        models: the fitted models.
        buyers: the people.
        horizon: days.
        drift: the standard deviation of the logarithm of what moves everybody at once.
        rng: the stream of chance.
    """
    orders = draw_orders(models, buyers, horizon, drift, rng)
    if models.values is None:
        return Draws(orders, None)
    known = models.values
    p, q, v = _drawn(np.log([known.p, known.q, known.v]), known.covariance, rng)
    paid = rng.binomial(orders.astype(np.int64), models.paid_share)
    money = v + buyers.paid_orders * buyers.mean_value
    return Draws(orders, rng.gamma(p * paid) * money / rng.gamma(q + p * buyers.paid_orders))


def draw_orders(
    models: Models, buyers: Buyers, horizon: float, drift: float, rng: np.random.Generator
) -> Floats:
    """Draw how often these buyers order within so many days; see `draw`."""
    return _orders(models.orders, buyers.histories, horizon * moved_together(drift, rng), rng)


def churn_interval(
    model: OrderModel, histories: Histories, horizon: float, drift: float
) -> tuple[Floats, Floats]:
    """Between which two values the chance of no order lies nine times in ten, per row.

    Unsure are the parameters and the drift; what chance adds is what the number itself says.
    """
    rng = np.random.default_rng(SEED)
    logs = np.log([model.r, model.alpha, model.a, model.b])
    moved = moved_together(drift, rng)
    drawn = _drawn(logs, model.covariance, rng)
    rows = len(histories.age)
    low, high = np.zeros(rows), np.zeros(rows)
    for start in range(0, rows, ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        silent = 1 - model.any_order(histories.rows(part), horizon * moved, *drawn)
        low[part], high[part] = np.quantile(silent, (LOW, HIGH), axis=0)
    return low, high


def _orders(
    model: OrderModel, histories: Histories, horizon: Floats, rng: np.random.Generator
) -> Floats:
    """Each person's orders: as many as their rate brings, until they leave after one."""
    logs = np.log([model.r, model.alpha, model.a, model.b])
    r, alpha, a, b = _drawn(logs, model.covariance, rng)
    alive = model.alive(histories, r, alpha, a, b)
    rate = rng.gamma(r + histories.repeats) / (alpha + histories.age)
    leaving = rng.beta(a, b + histories.repeats + model.may_leave_at_first)
    arriving = rng.poisson(rate * horizon)
    stays = rng.random(alive.shape) < alive
    until_leaving = rng.geometric(np.maximum(leaving, 1e-12))
    return np.where(stays, np.minimum(arriving, until_leaving), 0).astype(np.float64)


def _drawn(logs: Floats, covariance: Floats, rng: np.random.Generator) -> Floats:
    """Parameters as other samples of the same shop would give them: each a column of draws."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn: Floats = np.exp(logs + rng.standard_normal((DRAWS, len(logs))) @ root.T)
    return drawn.T[:, :, None]
