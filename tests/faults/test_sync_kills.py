"""kill -9 at random points of a sync: nothing lost, nothing twice, nobody left behind (A1, A2, A3).

25 kills by default, 200 by `make soak`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from orchestration.activation.ledger import broken_laws, open_intents
from orchestration.destinations.base import Idempotency
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.permission.consents import (
    ConsentEvent,
    record_consents,
)
from orchestration.ops.store import Store, open_store
from tests.faults.receiver import Ledger, serve
from tests.faults.sync_child import run_sync
from tests.orchestration.activation.records import state_counts
from tests.orchestration.activation.shop import NOW, Shop
from tests.orchestration.suppressions import Suppression, record_suppressions

ROUNDS = 200 if os.environ.get("REGULARS_SOAK") else 25
PEOPLE = 200 if ROUNDS < 100 else 1000
BATCH = PEOPLE // 8
LETTERS = "abcdef"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    home = Home(tmp_path / "home").create()
    with open_store(home) as store:
        yield Shop(home, store)


@pytest.fixture(scope="module")
def fork() -> multiprocessing.context.ForkServerContext:
    # The fork server imports everything once, so that kills meet syncs and not imports.
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.sync_child"])
    return context


def _grant_all(store: Store, names: list[str]) -> None:
    record_consents(
        store,
        [
            ConsentEvent(
                "email",
                _address(n),
                "email",
                "marketing",
                "granted",
                NOW.replace(month=1),
                "f",
                "v",
            )
            for n in names
        ],
        recorded_at=NOW,
    )


def _address(name: str) -> str:
    return f"{name}@example.com"


def _shuffle(shop: Shop, dice: random.Random, names: list[str]) -> None:
    """A day in the shop: people come, go and change; some say no."""
    for name in dice.sample(names, PEOPLE * 3 // 4):
        if name in shop.members and dice.random() < 0.4:
            del shop.members[name]
        else:
            shop.members[name] = f"reason {dice.randrange(10_000)}"
    shop.publish()


def _opt_out(shop: Shop, said_no: set[str], name: str) -> None:
    fact = Suppression("email", _address(name), "email", "*", "unsubscribed", NOW, "test")
    record_suppressions(shop.store, [fact], recorded_at=NOW)
    said_no.add(name)


def _child(
    fork: multiprocessing.context.ForkServerContext,
    shop: Shop,
    url: str,
    idempotency: Idempotency,
    batch_size: int,
) -> multiprocessing.process.BaseProcess:
    arguments = (str(shop.home.root), url, str(idempotency), batch_size)
    process = fork.Process(target=run_sync, args=arguments)
    process.start()
    return process


def _duration(process: multiprocessing.process.BaseProcess) -> float:
    began = time.monotonic()
    process.join(60)
    assert process.exitcode == 0
    return time.monotonic() - began


@pytest.mark.faults
def test_kills_lose_nothing_and_repeat_nothing(
    shop: Shop, fork: multiprocessing.context.ForkServerContext
) -> None:
    dice = random.Random(20260601)
    names = [f"c{number:03d}" for number in range(PEOPLE)]
    for name in names:
        shop.add(name, _address(name))
    _grant_all(shop.store, names)
    said_no: set[str] = set()
    ledger = Ledger(seed=7)
    killed = 0
    with serve(ledger) as url:
        for _ in range(2):  # the first one also waits for the fork server's imports
            _shuffle(shop, dice, names)
            usual = _duration(_child(fork, shop, url, Idempotency.KEY, BATCH))
        for _ in range(ROUNDS):
            _shuffle(shop, dice, names)
            process = _child(fork, shop, url, Idempotency.KEY, BATCH)
            process.join(dice.uniform(0.0, usual * 1.1))
            killed += process.is_alive()
            process.kill()
            process.join()
            if dice.random() < 0.3:
                _opt_out(shop, said_no, dice.choice(names))
        ledger.fault_rate = 0.0
        last = _child(fork, shop, url, Idempotency.KEY, BATCH)
        last.join(300)
        assert last.exitcode == 0
    wanted = {name: reason for name, reason in shop.members.items() if name not in said_no}
    assert killed >= ROUNDS // 3
    assert {name: payload["reason"] for name, payload in ledger.members.items()} == wanted
    assert ledger.same_version_twice == 0
    assert broken_laws(shop.store) == []
    with shop.store.read() as connection:
        outbox = schema.outbox.c
        sent = set(
            connection.execute(
                select(outbox.idempotency_key).where(outbox.state == "sent")
            ).scalars()
        )
        known = set(connection.execute(select(outbox.idempotency_key)).scalars())
        deliveries = connection.execute(select(func.count(schema.deliveries.c.delivery_id)))
        assert deliveries.scalar() == len(sent)
    assert sent <= ledger.keys, "lost"
    assert ledger.keys <= known, "phantom"
    states = state_counts(shop.store)
    assert set(states) <= {"sent", "superseded", "withheld"}
    print(
        f"\n{killed} kills of {ROUNDS}, a sync takes {usual:.2f} s, {ledger.applied} rows taken,"
        f" {ledger.faults} faults, {ledger.repeated} repeats recognised by key, states {states}"
    )


@pytest.mark.faults
def test_where_nothing_may_repeat_nothing_does(
    shop: Shop, fork: multiprocessing.context.ForkServerContext
) -> None:
    """No keys at the receiver: at most one row of unknown fate per kill or lost answer."""
    dice = random.Random(20260602)
    rounds = min(max(ROUNDS // 2, 5), 40)
    ledger = Ledger(seed=11)
    with serve(ledger) as url:
        for number in range(rounds):
            name = f"n{number:04d}"
            for letter in LETTERS:
                shop.add(name + letter, _address(name + letter))
            _grant_all(shop.store, [name + letter for letter in LETTERS])
            shop.publish()
            process = _child(fork, shop, url, Idempotency.NONE, 1)
            process.join(dice.uniform(0.0, 0.5))
            process.kill()
            process.join()
        ledger.fault_rate = 0.0
        last = _child(fork, shop, url, Idempotency.NONE, 1)
        last.join(300)
        assert last.exitcode == 0
    unknown = open_intents(shop.store, ["unknown"])
    assert ledger.repeated == 0
    assert ledger.same_version_twice == 0
    assert len(unknown) <= rounds + ledger.faults
    missing = set(shop.members) - set(ledger.members)
    assert missing <= {intent.customer_id for intent in unknown}
    assert broken_laws(shop.store) == []


@pytest.mark.slow
def test_no_message_after_an_acknowledged_opt_out(
    shop: Shop, fork: multiprocessing.context.ForkServerContext
) -> None:
    """Opt-outs pour in from another process while rows leave (A5)."""
    names = [f"c{number:03d}" for number in range(PEOPLE)]
    for name in names:
        shop.add(name, _address(name))
    _grant_all(shop.store, names)
    shop.publish()
    acknowledged: dict[str, float] = {}
    said_no: set[str] = set()
    ledger = Ledger(seed=13, fault_rate=0.0)
    with serve(ledger) as url:
        process = _child(fork, shop, url, Idempotency.KEY, 4)

        def pour() -> None:
            for name in reversed(names):
                if not process.is_alive():
                    return
                _opt_out(shop, said_no, name)
                acknowledged[name] = time.monotonic()

        thread = threading.Thread(target=pour)
        thread.start()
        process.join(120)
        thread.join()
        assert process.exitcode == 0
    late = [
        name
        for name, operation, taken_at in ledger.taken_at
        if operation != "removed" and taken_at > acknowledged.get(name, float("inf"))
    ]
    assert late == []
    assert len(acknowledged) > 10
