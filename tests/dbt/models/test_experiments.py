"""Whom a test that was run elsewhere put into which group, person by person."""

from __future__ import annotations

from typing import Any

import duckdb

from tests.dbt.models.test_identity import owner

Connection = duckdb.DuckDBPyConnection


def assigned(built: Connection, customer: str | None, experiment: str) -> list[tuple[Any, ...]]:
    """Group, day, how many identifiers and whether they are in both groups."""
    return built.execute(
        "select experiment_group, day(assigned_at), identifier_count, is_in_both_groups "
        "from intermediate.int_experiments_resolved "
        "where customer_id is not distinct from ? and experiment_id = ? order by all",
        [customer, experiment],
    ).fetchall()


def test_a_person_of_several_identifiers_is_in_the_group_of_the_first(built: Connection) -> None:
    sev = owner(built, "login", "sev")
    assert assigned(built, sev, "spring") == [("holdout", 4, 3, True)]
    assert assigned(built, sev, "autumn") == [("treatment", 4, 2, False)]


def test_who_was_put_into_a_group_stays_in_it(built: Connection) -> None:
    assert assigned(built, owner(built, "login", "cat"), "spring") == [("treatment", 3, 1, False)]


def test_who_is_known_to_the_experiment_alone_is_somebody(built: Connection) -> None:
    tested = owner(built, "email", "only.tested@x.example")
    assert tested
    assert assigned(built, tested, "spring") == [("holdout", 4, 1, False)]


def test_what_stands_for_nobody_keeps_its_line_and_the_future_has_none(built: Connection) -> None:
    assert assigned(built, None, "spring") == [("holdout", 4, 1, False), ("treatment", 4, 1, False)]
    assert assigned(built, owner(built, "login", "ann"), "spring") == []
