"""The moment of each step of a sync: where it began, and what has passed since.

Belongs here: clocks that are read again at every step. Does not belong here: which moment a home
begins at (delivery.py), and what is allowed at a moment (gate, decision, quiet_hours).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

Clock = Callable[[], datetime]


def running(at: datetime) -> Clock:
    """A clock that shows `at` now and goes on from there; it never goes back.

    A machine's steady clock stops while the machine sleeps and its wall clock may be put back, so
    the longer of the two times counts.
    """
    steady, wall = time.monotonic(), time.time()
    passed = 0.0

    def now() -> datetime:
        nonlocal passed
        passed = max(passed, time.monotonic() - steady, time.time() - wall)
        return at + timedelta(seconds=passed)

    return now


def stopped(at: datetime) -> Clock:
    """The clock of a pretend shop, whose time goes on by runs alone."""
    return lambda: at
