"""In which category each buyer buys next: rules on what they and others bought before.

A rule sees what was known on a day and names a category for each person; `most_frequent`, which
names the shop's for everybody, is what the others must surely beat on the first order after.

Belongs here: the rules, and judging them at days of the past. Does not belong here: where orders
come from, files, or how likely an order is (value).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from orchestration.science.purchases import Floats, Ints
from orchestration.science.verdicts import (
    OF_NOTHING,
    TOO_FEW_REPEAT_BUYERS,
    Judgement,
    Verdict,
    decide,
    origins_between,
)

NEXT_CATEGORY = "next_category"
MOST_FREQUENT = "most_frequent"
HORIZON = 90
# A share of fewer people than this says nothing of a rule
LEAST_PEOPLE = 30


@dataclass(frozen=True)
class Baskets:
    """The main category of each person's order days, sorted by person and day.

    `person` and `category` are numbers from 0, `day` is a whole number; a person has one a day.
    """

    person: Ints
    day: Ints
    category: Ints

    def where(self, rows: NDArray[np.bool_]) -> Baskets:
        """Some of them."""
        return Baskets(self.person[rows], self.day[rows], self.category[rows])

    def __len__(self) -> int:
        """How many order days."""
        return len(self.person)

    @property
    def last_rows(self) -> NDArray[np.bool_]:
        """Which rows are their person's last."""
        return np.append(self.person[1:] != self.person[:-1], True)[: len(self)]

    @property
    def first_rows(self) -> NDArray[np.bool_]:
        """Which rows are their person's first."""
        return np.append(True, self.person[1:] != self.person[:-1])[: len(self)]


def most_frequent(baskets: Baskets) -> Ints:
    """The shop's most frequent category, for everybody; of several the first."""
    people = int(baskets.last_rows.sum())
    return np.full(people, np.bincount(baskets.category).argmax() if len(baskets) else 0)


def own_last(baskets: Baskets) -> Ints:
    """What each person bought last."""
    return baskets.category[baskets.last_rows]


def own_most_frequent(baskets: Baskets) -> Ints:
    """What each person bought most often; of several the one bought last."""
    pairs = np.column_stack([baskets.person, baskets.category])
    kinds, row_of, count = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    latest = np.zeros(len(kinds), dtype=np.int64)
    np.maximum.at(latest, row_of.ravel(), baskets.day)
    order = np.lexsort((-kinds[:, 1], latest, count, kinds[:, 0]))
    person = kinds[order, 0]
    is_best = np.append(person[1:] != person[:-1], True)[: len(person)]
    best: Ints = kinds[order, 1][is_best]
    return best


def after_last(baskets: Baskets) -> Ints:
    """What was most often bought next, by anybody, after what each person bought last."""
    size = int(baskets.category.max(initial=0)) + 1
    is_next = ~baskets.first_rows
    before, after = baskets.category[:-1][is_next[1:]], baskets.category[is_next]
    counts = np.zeros((size, size), dtype=np.int64)
    np.add.at(counts, (before, after), 1)
    usual = most_frequent(baskets)[:1]
    following = np.where(counts.any(axis=1), counts.argmax(axis=1), usual if len(usual) else 0)
    of_person: Ints = following[own_last(baskets)]
    return of_person


RULES: dict[str, Callable[[Baskets], Ints]] = {
    "after_last": after_last,
    "own_last": own_last,
    "own_most_frequent": own_most_frequent,
}


@dataclass(frozen=True)
class NextCategories:
    """Who buys what next: people and categories side by side, -1 where nothing is published."""

    person: Ints
    category: Ints
    model: str | None
    reason: str | None
    verdict: Verdict


def next_categories(baskets: Baskets, as_of: int) -> NextCategories:
    """Judge the rules on the past and name each buyer's next category by the best, if it is proven.

    Args:
        baskets: what was bought; what is later than `as_of` is not looked at.
        as_of: today.
    """
    known = baskets.where(baskets.day <= as_of)
    first = int(known.day.min()) if len(known) else as_of
    judgements = [
        judgement
        for origin in reversed(origins_between(first, as_of, HORIZON))
        for judgement in judge(known, origin)
    ]
    verdict = Verdict({NEXT_CATEGORY: decide(judgements, NEXT_CATEGORY)}, tuple(judgements))
    decision = verdict.decisions[NEXT_CATEGORY]
    people = known.person[known.last_rows]
    category = np.full(len(people), -1)
    if decision.reason is None and decision.model:
        category = RULES[decision.model](known)
    return NextCategories(people, category, decision.model, decision.reason, verdict)


def judge(baskets: Baskets, origin: int) -> list[Judgement]:
    """Each rule at one origin: how often it missed the first order day after, beside the naive one.

    The error is the square root of the share missed, as the other targets have a root mean square.
    """
    before = baskets.where(baskets.day <= origin)
    after = baskets.where((baskets.day > origin) & (baskets.day <= origin + HORIZON))
    first = after.where(after.first_rows)
    people = before.person[before.last_rows]
    came, at, next_at = np.intersect1d(people, first.person, return_indices=True)
    blank = Judgement("", NEXT_CATEGORY, origin, HORIZON, len(came), judged_by=OF_NOTHING)
    if len(came) < LEAST_PEOPLE:
        return [replace(blank, model=name, reason=TOO_FEW_REPEAT_BUYERS) for name in RULES]
    actual = first.category[next_at]

    def missed(rule: Callable[[Baskets], Ints]) -> Floats:
        is_missed: Floats = (rule(before)[at] != actual).astype(np.float64)
        return is_missed

    naive = missed(most_frequent)
    by_rule = {name: missed(rule) for name, rule in RULES.items()}
    return [
        replace(
            blank,
            model=name,
            error=float(np.sqrt(own.mean())),
            baseline=MOST_FREQUENT,
            baseline_error=float(np.sqrt(naive.mean())),
            advantages=naive - own,
        )
        for name, own in by_rule.items()
    ]
