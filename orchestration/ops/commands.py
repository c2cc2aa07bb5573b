"""The record of who ran what that changes something or hands personal data out.

Belongs here: writing and reading that record. Does not belong here: the commands, and who may run
them (the guard of the pages; the machine's own accounts at the terminal).

No row names the person whom a command was about: a record of who was forgotten would be what they
asked to have erased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import insert, select

from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import from_micros, has_store, open_store, to_micros

DONE, FAILED, REFUSED = "done", "failed", "refused"
PAGES, TERMINAL = "pages", "terminal"
EDITOR = "editor"


@dataclass(frozen=True)
class Command:
    """What was run, and by whom.

    `name`: as at the terminal. `run_by`: an account of this machine. `role`: viewer or editor, as
    the pages let in; at the terminal editor. `interface`: `PAGES` or `TERMINAL`. `about`: a segment
    or destination, never a person.
    """

    name: str
    run_by: str
    role: str = EDITOR
    interface: str = TERMINAL
    about: str = ""


@dataclass(frozen=True)
class Recorded:
    """One row of the record; `run_at` is naive UTC."""

    command: Command
    outcome: str
    run_at: datetime


def record(home: Home, command: Command, outcome: str, at: datetime) -> None:
    """Write one row; a home without an operational store has nothing to run a command on.

    Raises:
        StoreError: the store cannot be read.
    """
    if not has_store(home):
        return
    with open_store(home) as store, store.write() as connection:
        connection.execute(
            insert(schema.commands).values(
                command_id=uuid4().hex,
                command=command.name,
                about=command.about or None,
                run_by=command.run_by,
                role=command.role,
                interface=command.interface,
                outcome=outcome,
                run_at=to_micros(at),
            )
        )


@contextmanager
def recorded(home: Home, command: Command, now: Callable[[], datetime]) -> Iterator[None]:
    """Record the command with how the block ended; an error of the block is the one raised."""
    try:
        yield
    except BaseException:
        with suppress(RegularsError):
            record(home, command, FAILED, now())
        raise
    record(home, command, DONE, now())


def latest(home: Home, limit: int) -> list[Recorded]:
    """The last commands, the newest first."""
    if not has_store(home):
        return []
    table = schema.commands
    query = select(table).order_by(table.c.run_at.desc(), table.c.command_id).limit(limit)
    with open_store(home) as store, store.read() as connection:
        rows = connection.execute(query).mappings().all()
    return [
        Recorded(
            Command(
                row["command"], row["run_by"], row["role"], row["interface"], row["about"] or ""
            ),
            row["outcome"],
            from_micros(row["run_at"]),
        )
        for row in rows
    ]
