"""What a shop's buyers will do within a time: orders, spend, the chance of any, with intervals.

Method: BG/NBD or MBG/NBD for how often, Gamma-Gamma for how much, independent of each other; the
share of order days that come to nothing (all returned, given away) is the shop's. What is expected
of one person, and its interval, is in closed form.

Belongs here: what follows for a person from fitted models. Does not belong here: sums over people
(draws) and whether any of it may be published (back_test).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammainc, gammaincinv

from orchestration.science.value.bg_nbd import OrderModel, fit_orders
from orchestration.science.value.buyers import Buyers
from orchestration.science.value.fitting import Floats
from orchestration.science.value.gamma_gamma import ValueModel, fit_values

# The ends of an interval that is right nine times in ten


@dataclass(frozen=True)
class Spend:
    """What each person will spend: mean and variance, and the chance that they buy at all.

    Nobody spends less than nothing; what buyers spend is taken for a gamma of these moments.
    """

    mean: Floats
    variance: Floats
    buys: Floats

    def quantile(self, share: float) -> Floats:
        """What each person's spend stays below with this chance."""
        shape, scale = self._of_buyers
        within = np.clip((share - (1 - self.buys)) / np.maximum(self.buys, 1e-12), 0.0, 1.0)
        return np.where(within > 0, gammaincinv(shape, within) * scale, 0.0)

    def distribution(self, spend: Floats) -> tuple[Floats, Floats]:
        """The chance of less than this spend, and of at most it; they differ at nothing."""
        shape, scale = self._of_buyers
        until = 1 - self.buys + self.buys * gammainc(shape, np.maximum(spend, 0) / scale)
        return np.where(spend > 0, until, 0.0), until

    @property
    def _of_buyers(self) -> tuple[Floats, Floats]:
        """Shape and scale of the spend of those who buy."""
        buys = np.maximum(self.buys, 1e-12)
        mean = np.maximum(self.mean / buys, 1e-12)
        spread = np.maximum((self.variance + self.mean**2) / buys - mean**2, 1e-6 * mean**2)
        return mean**2 / spread, spread / mean


@dataclass(frozen=True)
class Outlook:
    """What is expected of each buyer within a horizon; rows as in `Buyers`.

    `buys` is the chance of an order, `wait` the time after which one is as likely as not to have
    come, inf where it never is; `spend` is None where no order ever came to anything.
    """

    alive: Floats
    orders: Floats
    buys: Floats
    wait: Floats
    spend: Spend | None


@dataclass(frozen=True)
class Models:
    """The models of one shop at one moment.

    `values` is None where no order came to anything; `paid_share` is the share that did.
    """

    orders: OrderModel
    values: ValueModel | None
    paid_share: float

    def outlook(self, buyers: Buyers, horizon: float) -> Outlook:
        """What is expected of these buyers within so many days."""
        distinct, row_of = buyers.histories.grouped()
        mean, variance = (each[row_of] for each in self.orders.orders(distinct, horizon))
        buys = self.orders.chance_of(np.ones(len(distinct.age)), distinct, horizon)[row_of]
        return Outlook(
            alive=self.orders.probability_alive(distinct)[row_of],
            orders=mean,
            buys=buys,
            wait=self.orders.wait(distinct)[row_of],
            spend=self._spend(buyers, mean, variance, buys) if self.values else None,
        )

    def chance_to_buy(self, buyers: Buyers, horizon: float) -> Floats:
        """The chance of an order within so many days."""
        distinct, row_of = buyers.histories.grouped()
        chance: Floats = self.orders.chance_of(np.ones(len(distinct.age)), distinct, horizon)[
            row_of
        ]
        return chance

    def _spend(self, buyers: Buyers, mean: Floats, variance: Floats, buys: Floats) -> Spend | None:
        """Orders that come to something, each worth what the person's orders are worth."""
        if self.values is None:
            return None
        paid = mean * self.paid_share
        paid_variance = variance * self.paid_share**2 + paid * (1 - self.paid_share)
        value, around, of_mean = self.values.order_value(buyers.paid_orders, buyers.mean_value)
        return Spend(
            paid * value,
            paid * around + (paid_variance + paid**2) * of_mean + paid_variance * value**2,
            buys,
        )


def fit(buyers: Buyers, *, may_leave_at_first: bool) -> Models:
    """Fit the models to what is known of buyers.

    Raises:
        NotConvergedError: a likelihood has no maximum to be found.
    """
    orders = fit_orders(buyers.histories, may_leave_at_first=may_leave_at_first)
    paid = buyers.paid_orders > 0
    values = None
    if paid.any():
        values = fit_values(buyers.paid_orders[paid], buyers.mean_value[paid])
    return Models(orders, values, buyers.paid_share)
