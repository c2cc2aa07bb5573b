"""A vendor's fake that is served, with a clock that a test moves; used by tests of several folders.

Belongs here: what is the same for every fake. Does not belong here: the calls of one vendor
(`klaviyo_calls`), destinations (`tests/orchestration/destinations/checking.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

import pytest

from orchestration.fakes.server import Clock, served_fake


class Account(Protocol):
    """A fake that has keys, and an account that can be emptied."""

    @property
    def credentials(self) -> Mapping[str, str]:
        """Environment variables that its destination reads."""

    def begin_anew(self, seed: int) -> None:
        """Be another account."""


F = TypeVar("F", bound=Account)
S = TypeVar("S", bound="Served[Any]")


@dataclass
class Hand:
    """A clock that a test moves."""

    at: datetime = field(default_factory=lambda: datetime(2026, 6, 1, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


@dataclass
class Served(Generic[F]):
    """The fake, its clock and where it is."""

    fake: F
    clock: Hand
    address: str

    def later(self, seconds: float = 5) -> None:
        """Let whatever is under way there be done."""
        self.clock.move(seconds)


@contextmanager
def serving(create: Callable[[int, Clock], F], kind: Callable[[F, Hand, str], S]) -> Iterator[S]:
    """A fake that is served, in the form that a test wants."""
    clock = Hand()
    fake = create(0, clock)
    with served_fake(fake) as address:
        yield kind(fake, clock, address)


def server_of(create: Callable[[int, Clock], F], kind: Callable[[F, Hand, str], S]) -> Any:
    """The fixture of a module whose tests share one server."""

    @pytest.fixture(scope="module")
    def server() -> Iterator[S]:
        with serving(create, kind) as served:
            yield served

    return server


def give_keys(fake: Account, patch: pytest.MonkeyPatch) -> None:
    """Put the keys of a fake where its destination reads them."""
    for variable, value in fake.credentials.items():
        patch.setenv(variable, value)


def emptied(served: S, patch: pytest.MonkeyPatch) -> S:
    """The same server with an empty account, whose keys are at hand."""
    served.fake.begin_anew(0)
    give_keys(served.fake, patch)
    return served
