"""One model at one origin: its errors beside naive rules, and how often its intervals were right.

Belongs here: what happened after an origin, the rules, errors and coverage. Does not belong here:
which origins, and what follows from the judgements (back_test).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestration.science.value.buyers import Buyers, Sales, buyers_on
from orchestration.science.value.draws import SEED, draw, draw_orders
from orchestration.science.value.fitting import Floats, NotConvergedError, sums
from orchestration.science.value.outlook import HIGH, LOW, Models, Outlook, fit

Rows = NDArray[np.intp]
ORDERS, SPEND, ALIVE, NEXT_ORDER = "orders", "spend", "alive", "next_order"
TARGETS = (ORDERS, SPEND, ALIVE, NEXT_ORDER)
# Whether somebody orders at all within so many days
WINDOWS = {"buys_in_7d": 7, "buys_in_30d": 30, "buys_in_90d": 90}
TOO_FEW_REPEAT_BUYERS = "too_few_repeat_buyers"
NOT_CONVERGED = "did_not_converge"
NOTHING_PAID = "nothing_paid"
# Four parameters are not learnt from fewer people than this, whatever came of it
LEAST_REPEAT_BUYERS = 5
GROUPS = 50
LEAST_GROUP = 10
MOST_GROUP = 200
BANDS = 5


@dataclass(frozen=True)
class Judgement:
    """One model at one origin, on one target, over a horizon of days.

    `error` is the root mean squared error per person (days of mean absolute error for the next
    order); `coverage` is the share of totals of random groups within their 90 % intervals, and
    `coverage_people` that of single people by the randomised probability transform. `advantages`
    are per person, the best rule's loss less the model's; what is no number has no interval. What
    cannot be said is None: all of it where there is a `reason`.
    """

    model: str
    target: str
    origin: int
    horizon: int
    people: int
    error: float | None = None
    baseline_error: float | None = None
    baseline: str | None = None
    predicted_total: float | None = None
    actual_total: float | None = None
    coverage: float | None = None
    coverage_people: float | None = None
    reason: str | None = None
    advantages: Floats | None = None
    has_interval: bool = True


@dataclass(frozen=True)
class Outcome:
    """What people did within the horizon after an origin; rows as in `Buyers`."""

    orders: Floats
    spend: Floats
    wait: Floats

    @property
    def buys(self) -> Floats:
        """1 for whoever ordered."""
        return (self.orders > 0).astype(np.float64)


@dataclass(frozen=True)
class _Origin:
    """What one model says at one origin, and what then happened."""

    models: Models
    buyers: Buyers
    outlook: Outlook
    before: Outcome
    outcome: Outcome
    usual_share: Floats
    horizon: int
    groups: list[Rows]
    chance: Floats

    @classmethod
    def at(cls, sales: Sales, buyers: Buyers, models: Models, origin: int, horizon: int) -> _Origin:
        """What these models say of these buyers, and what happened before and after."""
        rng = np.random.default_rng(SEED)
        return cls(
            models,
            buyers,
            models.outlook(buyers, horizon),
            before=outcome_of(sales, buyers, origin - horizon, horizon),
            outcome=outcome_of(sales, buyers, origin, horizon),
            usual_share=share_by_silence(sales, buyers, origin, horizon),
            horizon=horizon,
            groups=random_groups(len(buyers), rng),
            chance=rng.random(len(buyers)),
        )

    @property
    def members(self) -> Buyers:
        """The members of the groups, side by side."""
        return self.buyers.rows(np.concatenate([np.arange(0), *self.groups]).astype(np.intp))

    def judgements(
        self, blank: Mapping[str, Judgement], drifts: Mapping[str, float]
    ) -> list[Judgement]:
        """Every target."""
        members = self.members
        drawn = {
            target: draw(
                self.models, members, self.horizon, drifts[target], np.random.default_rng(SEED)
            )
            for target in (ORDERS, SPEND)
        }
        judged = [
            self._orders(blank[ORDERS], drawn[ORDERS].orders),
            self._alive(blank[ALIVE], drawn[ORDERS].orders),
            self._next_order(blank[NEXT_ORDER]),
        ]
        spend = drawn[SPEND].spend
        if self.outlook.spend is None or spend is None:
            return [*judged, replace(blank[SPEND], reason=NOTHING_PAID)]
        return [*judged, self._spend(blank[SPEND], spend)]

    def _orders(self, blank: Judgement, drawn: Floats) -> Judgement:
        actual, histories = self.outcome.orders, self.buyers.histories
        known = self.models.orders.count_distribution(actual, histories, self.horizon)
        return replace(
            self._squared(
                blank, self.outlook.orders, actual, self.before.orders, histories.repeats + 1
            ),
            coverage=_coverage(drawn, actual, self.groups),
            coverage_people=_within(known, self.chance),
        )

    def window(self, blank: Judgement, drift: float) -> Judgement:
        """Whether somebody orders within a short horizon."""
        rng = np.random.default_rng(SEED)
        orders = draw_orders(self.models, self.members, self.horizon, drift, rng)
        return self._alive(blank, orders)

    def _alive(self, blank: Judgement, drawn: Floats) -> Judgement:
        """Whether somebody is alive is never seen; whether they order within the horizon is.

        The squared error of a chance is its Brier score. Beside the rules of the others stands
        `by_silence`: the share of people as long silent who ordered in the horizon before.
        """
        actual = self.outcome.buys
        once = np.ones(len(actual))
        return replace(
            self._squared(
                blank,
                self.outlook.buys,
                actual,
                self.before.buys,
                once,
                by_silence=self.usual_share,
            ),
            coverage=_coverage_of_counts(drawn > 0, actual, self.groups),
        )

    def _spend(self, blank: Judgement, drawn: Floats) -> Judgement:
        actual, spend = self.outcome.spend, self.outlook.spend
        assert spend is not None  # noqa: S101 - the caller looked
        return replace(
            self._squared(blank, spend.mean, actual, self.before.spend, self.buyers.spent),
            coverage=_coverage(drawn, actual, self.groups),
            coverage_people=_within(spend.distribution(actual), self.chance),
        )

    def _squared(
        self,
        blank: Judgement,
        forecast: Floats,
        actual: Floats,
        last: Floats,
        total: Floats,
        **more: Floats,
    ) -> Judgement:
        """Squared errors beside the naive rules.

        `mean`: everybody does what a buyer did on the average in the horizon before. `last_period`:
        each does it again. `simple_formula`: average value times frequency times horizon, that is
        the person's total spread over the time they are known, at least a horizon.
        """
        known = np.maximum(self.buyers.histories.age, self.horizon)
        rules = {
            "mean": np.full(len(last), last.mean()),
            "last_period": last,
            "simple_formula": total / known * self.horizon,
            **more,
        }
        losses = {name: (rule - actual) ** 2 for name, rule in rules.items()}
        judged = _beside(blank, (forecast - actual) ** 2, losses, forecast, actual)
        return replace(
            judged,
            error=float(np.sqrt(judged.error or 0.0)),
            baseline_error=float(np.sqrt(judged.baseline_error or 0.0)),
        )

    def _next_order(self, blank: Judgement) -> Judgement:
        """Days to the next order, cut at the horizon, beside the person's usual gap and never."""
        actual, histories = self.outcome.wait, self.buyers.histories
        wait = np.minimum(self.outlook.wait, self.horizon)
        repeats = histories.repeats
        usual = histories.last.sum() / repeats.sum()
        gap = np.where(repeats > 0, histories.last / np.maximum(repeats, 1), usual)
        rules = {
            "usual_gap": np.clip(gap - (histories.age - histories.last), 0, self.horizon),
            "never": np.full(len(wait), float(self.horizon)),
        }
        losses = {name: np.abs(rule - actual) for name, rule in rules.items()}
        judged = _beside(blank, np.abs(wait - actual), losses, wait, actual)
        has_come, model, one = self.outcome.orders > 0, self.models.orders, np.ones(len(wait))
        by_then = model.chance_of(one, histories, actual)
        day_before = model.chance_of(one, histories, actual - 1)
        known = np.where(has_come, day_before, by_then), np.where(has_come, by_then, 1.0)
        return replace(judged, coverage_people=_within(known, self.chance))


def judge(
    sales: Sales,
    origin: int,
    horizon: int,
    drifts: Mapping[str, float],
    *,
    may_leave_at_first: bool,
) -> list[Judgement]:
    """Judge one model at one origin on every target.

    Args:
        sales: all that is known today.
        origin: the day to predict from, with what was known then.
        horizon: days to predict, and to look at.
        drifts: how far the shop as a whole may move, for orders and spend (draws).
        may_leave_at_first: which of the two order models (bg_nbd).
    """
    buyers = buyers_on(sales, origin)
    model = model_name(may_leave_at_first=may_leave_at_first)
    blank = {target: Judgement(model, target, origin, horizon, len(buyers)) for target in TARGETS}
    models = fit_or_reason(buyers, model)
    if isinstance(models, str):
        return [replace(each, reason=models) for each in blank.values()]
    return _Origin.at(sales, buyers, models, origin, horizon).judgements(blank, drifts)


def judge_windows(
    sales: Sales, origin: int, drifts: Mapping[str, float], *, may_leave_at_first: bool
) -> list[Judgement]:
    """Judge one model at one origin on whether people order within each window; see `judge`."""
    buyers = buyers_on(sales, origin)
    model = model_name(may_leave_at_first=may_leave_at_first)
    blank = {
        target: Judgement(model, target, origin, days, len(buyers))
        for target, days in WINDOWS.items()
    }
    models = fit_or_reason(buyers, model)
    if isinstance(models, str):
        return [replace(each, reason=models) for each in blank.values()]
    return [
        _Origin.at(sales, buyers, models, origin, days).window(blank[target], drifts[target])
        for target, days in WINDOWS.items()
    ]


def model_name(*, may_leave_at_first: bool) -> str:
    """Which of the two order models (bg_nbd) it is."""
    return "mbg_nbd" if may_leave_at_first else "bg_nbd"


def fit_or_reason(buyers: Buyers, model: str) -> Models | str:
    """The models of these buyers, or why there are none."""
    if buyers.repeat_buyers < LEAST_REPEAT_BUYERS:
        return TOO_FEW_REPEAT_BUYERS
    try:
        return fit(buyers, may_leave_at_first=model == "mbg_nbd")
    except NotConvergedError:
        return NOT_CONVERGED


def outcome_of(sales: Sales, buyers: Buyers, origin: int, horizon: int) -> Outcome:
    """What these people did after the origin."""
    after = sales.between(origin, origin + horizon)
    size = int(max(buyers.person.max(initial=-1), sales.person.max(initial=-1))) + 1
    spend = sums(after.person, after.amount, size)
    person, day, _ = after.order_days
    is_new = day > origin  # what came back of an earlier order is no new one
    orders = sums(person[is_new], np.ones(int(is_new.sum())), size)
    wait = np.full(size, float(horizon))
    np.minimum.at(wait, person[is_new], (day[is_new] - origin).astype(np.float64))
    return Outcome(orders[buyers.person], spend[buyers.person], wait[buyers.person])


def share_by_silence(sales: Sales, buyers: Buyers, origin: int, horizon: int) -> Floats:
    """For each buyer the share of people as long silent who ordered in the horizon before.

    As long: the same fifth of the days since the last order, as they were a horizon earlier. Where
    nobody had ordered by then it is the share of all buyers who ordered since.
    """
    earlier = buyers_on(sales, origin - horizon)
    if not len(earlier):
        return np.full(
            len(buyers), outcome_of(sales, buyers, origin - horizon, horizon).buys.mean()
        )
    silent = (origin - horizon - earlier.latest).astype(np.float64)
    edges = np.quantile(silent, np.arange(1, BANDS) / BANDS)
    band = np.searchsorted(edges, silent)
    bought = outcome_of(sales, earlier, origin - horizon, horizon).buys
    share = sums(band, bought, BANDS) / np.maximum(np.bincount(band, minlength=BANDS), 1)
    of_buyer: Floats = share[np.searchsorted(edges, (origin - buyers.latest).astype(np.float64))]
    return of_buyer


def _beside(
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


def _coverage(drawn: Floats, actual: Floats, groups: list[Rows]) -> float | None:
    """The share of groups whose total lies within its 90 % interval; None without groups.

    `drawn` has the members of the groups side by side.
    """
    if not groups:
        return None
    low, high = np.quantile(_totals(drawn, groups), (LOW, HIGH), axis=0)
    happened = np.array([actual[group].sum() for group in groups])
    return float(((low <= happened) & (happened <= high)).mean())


def _coverage_of_counts(drawn: NDArray[Any], actual: Floats, groups: list[Rows]) -> float | None:
    """The same of how many of each group do something, by the randomised probability transform.

    Intervals of small counts hold more than they say.
    """
    if not groups:
        return None
    totals = _totals(drawn, groups)
    happened = np.array([actual[group].sum() for group in groups])
    distribution = (totals < happened).mean(axis=0), (totals <= happened).mean(axis=0)
    return _within(distribution, np.random.default_rng(SEED).random(len(groups)))


def _totals(drawn: NDArray[Any], groups: list[Rows]) -> NDArray[Any]:
    """A row per draw and a column per group."""
    totals: NDArray[Any] = drawn.reshape(len(drawn), len(groups), -1).sum(axis=2)
    return totals


def _within(distribution: tuple[Floats, Floats], chance: Floats) -> float:
    """The share of people whose randomised probability transform lies in the middle nine tenths."""
    below, until = distribution
    transform = below + chance * (until - below)
    return float(((transform >= LOW) & (transform <= HIGH)).mean())


def random_groups(people: int, rng: np.random.Generator) -> list[Rows]:
    """Fifty groups of people, drawn anew each; none where there are too few to draw from."""
    size = min(max(LEAST_GROUP, people // GROUPS), MOST_GROUP)
    if people < size:
        return []
    return [np.sort(rng.choice(people, size, replace=False)) for _ in range(GROUPS)]
