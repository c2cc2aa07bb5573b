"""Ctrl-C, or SIGTERM, that a library swallows is noticed all the same, and handed on.

Belongs here: remembering that the process was asked to stop, and stopping one that it started. Does
not belong here: what is said of it (the command line) and files of killed runs (workers).
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def noticing_interrupts() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM came while this was open; its handler is still asked as before.

    Signals reach the main thread alone; in another one the answer is always no.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS}

    def remember(number: int, frame: FrameType | None) -> None:
        asked.set()
        handler = before[number]
        if callable(handler):
            handler(number, frame)
        nobody = signal.getsignal(signal.SIGINT) is remember and not callable(before[signal.SIGINT])
        if number == signal.SIGTERM and nobody:
            raise KeyboardInterrupt  # a program in the background ignores Ctrl-C, which this became

    for number, handler in before.items():
        if number == signal.SIGINT or callable(handler):  # else SIGTERM ends the process by itself
            signal.signal(number, remember)
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_as_by_ctrl_c() -> None:
    """Let SIGTERM, and a terminal that is closed, do what Ctrl-C does: unfinished work is cleared.

    What was told to outlive its terminal (`nohup`) still does.
    """
    signal.signal(signal.SIGTERM, like_ctrl_c)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, like_ctrl_c)


def like_ctrl_c(_number: int, frame: FrameType | None) -> None:
    """A handler that makes SIGTERM do what Ctrl-C does, whoever handles that at the moment."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


def end_process(process: subprocess.Popen[Any], *, seconds: float) -> None:
    """Ask a process to stop as Ctrl-C does, and kill it where it has not after so long."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
