"""What the doubles of all vendors are made of: a clock, chance, faults and counts of calls.

Belongs here: what no vendor does in another way. Does not belong here: what is enforced and
answered (each fake), being served and misbehaving (`server`).
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from starlette.requests import Request
from starlette.routing import Route

from orchestration.fakes.faults import Faults
from orchestration.fakes.server import Clock

Act = TypeVar("Act")
J = TypeVar("J", bound="Job")
Endpoint = Callable[[Request], Any]


class Job(Protocol):
    """Something that is done later."""

    id: str
    due: datetime
    is_done: bool


class Vendor:
    """One account, of which a subclass has the content.

    Args:
        seed: of all that is left to chance.
        clock: tells its time, with its zone.
    """

    def __init__(self, seed: int, clock: Clock) -> None:
        """An account as `begin_anew` makes it."""
        self._clock = clock
        self._lock = threading.Lock()
        self.begin_anew(seed)

    def begin_anew(self, seed: int) -> None:
        """Another account, without content; a subclass adds its own."""
        self.faults = Faults(seed)
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()  # by the name of the rule
        self._dice = random.Random(seed)  # noqa: S311 - chance, no secret

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """What was called and what was refused, as a state tells it."""
        return {"calls": dict(self.calls), "refused": dict(self.refused)}


def routes_of(
    acts: Iterable[tuple[str, str, Act]],
    endpoint: Callable[[str, Act], Endpoint],
    prefixes: Sequence[str] = ("",),
) -> list[Route]:
    """A route for each method, path and what is done, below each prefix."""
    known = list(acts)
    return [
        Route(prefix + path, endpoint(f"{method} {path}", act), methods=[method])
        for prefix in prefixes
        for method, path, act in known
    ]


def done_by(now: datetime, jobs: Iterable[J]) -> Iterator[J]:
    """The jobs that fall due by now, in the order in which they do, each noted as done."""
    due = [job for job in jobs if not job.is_done and job.due <= now]
    for job in sorted(due, key=lambda each: (each.due, each.id)):
        job.is_done = True
        yield job
