"""Measures of partitions: by hand on small ones, and against counting every pair on random ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.duckdb import connect
from orchestration.scorecard import measures
from orchestration.scorecard.measures import Pairs
from tests.orchestration.scorecard.boards import Own, fill, write_bridge

KIOSK = "shared_tablet"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with connect() as connection:
        yield connection


def test_pairs_of_a_merge_and_a_split(board: Any) -> None:
    owns = [Own(1, "a"), Own(1, "b"), Own(1, "c"), Own(2, "x"), Own(2, "y")]
    fill(board, owns, {"a": "c1", "b": "c1", "c": "c2", "x": "c2", "y": "c3"})
    assert measures.count_pairs(board) == Pairs(matched=2, correct=1, joinable=4, joined=1)
    score = measures.count_pairs(board).score
    assert (score.precision, score.recall) == (Fraction(1, 2), Fraction(1, 4))
    assert score.f1 == Fraction(1, 3)


def test_b_cubed_is_the_mean_over_identifiers(board: Any) -> None:
    owns = [Own(1, "a"), Own(1, "b"), Own(1, "c"), Own(2, "x"), Own(2, "y")]
    fill(board, owns, {"a": "c1", "b": "c1", "c": "c2", "x": "c2", "y": "c3"})
    score = measures.b_cubed(board)
    assert score.precision == Fraction(1 + 1, 5) + Fraction(1, 2) * Fraction(2, 5) + Fraction(1, 5)
    assert score.recall == (2 * Fraction(2, 3) + Fraction(1, 3) + 2 * Fraction(1, 2)) / 5


def test_what_no_evidence_ties_is_not_missed_but_may_be_right(board: Any) -> None:
    owns = [Own(1, "a"), Own(1, "b", evidence=1)]
    fill(board, owns, {"a": "c1", "b": "c2"})
    assert measures.count_pairs(board).score.recall == 1
    fill(board, owns, {"a": "c1", "b": "c1"})
    assert measures.count_pairs(board) == Pairs(matched=1, correct=1, joinable=0, joined=0)


def test_unknown_identifiers_stand_alone(board: Any) -> None:
    fill(board, [Own(1, "a"), Own(1, "b"), Own(2, "c")], {"a": "c1", "b": None})
    assert measures.count_pairs(board) == Pairs(matched=0, correct=0, joinable=1, joined=0)
    assert measures.b_cubed(board).precision == 1


def test_nothing_at_all_is_nothing_wrong(board: Any) -> None:
    fill(board, [], {})
    assert measures.count_pairs(board).score.f1 == 1
    assert measures.b_cubed(board).f1 == 1
    assert measures.count_merges(board) == 0


def test_shared_identifiers_are_no_elements(board: Any) -> None:
    owns = [
        *(Own(1, "a"), Own(1, "kiosk", KIOSK, is_shared=True)),
        *(Own(2, "b"), Own(2, "kiosk", KIOSK, is_shared=True)),
        *(Own(1, "phone", "recycled_phone"), Own(2, "phone", "recycled_phone")),
    ]
    fill(board, owns, {"a": "c1", "b": "c2", "kiosk": "c1", "phone": "c2"})
    assert measures.count_elements(board) == 2
    assert measures.count_pairs(board).matched == 0
    assert measures.count_merges(board) == 0


def test_a_merge_counts_for_the_trouble_that_both_people_own(board: Any) -> None:
    owns = [
        *(Own(1, "a"), Own(1, "kiosk", KIOSK, is_shared=True)),
        *(Own(2, "b"), Own(2, "kiosk", KIOSK, is_shared=True)),
        *(Own(3, "c"), Own(3, "other kiosk", KIOSK, is_shared=True)),
        Own(4, "d", "typo"),
    ]
    fill(board, owns, dict.fromkeys("abcd", "c1"))
    assert measures.count_merges(board) == 6
    assert measures.count_merges(board, KIOSK) == 1
    assert measures.count_merges(board, "typo") == 0


def test_two_people_merged_twice_are_one_merge(board: Any) -> None:
    owns = [
        *(Own(1, "a"), Own(1, "b"), Own(2, "x"), Own(2, "y")),
        *(Own(p, v, KIOSK, is_shared=True) for p in (1, 2) for v in ("kiosk", "tablet")),
    ]
    fill(board, owns, {"a": "c1", "x": "c1", "b": "c2", "y": "c2"})
    assert measures.count_merges(board) == measures.count_merges(board, KIOSK) == 1


def test_pairs_of_a_trouble_touch_its_people(board: Any) -> None:
    owns = [
        *(Own(1, "a"), Own(1, "oops", "typo"), Own(2, "x"), Own(2, "y"), Own(3, "p"), Own(3, "q"))
    ]
    fill(board, owns, {"a": "c1", "oops": "c2", "x": "c1", "y": "c1", "p": "c3", "q": "c3"})
    assert measures.count_people(board, "typo") == 1
    assert measures.count_pairs(board, "typo") == Pairs(matched=2, correct=0, joinable=1, joined=0)


def test_best_email_is_asked_of_the_customer_with_most_identifiers(board: Any) -> None:
    owns = [
        *(Own(1, "best@a.example"), Own(1, "b"), Own(1, "c"), Own(2, "two@a.example")),
        Own(3, "three"),
    ]
    found = {"best@a.example": "c1", "b": "c2", "c": "c2", "two@a.example": "c3", "three": "c4"}
    fill(board, owns, found)
    board.execute("""
        create or replace temp table people as from (values
            (1, 'best@a.example'), (2, 'Two@a.example'), (3, 'never seen'), (4, null)
        ) as t(person, best_email)""")
    board.execute("""
        create or replace temp table golden as from (values
            ('c1', 'best@a.example'), ('c2', null), ('c3', 'two@A.example')
        ) as t(customer_id, email)""")
    assert measures.best_email_accuracy(board) == Fraction(1, 2)


def test_of_two_equal_customers_the_one_with_the_best_email_is_asked(board: Any) -> None:
    owns = [Own(1, "best@a.example"), Own(1, "k"), Own(1, "d", evidence=1), Own(1, "e", evidence=1)]
    fill(board, owns, {"best@a.example": "c2", "k": "c2", "d": "c1", "e": "c1"})
    board.execute(
        "create or replace temp table people as select 1 as person, 'best@a.example' as best_email"
    )
    board.execute(
        "create or replace temp table golden as"
        " select 'c2' as customer_id, 'best@a.example' as email"
    )
    assert measures.best_email_accuracy(board) == 1


def test_kept_ids_are_of_identifiers_in_both_files(board: Any) -> None:
    write_bridge(board, "found", [("email", "a", "c1"), ("email", "b", "c2"), ("email", "c", "c3")])
    write_bridge(
        board, "found_before", [("email", "a", "c1"), ("email", "b", "c9"), ("phone", "c", "c3")]
    )
    assert measures.id_stability(board) == Fraction(1, 2)


# Against every pair -------------------------------------------------------------------------------
OWNS = st.lists(
    st.tuples(
        st.integers(1, 4),  # person
        st.integers(0, 1),  # evidence group
        st.sampled_from(["none", "typo"]),
        st.booleans(),  # shared
        st.sampled_from([None, "c1", "c2", "c3"]),
    ),
    max_size=12,
)
KIOSKS = st.sets(st.tuples(st.integers(1, 4), st.sampled_from(["k1", "k2", "k3"])))


def _owns(rows: Sequence[tuple[int, int, str, bool, str | None]]) -> list[Own]:
    return [
        Own(person, f"v{number}", trouble, evidence, is_shared)
        for number, (person, evidence, trouble, is_shared, _) in enumerate(rows)
    ]


def _pairs(owns: Sequence[Own], found: Mapping[str, str | None], touched: set[int]) -> Pairs:
    chosen = [
        (a, b)
        for a, b in combinations([own for own in owns if not own.is_shared], 2)
        if {a.person, b.person} & touched
    ]
    together = [(a, b) for a, b in chosen if found[a.value] and found[a.value] == found[b.value]]
    joinable = [(a, b) for a, b in chosen if (a.person, a.evidence) == (b.person, b.evidence)]
    return Pairs(
        matched=len(together),
        correct=sum(a.person == b.person for a, b in together),
        joinable=len(joinable),
        joined=len(set(together) & set(joinable)),
    )


@settings(max_examples=60, deadline=None)
@given(rows=OWNS, kiosks=KIOSKS)
def test_counts_equal_those_of_every_pair(
    board: Any, rows: list[tuple[int, int, str, bool, str | None]], kiosks: set[tuple[int, str]]
) -> None:
    owns = _owns(rows)
    found = {f"v{number}": customer for number, (*_, customer) in enumerate(rows)}
    shared = [Own(person, value, KIOSK, is_shared=True) for person, value in sorted(kiosks)]
    fill(board, [*owns, *shared], found)

    assert measures.count_pairs(board) == _pairs(owns, found, {1, 2, 3, 4})
    touched = {own.person for own in owns if own.trouble == "typo"}
    assert measures.count_pairs(board, "typo") == _pairs(owns, found, touched)
    assert measures.b_cubed(board) == _b_cubed(owns, found)

    merged = {
        (min(a.person, b.person), max(a.person, b.person))
        for a, b in combinations([own for own in owns if not own.is_shared], 2)
        if a.person != b.person and found[a.value] and found[a.value] == found[b.value]
    }
    assert measures.count_merges(board) == len(merged)
    users = {(p, q) for p, v in kiosks for q, w in kiosks if v == w}
    assert measures.count_merges(board, KIOSK) == len(merged & users)


def _b_cubed(owns: Sequence[Own], found: Mapping[str, str | None]) -> measures.Score:
    elements = [own for own in owns if not own.is_shared]
    precision, recall = Fraction(0), Fraction(0)
    for one in elements:
        customer = [
            other
            for other in elements
            if other is one or (found[one.value] and found[one.value] == found[other.value])
        ]
        group = [e for e in elements if (e.person, e.evidence) == (one.person, one.evidence)]
        precision += Fraction(sum(e.person == one.person for e in customer), len(customer))
        recall += Fraction(sum(e in customer for e in group), len(group))
    count = len(elements) or 1
    nothing = Fraction(1 if not elements else 0)
    return measures.Score(nothing + precision / count, nothing + recall / count)
