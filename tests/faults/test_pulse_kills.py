"""kill -9 in the middle of a pulse: the next one loses nothing and reaches nobody twice."""

from __future__ import annotations

import multiprocessing
import signal
import sqlite3
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from orchestration.activation.ledger import broken_laws
from orchestration.ops import schema
from tests.faults.pulse_child import STEPS, run_pulse
from tests.orchestration.activation.pulse.conftest import shop  # noqa: F401
from tests.orchestration.activation.pulse.shop import NOW, ONSITE, PulseShop, ago, event

pytestmark = pytest.mark.faults


def test_pulses_that_are_killed_at_every_step_come_to_what_one_does(
    shop: PulseShop,  # noqa: F811
) -> None:
    shop.write(
        [
            event("Product Added", "aiko", ago(2), product_id="P1"),
            event("Product Viewed", "ben", ago(2), product_id="P1"),
            event("Product Added", "chie", ago(2), product_id="P1"),
        ]
    )
    fork = multiprocessing.get_context("forkserver")
    fork.set_forkserver_preload(["tests.faults.pulse_child"])
    for minutes, step in enumerate(STEPS):
        arguments = str(shop.home.root), str(shop.input), step, NOW + timedelta(minutes=minutes)
        child = fork.Process(target=run_pulse, args=arguments)
        child.start()
        child.join(120)
        assert child.exitcode == -signal.SIGKILL, step
    shop.pulse(at=NOW + timedelta(minutes=len(STEPS)))
    last = shop.outbox()
    shop.pulse(at=NOW + timedelta(minutes=len(STEPS) + 1))
    assert shop.outbox() == last
    assert _reached(shop) == {
        ("abandoned_cart", "aiko"): 1,
        ("abandoned_cart", "chie"): 1,
        (ONSITE, "ben"): 1,
    }
    with sqlite3.connect(shop.home.feeds / "site.sqlite") as feed:
        rows = feed.execute("select distinct segment, customer_id from entries").fetchall()
    assert rows == [(ONSITE, "ben")]
    assert broken_laws(shop.store) == []
    assert {who for who, (_, left) in shop.stays(ONSITE).items() if left is None} == {"ben"}


def _reached(shop: PulseShop) -> dict[tuple[str, str], int]:  # noqa: F811
    """How often each person was delivered as new, by segment."""
    table = schema.deliveries.c
    query = select(table.segment, table.customer_id, func.count()).group_by(
        table.segment, table.customer_id
    )
    with shop.store.read() as connection:
        rows = connection.execute(query.where(table.operation == "added")).all()
    return {(segment, who): count for segment, who, count in rows}
