"""The rules of the next category: what each names, and when its word is published."""

from __future__ import annotations

import numpy as np
import pytest

from orchestration.science.next_category.rules import (
    NEXT_CATEGORY,
    Baskets,
    after_last,
    most_frequent,
    next_categories,
    own_last,
    own_most_frequent,
)


def baskets(rows: list[tuple[int, int, int]]) -> Baskets:
    """Order days as (person, day, category)."""
    columns = np.array(sorted(rows), dtype=np.int64).reshape(-1, 3).T
    return Baskets(*columns)


SOME = baskets([(0, 1, 2), (0, 5, 1), (0, 9, 1), (1, 3, 0), (1, 4, 2), (2, 6, 2)])


def test_what_each_rule_names() -> None:
    assert most_frequent(SOME).tolist() == [2, 2, 2]
    assert own_last(SOME).tolist() == [1, 2, 2]
    # Of 0 and 2, each bought once by the second person, the one bought last
    assert own_most_frequent(SOME).tolist() == [1, 2, 2]
    # After 1 came 1; after 2 came 1
    assert after_last(SOME).tolist() == [1, 1, 1]


def wave(people: int, kind: str) -> Baskets:
    """A year of an order a month: in turn through three categories, always one's own, or by lot."""
    lot = np.random.default_rng(5)
    named = {
        "in turn": lambda person, month: (person + month) % 3,
        "one's own": lambda person, _: person % 3,
        "by lot": lambda *_: int(lot.integers(0, 3)),
    }[kind]
    return baskets([(p, p % 30 + m * 30, named(p, m)) for p in range(people) for m in range(12)])


@pytest.mark.parametrize(
    ("kind", "model", "expected"),
    [("in turn", "after_last", lambda p: (p + 12) % 3), ("one's own", "own_last", lambda p: p % 3)],
)
def test_the_rule_that_is_right_is_published(kind, model, expected) -> None:
    result = next_categories(wave(90, kind), 360)
    assert result.reason is None
    if kind == "in turn":
        assert result.model == model
    assert result.category.tolist() == [expected(p) for p in range(90)]


def test_what_comes_by_lot_is_withheld() -> None:
    result = next_categories(wave(90, "by lot"), 360)
    assert result.reason in ("loses_to_baseline", "not_surely_better")
    assert set(result.category.tolist()) == {-1}


@pytest.mark.parametrize(
    ("shop", "reason"),
    [
        (baskets([]), "history_too_short"),
        (baskets([(0, 300, 0), (1, 301, 1), (2, 302, 0)]), "history_too_short"),
        (baskets([(p, 5 + p * 100, 0) for p in range(3)]), "too_few_repeat_buyers"),
        (baskets([(p, p % 300, p % 2) for p in range(900)]), "too_few_repeat_buyers"),  # once each
        (wave(90, "one's own").where(wave(90, "one's own").category == 0), "loses_to_baseline"),
    ],
    ids=["nobody", "one day", "three people", "one order each", "one category"],
)
def test_odd_shops_get_their_reason(shop: Baskets, reason: str) -> None:
    result = next_categories(shop, 360)
    assert result.reason == reason
    assert len(result.category) == len(np.unique(shop.person[shop.day <= 360]))


def test_what_comes_later_is_not_looked_at() -> None:
    shop = wave(90, "in turn")
    early = next_categories(shop, 300)
    alone = next_categories(shop.where(shop.day <= 300), 300)
    assert early.category.tolist() == alone.category.tolist()
    assert [j.error for j in early.verdict.judgements] == [
        j.error for j in alone.verdict.judgements
    ]
    assert {j.target for j in early.verdict.judgements} == {NEXT_CATEGORY}
