"""How often people will order: the models BG/NBD and MBG/NBD, by maximum likelihood.

Method: Fader, Hardie and Lee, "Counting Your Customers the Easy Way" (2005). While somebody is
alive, orders arrive at random at their own rate, drawn from a gamma distribution (r, alpha); after
a repeat they leave for good with their own probability, drawn from a beta distribution (a, b). In
BG/NBD nobody leaves before a second order; in MBG/NBD (Batislam, Denizel and Filiztekin, 2007) the
first order too may be the last. Both are the same formulas with one chance to leave more or less.

Any unit of time does, the same throughout. Orders of one day count once: the models know no two
orders at one time. Belongs here: fitting, and what follows for a person in closed form. Does not
belong here: money (gamma_gamma) and whether the answer may be published (back_test).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, digamma, gammaln

from orchestration.science.value.fitting import Floats, maximise, sums

STARTS = ((0.5, 0.2, 0.5, 2.0), (1.0, 1.0, 1.0, 1.0), (2.0, 0.5, 0.1, 5.0))
BOUNDS = ((1e-3, 1e3), (1e-4, 1e4), (1e-4, 1e3), (1e-3, 1e4))
LEAST_CHANCE = 1e-9  # a chance of n orders that is smaller adds nothing to what is expected
MOST_ORDERS = 100_000


@dataclass(frozen=True)
class Histories:
    """What the models know of people: one row per person, or per distinct history.

    `repeats` are order days after the first, `last` is the time from the first to the last of
    them (0 without a repeat), `age` the time from the first to now, `people` how many share it.
    """

    repeats: Floats
    last: Floats
    age: Floats
    people: Floats

    @classmethod
    def of(cls, repeats: Floats, last: Floats, age: Floats) -> Histories:
        """One row per person, in their order."""
        return cls(repeats, last, age, np.ones(len(repeats)))

    def grouped(self) -> tuple[Histories, np.ndarray[tuple[int], np.dtype[np.intp]]]:
        """The distinct histories in order, and for each row which of them is its own."""
        rows = np.column_stack([self.repeats, self.last, self.age])
        distinct, row_of = np.unique(rows, axis=0, return_inverse=True)
        people = sums(row_of.ravel(), self.people, len(distinct))
        repeats, last, age = distinct.T
        return Histories(repeats, last, age, people), row_of.ravel()

    def rows(self, rows: slice | NDArray[np.intp]) -> Histories:
        """Some of them."""
        return Histories(self.repeats[rows], self.last[rows], self.age[rows], self.people[rows])

    def times(self, factor: float) -> Histories:
        """The same in another unit of time."""
        return replace(self, last=self.last * factor, age=self.age * factor)


@dataclass(frozen=True)
class OrderModel:
    """A fitted model; `alpha` is a time, the others have no unit.

    `may_leave_at_first` tells MBG/NBD from BG/NBD. `covariance` is of the logarithms of r, alpha,
    a and b.
    """

    r: float
    alpha: float
    a: float
    b: float
    may_leave_at_first: bool
    covariance: Floats
    log_likelihood: float

    @property
    def name(self) -> str:
        """Which of the two it is."""
        return "mbg_nbd" if self.may_leave_at_first else "bg_nbd"

    def _chances_to_leave(self, histories: Histories) -> Floats:
        return histories.repeats + self.may_leave_at_first

    def probability_alive(self, histories: Histories) -> Floats:
        """The chance that somebody has not left for good."""
        return self.alive(histories, self.r, self.alpha, self.a, self.b)

    def alive(self, histories: Histories, r: Any, alpha: Any, a: Any, b: Any) -> Floats:
        """The same by other parameters: numbers, or columns of them."""
        chances = self._chances_to_leave(histories)
        log_odds = (
            np.log(a)
            - np.log(b + np.maximum(chances, 1) - 1)
            + (r + histories.repeats)
            * (np.log(alpha + histories.age) - np.log(alpha + histories.last))
        )
        alive: Floats = np.where(chances > 0, 1 / (1 + np.exp(np.minimum(log_odds, 700))), 1.0)
        return alive

    def chance_of(self, count: Floats, histories: Histories, horizon: float | Floats) -> Floats:
        """The chance of at least so many orders within the horizon.

        Whoever is alive orders at a gamma rate that their history has sharpened, and before each
        order but the first must have stayed after the one before.
        """
        b = self.b + self._chances_to_leave(histories)
        r, alpha = self.r + histories.repeats, self.alpha + histories.age
        n = np.maximum(count, 1)
        stays = np.exp(betaln(self.a, b + n - 1) - betaln(self.a, b))
        arrive = betainc(n, r, horizon / (alpha + horizon))
        return np.where(count < 1, 1.0, self.probability_alive(histories) * stays * arrive)

    def any_order(
        self, histories: Histories, horizon: Any, r: Any, alpha: Any, a: Any, b: Any
    ) -> Floats:
        """The chance of an order within the horizon by other parameters: numbers, or columns."""
        waited = alpha + histories.age
        arrive = -np.expm1((r + histories.repeats) * np.log(waited / (waited + horizon)))
        chance: Floats = self.alive(histories, r, alpha, a, b) * arrive
        return chance

    def count_distribution(
        self, count: Floats, histories: Histories, horizon: float
    ) -> tuple[Floats, Floats]:
        """The chance of fewer orders than so many within the horizon, and of at most so many."""
        return (
            1 - self.chance_of(count, histories, horizon),
            1 - self.chance_of(count + 1, histories, horizon),
        )

    def orders(self, histories: Histories, horizon: float) -> tuple[Floats, Floats]:
        """The mean and the variance of the orders within the horizon, per row."""
        rows = len(histories.repeats)
        mean, square = np.zeros(rows), np.zeros(rows)
        ahead = np.arange(rows)
        part = histories
        for n in range(1, MOST_ORDERS):
            if not len(ahead):
                break
            chance = self.chance_of(np.full(len(ahead), float(n)), part, horizon)
            mean[ahead] += chance
            square[ahead] += (2 * n - 1) * chance
            goes_on = chance > LEAST_CHANCE
            if not goes_on.all():
                ahead = ahead[goes_on]
                part = histories.rows(ahead)
        return mean, np.maximum(square - mean**2, 0.0)

    def wait(self, histories: Histories) -> Floats:
        """The time after which an order is as likely as not to have come; inf where it never is."""
        alive = self.probability_alive(histories)
        silent = np.log1p(-0.5 / np.where(alive > 0.5, alive, 1.0))
        wait = (self.alpha + histories.age) * np.expm1(
            np.minimum(-silent / (self.r + histories.repeats), 700)
        )
        return np.where(alive > 0.5, wait, np.inf)


def fit_orders(histories: Histories, *, may_leave_at_first: bool = False) -> OrderModel:
    """Fit the model to people's histories.

    Raises:
        NotConvergedError: the likelihood has no maximum that the starts lead to.
    """
    unit = max(float(histories.age.max(initial=0.0)), 1e-300)
    grouped, _ = histories.times(1 / unit).grouped()
    chances = grouped.repeats + may_leave_at_first
    maximum = maximise(
        lambda logs: _log_likelihood(logs, grouped, chances),
        STARTS,
        BOUNDS,
        float(grouped.people.sum()),
    )
    r, alpha, a, b = np.exp(maximum.logs)
    repeats = float((grouped.repeats * grouped.people).sum())
    return OrderModel(
        float(r),
        float(alpha * unit),
        float(a),
        float(b),
        may_leave_at_first,
        maximum.covariance,
        maximum.log_likelihood - repeats * float(np.log(unit)),
    )


def _log_likelihood(logs: Floats, histories: Histories, chances: Floats) -> tuple[float, Floats]:
    """The log-likelihood of log parameters and its gradient; `chances` are chances to leave."""
    r, alpha, a, b = np.exp(logs)
    x, people = histories.repeats, histories.people
    log_last, log_age = np.log(alpha + histories.last), np.log(alpha + histories.age)
    stayed = -(r + x) * log_age
    before = b + np.maximum(chances, 1) - 1
    left = np.where(chances > 0, np.log(a) - np.log(before) - (r + x) * log_last, -np.inf)
    either = np.logaddexp(stayed, left)
    share = np.exp(left - either)  # of the likelihood that is due to having left
    value = (
        gammaln(r + x)
        - gammaln(r)
        + r * np.log(alpha)
        + gammaln(a + b)
        + gammaln(b + chances)
        - gammaln(b)
        - gammaln(a + b + chances)
        + either
    )
    rate = digamma(r + x) - digamma(r) + np.log(alpha) - (1 - share) * log_age - share * log_last
    time = r / alpha - (r + x) * (
        (1 - share) / (alpha + histories.age) + share / (alpha + histories.last)
    )
    leaving = digamma(a + b) - digamma(a + b + chances)
    staying = leaving + digamma(b + chances) - digamma(b) - share * (chances > 0) / before
    slopes = [rate * r, time * alpha, leaving * a + share, staying * b]
    return float((people * value).sum()), np.array([(people * s).sum() for s in slopes])
