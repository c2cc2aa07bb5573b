"""Ctrl-C that a library swallows is noticed all the same.

Belongs here: remembering that the process was asked to stop. Does not belong here: what is said of
it (the command line) or what is left behind (workers).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noticing_interrupts() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C came while this was open; whoever handles it is still asked as before.

    Signals reach the main thread alone; in another one the answer is always no.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def remember(number: int, frame: FrameType | None) -> None:
        asked.set()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGINT, remember)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
