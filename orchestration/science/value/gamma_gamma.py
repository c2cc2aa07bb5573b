"""How much an order will be worth: the Gamma-Gamma model, by maximum likelihood.

Method: Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013). A person's orders vary
around their own mean by a gamma distribution of shape p; the scales differ between people by
another (q, v). So the mean of few orders is drawn toward the shop's, the mean of many hardly is.

It takes values above zero: orders that are worth nothing are counted apart (value.py). `v` has the
unit of the money. Does not belong here: how many orders there will be (bg_nbd).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from orchestration.science.value.fitting import Floats, maximise

STARTS = ((1.0, 3.0, 1.0), (5.0, 4.0, 2.0), (20.0, 10.0, 1.0))
# From q = 2 on the value of an order has a variance; a shop whose orders had none is cut short
BOUNDS = ((1e-2, 1e4), (2.05, 1e4), (1e-6, 1e8))


@dataclass(frozen=True)
class ValueModel:
    """A fitted model; `v` is money, p and q have no unit; `covariance` is of their logarithms."""

    p: float
    q: float
    v: float
    covariance: Floats

    def order_value(self, orders: Floats, mean_value: Floats) -> tuple[Floats, Floats, Floats]:
        """What a person's further orders are worth: mean, variance around it, variance of it.

        The second is how much one order differs from the person's own mean; the third how unsure
        that mean is, which all their further orders share.

        Args:
            orders: how many orders of a person are known (0 gives what is true of the shop).
            mean_value: their mean; whatever it is where there are none.
        """
        q, v = self.q + self.p * orders, self.v + orders * mean_value
        mean = self.p * v / (q - 1)
        of_mean = mean**2 / (q - 2)
        return mean, (mean**2 + of_mean) / self.p, of_mean


def fit_values(orders: Floats, mean_value: Floats) -> ValueModel:
    """Fit the model to people's counts of orders and the means of their values, above zero both.

    Raises:
        NotConvergedError: the likelihood has no maximum that the starts lead to.
    """
    unit = float((orders * mean_value).sum() / orders.sum())
    maximum = maximise(
        lambda logs: _log_likelihood(logs, orders, mean_value / unit),
        STARTS,
        BOUNDS,
        float(len(orders)),
    )
    p, q, v = np.exp(maximum.logs)
    return ValueModel(float(p), float(q), float(v * unit), maximum.covariance)


def _log_likelihood(logs: Floats, orders: Floats, mean_value: Floats) -> tuple[float, Floats]:
    """The log-likelihood of log parameters and its gradient."""
    p, q, v = np.exp(logs)
    total = np.log(v + orders * mean_value)
    value = (
        gammaln(p * orders + q)
        - gammaln(p * orders)
        - gammaln(q)
        + q * np.log(v)
        + (p * orders - 1) * np.log(mean_value)
        + p * orders * np.log(orders)
        - (p * orders + q) * total
    )
    more = digamma(p * orders + q)
    slopes = [
        p * orders * (more - digamma(p * orders) + np.log(mean_value) + np.log(orders) - total),
        q * (more - digamma(q) + np.log(v) - total),
        q - v * (p * orders + q) / (v + orders * mean_value),
    ]
    return float(value.sum()), np.array([slope.sum() for slope in slopes])
