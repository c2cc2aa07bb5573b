"""Methods that score products for people who bought others: popularity, lift and cosine.

Belongs here: from purchases to scores. Does not belong here: which method is used (judging), what
may not be recommended (the models), tables or files.

All are counts of people, so their sums are exact and equal at any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from orchestration.science.purchases import Floats, Ints, Purchases

POPULARITY, LIFT, COSINE = "popularity", "lift", "cosine"
DIGITS = 6
# What somebody bought before so many other products says little, and would cost its square
MOST_OWNED = 100
POPULAR_DAYS = 90
# Pairs that fewer people bought are left to chance
LEAST_SUPPORT = 3
_AT_ONCE = 1_000


class Owned:
    """Who has bought what by a day; people and products are numbered from 0."""

    def __init__(self, purchases: Purchases, day: int, people: int, products: int) -> None:
        """Read the purchases up to the end of the day."""
        known = purchases.until(day)
        pairs = np.unique(np.column_stack([known.person, known.product]), axis=0)
        self.all = _matrix(pairs[:, 0], pairs[:, 1], people, products)
        recent = _latest(known)
        self.recent = _matrix(recent.person, recent.product, people, products)
        self.popular = _popular(known, day, products)


def scores(method: str, owned: Owned) -> Callable[[Ints], Floats]:
    """A function from people to their scores: one row per person, one column per product."""
    if method == POPULARITY:
        return lambda people: np.tile(owned.popular, (len(people), 1))
    alike = _alike(method, owned.recent)
    return lambda people: (owned.recent[people] @ alike).toarray().round(DIGITS)


def best(method: str, owned: Owned, people: Ints, count: int) -> tuple[Ints, Floats]:
    """The best products that each person has not bought, best first, and their scores.

    Ties go to the lower number. A score of 0 recommends nothing: its product is -1.
    """
    score_of = scores(method, owned)
    count = min(count, owned.all.shape[1])
    products = np.full((len(people), count), -1, dtype=np.int64)
    values = np.zeros((len(people), count))
    for first in range(0, len(people), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        score = score_of(people[some])
        score[owned.all[people[some]].toarray() > 0] = 0
        order = np.argsort(-score, axis=1, kind="stable")[:, :count]
        values[some] = np.take_along_axis(score, order, axis=1)
        products[some] = np.where(values[some] > 0, order, -1)
    return products, values


def _alike(method: str, owned: sparse.csr_array) -> sparse.csr_array:
    """How much the buyers of one product are those of another."""
    together = (owned.T @ owned).tocoo()
    buyers = np.asarray(owned.sum(axis=0), dtype=np.float64).ravel()
    row, column, count = together.row, together.col, together.data.astype(np.float64)
    keep = (row != column) & (count >= LEAST_SUPPORT)
    row, column, count = row[keep], column[keep], count[keep]
    if method == COSINE:
        value = count / np.sqrt(buyers[row] * buyers[column])
    else:
        people = float((np.diff(owned.indptr) > 0).sum())
        value = np.log(np.maximum(count * people / (buyers[row] * buyers[column]), 1.0))
    return sparse.csr_array((value, (row, column)), shape=together.shape)


def _matrix(person: Ints, product: Ints, people: int, products: int) -> sparse.csr_array:
    ones = np.ones(len(person), dtype=np.int64)
    return sparse.csr_array((ones, (person, product)), shape=(people, products))


def _latest(purchases: Purchases) -> Purchases:
    """Of each person the products bought last, `MOST_OWNED` at most, each once."""
    order = np.lexsort((purchases.product, -purchases.day, purchases.person))
    person, product = purchases.person[order], purchases.product[order]
    _, first = np.unique(np.column_stack([person, product]), axis=0, return_index=True)
    first = np.sort(first)
    person, product, day = person[first], product[first], purchases.day[order][first]
    position = np.arange(len(person)) - np.searchsorted(person, person)
    keep = position < MOST_OWNED
    return Purchases(person[keep], product[keep], day[keep])


def _popular(purchases: Purchases, day: int, products: int) -> Floats:
    """How many people bought each product lately."""
    lately = purchases.day > day - POPULAR_DAYS
    pairs = np.unique(
        np.column_stack([purchases.person[lately], purchases.product[lately]]), axis=0
    )
    return np.bincount(pairs[:, 1], minlength=products).astype(np.float64)
