"""One row in 10,000 that differs at a vendor is found where it can tell whom it has (A4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingestion import config
from orchestration.activation.reconcile import reconcile
from orchestration.destinations import open_destination
from orchestration.destinations.base import TellsAddresses, TellsMembers
from orchestration.destinations.http import AccessRefusedError
from orchestration.fakes import klaviyo, mailchimp
from orchestration.fakes.faults import Fault
from orchestration.fakes.server import served_fake
from orchestration.ops import schema
from orchestration.ops.store import upsert
from tests.orchestration.activation.shop import Shop
from tests.orchestration.fakes.served import Hand

PEOPLE = 10_000
KINDS = ("klaviyo", "mailchimp")


@dataclass
class Vendor:
    """A fake with 10,000 members, and how somebody is put in and taken out behind our back."""

    fake: Any
    opened: Any
    put: Callable[[int], None]
    take: Callable[[int], None]


def _email(number: int) -> str:
    return f"c{number:05d}@example.com"


def _klaviyo(address: str, fake: Any) -> Vendor:
    def put(number: int) -> None:
        held = {"regulars_vip": True, "regulars_vip_customer_id": f"c{number:05d}"}
        said = {"attributes": {"email": _email(number), "properties": held}}
        profile = fake.account.upsert(said)
        fake.account.add_to_list("NEWS01", [profile])

    def take(number: int) -> None:
        fake.account.find("email", _email(number)).properties.clear()

    return Vendor(fake, _opened("klaviyo", {"base_url": address}), put, take)


def _mailchimp(address: str, fake: Any) -> Vendor:
    fake.segments[1] = "regulars_vip"

    def put(number: int) -> None:
        fake.put(_email(number)).segments.add(1)

    def take(number: int) -> None:
        fake.members[mailchimp.hash_of(_email(number))].segments.clear()

    options = {"base_url": address, "list_id": mailchimp.LIST_ID}
    return Vendor(fake, _opened("mailchimp", options), put, take)


def _opened(kind: str, options: dict[str, Any]) -> Any:
    settings = config.Destination(kind=kind, options={**options, "allow_private": True})
    return open_destination(kind, settings, Any)  # type: ignore[arg-type]


@pytest.fixture(params=KINDS)
def vendor(
    request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Vendor]:
    modules: dict[str, Any] = {"klaviyo": klaviyo, "mailchimp": mailchimp}
    fake = modules[request.param].create(0, Hand())
    if request.param == "klaviyo":
        fake.has_throttles = False
    for variable, value in fake.credentials.items():
        monkeypatch.setenv(variable, value)
    with served_fake(fake) as address:
        make = {"klaviyo": _klaviyo, "mailchimp": _mailchimp}[request.param]
        vendor = make(address, fake)
        rows = [
            {
                "destination": request.param, "segment": "vip", "customer_id": f"c{n:05d}",
                "version": 1, "is_member": True, "content_hash": "x", "in_doubt": False,
                "payload": json.dumps({"customer_id": f"c{n:05d}", "email": _email(n)}),
            }
            for n in range(PEOPLE)
        ]  # fmt: skip
        with shop.store.write() as connection:
            upsert(connection, schema.audience_states, rows)
        for number in range(PEOPLE):
            vendor.put(number)
        yield vendor


def _drift(shop: Shop, vendor: Vendor) -> tuple[int, int, int, int]:
    (drift,) = reconcile(shop.store, vendor.opened.name, vendor.opened)
    return drift.known, drift.held, len(drift.missing), len(drift.surplus)


def test_one_in_ten_thousand_is_found(shop: Shop, vendor: Vendor) -> None:
    assert isinstance(vendor.opened, TellsMembers | TellsAddresses)
    assert _drift(shop, vendor) == (PEOPLE, PEOPLE, 0, 0)
    vendor.take(4_711)
    vendor.put(77_777)
    (drift,) = reconcile(shop.store, vendor.opened.name, vendor.opened)
    assert (drift.missing, len(drift.surplus)) == ({"c04711"}, 1)
    assert "example" not in str(drift)
    pages = PEOPLE // (100 if vendor.opened.name == "klaviyo" else 1_000)
    vendor.fake.faults.plan(Fault("401", where="GET", after=pages - 2))
    with pytest.raises(AccessRefusedError):  # most of the pages are no answer
        reconcile(shop.store, vendor.opened.name, vendor.opened)


def test_of_a_list_at_klaviyo_only_who_is_on_it_counts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = klaviyo.create(0, Hand())
    monkeypatch.setenv("KLAVIYO_API_KEY", fake.credentials["KLAVIYO_API_KEY"])
    with served_fake(fake) as address:
        vendor = _klaviyo(address, fake)
        for number in range(3):
            vendor.put(number)
        fake.account.find("email", _email(0)).lists.clear()
        on_list = _opened("klaviyo", {"base_url": address, "lists": {"vip": "NEWS01"}})
        assert sorted(on_list.members_of("vip")) == ["c00001", "c00002"]
        assert sorted(vendor.opened.members_of("vip")) == ["c00000", "c00001", "c00002"]
        assert list(vendor.opened.members_of("loyal")) == []


def test_a_static_segment_that_is_not_there_is_empty_and_not_made(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = mailchimp.create(0, Hand())
    monkeypatch.setenv("MAILCHIMP_API_KEY", fake.credentials["MAILCHIMP_API_KEY"])
    with served_fake(fake) as address:
        vendor = _mailchimp(address, fake)
        vendor.put(1)
        fake.put(_email(1), "unsubscribed")
        assert list(vendor.opened.addresses_of("vip")) == [("email", _email(1))]
        assert list(vendor.opened.addresses_of("loyal")) == []
        assert list(fake.segments.values()) == ["regulars_vip"]
