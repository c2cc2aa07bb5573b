"""`regulars explain WHO --for-customer`: what is known about a person, for that person.

Belongs here: bringing the person's rows, the gate's answers and the settings together, and where
the statement goes. Does not belong here: its words (orchestration/who/statement).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from ingestion.errors import UsageError
from ingestion.settings_file import load_settings
from orchestration.activation.answers import permission_now
from orchestration.home.layout import Home
from orchestration.home.whole_file import whole_file
from orchestration.who.explain import Reader, product_names
from orchestration.who.statement.build import statement
from orchestration.who.statement.page import page, render
from orchestration.who.statement.parts import Asked, Statement
from orchestration.who.subject import Subject, find_subject, readable, rows_of
from orchestration.words.to_customers import OF_PRODUCTS

Link = Callable[[Home, str, str], str]


def print_statement(
    home: Home, who: str | None, html: Path | None, out: Console, link: Link, *, at: datetime
) -> None:
    """Print the statement, or write it as a page that only its owner reads.

    Args:
        home: the shop's home.
        who: any identifier or id of the person.
        html: the page to write instead.
        out: where to print.
        link: the address at which an identifier is unsubscribed by one click; empty where the shop
            has none.
        at: now, naive UTC.

    Raises:
        UsageError: nobody is named, or the page cannot be written.
    """
    if who is None:
        raise UsageError("Say whose statement.", "`regulars explain EMAIL --for-customer`.")
    statement = _statement(home, find_subject(home, who), link, at)
    if html is None:
        out.print(render(statement))
        return
    try:
        with whole_file(html) as stream:
            stream.write(page(statement).encode())
    except OSError as error:
        raise UsageError(
            f"{html} cannot be written ({error.strerror}).",
            "Name a file in a folder that is there.",
        ) from error
    out.print(f"Written: {html}; only you can read it, and nothing deletes it but you.")


def _statement(home: Home, subject: Subject, link: Link, at: datetime) -> Statement:
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
