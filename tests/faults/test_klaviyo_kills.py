"""kill -9 at random points of syncs to a fake that does jobs later, in any order, and misbehaves.

In the end exactly those have the property who should, with the newest reason: nothing lost, nobody
left behind (RELIABILITY A1, A3). 25 kills by default, 200 by `make soak`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from multiprocessing.context import ForkServerContext

import pytest

from orchestration.activation.ledger import broken_laws
from orchestration.fakes.faults import parsed
from orchestration.fakes.klaviyo import create
from orchestration.fakes.klaviyo.app import Klaviyo
from orchestration.fakes.server import served_fake, utc_now
from tests.faults.klaviyo_child import run_sync
from tests.orchestration.activation.records import state_counts
from tests.orchestration.activation.shop import Shop

ROUNDS = 200 if os.environ.get("REGULARS_SOAK") else 25
PEOPLE = 200 if ROUNDS < 100 else 1500
BATCH = PEOPLE // 8
FAULTS = "429:0.05 503:0.05 lost_ack:0.05"


def _address(name: str) -> str:
    return f"{name}@example.com"


def _day(shop: Shop, dice: random.Random, names: list[str]) -> None:
    """People come, go and change."""
    for name in dice.sample(names, PEOPLE // 2):
        if name in shop.members and dice.random() < 0.4:
            del shop.members[name]
        else:
            shop.members[name] = f"reason {dice.randrange(10_000)}"
    shop.publish()


def _sync(
    fork: ForkServerContext, shop: Shop, url: str, round_: int
) -> multiprocessing.process.BaseProcess:
    process = fork.Process(target=run_sync, args=(str(shop.home.root), url, round_, BATCH))
    process.start()
    return process


def _reasons(fake: Klaviyo) -> dict[str, str]:
    """What every profile with the property has as its reason."""
    fake.account.settle(everything=True)
    return {
        each.properties["regulars_vip_customer_id"]: each.properties["regulars_vip_reason"]
        for each in fake.account.profiles.values()
        if "regulars_vip" in each.properties
    }


@pytest.mark.faults
def test_kills_and_faults_lose_nobody_and_leave_nobody_behind(
    shop: Shop, fork: ForkServerContext
) -> None:
    dice = random.Random(20260603)
    names = [f"c{number:04d}" for number in range(PEOPLE)]
    fake = create(7, utc_now)
    fake.has_throttles = False
    for name in names:
        shop.add(name, _address(name), member=False)
        shop.grant(_address(name))
        fake.account.upsert({"attributes": {"email": _address(name)}})
    said_no: set[str] = set()
    killed = 0
    with served_fake(fake) as url:
        usual = 1.0
        for round_ in range(2):  # the first one also waits for the fork server's imports
            _day(shop, dice, names)
            began = time.monotonic()
            process = _sync(fork, shop, url, round_)
            process.join(60)
            assert process.exitcode == 0
            usual = time.monotonic() - began
        fake.faults.plan(*parsed([FAULTS]))
        for round_ in range(2, ROUNDS + 2):
            _day(shop, dice, names)
            process = _sync(fork, shop, url, round_)
            process.join(dice.uniform(0.0, usual * 1.3))
            killed += process.is_alive()
            process.kill()
            process.join()
            if dice.random() < 0.3:
                name = dice.choice(names)
                shop.suppress(_address(name), "unsubscribed")
                said_no.add(name)
        fake.faults.clear()
        for round_ in range(ROUNDS + 2, ROUNDS + 12):
            process = _sync(fork, shop, url, round_)
            process.join(300)
            assert process.exitcode == 0
            time.sleep(0.5)  # longer than any job takes
            if set(state_counts(shop.store)) <= {"sent", "superseded", "withheld"}:
                break
    wanted = {name: reason for name, reason in shop.members.items() if name not in said_no}
    assert killed >= ROUNDS // 3
    assert _reasons(fake) == wanted
    assert broken_laws(shop.store) == []
    states = state_counts(shop.store)
    assert set(states) <= {"sent", "superseded", "withheld"}
    print(
        f"\n{killed} kills of {ROUNDS}, a sync takes {usual:.2f} s, {len(fake.account.jobs)} jobs,"
        f" faults {dict(Counter(fake.faults.happened))}, states {states}, seed 20260603"
    )
