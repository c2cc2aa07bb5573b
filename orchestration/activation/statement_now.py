"""A customer's statement, with what is permitted at this moment.

Belongs here: bringing the person's rows, the gate's answers and the settings together. Does not
belong here: its words and its layouts (orchestration/who/statement), and where it goes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ingestion.settings_file import load_settings
from orchestration.activation.answers import permission_now
from orchestration.home.layout import Home
from orchestration.who.explain import Reader, product_names
from orchestration.who.statement.build import statement
from orchestration.who.statement.parts import Asked, Statement
from orchestration.who.subject import find_subject, readable, rows_of
from orchestration.words.to_customers import OF_PRODUCTS

Link = Callable[[Home, str, str], str]


def statement_now(home: Home, who: str, link: Link, at: datetime) -> Statement:
    """The statement of the person behind any identifier or id.

    Args:
        home: the shop's home.
        who: as `explain` takes it.
        link: the address at which an identifier is unsubscribed by one click; empty where the shop
            has none.
        at: now, naive UTC.

    Raises:
        NotFoundError: nobody is known by it, or the value is shared.
    """
    subject = find_subject(home, who)
    tables = rows_of(home, subject)
    with readable(home) as connection:
        reader = Reader(connection)
        builds = reader.rows("ops.build", "select as_of from ops.build limit 1")
        segments = reader.rows("marts.dim_segments", "select * from marts.dim_segments")
        products = product_names(reader, _products(tables))
    settings = load_settings()
    answers = permission_now(
        home, subject.customer_id, subject.keys, at=at, double_opt_in=settings.double_opt_in
    )
    emails = [value for kind, value in subject.keys if kind == "email"]
    asked = Asked(
        settings=settings,
        at=at,
        as_of=builds[0]["as_of"] if builds else None,
        permitted={
            pair: (str(answer.reason or "granted"), answer.receipt_id)
            for pair, answer in answers.items()
        },
        segments={str(row["segment"]): row for row in segments},
        link=link(home, "email", _best(tables, emails)) if emails else "",
        products=products,
    )
    return statement(tables, asked)


def _products(tables: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The ids of products that are recommended to the person, due again or a trait of theirs."""
    names = ("marts.fct_recommendations", "marts.fct_replenishments")
    ids = {str(row["product_id"]) for name in names for row in tables.get(name, ())}
    traits = tables.get("marts.customer_traits", ())
    ids |= {str(row["value"]) for row in traits if row["trait"] in OF_PRODUCTS}
    return sorted(ids)


def _best(tables: dict[str, list[dict[str, Any]]], emails: list[str]) -> str:
    """The address that the shop writes to."""
    people = tables.get("marts.dim_customers", [])
    return next((row["email"] for row in people if row["email"] in emails), emails[0])
