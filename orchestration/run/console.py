"""What a run reports to the terminal that started it; silent under Dagster's own processes.

Belongs here: one place where the command line listens to a run's steps. Does not belong here:
Dagster's logs (they get counts as metadata) and the layout of summaries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class RunOutput:
    """What the steps of a run reported: lines at once, the rest for the closing summary.

    `deliveries` holds a `Delivery` of each target, a type of activation, a folder above this one.
    `ignored` names, by raw table, columns of the input that the table does not know.
    """

    say: Callable[[str], None]
    deliveries: list[Any] = field(default_factory=list)
    ignored: dict[str, tuple[str, ...]] = field(default_factory=dict)


_listener: RunOutput | None = None


@contextmanager
def listening(say: Callable[[str], None]) -> Iterator[RunOutput]:
    """Collect what steps in this process report during the block."""
    global _listener  # noqa: PLW0603 - one process has one terminal
    previous, _listener = _listener, RunOutput(say)
    try:
        yield _listener
    finally:
        _listener = previous


def attached() -> bool:
    """Whether a person waits at the other end."""
    return _listener is not None


def say(text: str) -> None:
    """Say one line, if anybody listens."""
    if _listener is not None:
        _listener.say(text)


def delivered(delivery: Any) -> None:
    """Tell what one target came to, if anybody listens."""
    if _listener is not None:
        _listener.deliveries.append(delivery)


def ignored(table: str, columns: tuple[str, ...]) -> None:
    """Tell which columns of the input a raw table left out, if anybody listens."""
    if _listener is not None and columns:
        _listener.ignored[table] = columns
