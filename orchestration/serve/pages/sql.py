"""The SQL behind the figures: every query of the pages, each at an address of its own.

Belongs here: showing the queries. Does not belong here: running what somebody types
(`regulars sql`).
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.serve.pages.page import Asked, MissingError, Page, View
from orchestration.serve.pages.queries import queries


def read_all(_: Asked) -> Mapping[str, object]:
    """Every query, by name."""
    return {"queries": list(queries().values())}


def read_one(asked: Asked) -> Mapping[str, object]:
    """One query."""
    query = queries().get(asked.parameters["name"])
    if query is None:
        raise MissingError("There is no query of that name.", "/sql lists them all.")
    return {"query": query}


PAGE = Page(
    "SQL",
    "/sql",
    (View("/sql", "queries.html.j2", read_all), View("/sql/{name}", "query.html.j2", read_one)),
)
