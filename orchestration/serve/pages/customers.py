"""Customers: what they are worth, how they move, who comes back, and which personas they are of.

Belongs here: the page, which counts people. Does not belong here: anybody in person (`customer`),
and what the figures are (dbt_project).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orchestration.report.paths import drawings
from orchestration.serve.pages.page import Asked, Page, View
from orchestration.serve.pages.queries import Row

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
        "sources": by_source(asked.rows("customers_sources")),
        "cohorts": asked.rows("customers_cohorts"),
        "equity": equity,
        "moved": moved(equity),
        "personas": asked.rows("customers_personas"),
        "paths": {
            drawing.persona: drawing
            for drawing in drawings(tuple(row.values()) for row in asked.rows("customers_paths"))
        },
    }


def by_source(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The flow of each source, in the order of the query."""
    flows: dict[str, list[Row]] = {}
    for row in rows:
        flows.setdefault(row["source"], []).append(row)
    return flows


def moved(equity: Sequence[Row]) -> Moved | None:
    """Who moved equity on the newest date that lies a week or more after the one before it."""
    for row in equity:
        if row["from_date"] and (row["as_of_date"] - row["from_date"]).days >= WEEK:
            parts = [(words, row[f"{part}_count"], row[f"{part}_value"]) for part, words in MOVERS]
            return Moved(row["from_date"], row["as_of_date"], row["change_value"], parts)
    return None


PAGE = Page("Customers", "/customers", (View("/customers", "customers.html.j2", read),))
