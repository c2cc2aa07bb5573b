"""No process of a home calls a destination more often than it declares, or before it may."""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from orchestration.activation import sync as sync_module
from orchestration.activation.pace import Pace, PausedError
from orchestration.destinations.base import Rate
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import open_store
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop, busy

RATE = Rate(4, 0.4)
RATES = (Rate(3, 1.0), Rate(10, 20.0))


@dataclass
class Watch:
    """A clock that goes on by what is waited."""

    at: float = 1_000.0
    waited: float = 0.0

    def __call__(self) -> float:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += seconds
        self.waited += seconds


def _broken(calls: list[float], rates: tuple[Rate, ...]) -> list[Rate]:
    return [
        rate
        for rate in rates
        for first in calls
        if sum(first <= call < first + rate.seconds - 1e-5 for call in calls) > rate.requests
    ]


def test_every_window_keeps_to_every_rate(shop: Shop) -> None:
    watch, dice, calls = Watch(), random.Random(5), []
    # Two processes of one home, each with what it knows of its own, at one clock.
    both = [Pace(shop.store, "mailer", RATES, watch.wait, watch) for _ in range(2)]
    for _ in range(80):
        dice.choice(both).take()
        calls.append(watch.at)
        watch.at += dice.choice([0.0, 0.0, 0.1, 0.9])
    assert _broken(calls, RATES) == []
    assert watch.at - 1_000 < 80 / 10 * 20.0 + 20, "and not slower than it has to be"
    with shop.store.read() as connection:
        kept = connection.execute(select(func.count(schema.destination_calls.c.called_at)))
        assert kept.scalar_one() <= 10, "what is older than the longest window goes"


def test_a_destination_is_left_alone_for_as_long_as_it_asked_by_all(shop: Shop) -> None:
    watch = Watch()
    Pace(shop.store, "mailer", (), watch.wait, watch).pause(30.0)
    Pace(shop.store, "other", (), watch.wait, watch).take()
    assert watch.waited == 0.0
    Pace(shop.store, "mailer", (), watch.wait, watch).take()
    assert watch.waited == pytest.approx(30.0)
    Pace(shop.store, "mailer", (), watch.wait, watch).pause(3_600.0)
    with pytest.raises(PausedError):
        Pace(shop.store, "mailer", RATES, watch.wait, watch).take()
    watch.at -= 10_000.0  # the machine's clock was wrong, and is set right
    Pace(shop.store, "mailer", RATES, watch.wait, watch).take()


def test_a_long_pause_leaves_the_rows_to_a_later_sync(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.add("c1", "c1@example.com")
    shop.grant("c1@example.com")
    shop.publish()
    receiver, waits = Receiver(answers=[busy(3_600.0)]), list[float]()
    for _ in range(2):
        report = sync_module.sync(
            shop.store, shop.home, TARGET, receiver, at=NOW, wait=waits.append
        )
        assert (report.left, receiver.calls, waits) == ({"pending": 1}, 1, [])
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3_601.0)
    monkeypatch.setattr(Pace, "__init__", _with_clock(Pace.__init__))
    report = sync_module.sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=waits.append)
    assert (report.left, receiver.calls) == ({}, 2)


def _with_clock(init):  # type: ignore[no-untyped-def]
    def then(self, *arguments):  # type: ignore[no-untyped-def]
        init(self, *arguments, clock=time.time)

    return then


def _call(root: str, told: str, count: int) -> None:
    seen = [0.0]

    def clock() -> float:
        seen[0] = time.time()
        return seen[0]

    with open_store(Home(Path(root))) as store:
        pace = Pace(store, "mailer", (RATE,), clock=clock)
        for _ in range(count):
            pace.take()
            with Path(told).open("a", encoding="utf-8") as file:
                file.write(f"{seen[0]}\n")  # the moment at which it was allowed


@pytest.mark.faults
def test_two_processes_together_keep_to_the_rate(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "calls"
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[3]))
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_call, args=(str(shop.home.root), str(told), 8)) for _ in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    calls = sorted(float(line) for line in told.read_text().splitlines())
    assert len(calls) == 16
    assert _broken(calls, (RATE,)) == []
