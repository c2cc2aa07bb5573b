"""Whom the review of identity names, and whom it leaves alone."""

from __future__ import annotations

import duckdb
import pytest

from tests.dbt.models.test_identity import owner

Connection = duckdb.DuckDBPyConnection


def signs(built: Connection, kind: str, value: str) -> dict[str, tuple[int, str]]:
    """What speaks for several people in one customer."""
    found = built.execute(
        "select signal, score, detail from intermediate.int_identity_over_merging "
        "where customer_id = ?",
        [owner(built, kind, value)],
    ).fetchall()
    return {signal: (score, detail) for signal, score, detail in found}


def alike(built: Connection, one: str, other: str) -> set[str]:
    """What speaks for one person in two customers."""
    pair = sorted(str(owner(built, "email", mail)) for mail in (one, other))
    assert pair[0] != pair[1]
    found = built.execute(
        "select signal from intermediate.int_identity_under_merging "
        "where customer_a = ? and customer_b = ?",
        pair,
    ).fetchall()
    return {row[0] for row in found}


@pytest.mark.parametrize(
    ("kind", "value", "signal", "expected"),
    [
        ("email", "one@swap.example", "conflicting_names", (4, "2 full names")),
        ("email", "born@twice.example", "conflicting_birthdays", (5, "2 birthdays")),
        ("email", "dual@logins.example", "two_logins", (3, "2 logins")),
        ("login", "many", "too_many_email", (2, "5 of at most 4")),
        ("email", "trip@abroad.example", "several_countries", (1, "2 countries")),
        (
            "email",
            "left@weak.example",
            "weak_chain",
            (4, "2 parts with accounts, weak links: 2"),
        ),
    ],
)
def test_over_merging(
    built: Connection, kind: str, value: str, signal: str, expected: tuple[int, str]
) -> None:
    assert signs(built, kind, value) == {signal: expected}


def test_one_person_with_nothing_odd_is_left_alone(built: Connection) -> None:
    assert signs(built, "email", "mia@home.example") == {}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("n1@born.example", "n2@born.example", {"same_birthday"}),
        ("greta@one.example", "greta.twin@two.example", {"same_home"}),
        ("wordy.words@one.example", "wordy.words@two.example", {"same_address_words"}),
        ("rae1@mixed.example", "rae2@mixed.example", {"shared_payment_card"}),
        # other people on one card
        ("rae1@mixed.example", "sol@mixed.example", set()),
        # a rule has said that they are two
        ("n3@apart.example", "n4@apart.example", set()),
        # in a crowd nobody is paired
        ("p0@crowd.example", "p1@crowd.example", set()),
    ],
)
def test_under_merging(built: Connection, one: str, other: str, expected: set[str]) -> None:
    assert alike(built, one, other) == expected


def test_a_crowd_is_counted_and_not_read(built: Connection) -> None:
    found = built.execute(
        "select signal, max(people_count), count(distinct group_key) "
        "from intermediate.int_identity_alike where is_skipped group by signal"
    ).fetchall()
    assert found == [("same_postcode", 51, 1)]


def test_details_are_counts(built: Connection) -> None:
    found = built.execute(
        "select detail from intermediate.int_identity_over_merging where detail like '%@%'"
    ).fetchall()
    assert found == []


def test_the_measures_count_what_the_tables_hold(built: Connection) -> None:
    measures = {
        (metric, kind): value
        for metric, kind, value in built.execute(
            "select metric, kind, value from intermediate.int_identity_metrics"
        ).fetchall()
    }
    people = built.execute("select count(*), max(identifier_count) from intermediate.int_customers")
    count, largest = people.fetchone() or (None, None)
    assert measures["people", "known"] + measures["people", "anonymous"] == count
    assert measures["largest_person", "known"] == largest
    assert measures["born", "known"] == measures["people", "known"]
    assert measures["merged", "all"] == measures["split", "all"] == measures["gone", "all"] == 0
    assert ("carried_over", "known") not in measures, "nobody is known from before a first run"
    assert measures["household_values_refused", "kiosk"] == 1
    assert measures["household_groups_refused", "too_many_people"] == 1
    assert measures["under_merging_groups_skipped", "same_postcode"] == 1
    assert measures["over_merging", "two_logins"] >= 1
