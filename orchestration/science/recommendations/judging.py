"""Which method is used: the one that would have been right most often of this shop's own past.

The past is cut at a day. For everybody who bought something new after it, each method names the ten
products that it knew for them before; it is right where one of them was bought. Against popularity
a method must win surely, counted over the people of whom the two judge differently.

Belongs here: the verdict. Does not belong here: methods, tables or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.science.purchases import Flags, Purchases
from orchestration.science.recommendations.methods import (
    COSINE,
    LIFT,
    POPULARITY,
    Owned,
    best,
)

METHODS = (COSINE, LIFT, POPULARITY)
NAMED = 10
KNOWN_PART = 0.8
LEAST_PEOPLE = 30
SURELY = 1.645
TOO_FEW_PEOPLE, LOSES, NOT_SURELY, OTHER_IS_BETTER = (
    "too_few_people",
    "loses_to_popularity",
    "not_surely_better",
    "other_method_is_better",
)
REASONS = (TOO_FEW_PEOPLE, LOSES, NOT_SURELY, OTHER_IS_BETTER)


@dataclass(frozen=True)
class Verdict:
    """The method that is used; of each method how many people it was right of, and why not it."""

    cut: int | None
    people: int
    right: dict[str, int]
    method: str
    reasons: dict[str, str | None]


def judged(purchases: Purchases, people: int, products: int) -> Verdict:
    """Judge every method on the last fifth of the purchases."""
    if not len(purchases.day):
        return _verdict(None, {method: np.zeros(0, dtype=np.bool_) for method in METHODS})
    cut = int(np.sort(purchases.day)[int(len(purchases.day) * KNOWN_PART)]) - 1
    owned = Owned(purchases, cut, people, products)
    pairs = purchases.person * products + purchases.product
    later = purchases.day > cut
    new = np.setdiff1d(pairs[later], pairs[~later])
    who = np.intersect1d(new // products, purchases.person[~later])
    right: dict[str, Flags] = {}
    for method in METHODS:
        named, _ = best(method, owned, who, NAMED)
        is_new = np.isin(who[:, None] * products + named, new) & (named >= 0)
        right[method] = np.asarray(is_new.any(axis=1))
    return _verdict(cut, right)


def _verdict(cut: int | None, right: dict[str, Flags]) -> Verdict:
    counts = {method: int(of.sum()) for method, of in right.items()}
    people = len(right[POPULARITY])
    reasons = {method: _reason(of, right[POPULARITY]) for method, of in right.items()}
    reasons[POPULARITY] = None
    method = max(METHODS, key=lambda each: (reasons[each] is None, counts[each]))
    for each in METHODS:
        if reasons[each] is None and each != method:
            reasons[each] = OTHER_IS_BETTER
    return Verdict(cut, people, counts, method, reasons)


def _reason(right: Flags, popular: Flags) -> str | None:
    if len(right) < LEAST_PEOPLE:
        return TOO_FEW_PEOPLE
    won, lost = int((right & ~popular).sum()), int((popular & ~right).sum())
    if won <= lost:
        return LOSES
    return None if won - lost > SURELY * np.sqrt(won + lost) else NOT_SURELY
