"""Which interval holds for each product: found and proven, or the one that the shop declares.

The past is cut at a day: what was found until then says when people would come back, and those who
came back after it say who was right. A word is right of a gap where the gap lies within a quarter
of it. What is found is used where it is right more often than the declared interval, of itself as
often as no spread without a rhythm would be; else the category's, judged in the same way.

Belongs here: the verdict. Does not belong here: the fit (rhythm), tables or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.science.purchases import Flags, Floats, Ints, Purchases
from orchestration.science.replenishment.gaps import Gaps, gaps_on
from orchestration.science.replenishment.rhythm import fit

LEAST_REPEAT_BUYERS = 20
LEAST_JUDGED = 10
# Of gaps without a rhythm (exponential, or log-normal with a deviation of 1) at most 18 in 100 lie
# within a quarter of any one number; where nothing is declared, more than chance makes of it is due
LEAST_RIGHT = 0.2
SURELY = 1.645
WITHIN = np.log(1.25)
KNOWN_PART = 0.6

TOO_FEW_REPEAT_BUYERS, TOO_FEW_JUDGED = "too_few_repeat_buyers", "too_few_comebacks"
NO_RHYTHM, LOSES = "no_rhythm", "loses_to_declared"
REASONS = (TOO_FEW_REPEAT_BUYERS, TOO_FEW_JUDGED, NO_RHYTHM, LOSES)


@dataclass(frozen=True)
class Findings:
    """One row per group (a product or a category): what was found of it, and how it was judged.

    `days` is the found interval (NaN without one); `judged` are the gaps that ended after the cut;
    `right` and `declared_right` are how many of them each word was right of; `reasons` says why
    the found one is not used, None where it is.
    """

    days: Floats
    repeat_buyers: Ints
    judged: Ints
    right: Ints
    declared_right: Ints
    reasons: list[str | None]

    @property
    def is_used(self) -> Flags:
        """Where the found interval holds."""
        return np.array([reason is None for reason in self.reasons], dtype=np.bool_)


def findings(purchases: Purchases, today: int, declared: Floats, group: Ints) -> Findings:
    """What the shop's past says of each group.

    Args:
        purchases: all that was bought until today.
        today: the day of looking.
        declared: days that the shop declares for each product; NaN where it declares none.
        group: the number of each product's group, from 0 on; each has at least one product.
    """
    count = int(group.max(initial=-1)) + 1
    gaps = gaps_on(purchases, today)
    cut = _cut(gaps, today)
    later = gaps.where(gaps.is_over & (gaps.end > cut))
    before = fit(gaps_on(purchases, cut).grouped(group), count, LEAST_JUDGED).days
    right = _is_right(later.days, before[group[later.product]])
    of_declared = _is_right(later.days, declared[later.product])
    is_declared = ~np.isnan(declared[later.product])
    grouped = group[later.product]

    def counted(rows: Flags) -> Ints:
        return np.bincount(grouped[rows], minlength=count).astype(np.int64)

    results = Findings(
        days=fit(gaps.grouped(group), count, LEAST_REPEAT_BUYERS).days.round(1),
        repeat_buyers=gaps.grouped(group).repeat_buyers(count),
        judged=np.bincount(grouped, minlength=count).astype(np.int64),
        right=counted(right),
        declared_right=counted(of_declared),
        reasons=[],
    )
    compared = counted(is_declared)
    beats = (counted(right & is_declared) > results.declared_right) | (compared == 0)
    least = LEAST_RIGHT * results.judged
    least += np.where(compared == 0, SURELY * np.sqrt((1 - LEAST_RIGHT) * least), 0)
    is_rhythm = results.right >= least
    results.reasons.extend(
        _reason(results, row, bool(is_rhythm[row]), bool(beats[row])) for row in range(count)
    )
    return results


def _cut(gaps: Gaps, today: int) -> int:
    """The day until which three in five of those who came back had done so."""
    ends = np.sort(gaps.end[gaps.is_over])
    return int(ends[int(len(ends) * KNOWN_PART)]) - 1 if len(ends) else today


def _is_right(days: Ints, predicted: Floats) -> Flags:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(np.log(days / predicted)) <= WITHIN)


def _reason(group_findings: Findings, row: int, is_rhythm: bool, beats: bool) -> str | None:
    if group_findings.repeat_buyers[row] < LEAST_REPEAT_BUYERS:
        return TOO_FEW_REPEAT_BUYERS
    if group_findings.judged[row] < LEAST_JUDGED:
        return TOO_FEW_JUDGED
    if not is_rhythm:
        return NO_RHYTHM
    return None if beats else LOSES
