"""The difference that a treatment made, with an interval that holds however often one looks.

Belongs here: the estimate, its variance, its interval, whether the groups were drawn as planned,
how long a difference takes to show. Does not belong here: who was in which group, or files.

Sources: variance reduction by what people did before, Deng, Xu, Kohavi, Walker (2013), CUPED,
https://doi.org/10.1145/2433396.2433413; intervals for any moment, Howard, Ramdas, McAuliffe,
Sekhon (2021), https://doi.org/10.1214/20-AOS1991 (normal mixture), by the central limit theorem
as in Waudby-Smith et al. (2024), https://doi.org/10.1214/24-AOS2408; ratios by the delta method,
Deng, Knoblich, Lu (2018), https://doi.org/10.1145/3219819.3219919; unequal groups by a
chi-square test, Fabijan et al. (2019), https://doi.org/10.1145/3292500.3330722.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEVEL = 0.95
# Fewer people in a group: a mean of theirs is no normal one.
LEAST_GROUP = 30
# So unlikely by chance: somebody was put into a group by what they did.
UNEQUAL_BELOW = 0.001
POWER = 0.8


@dataclass(frozen=True)
class Lift:
    """What one person did more for being treated, on average.

    Attributes:
        treated, control: means of the groups as they are, nothing taken out.
        lift: the difference, chance in what people did before taken out.
        low, high: an interval of `LEVEL` that holds at every look together; NaN where a group has
            fewer than `LEAST_GROUP` people or nothing differs between any two of them.
        is_conclusive: whether it leaves out zero.
        variance_kept: the share of the variance that is left after what was done before.
        variance: of the difference.
    """

    treated: float
    control: float
    lift: float
    low: float
    high: float
    is_conclusive: bool
    variance_kept: float
    variance: float


def lift(outcome: Floats, before: Floats, is_treated: Flags, share_done: float) -> Lift:
    """Compare the groups.

    Args:
        outcome: what each did since they were drawn, (people,).
        before: the same of the time before, zero where nothing is known, (people,).
        is_treated: who was treated, (people,).
        share_done: how much of the planned time is over; more than 1 after it.
    """
    treated, control = outcome[is_treated], outcome[~is_treated]
    if min(len(treated), len(control)) < LEAST_GROUP:
        return Lift(
            _mean(treated), _mean(control), math.nan, math.nan, math.nan, False, math.nan, 0
        )
    adjusted = outcome - _slope(outcome, before, is_treated) * (before - before.mean())
    groups = (adjusted[is_treated], adjusted[~is_treated])
    difference = float(groups[0].mean() - groups[1].mean())
    variance = sum(float(group.var(ddof=1)) / len(group) for group in groups)
    plain = sum(float(group.var(ddof=1)) / len(group) for group in (treated, control))
    half = half_width(variance, share_done)
    return Lift(
        float(treated.mean()),
        float(control.mean()),
        difference,
        difference - half,
        difference + half,
        bool(abs(difference) > half),
        variance / plain if plain > 0 else math.nan,
        variance,
    )


def ratio_lift(part: Floats, whole: Floats, is_treated: Flags, share_done: float) -> Lift:
    """Compare ratios of sums, such as net sales by orders, by what each person moves their group's.

    Who has nothing of the whole moves nothing; who of the rest there is has to be `LEAST_GROUP` in
    each group. What was done before is left in: the time before has another whole.

    Args:
        part: what each has above the line, (people,).
        whole: what each has below it, (people,).
        is_treated: who was treated, (people,).
        share_done: how much of the planned time is over; more than 1 after it.
    """
    ratios, variances, sizes = [], [], []
    for group in (is_treated, ~is_treated):
        ratio = float(part[group].sum() / whole[group].sum()) if whole[group].sum() else math.nan
        ratios.append(ratio)
        sizes.append(np.count_nonzero(whole[group]))
        if sizes[-1] >= LEAST_GROUP:
            moved = (part[group] - ratio * whole[group]) / whole[group].mean()
            variances.append(float(moved.var(ddof=1)) / len(moved))
    if min(sizes) < LEAST_GROUP:
        return Lift(ratios[0], ratios[1], math.nan, math.nan, math.nan, False, math.nan, 0)
    # Of a ratio the variance falls as people do more, so that what it is in sums is the same
    difference, half = ratios[0] - ratios[1], half_width(sum(variances), share_done)
    return Lift(
        *(ratios[0], ratios[1], difference, difference - half, difference + half),
        is_conclusive=bool(abs(difference) > half),
        variance_kept=1 if sum(variances) > 0 else math.nan,
        variance=sum(variances),
    )


def half_width(variance: float, share_done: float) -> float:
    """Half of the interval of a difference with this variance; NaN without any.

    What people do adds up, and with it the variance. The boundary is tightest at the planned end,
    so it has to be the same at every look: it goes by the variance that is to be expected then.
    """
    if variance <= 0 or share_done <= 0:
        return math.nan
    error = 1 - LEVEL
    # In units of the variance so far: what the mixture has
    mixture = 1 / share_done / (-2 * math.log(error) + math.log(1 - 2 * math.log(error)))
    return math.sqrt(variance * (1 + mixture) * math.log((1 + mixture) / (mixture * error**2)))


def weeks_to_detect(variance: float, difference: float, days: float) -> float | None:
    """Weeks that would show such a difference in four of five cases; None where none would.

    Args:
        variance: of the difference between the groups after `days`.
        difference: what there is to find in that time; both grow with it.
        days: for how long people have been treated.
    """
    if variance <= 0 or difference == 0 or days <= 0:
        return None
    reach = half_width(variance, 1) + stats.norm.ppf(POWER) * math.sqrt(variance)
    return float(days / 7 * (reach / abs(difference)) ** 2)


def is_unequal(treated: int, control: int, planned_share: float) -> bool:
    """Whether the groups' sizes are no draw of the planned share."""
    people = treated + control
    if people == 0 or not 0 < planned_share < 1:
        return False
    expected = [people * planned_share, people * (1 - planned_share)]
    return bool(stats.chisquare([treated, control], expected).pvalue < UNEQUAL_BELOW)


def _slope(outcome: Floats, before: Floats, is_treated: Flags) -> float:
    """How much of the outcome goes with what was done before, within the groups."""
    done, then = outcome.copy(), before.copy()
    for group in (is_treated, ~is_treated):
        done[group] -= done[group].mean()
        then[group] -= then[group].mean()
    spread = float(then @ then)
    return float(then @ done) / spread if spread > 0 else 0.0


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan
