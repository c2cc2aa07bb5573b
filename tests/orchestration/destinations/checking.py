"""What tests of destinations against served fakes do alike: open one, hand over rows, ask.

Belongs here: what does not depend on the vendor. Does not belong here: checks of one destination
(`NAME_checks`), planted defects (`defects`), the fakes (`tests/orchestration/fakes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from ingestion import config
from orchestration.destinations import open_destination
from orchestration.destinations.base import AnswersLater, Batch, Destination, Outcome, Payload, Row
from orchestration.home.layout import Home
from tests.orchestration.destinations.defects import Patch

BEGIN = datetime(2026, 6, 1, 11)
DONE = [("delivered", "")]

D = TypeVar("D")
S = TypeVar("S")


class Checks(dict[str, Callable[[S], None]]):
    """What a destination must do, by name: functions that fail where it does not."""

    def add(self, check: Callable[[S], None]) -> Callable[[S], None]:
        """Register a check under its name."""
        self[check.__name__] = check
        return check

    def each(self) -> pytest.MarkDecorator:
        """A test for each, which it gets as `check`."""
        return pytest.mark.parametrize("check", [*self.values()], ids=[*self])

    def each_defect(self, defects: Mapping[str, tuple[Patch, str]]) -> pytest.MarkDecorator:
        """A test for each planted defect and the check it names, which it gets as `defect`."""
        pairs = [(plant, self[name]) for plant, name in defects.values()]
        return pytest.mark.parametrize("defect", pairs, ids=[*defects])


class Askable(Destination, AnswersLater, Protocol):
    """A destination that is asked what became of a row."""


class Waits(Protocol):
    """A place at which time can pass."""

    def later(self) -> None:
        """Let whatever is under way there be done."""


def opened_as(expected: type[D], kind: str, options: Mapping[str, Any]) -> D:
    """The destination as the settings would open it, on this machine."""
    settings = config.Destination(kind=kind, options={"allow_private": True, **options})
    found = open_destination(kind, settings, Home(Path("nowhere")))
    assert isinstance(found, expected)
    return found


def email_of(number: int) -> str:
    """The address of the person of a number."""
    return f"p{number}@example.com"


def people(*numbers: int) -> set[str]:
    """The addresses of people of these numbers."""
    return {email_of(number) for number in numbers}


def intent(
    number: int,
    operation: str = "added",
    previous: Payload | None = None,
    /,
    *,
    version: int = 1,
    **said: Any,
) -> Row:
    """An intent for the person of a number; what is said of them replaces what is usual."""
    payload = {"customer_id": f"c{number}", "email": email_of(number), **said}
    key = f"k{number}-{operation}"
    return Row(key, f"c{number}", version, operation, payload, previous)  # type: ignore[arg-type]


def with_old_address(row: Row, email: str) -> Row:
    """The same for somebody who had another address; had none where it is empty."""
    return replace(row, previous={**row.payload, "email": email}) if email else row


def batch(*rows: Row, segment: str = "vip", run: int = 1, number: int = 1) -> Batch:
    """Rows that go together; a later run began later."""
    columns = tuple(rows[0].payload)
    return Batch(f"run{run}", segment, number, BEGIN + timedelta(hours=run), columns, rows)


def handed_over(destination: Destination, *rows: Row) -> list[Outcome]:
    """What it says at once, in its own order."""
    return list(destination.deliver(batch(*rows)))


def said(outcomes: Iterable[Outcome]) -> list[tuple[str, str]]:
    """Status and reason of each."""
    return [(each.status, each.reason) for each in outcomes]


def deliver(
    destination: Destination, *rows: Row, segment: str = "vip", run: int = 1, number: int = 1
) -> dict[str, Outcome]:
    """What it says at once, by key."""
    whole = batch(*rows, segment=segment, run=run, number=number)
    return {each.key: each for each in destination.deliver(whole)}


def ask(
    destination: AnswersLater, outcomes: Mapping[str, Outcome], *rows: Row
) -> dict[str, Outcome]:
    """What it says of the accepted rows when it is asked."""
    told = dict(outcomes)
    for ticket in {each.ticket for each in outcomes.values() if each.status == "accepted"}:
        own = [each for each in rows if outcomes[each.key].ticket == ticket]
        told |= {each.key: each for each in destination.ask("vip", ticket, own)}
    return told


def said_of(outcomes: Mapping[str, Outcome], rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Status and reason of each row, in their order."""
    return said(outcomes[each.key] for each in rows)


def told(destination: Destination, *rows: Row, segment: str = "vip") -> list[tuple[str, str]]:
    """Status and reason of each row, as it says at once."""
    return said_of(deliver(destination, *rows, segment=segment), rows)


def settled(shop: Waits, destination: Askable, *rows: Row, run: int = 1) -> list[tuple[str, str]]:
    """Status and reason of each row once whatever is under way is done."""
    outcomes = deliver(destination, *rows, run=run)
    shop.later()
    return said_of(ask(destination, outcomes, *rows), rows)
