"""Where people stand on the path of their persona, on messages and orders made for it.

Belongs here: one person after another, as the models are rendered without dbt. Does not belong
here: who is of which persona (test_personas.py), and how a path is drawn
(tests/orchestration/report).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from ingestion.sources.personas import read_persona
from orchestration.report.paths import Step, drawings
from orchestration.segments.rendering import DBT_PROJECT, Project

JOURNEY = DBT_PROJECT / "models/marts/journey"
MODELS = ("dim_persona_steps", "fct_persona_paths", "rpt_persona_paths")
READ = ("dim_personas", "persona_assignments", "fct_messages", "fct_orders")
AS_OF = datetime(2026, 6, 30)
PATHS: dict[str, list[dict[str, Any]]] = {
    "giver": [
        {"do": "Welcome", "channel": "email", "if_reacts": "gift guide", "if_not": "a reminder"},
        {"do": "gift guide", "after_days": 14, "if_not": "Welcome"},
        {"do": "thanks", "channel": "sms"},
    ],
    "季節": [{"do": "季節の手紙"}],
    "still": [],
}


def ago(days: float) -> datetime:
    return AS_OF - timedelta(days=days)


class Paths:
    """A database in which each person's place on a path can be asked."""

    def __init__(self) -> None:
        project = Project(
            {"persona_reaction_days": 7}, AS_OF, {name: name for name in (*READ, *MODELS)}
        )
        self._models = {name: project.render_file(JOURNEY / f"{name}.sql") for name in MODELS}
        self._connection = duckdb.connect()
        self._connection.execute(
            "create table dim_personas (persona_id varchar, persona varchar, path varchar);"
            "create table persona_assignments (customer_id varchar, persona_id varchar,"
            " persona varchar, is_first boolean);"
            "create table fct_orders (customer_id varchar, is_kept boolean, ordered_at timestamp);"
            "create table fct_messages (message_id varchar, customer_id varchar, channel varchar,"
            " message_kind varchar, campaign_id varchar, campaign_name varchar, flow_id varchar,"
            " sent_at timestamp, opened_at timestamp, clicked_at timestamp, replied_at timestamp)"
        )
        for name, path in PATHS.items():
            self.persona(name, path)

    def persona(self, name: str, path: list[dict[str, Any]]) -> None:
        self._insert("dim_personas", [name, name.title(), json.dumps(path)])

    def person(self, who: str, persona: str = "giver", *, is_first: bool = True) -> None:
        self._insert("persona_assignments", [who, persona, persona.title(), is_first])

    def message(self, who: str, kind: str, days: float, channel: str = "email", **row: Any) -> None:
        columns = {"message_id": f"{who}{kind}{days}", "customer_id": who, "channel": channel}
        columns |= {"message_kind": kind, "sent_at": ago(days)} | row
        self._connection.execute(
            f"insert into fct_messages ({', '.join(columns)})"
            f" values ({', '.join('?' * len(columns))})",
            [*columns.values()],
        )

    def order(self, who: str, days: float, *, is_kept: bool = True) -> None:
        self._insert("fct_orders", [who, is_kept, ago(days)])

    def stands(self) -> dict[str, tuple[Any, ...]]:
        """Step, state, what is next, and in how many days, by person."""
        for name, sql in self._models.items():
            self._connection.execute(f"create or replace table {name} as {sql}")
        rows = self.query(
            "select customer_id, step, state, next_action, next_due_at from fct_persona_paths"
        )
        return {
            who: (step, state, action, None if due is None else (due - AS_OF).days)
            for who, step, state, action, due in rows
        }

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def _insert(self, table: str, row: list[Any]) -> None:
        self._connection.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)


@pytest.fixture
def paths() -> Iterator[Paths]:
    made = Paths()
    yield made
    made._connection.close()


def test_the_path_begins_with_its_first_step(paths: Paths) -> None:
    paths.person("ann")
    paths.message("ann", "promo", 1)  # no step
    paths.message("ann", "welcome", 1, channel="sms")  # on another channel
    assert paths.stands() == {"ann": (0, "to_begin", "Welcome", 0)}


@pytest.mark.parametrize("named_by", ["message_kind", "campaign_id", "campaign_name", "flow_id"])
def test_a_message_is_a_step_by_its_kind_campaign_or_flow(paths: Paths, named_by: str) -> None:
    paths.person("ann")
    paths.message("ann", "promo", 2, **{named_by: "WELCOME "})
    assert paths.stands() == {"ann": (1, "waiting", None, None)}


def test_reactions_lead_on_by_click_reply_or_kept_order_and_never_by_an_open(paths: Paths) -> None:
    for who, reaction in (("click", "clicked_at"), ("reply", "replied_at"), ("open", "opened_at")):
        paths.person(who)
        paths.message(who, "welcome", 10, **{reaction: ago(9)})
    for who, days, is_kept in (("order", 4, True), ("late", 2, True), ("cancelled", 4, False)):
        paths.person(who)
        paths.message(who, "welcome", 10)
        paths.order(who, days, is_kept=is_kept)
    reacted = (1, "reacted", "gift guide", 4)
    quiet = (1, "did_not_react", "a reminder", -3)
    assert paths.stands() == {
        "click": reacted, "reply": reacted, "order": reacted,
        "open": quiet, "late": quiet, "cancelled": quiet,
    }  # fmt: skip


def test_an_answer_that_is_no_step_is_done_and_the_next_step_follows(paths: Paths) -> None:
    paths.person("ann")
    paths.message("ann", "welcome", 20)
    paths.message("ann", "A_reminder", 10, channel="push")
    assert paths.stands() == {"ann": (1, "answered", "gift guide", 4)}


def test_an_answer_that_is_a_step_leads_back_to_it(paths: Paths) -> None:
    paths.person("ann")
    paths.message("ann", "welcome", 40, clicked_at=ago(39))
    paths.message("ann", "gift guide", 20)
    assert paths.stands() == {"ann": (2, "did_not_react", "Welcome", -20)}


def test_the_last_step_ends_the_path_when_it_is_no_longer_waited_for(paths: Paths) -> None:
    for who, days in (("done", 7), ("fresh", 6.5)):
        paths.person(who)
        paths.message(who, "thanks", days, channel="sms")
    assert paths.stands() == {"done": (3, "ended", None, None), "fresh": (3, "waiting", None, None)}


def test_people_are_led_along_the_path_of_their_first_persona(paths: Paths) -> None:
    paths.person("ann", is_first=False)
    paths.person("ann", "季節")
    paths.person("bea", "still")
    paths.message("ann", "季節の手紙", 8)
    assert paths.stands() == {"ann": (1, "ended", None, None)}


def test_a_shop_without_personas_has_no_path(paths: Paths) -> None:
    paths._connection.execute("delete from dim_personas")
    assert paths.stands() == {}
    assert paths.query("select count(*) from rpt_persona_paths") == [(0,)]


def test_the_report_counts_everybody_once_and_each_step_is_there(paths: Paths) -> None:
    for number, days in enumerate((2, 3, 10)):
        paths.person(f"welcomed{number}")
        paths.message(f"welcomed{number}", "welcome", days)
    paths.person("new")
    assert len(paths.stands()) == 4
    assert paths.query(
        "select step, action, if_reacts_step, if_not_step, customer_count, to_begin_count,"
        " waiting_count, did_not_react_count from rpt_persona_paths where persona_id = 'giver'"
        " order by step"
    ) == [
        (0, None, None, None, 1, 1, 0, 0),
        (1, "Welcome", 2, None, 3, 0, 2, 1),
        (2, "gift guide", None, 1, 0, 0, 0, 0),
        (3, "thanks", None, None, 0, 0, 0, 0),
    ]


def test_the_diagram_of_the_docs_is_that_of_its_file(paths: Paths) -> None:
    page = (DBT_PROJECT.parent / "docs/personas.md").read_text("utf-8")
    blocks = dict(re.findall(r"```(yaml|mermaid)\n(.*?)\n```", page, re.S))
    persona = read_persona(blocks["yaml"])
    paths._connection.execute("delete from dim_personas")
    paths.persona(persona["name"], persona["path"])
    paths.stands()
    columns = ", ".join(("persona", *(field.name for field in fields(Step))))
    columns = columns.replace("people, waiting", "customer_count, waiting_count")
    (drawing,) = drawings(paths.query(f"select {columns} from rpt_persona_paths order by step"))
    assert drawing.mermaid == blocks["mermaid"]
