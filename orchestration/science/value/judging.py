"""One model at one origin: its errors beside naive rules, and how often its intervals were right.

Belongs here: what happened after an origin, and the rules. Does not belong here: which origins
(back_test), how errors and coverage are measured (measures), what follows (verdicts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from orchestration.science.measures import (
    SEED,
    Rows,
    beside,
    coverage,
    coverage_of_counts,
    random_groups,
    share_by_fifth,
    within,
)
from orchestration.science.value.buyers import Buyers, Sales, buyers_on
from orchestration.science.value.draws import draw, draw_orders
from orchestration.science.value.fitting import Floats, NotConvergedError, sums
from orchestration.science.value.margins import margin_share, margins
from orchestration.science.value.outlook import Models, Outlook, fit
from orchestration.science.verdicts import (
    NOT_CONVERGED,
    NOTHING_PAID,
    OF_PEOPLE,
    TOO_FEW_REPEAT_BUYERS,
    UNKNOWN_COST,
    Judgement,
)

ORDERS, SPEND, ALIVE, NEXT_ORDER = "orders", "spend", "alive", "next_order"
MARGIN = "margin"
TARGETS = (ORDERS, SPEND, MARGIN, ALIVE, NEXT_ORDER)
# Whether somebody orders at all within so many days
WINDOWS = {"buys_in_7d": 7, "buys_in_30d": 30, "buys_in_90d": 90}
# Four parameters are not learnt from fewer people than this, whatever came of it
LEAST_REPEAT_BUYERS = 5


@dataclass(frozen=True)
class Outcome:
    """What people did within the horizon after an origin; rows as in `Buyers`.

    `margin` is that of the orders of these days; None where the cost of one is unknown.
    """

    orders: Floats
    spend: Floats
    wait: Floats
    margin: Floats | None

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
    margin_share: float | str
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
            margin_share=margin_share(sales, origin, horizon),
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
            nothing = (replace(blank[target], reason=NOTHING_PAID) for target in (SPEND, MARGIN))
            return [*judged, *nothing]
        return [*judged, self._spend(blank[SPEND], spend), self._margin(blank[MARGIN], spend)]

    def _orders(self, blank: Judgement, drawn: Floats) -> Judgement:
        actual, histories = self.outcome.orders, self.buyers.histories
        known = self.models.orders.count_distribution(actual, histories, self.horizon)
        return replace(
            self._squared(
                blank, self.outlook.orders, actual, self.before.orders, histories.repeats + 1
            ),
            coverage=coverage(drawn, actual, self.groups),
            coverage_people=within(known, self.chance),
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
            coverage=coverage_of_counts(drawn > 0, actual, self.groups),
        )

    def _spend(self, blank: Judgement, drawn: Floats) -> Judgement:
        actual, spend = self.outcome.spend, self.outlook.spend
        assert spend is not None  # noqa: S101 - the caller looked
        return replace(
            self._squared(blank, spend.mean, actual, self.before.spend, self.buyers.spent),
            coverage=coverage(drawn, actual, self.groups),
            coverage_people=within(spend.distribution(actual), self.chance),
        )

    def _margin(self, blank: Judgement, drawn: Floats) -> Judgement:
        """The shop's share of what each will spend, beside what then stayed."""
        share, spend = self.margin_share, self.outlook.spend
        actual, before = self.outcome.margin, self.before.margin
        if isinstance(share, str):
            return replace(blank, reason=share)
        if spend is None or actual is None or before is None:
            return replace(blank, reason=UNKNOWN_COST)
        return replace(
            self._squared(blank, spend.mean * share, actual, before, self.buyers.spent * share),
            coverage=coverage(drawn * share, actual, self.groups),
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
        judged = beside(blank, (forecast - actual) ** 2, losses, forecast, actual)
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
        judged = beside(blank, np.abs(wait - actual), losses, wait, actual)
        has_come, model, one = self.outcome.orders > 0, self.models.orders, np.ones(len(wait))
        by_then = model.chance_of(one, histories, actual)
        day_before = model.chance_of(one, histories, actual - 1)
        known = np.where(has_come, day_before, by_then), np.where(has_come, by_then, 1.0)
        return replace(judged, judged_by=OF_PEOPLE, coverage_people=within(known, self.chance))


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
    margin = margins(sales, origin, origin + horizon, size)
    return Outcome(
        orders[buyers.person],
        spend[buyers.person],
        wait[buyers.person],
        None if margin is None else margin[buyers.person],
    )


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
    bought = outcome_of(sales, earlier, origin - horizon, horizon).buys
    return share_by_fifth(silent, bought, (origin - buyers.latest).astype(np.float64))
