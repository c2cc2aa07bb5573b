"""Opening a database by the variable that holds its SQLAlchemy URL.

What goes wrong is told by the names of the setting and the variable: a driver's own words carry the
URL, the query and values.

Belongs here: from a variable to an engine, for whoever reads or writes a database of the shop's.
Does not belong here: what is asked of it (`tables`, `orchestration/destinations/sql`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from ingestion.errors import SourceError, UsageError


def open_engine(where: str, variable: str, **options: Any) -> sa.Engine:
    """The engine of a database; nothing is connected yet.

    Args:
        where: the section of the settings that names the variable.
        variable: the environment variable that holds the URL.
        options: of `sqlalchemy.create_engine`.

    Raises:
        UsageError: the variable is not set or holds no URL, or a driver is missing.
        SourceError: it is a file of SQLite that is not there.
    """
    url = database_url(where, variable)
    try:
        engine = sa.create_engine(url, hide_parameters=True, **options)
    except NoSuchModuleError:
        raise no_driver(where, "") from None
    except ImportError as error:
        raise no_driver(where, error.name or "") from None
    # SQLite would make a file that is not there, and an empty database of it.
    file = sqlite_file(url)
    if file is not None and not file.is_file():
        raise SourceError(
            f"The database of {variable} is a file that is not there.",
            "Write its whole path: sqlite:////folder/file.db.",
        )
    return engine


def database_url(where: str, variable: str) -> sa.URL:
    """The URL that a variable holds.

    Raises:
        UsageError: it is not set, or no URL.
    """
    text = os.environ.get(variable, "").strip()
    if not text:
        raise UsageError(
            f"`{where}` is on, but the environment variable {variable} is not set.",
            f"Set {variable} to the database's SQLAlchemy URL, or say enabled = false.",
        )
    try:
        return sa.make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError(
            f"{variable} holds no SQLAlchemy URL.",
            "Write it like postgresql+psycopg://user:password@host/database.",
        ) from None


def sqlite_file(url: sa.URL) -> Path | None:
    """The file of a SQLite database; None for one in memory and for every other system."""
    file = url.database or ":memory:"
    is_file = url.get_backend_name() == "sqlite" and not file.startswith((":memory:", "file:"))
    return Path(file) if is_file else None


def no_driver(where: str, package: str) -> UsageError:
    """What is told where a database's driver cannot be imported."""
    named = f" ({package})" if package else ""
    return UsageError(
        f"`{where}` needs a database driver that is not installed{named}.",
        "Install the package that SQLAlchemy names for this kind of URL into .venv.",
    )
