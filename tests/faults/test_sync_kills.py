"""kill -9 at random points of a sync: nothing lost, nothing twice, nobody left behind (A1, A2, A3).

25 kills by default, 200 by `make soak`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import func, select

from orchestration.activation.ledger import broken_laws, open_intents
from orchestration.activation.resolution import resolve
from orchestration.destinations.audience_tables import MEMBERS
from orchestration.ops import schema
from orchestration.ops.permission.consents import (
    ConsentEvent,
    record_consents,
)
from orchestration.ops.store import Store
from tests.faults.receiver import ActsAgain, Ledger, serve
from tests.faults.sync_child import run_sync
from tests.orchestration.activation.records import state_counts
from tests.orchestration.activation.shop import NOW, Shop
from tests.orchestration.destinations.doubles import WEBHOOK_SECRET
from tests.orchestration.destinations.postgres import postgres
from tests.orchestration.suppressions import Suppression, record_suppressions

ROUNDS = 200 if os.environ.get("REGULARS_SOAK") else 25
PEOPLE = 200 if ROUNDS < 100 else 1000
BATCH = PEOPLE // 8


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


@dataclass
class System:
    """What is synced to. `holds`: the members that it has, and the version of each."""

    kind: str
    options: dict[str, Any]
    holds: Callable[[], dict[str, tuple[str, int]]]
    environment: dict[str, str] = field(default_factory=dict)
    ledger: Ledger | None = None
    fault_rate: float = 0.0  # of a destination that does not fail by itself
    started: int = 0

    def child(self, fork: ForkServerContext, shop: Shop) -> multiprocessing.process.BaseProcess:
        """A process that syncs once."""
        self.started += 1
        arguments = (
            *(str(shop.home.root), self.kind, self.options, self.environment),
            *(self.started, self.fault_rate),
        )
        process = fork.Process(target=run_sync, args=arguments)
        process.start()
        return process

    def end_faults(self) -> None:
        """From now on nothing fails."""
        self.fault_rate = 0.0
        if self.ledger is not None:
            self.ledger.fault_rate = 0.0


@contextmanager
def _webhook(_folder: Path, batch_size: int = BATCH, fault_rate: float = 0.05) -> Iterator[System]:
    ledger = Ledger(seed=7, fault_rate=fault_rate)
    with serve(ledger) as url:
        yield System(
            "webhook",
            {
                "url": url,
                "secret_env": "HOOK_SECRET",
                "allow_private": True,
                "batch_size": batch_size,
            },
            lambda: {
                name: (payload["reason"], ledger.versions[name])
                for name, payload in ledger.members.items()
            },
            {"HOOK_SECRET": WEBHOOK_SECRET},
            ledger,
        )


@contextmanager
def _once(ledger: Ledger) -> Iterator[System]:
    with serve(ledger) as url:
        yield System("once", {"url": url, "batch_size": BATCH}, dict, ledger=ledger)


@contextmanager
def _sqlite(folder: Path) -> Iterator[System]:
    (folder / "audiences.db").touch()
    yield _sql(f"sqlite:///{folder}/audiences.db")


@contextmanager
def _postgresql(_folder: Path) -> Iterator[System]:
    with postgres() as folder:
        yield _sql(f"postgresql+psycopg://postgres@/postgres?host={folder}")


def _sql(url: str) -> System:
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)

    def holds() -> dict[str, tuple[str, int]]:
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(f"select customer_id, reason, version from {MEMBERS}")
            return {row[0]: (row[1], row[2]) for row in rows}

    options = {"url_env": "AUDIENCES_URL", "batch_size": BATCH}
    return System("sql", options, holds, {"AUDIENCES_URL": url}, fault_rate=0.05)


def _duration(process: multiprocessing.process.BaseProcess) -> float:
    began = time.monotonic()
    process.join(60)
    assert process.exitcode == 0
    return time.monotonic() - began


@pytest.mark.faults
@pytest.mark.parametrize("opened", [_webhook, _sqlite, _postgresql])
def test_kills_lose_nothing_and_repeat_nothing(
    shop: Shop,
    fork: ForkServerContext,
    tmp_path: Path,
    opened: Callable[[Path], AbstractContextManager[System]],
) -> None:
    dice = random.Random(20260601)
    names = [f"c{number:03d}" for number in range(PEOPLE)]
    for name in names:
        shop.add(name, _address(name))
    _grant_all(shop.store, names)
    said_no: set[str] = set()
    killed = 0
    with opened(tmp_path) as system:
        for _ in range(2):  # the first one also waits for the fork server's imports
            _shuffle(shop, dice, names)
            usual = _duration(system.child(fork, shop))
        for _ in range(ROUNDS):
            _shuffle(shop, dice, names)
            process = system.child(fork, shop)
            process.join(dice.uniform(0.0, usual * 1.1))
            killed += process.is_alive()
            process.kill()
            process.join()
            if dice.random() < 0.3:
                _opt_out(shop, said_no, dice.choice(names))
        system.end_faults()
        last = system.child(fork, shop)
        last.join(300)
        assert last.exitcode == 0
        holds = system.holds()
    wanted = {name: reason for name, reason in shop.members.items() if name not in said_no}
    assert killed >= ROUNDS // 3
    assert {name: reason for name, (reason, _) in holds.items()} == wanted
    assert {name: version for name, (_, version) in holds.items()} == _by_the_ledger(shop.store)
    assert broken_laws(shop.store) == []
    assert set(state_counts(shop.store)) <= {"sent", "superseded", "withheld"}
    _check_keys(shop.store, system.ledger)
    print(
        f"\n{system.kind}: {killed} kills of {ROUNDS}, a sync takes {usual:.2f} s,"
        f" {state_counts(shop.store)}"
    )


def _by_the_ledger(store: Store) -> dict[str, int]:
    """Who is there by what we know, and in which version."""
    states = schema.audience_states.c
    with store.read() as connection:
        rows = connection.execute(
            select(states.customer_id, states.version).where(states.is_member)
        )
        return {row[0]: row[1] for row in rows}


def _check_keys(store: Store, ledger: Ledger | None) -> None:
    """Every row that was sent is known by its key where keys are kept, once, and no other."""
    outbox = schema.outbox.c
    with store.read() as connection:
        keys = select(outbox.idempotency_key)
        sent = set(connection.execute(keys.where(outbox.state == "sent")).scalars())
        known = set(connection.execute(keys).scalars())
        deliveries = connection.execute(select(func.count(schema.deliveries.c.delivery_id)))
        assert deliveries.scalar() == len(sent)
    if ledger is not None:
        assert ledger.same_version_twice == 0
        assert sent <= ledger.keys, "lost"
        assert ledger.keys <= known, "phantom"
        print(
            f"\n{ledger.applied} rows taken, {ledger.faults} faults,"
            f" {ledger.repeated} repeats recognised by key"
        )


@pytest.mark.faults
def test_where_nothing_may_repeat_nothing_does(shop: Shop, fork: ForkServerContext) -> None:
    """No keys at the receiver: at most a batch of unknown fate per kill or lost answer, all listed.

    After each round a person looks at the receiver and says what arrived.
    """
    dice = random.Random(20260602)
    names = [f"c{number:03d}" for number in range(PEOPLE)]
    for name in names:
        shop.add(name, _address(name))
    _grant_all(shop.store, names)
    ledger = ActsAgain(seed=11)
    said_no: set[str] = set()
    killed = unknown = 0
    with _once(ledger) as system:
        for _ in range(2):
            _shuffle(shop, dice, names)
            _duration(system.child(fork, shop))
            unknown += _answer_for_unknown(shop.store, ledger)
        for _ in range(ROUNDS):
            _shuffle(shop, dice, names)
            process = system.child(fork, shop)
            _wait_for_calls(process, ledger, dice)
            killed += process.is_alive()
            process.kill()
            process.join()
            if dice.random() < 0.3:
                _opt_out(shop, said_no, dice.choice(names))
            unknown += _answer_for_unknown(shop.store, ledger)
        system.end_faults()
        for _ in range(2):  # the first one says what the last kill left unknown
            _duration(system.child(fork, shop))
            unknown += _answer_for_unknown(shop.store, ledger)
    wanted = {name: reason for name, reason in shop.members.items() if name not in said_no}
    assert killed >= ROUNDS // 3
    assert {name: payload["reason"] for name, payload in ledger.members.items()} == wanted
    assert ledger.repeated == 0, "nobody got anything twice"
    assert unknown <= BATCH * (killed + ledger.faults)
    assert broken_laws(shop.store) == []
    assert set(state_counts(shop.store)) <= {"sent", "superseded", "withheld"}
    _check_keys(shop.store, ledger)
    print(f"\nonce: {killed} kills of {ROUNDS}, {unknown} rows of unknown fate")


def _wait_for_calls(
    process: multiprocessing.process.BaseProcess, ledger: Ledger, dice: random.Random
) -> None:
    """Let a sync make some calls and a moment more: it is killed while rows leave."""
    enough = ledger.calls + dice.randint(0, 9)
    while process.is_alive() and ledger.calls < enough:
        time.sleep(0.0005)
    process.join(dice.uniform(0.0, 0.02))


def _answer_for_unknown(store: Store, ledger: Ledger) -> int:
    """Say of rows of unknown fate what the receiver knows, as a person would; how many."""
    rows = open_intents(store, ["unknown"])
    if rows:
        time.sleep(0.05)  # what a killed sync had sent may still be on its way into the receiver
    for key in sorted({row.batch_key for row in rows}):
        arrived = {row.idempotency_key in ledger.keys for row in rows if row.batch_key == key}
        assert len(arrived) == 1, "a batch arrives whole"
        resolve(store, key, "arrived" if True in arrived else "lost", by="Ada", at=NOW)
    return len(rows)


@pytest.mark.slow
def test_no_message_after_an_acknowledged_opt_out(
    shop: Shop, fork: ForkServerContext, tmp_path: Path
) -> None:
    """Opt-outs pour in from another process while rows leave (A5)."""
    names = [f"c{number:03d}" for number in range(PEOPLE)]
    for name in names:
        shop.add(name, _address(name))
    _grant_all(shop.store, names)
    shop.publish()
    acknowledged: dict[str, float] = {}
    said_no: set[str] = set()
    with _webhook(tmp_path, batch_size=4, fault_rate=0.0) as system:
        process = system.child(fork, shop)

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
        for name, operation, taken_at in system.ledger.taken_at
        if operation != "removed" and taken_at > acknowledged.get(name, float("inf"))
    ]
    assert late == []
    assert len(acknowledged) > 10
