"""kill -9 of the process that takes webhooks: what was acknowledged is kept and in force (SEC2).

100 kills while four senders post, every other one before anything was acknowledged; each refusal is
posted until it is acknowledged.
"""

from __future__ import annotations

import json
import random
import threading
import time
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext
from pathlib import Path

import httpx
import pytest

from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from tests.browser.pages import free_port
from tests.orchestration.serve.webhooks import calls
from tests.orchestration.serve.webhooks.calls import SECRETS
from tests.orchestration.serve.webhooks.serving import post, serve, wait_for

KILLS = 100
SENDERS = 4
SEED = 20_261_129
pytestmark = pytest.mark.faults


class Senders:
    """Posts refusals of ever new people, each until it is acknowledged."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._done = threading.Event()
        self.acknowledged: list[str] = []
        self.attempts = 0
        self._threads = [
            threading.Thread(target=self._post_all, args=(number,)) for number in range(SENDERS)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for_more_than(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.acknowledged) <= count:
            if time.monotonic() > deadline:
                raise TimeoutError("nothing is acknowledged")
            time.sleep(0.005)

    def end(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _post_all(self, sender: int) -> None:
        number = 0
        while not self._done.is_set():
            number += 1
            person = f"person{sender}x{number}@shop.example"
            while not self._done.is_set():
                now = datetime.now(UTC).replace(tzinfo=None)
                sent = calls.standard([calls.consent(person)], at=now, kept_id=f"{sender}-{number}")
                self.attempts += 1
                try:
                    if post(self._port, sent) == 202:
                        self.acknowledged.append(person)
                        break
                except httpx.HTTPError:
                    time.sleep(0.02)


def test_of_what_was_acknowledged_nothing_is_lost_over_a_hundred_kills(
    tmp_path: Path, fork: ForkServerContext
) -> None:
    home, port, chance = Home(tmp_path / "home"), free_port(), random.Random(SEED)
    senders = Senders(port)
    try:
        for number in range(KILLS):
            before = len(senders.acknowledged)
            process = fork.Process(target=serve, args=(home.root, port, SECRETS))
            process.start()
            wait_for(port)
            if number % 2:  # at work already
                senders.wait_for_more_than(before)
            time.sleep(chance.uniform(0.05, 0.8))
            assert process.is_alive()
            process.kill()
            process.join()
    finally:
        senders.end()
    kept = [
        row["identifier_value"]
        for path in home.inbox.rglob("*.json")
        if not path.name.startswith(".")
        for row in json.loads(path.read_text("utf-8"))
    ]
    with open_store(home) as store, store.read() as connection:
        refused = [
            row[0]
            for row in connection.exec_driver_sql("select identifier_value from suppressions")
        ]
    acknowledged = senders.acknowledged
    print(f"{KILLS} kills, {senders.attempts} attempts, {len(acknowledged)} acknowledged")
    assert len(acknowledged) >= KILLS / 2
    assert senders.attempts > len(acknowledged) + KILLS / 2, "kills met requests"
    assert not set(acknowledged) - set(kept)
    assert not set(acknowledged) - set(refused)
    assert len(kept) == len(set(kept)), "one that was posted again is kept once"
    assert len(refused) == len(set(refused))
