"""Refusals that come while an audience is sent: whoever was acknowledged gets nothing more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.config import Settings
from ingestion.input_folder import open_input
from ingestion.pipelines import RunContext, run_source
from orchestration.activation import delivery
from orchestration.activation import sync as sync_module
from orchestration.activation.sync import sync
from orchestration.destinations.base import Batch, Limits, Outcome
from orchestration.home.layout import Home
from orchestration.ops.permission.consent_facts import record_consent_facts
from orchestration.ops.store import open_store
from orchestration.serve.webhooks import unsubscribe
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop
from tests.orchestration.ops.raw_file import write_raw
from tests.orchestration.serve.webhooks import calls
from tests.orchestration.serve.webhooks.calls import SECRETS, URL_BASE, Door, Sent

PEOPLE = 1000
AT_ONCE = 30  # per batch of the send
IN_A_FILE = 40
pytestmark = pytest.mark.faults


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


class Ways:
    """Every way by which a refusal comes in.

    A file is read when enough stands in it, as a run reads one that grew since the last.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop, self._door = shop, Door(shop.home, at=NOW)
        self._api = shop.home.root / "pulled.duckdb"
        self._input = shop.home.root.parent / "input"
        self._written: list[str] = []
        self._round = 0

    def refuse(self, people: list[tuple[int, str]]) -> list[str]:
        """Each person's no, by the way that their number says; whose was acknowledged.

        Those by webhook come all at once. Without people the file is read, however short.
        """
        self._round += 1
        by_way: dict[int, list[tuple[int, str]]] = {way: [] for way in range(6)}
        for number, address in people:
            by_way[number % 6].append((number, address))
        posted = [_refusal(self._door, self._shop, *one) for way in range(3) for one in by_way[way]]
        assert all(status < 300 for status in self._door.ask_together(posted))
        self._command([address for _, address in by_way[3]])
        self._pull(by_way[5])
        self._written += [address for _, address in by_way[4]]
        done = [address for number, address in people if number % 6 != 4]
        if len(self._written) >= IN_A_FILE or not people:
            self._file(self._written)
            done += self._written
            self._written = []
        return done

    def _command(self, addresses: list[str]) -> None:
        for address in addresses:
            delivery.record_consent(
                self._shop.home,
                status="revoked",
                identifier_type="email",
                identifier=address,
                channel="email",
                purpose="marketing",
                source="letter",
                occurred_at=NOW,
            )

    def _file(self, addresses: list[str]) -> None:
        """A file of the input folder, read and recorded as a run does."""
        path = self._input / "consents" / f"{self._round}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [calls.consent(each, occurred_at="2026-06-01T11:59:00Z") for each in addresses]
        path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
        home = self._shop.home
        folder = open_input(str(self._input), Settings())
        context = RunContext(home.raw, home.dlt, f"r{self._round}", NOW, Settings(), folder)
        run_source("consents", context)
        self._record(home.raw)

    def _pull(self, people: list[tuple[int, str]]) -> None:
        """Profiles as an API's answer lands them, recorded as a run does."""
        said = {"consent": "UNSUBSCRIBED", "consent_timestamp": "2026-06-01T11:59:00+00:00"}
        payload = {"attributes": {"subscriptions": {"email": {"marketing": said}}}}
        profiles = [
            {
                "profile_id": str(number),
                "email": address,
                "updated_at": NOW,
                "payload": json.dumps(payload),
            }
            for number, address in people
        ]
        write_raw(self._api, f"{self._round}.0", raw_klaviyo__profiles=profiles)
        self._record(self._api)

    def _record(self, raw: Path) -> None:
        record_consent_facts(self._shop.store, raw, as_of=NOW, default_country="GB")


def test_a_thousand_refusals_by_every_way_between_plan_and_send_and_while_sending(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"c{number:04d}" for number in range(PEOPLE)]
    for name in names:
        shop.add(name, f"{name}@example.com")
        shop.grant(f"{name}@example.com")
    shop.publish()
    ways = Ways(shop)
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
        done = ways.refuse([(number, f"{name}@example.com") for number, name in taken])
        acknowledged.update(address.partition("@")[0] for address in done)

    def refuse_first(session: object, key: object) -> float:
        refuse()
        return real(session, key)  # type: ignore[arg-type]

    receiver = Watcher(limits=Limits(20))
    monkeypatch.setattr(sync_module, "_send", refuse_first)
    sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=lambda _: None)
    assert len(receiver.members) < PEOPLE
    while len(acknowledged) < PEOPLE:
        refuse()
    monkeypatch.setattr(sync_module, "_send", real)
    sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=lambda _: None)
    assert too_late == []
    assert receiver.members == {}
