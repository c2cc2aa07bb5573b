"""Who is of which persona: its conditions one by one, on people made for it.

Belongs here: judging conditions, in the models as they are rendered without dbt. Does not belong
here: reading files (tests/ingestion/sources/test_personas.py), and the pretend shop's own personas.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import pytest

from orchestration.segments.rendering import DBT_PROJECT, Project

CONDITIONS = DBT_PROJECT / "models/intermediate/personas/int_persona_conditions.sql"
CARDS = DBT_PROJECT / "models/marts/customers/dim_personas.sql"
ASSIGNMENTS = DBT_PROJECT / "models/marts/customers/persona_assignments.sql"
MEASURES = {
    "stage": "varchar", "order_count": "bigint", "lifetime_net_sales": "decimal(38, 4)",
    "country_code": "varchar", "is_overdue": "boolean", "usual_gap_days": "decimal(10, 1)",
    "job": "varchar",
}  # fmt: skip
TABLES = (
    *("stg_personas__personas", "int_persona_conditions", "dim_personas"),
    *("int_customer_profiles", "customer_traits", "fct_customer_predictions"),
)
PEOPLE = [
    ("ann", "purchase", 3, "120.0000", "GB", False, "30.0", "teacher"),
    ("bea", "advocacy", 12, "900.0000", "JP", True, None, None),
    ("cem", "awareness", 0, None, None, None, None, "Nurse"),
]
TRAITS = [
    ("ann", "household", "Family", "none", None),
    ("ann", "household", "couple", "none", None),
    ("bea", "household", "family", "none", datetime(2026, 1, 1)),  # ended
    ("bea", "Liebt", "Übermut", "none", None),
    ("cem", "religion", "any", "sensitive", None),
    ("cem", "children", "2", "personal", None),
]


class Made:
    """A database with people, their traits and what a test says of personas."""

    def __init__(self) -> None:
        project = Project({}, datetime(2026, 6, 1), {name: name for name in TABLES})
        self._models = {
            path.stem: project.render_file(path) for path in (CONDITIONS, CARDS, ASSIGNMENTS)
        }
        self._connection = duckdb.connect()
        measures = project.call("persona_measures")
        columns = ", ".join(
            f"{name} {MEASURES.get(name, 'varchar')}" for name in measures if name != "clv_tier"
        )
        self._run(f"create table int_customer_profiles (customer_id varchar, {columns})")
        named = ", ".join(("customer_id", *MEASURES))
        for row in PEOPLE:
            self._run(
                f"insert into int_customer_profiles ({named}) values (?, ?, ?, ?, ?, ?, ?, ?)",
                [*row],
            )
        self._run(
            "create table customer_traits (customer_id varchar, trait varchar, value varchar,"
            " sensitivity varchar, valid_to timestamp)"
        )
        for row in TRAITS:
            self._run("insert into customer_traits values (?, ?, ?, ?, ?)", [*row])
        self._run(
            "create table fct_customer_predictions as select 'bea' as customer_id,"
            " 'high' as clv_tier, true as is_current"
        )

    def personas(self, **who: list[dict[str, Any]]) -> None:
        """Write down personas by name, and work out whose they are."""
        self._run(
            "create or replace table stg_personas__personas (persona_key varchar, persona varchar,"
            " who varchar, needs varchar, fears varchar, persona_values varchar, tastes varchar,"
            " content varchar, offers varchar, path varchar)"
        )
        for name, conditions in who.items():
            self._run(
                "insert into stg_personas__personas (persona_key, persona, who, content, offers)"
                " values (?, ?, ?, ?, ?)",
                [
                    *(name, name, json.dumps(conditions)),
                    json.dumps([f"{name} letters", f"{name} films"]),
                    json.dumps([f"{name} offer"]),
                ],
            )
        for name, sql in self._models.items():
            self._run(f"create or replace table {name} as {sql}")

    def of(self, persona: str) -> set[str]:
        """Who is of it."""
        rows = self._run("select customer_id from persona_assignments where persona = ?", [persona])
        return {who for (who,) in rows}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self._run(sql)

    def close(self) -> None:
        self._connection.close()

    def _run(self, sql: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    world = Made()
    yield world
    world.close()


@pytest.mark.parametrize(
    ("condition", "who"),
    [
        (
            {"trait": "household", "is": ["family"]},
            {"ann"},
        ),  # of several one is enough; bea's ended
        ({"trait": "household", "is_not": ["couple"]}, {"bea", "cem"}),  # nothing speaks against
        ({"trait": "liebt", "is": ["übermut"]}, {"bea"}),  # another alphabet, another case
        ({"trait": "religion", "is": ["any"]}, set()),  # sensitive: answers nothing
        ({"trait": "children", "at_least": 2}, {"cem"}),
        ({"trait": "children", "at_most": 1}, set()),
        ({"trait": "unheard", "is": ["x"]}, set()),
        ({"value": "order_count", "is": [3]}, {"ann"}),
        ({"value": "order_count", "at_least": 1, "at_most": 11.5}, {"ann"}),
        ({"value": "lifetime_net_sales", "is": [120]}, {"ann"}),  # 120.0000 is 120
        ({"value": "lifetime_net_sales", "at_most": 10_000}, {"ann", "bea"}),  # none is not little
        ({"value": "is_overdue", "is": [True]}, {"bea"}),
        ({"value": "Country_Code", "is": ["jp", "fr"]}, {"bea"}),
        ({"value": "clv_tier", "is": ["high"]}, {"bea"}),
        ({"value": "order_count", "is_not": [0]}, {"ann", "bea"}),
        ({"stage": ["purchase", "awareness"]}, {"ann", "cem"}),
        ({"value": "shoe_count", "is_not": [0]}, set()),  # there is no such measure
    ],
)
def test_a_condition_holds_of_these(made: Made, condition: dict[str, Any], who: set[str]) -> None:
    made.personas(one=[condition])
    assert made.of("one") == who


def test_all_conditions_hold_and_the_persona_that_says_most_goes_first(made: Made) -> None:
    few = {"value": "order_count", "at_least": 1}
    japan = {"value": "country_code", "is": ["JP"]}
    made.personas(buyer=[few], far_buyer=[few, japan], nobody=[japan, {"stage": ["awareness"]}])
    assert made.query(
        "select customer_id, persona, is_first, reason from persona_assignments order by all"
    ) == [
        ("ann", "buyer", True, "order count at least 1"),
        ("bea", "buyer", False, "order count at least 1"),
        ("bea", "far_buyer", True, "order count at least 1; country code is JP"),
    ]


def test_people_of_one_job_or_of_the_same_habits_are_of_one_persona(made: Made) -> None:
    nurse = {"value": "job", "is": ["nurse"]}
    made.personas(nurses=[nurse], monthly=[{"value": "usual_gap_days", "at_most": 31}])
    assert (made.of("nurses"), made.of("monthly")) == ({"cem"}, {"ann"})


def test_each_person_has_the_content_and_offers_of_their_persona(made: Made) -> None:
    made.personas(keen=[{"stage": ["advocacy"]}])
    assert made.query(
        "select customer_id, content, offers from persona_assignments"
        " inner join dim_personas using (persona_id)"
    ) == [("bea", "keen letters, keen films", "keen offer")]


def test_a_measure_that_there_is_not_is_said_and_has_nobody(made: Made) -> None:
    made.personas(odd=[{"value": "shoe_count", "at_least": 1}], even=[{"stage": ["purchase"]}])
    assert made.query("select persona, problem from dim_personas order by all") == [
        ("even", None),
        ("odd", "there is no measure shoe_count"),
    ]


def test_a_shop_without_personas_has_no_assignment(made: Made) -> None:
    made.personas()
    assert made.query("select count(*) from persona_assignments") == [(0,)]


def test_each_measure_is_a_column_that_is_published() -> None:
    described = (DBT_PROJECT / "models/marts/customers/customer_360.yml").read_text("utf-8")
    measures = Project({}, datetime(2026, 6, 1)).call("persona_measures")
    missing = [each for each in measures if f"- name: {each}\n" not in described]
    assert missing == ["clv_tier"]
