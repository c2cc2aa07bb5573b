"""Webhooks that come while an audience is sent: whoever was acknowledged gets nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.activation import sync as sync_module
from orchestration.activation.sync import sync
from orchestration.destinations.base import Batch, Outcome
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from orchestration.serve.webhooks import unsubscribe
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop
from tests.orchestration.serve.webhooks import calls
from tests.orchestration.serve.webhooks.calls import SECRETS, URL_BASE, Door, Sent

PEOPLE = 1000
AT_ONCE = 30  # per batch of the send
pytestmark = pytest.mark.slow


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    home = Home(tmp_path / "home").create()
    with open_store(home) as store:
        yield Shop(home, store)


def _refusal(door: Door, shop: Shop, number: int, address: str) -> Sent:
    """One person's no, by one of the ways in."""
    if number % 3 == 0:
        event = {"email": address, "timestamp": 1_780_000_000, "event": "unsubscribe"}
        return calls.sendgrid(event | {"sg_event_id": f"e{number}"})
    if number % 3 == 1:
        said = calls.consent(address, occurred_at="2026-06-01T11:59:00Z")
        return calls.standard([said], at=door.at, kept_id=f"msg_{number}")
    link = unsubscribe.link(
        *(shop.store, URL_BASE, "email", address),
        channel="email",
        purpose="marketing",
        default_country="GB",
    )
    kind = (("Content-Type", "application/x-www-form-urlencoded"),)
    return Sent(link.removeprefix(URL_BASE), b"List-Unsubscribe=One-Click", kind)


def test_a_thousand_refusals_by_webhook_during_a_paced_send(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"c{number:04d}" for number in range(PEOPLE)]
    for name in names:
        shop.add(name, f"{name}@example.com")
        shop.grant(f"{name}@example.com")
    shop.publish()
    door = Door(shop.home, at=NOW)
    acknowledged: set[str] = set()
    too_late: list[str] = []
    rest = iter(list(enumerate(names))[::-1])
    real = sync_module._send

    class Watcher(Receiver):
        def deliver(self, batch: Batch) -> list[Outcome]:
            too_late.extend(
                row.customer_id
                for row in batch.rows
                if row.customer_id in acknowledged and row.operation != "removed"
            )
            return super().deliver(batch)

    def refuse() -> None:
        taken = [each for each in (next(rest, None) for _ in range(AT_ONCE)) if each]
        sents = [_refusal(door, shop, n, f"{name}@example.com") for n, name in taken]
        for (_, name), status in zip(taken, door.ask_together(sents), strict=True):
            assert status < 300
            acknowledged.add(name)

    def refuse_first(session: object, key: object) -> float:
        refuse()
        return real(session, key)  # type: ignore[arg-type]

    receiver = Watcher(batch_size=20)
    monkeypatch.setattr(sync_module, "_send", refuse_first)
    sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=lambda _: None)
    assert len(receiver.members) < PEOPLE
    while len(acknowledged) < PEOPLE:
        refuse()
    monkeypatch.setattr(sync_module, "_send", real)
    sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=lambda _: None)
    assert too_late == []
    assert receiver.members == {}
