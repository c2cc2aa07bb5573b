"""The lines a run says to a person at a terminal; silent under Dagster's own processes.

Belongs here: one place where the command line listens to a run's steps. Does not belong here:
Dagster's logs (they get counts as metadata) and layout of summaries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listener: Callable[[str], None] | None = None


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Hand every line said during the block to `listener`."""
    global _listener  # noqa: PLW0603 - one process has one terminal
    previous, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = previous


def attached() -> bool:
    """Whether a person waits at the other end."""
    return _listener is not None


def say(text: str) -> None:
    """Say one line, if anybody listens."""
    if _listener is not None:
        _listener(text)
