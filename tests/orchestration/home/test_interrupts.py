"""Ctrl-C that somebody swallowed is noticed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from orchestration.home.interrupts import (
    end_as_by_ctrl_c,
    end_process,
    like_ctrl_c,
    noticing_interrupts,
)


@pytest.fixture
def swallowed() -> Iterator[list[int]]:
    """Somebody else's handler, which tells nobody."""
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    yield heard
    signal.signal(signal.SIGINT, before)


def test_it_is_noticed_and_handled_as_before(swallowed: list[int]) -> None:
    handler = signal.getsignal(signal.SIGINT)
    with noticing_interrupts() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted()
    assert swallowed == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.fixture
def raising() -> Iterator[None]:
    """Python's own handler, which it does not set where its parent ignores the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("raising")
def test_an_interrupt_that_raises_still_does() -> None:
    with pytest.raises(KeyboardInterrupt), noticing_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_hears_nothing(swallowed: list[int]) -> None:
    answers: list[bool] = []

    def ask() -> None:
        with noticing_interrupts() as interrupted:
            os.kill(os.getpid(), signal.SIGINT)
            answers.append(interrupted())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert answers == [False]


@pytest.fixture
def ours() -> Iterator[None]:
    """What the command line does with SIGTERM."""
    before = signal.signal(signal.SIGTERM, like_ctrl_c)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("ours")
def test_sigterm_is_noticed_where_it_is_swallowed(swallowed: list[int]) -> None:
    with noticing_interrupts() as interrupted:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupted()
    assert swallowed == [signal.SIGINT]
    assert signal.getsignal(signal.SIGTERM) is like_ctrl_c


@pytest.mark.usefixtures("ours", "raising")
def test_sigterm_is_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.usefixtures("ours", "raising")
def test_a_terminal_that_is_closed_is_ctrl_c_unless_it_is_to_be_outlived() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        end_as_by_ctrl_c()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), number)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        end_as_by_ctrl_c()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("ours")
def test_sigterm_ends_what_ctrl_c_does_not_reach() -> None:
    """A program in the background ignores Ctrl-C, and is stopped by SIGTERM all the same."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt), noticing_interrupts() as interrupted:
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupted()
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("handler", "by"), [("SIG_DFL", signal.SIGINT), ("SIG_IGN", signal.SIGKILL)]
)
def test_a_process_is_asked_to_stop_and_killed_where_it_does_not(
    handler: str, by: signal.Signals
) -> None:
    code = (
        f"import signal, time; signal.signal(signal.SIGINT, signal.{handler});"
        "print('up', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    end_process(process, seconds=0.5 if by == signal.SIGKILL else 30)
    assert process.wait() == -by
    process.stdout.close()
