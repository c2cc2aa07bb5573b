"""Customers: what they are worth, how they move, who comes back, and which personas they are of.

Belongs here: the page, which counts people. Does not belong here: anybody in person (`customer`),
and what the figures are (dbt_project).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orchestration.serve.pages.page import Asked, Page, View
from orchestration.serve.pages.queries import Row
from orchestration.words.amounts import counted
from orchestration.words.codes import CHANNELS

# The parts of what changed customer equity, as the columns of the query begin
MOVERS = (
    ("new", "New buyers"),
    ("kept", "Bought again"),
    ("won_back", "Had been lost and bought again"),
    ("lost", "Lost: a year without an order"),
    ("waiting", "Have not bought since"),
)
WEEK = 7  # days; what happened in fewer says little


@dataclass(frozen=True)
class Moved:
    """Who moved customer equity between two dates: in words, how many people, and by how much."""

    begin: date
    end: date
    value: Decimal | None
    parts: Sequence[tuple[str, int, Decimal | None]]


def read(asked: Asked) -> Mapping[str, object]:
    """Everything of the page."""
    stages = asked.rows("customers_stages")
    equity = asked.rows("customers_equity")
    return {
        "tiers": asked.rows("customers_value"),
        "groups": asked.rows("customers_groups"),
        "moves": asked.rows("customers_moves"),
        "there_now": [row for row in stages if row["to_stage"] is None],
        "steps": [row for row in stages if row["to_stage"] is not None],
        "cohorts": asked.rows("customers_cohorts"),
        "equity": equity,
        "moved": moved(equity),
        "personas": [
            {**row, "steps": [step_in_words(step) for step in json.loads(row["path"] or "[]")]}
            for row in asked.rows("customers_personas")
        ],
    }


def moved(equity: Sequence[Row]) -> Moved | None:
    """Who moved equity on the newest date that lies a week or more after the one before it."""
    for row in equity:
        if row["from_date"] and (row["as_of_date"] - row["from_date"]).days >= WEEK:
            parts = [(words, row[f"{part}_count"], row[f"{part}_value"]) for part, words in MOVERS]
            return Moved(row["from_date"], row["as_of_date"], row["change_value"], parts)
    return None


def step_in_words(step: Mapping[str, object]) -> str:
    """One step of a persona's path: what is done, where, when, and what follows."""
    words = str(step.get("do"))
    if channel := step.get("channel"):
        words += f", {CHANNELS.get(str(channel), channel)}"
    if days := step.get("after_days"):
        words += f", after {counted(int(str(days)), 'days')}"
    if reacts := step.get("if_reacts"):
        words += f"; whoever reacts: {reacts}"
    if quiet := step.get("if_not"):
        words += f"; whoever does not: {quiet}"
    return words


PAGE = Page("Customers", "/customers", (View("/customers", "customers.html.j2", read),))
