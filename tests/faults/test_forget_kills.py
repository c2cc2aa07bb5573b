"""kill -9 at random points of an erasure: whoever comes next completes it, nothing is left (A8).

8 people and kills by default, 50 of each by `make soak`.
"""

from __future__ import annotations

import os
import random
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from sqlalchemy import select

from orchestration.activation.gate import Identifier, Policy, Reason, decide, load_states
from orchestration.activation.ledger import broken_laws
from orchestration.erasure.erase import STEPS, carry_out
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import open_store, to_micros
from orchestration.ops.tombstones import open_erasures, request
from tests.faults.forget_child import run_finish, run_forget
from tests.orchestration.erasure.planted import NOW, keys_of, plant, rows_of, subject
from tests.traces import traces

pytestmark = pytest.mark.faults

PEOPLE = 50 if os.environ.get("REGULARS_SOAK") else 8
BYSTANDER = PEOPLE  # who asked for nothing


def values(number: int) -> list[str]:
    return [*(value for _, value in keys_of(number)), *subject(number).ids]


def is_refused(home: Home, number: int) -> bool:
    person = [Identifier(*key) for key in keys_of(number)]
    with open_store(home) as store, store.read() as connection:
        policy = Policy("email", "marketing")
        states = load_states(connection, {one.key for one in person}, policy, to_micros(NOW))
        return decide(person, states, policy).reason is Reason.FORGOTTEN


def has_begun(home: Home, number: int) -> bool:
    with open_store(home) as store, store.read() as connection:
        return bool(open_erasures(connection)) or is_refused(home, number)


def test_a_killed_erasure_is_completed_and_leaves_nothing(
    tmp_path: Path, fork: ForkServerContext
) -> None:
    home = plant(tmp_path / "home", PEOPLE + 1)
    theirs = rows_of(home, BYSTANDER)
    dice = random.Random(6)
    warm = plant(tmp_path / "warm", PEOPLE + 1)
    for number in range(2):  # the first starts the fork server too
        began = time.monotonic()
        first = fork.Process(target=run_forget, args=(str(warm.root), number))
        first.start()
        first.join()
        length = time.monotonic() - began
        assert first.exitcode == 0
    killed = 0
    for number in range(PEOPLE):
        process = fork.Process(target=run_forget, args=(str(home.root), number))
        process.start()
        process.join(dice.uniform(0.05, 1.0) * length)
        if process.is_alive():
            process.kill()
            process.join()
            killed += 1
        begun = has_begun(home, number)
        assert begun is is_refused(home, number), "from the tombstone on the gate refuses"
        # Whoever comes next goes on: the same command, or the next run where it had begun.
        again = (run_finish, (str(home.root),)) if begun and number % 2 else None
        target, arguments = again or (run_forget, (str(home.root), number))
        after = fork.Process(target=target, args=arguments)
        after.start()
        after.join()
        assert after.exitcode == 0
        if again:  # a run erases here; destinations hear it from the next sync or `forget`
            told = fork.Process(target=run_forget, args=(str(home.root), number))
            told.start()
            told.join()
            assert told.exitcode == 0
        assert traces(home.root, values(number)) == []
        assert is_refused(home, number)
    assert killed > PEOPLE // 2
    everybody = [value for number in range(PEOPLE) for value in values(number)]
    assert traces(home.root, everybody) == []
    assert rows_of(home, BYSTANDER) == theirs
    with open_store(home) as store:
        assert broken_laws(store) == []
        with store.read() as connection:
            assert open_erasures(connection) == []
            done = connection.execute(select(schema.erasures.c.finished_at)).scalars().all()
    assert len(done) == PEOPLE
    print(f"{PEOPLE} people, {killed} kills, {length:.1f} s an erasure")


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_stops_after_a_step_goes_on(step: str, tmp_path: Path) -> None:
    home = plant(tmp_path / "home", 2)

    def stop(reached: str) -> None:
        if reached == step:
            raise KeyboardInterrupt

    with open_store(home) as store:
        with store.write() as connection:
            request(connection, subject(0), reason="asked", at=NOW)
            (erasure,) = open_erasures(connection)
        with pytest.raises(KeyboardInterrupt):
            carry_out(home, store, erasure, country="GB", location="", at=NOW, reached=stop)
    run_forget(str(home.root), 0)
    assert traces(home.root, values(0)) == []
    assert traces(home.root, values(1)) != []
