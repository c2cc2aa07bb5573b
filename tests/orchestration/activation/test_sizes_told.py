"""Sizes and match rates of destinations that say how many people they have, and not who."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from ingestion import config
from ingestion.config import Settings
from orchestration.activation.sizes import ask_destinations
from orchestration.destinations import open_destination
from orchestration.destinations.base import AudienceSize, Batch, Row
from orchestration.fakes import google, meta, open_fake
from orchestration.fakes.faults import Fault
from orchestration.fakes.server import served_fake
from orchestration.health.doctor import diagnose
from orchestration.ops import schema
from orchestration.ops.store import upsert
from tests.orchestration.activation.shop import NOW, Shop
from tests.orchestration.fakes.served import Hand

OPTIONS: dict[str, dict[str, Any]] = {
    "google_ads": {
        "operating_account": google.ACCOUNT,
        "lists": {"vip": google.LIST},
        "terms_accepted": True,
    },
    "meta_ads": {"ad_account": meta.ACCOUNT, "create": True},
    "sendgrid": {"create": True},
}
FAKES = {"google_ads": "google", "meta_ads": "meta", "sendgrid": "sendgrid"}
PEOPLE = 200


@dataclass
class Vendor:
    """A fake that is served, with its destination as the settings have it."""

    fake: Any
    settings: Settings
    opened: Any
    clock: Hand

    def send(self, count: int) -> None:
        """Deliver people, and let that be applied."""
        rows = [
            Row(f"k{n}", f"c{n}", 1, "added", {
                "customer_id": f"c{n}", "email": f"c{n}@example.com", "segment": "vip",
                "ads_consent": "granted", "personalised_ads_consent": "granted",
            })
            for n in range(count)
        ]  # fmt: skip
        said = self.opened.deliver(Batch("run1", "vip", 1, NOW, (), tuple(rows)))
        assert {each.status for each in said} == {"accepted"}
        self.clock.move(60)


@pytest.fixture(params=OPTIONS)
def vendor(
    request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Vendor]:
    kind, clock = request.param, Hand()
    fake: Any = open_fake(FAKES[kind], 0, clock)
    for variable, value in fake.credentials.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr("google.auth._helpers.utcnow", lambda: clock().replace(tzinfo=None))
    shop.publish()
    with served_fake(fake) as address:
        options = {**OPTIONS[kind], "base_url": address, "allow_private": True}
        chosen = config.Destination(kind=kind, options=options)
        opened = open_destination(kind, chosen, shop.home)
        yield Vendor(fake, Settings(destinations={kind: chosen}), opened, clock)


def _ledger(shop: Shop, name: str, count: int) -> None:
    rows = [
        {
            "destination": name, "segment": "vip", "customer_id": f"c{n}", "version": 1,
            "is_member": True, "content_hash": "x", "in_doubt": False, "payload": json.dumps({}),
        }
        for n in range(count)
    ]  # fmt: skip
    with shop.store.write() as connection:
        upsert(connection, schema.audience_states, rows)


SIZES = {
    "google_ads": AudienceSize(150, 75),
    "meta_ads": AudienceSize(200, 75),
    "sendgrid": AudienceSize(200),
}


def _half_are_unknown(vendor: Vendor, share: float) -> None:
    from tests.orchestration.destinations.google_ads_checks import sha

    if vendor.fake.name == "google":
        strangers = range(round(PEOPLE * share), PEOPLE)
        vendor.fake.unmatched = {sha(f"c{n}@example.com") for n in strangers}
    elif vendor.fake.name == "meta":
        vendor.fake.matched = share


def test_what_is_told_is_a_row_of_the_table(shop: Shop, vendor: Vendor) -> None:
    name = vendor.opened.name
    _half_are_unknown(vendor, 0.75)
    vendor.send(PEOPLE)
    _ledger(shop, name, PEOPLE)
    assert vendor.opened.audience_size("vip") == SIZES[name]
    (asked,) = ask_destinations(shop.home, vendor.settings)
    assert (asked.drifts, asked.error) == ((), None)
    with shop.store.read() as connection:
        [row] = connection.execute(select(schema.audience_sizes)).mappings()
    assert {key: row[key] for key in row if key.endswith(("_count", "_percent"))} == {
        "held_count": SIZES[name].held,
        "ledger_count": PEOPLE,
        "missing_count": None,
        "surplus_count": None,
        "matched_percent": SIZES[name].matched_percent,
    }


def test_few_people_are_not_told_by_ad_platforms(vendor: Vendor) -> None:
    vendor.send(5)
    size = vendor.opened.audience_size("vip")
    assert size.held == (5 if vendor.opened.name == "sendgrid" else None)


def test_an_audience_that_is_not_there_has_nobody(shop: Shop, vendor: Vendor) -> None:
    vendor.send(PEOPLE)
    for content in ("lists", "audiences"):
        if hasattr(vendor.fake, content):
            getattr(vendor.fake, content).clear()
    name = vendor.opened.name
    assert vendor.opened.audience_size("vip") == AudienceSize(0)
    _ledger(shop, name, 3)
    checks = [c for c in diagnose(shop.home, vendor.settings, connect=True) if name in c.name]
    [size] = [check for check in checks if "the ledger, 3" in check.sentence]
    assert size.status == "warning"


def test_the_doctor_lets_google_validate_and_sends_nobody(shop: Shop, vendor: Vendor) -> None:
    def said() -> list[str]:
        checks = diagnose(shop.home, vendor.settings, connect=True)
        own = [check for check in checks if check.name == "connect google_ads"]
        return [f"{check.status}: {check.sentence}" for check in own]

    if vendor.opened.name != "google_ads":
        assert said() == []
        return
    assert said() == ["ok: Would take members; nothing was sent."]
    vendor.fake.faults.plan(Fault("403", where="ingest"))
    assert said()[0].startswith("failed: The destination `google_ads` refused the key")
    assert vendor.fake.jobs == {}
    assert vendor.fake.of() == set()
