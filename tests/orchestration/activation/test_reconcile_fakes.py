"""One row in 10,000 that differs at a vendor is found where it can tell whom it has (A4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from orchestration.ops import schema
from orchestration.ops.store import upsert
from tests.orchestration.activation.shop import Shop
from tests.orchestration.fakes.served import Served, give_keys, serving

pytestmark = pytest.mark.slow

PEOPLE = 10_000


@dataclass
class Vendor:
    """A fake, and how somebody is put in and taken out behind our back."""

    fake: Any
    address: str
    opened: Any
    put: Callable[[int], None]
    take: Callable[[int], None]


def _email(number: int) -> str:
    return f"c{number:05d}@example.com"


def _klaviyo(address: str, fake: Any) -> Vendor:
    fake.has_throttles = False

    def put(number: int) -> None:
        held = {"regulars_vip": True, "regulars_vip_customer_id": f"c{number:05d}"}
        said = {"attributes": {"email": _email(number), "properties": held}}
        profile = fake.account.upsert(said)
        fake.account.add_to_list("NEWS01", [profile])

    def take(number: int) -> None:
        fake.account.find("email", _email(number)).properties.clear()

    return Vendor(fake, address, _opened("klaviyo", {"base_url": address}), put, take)


def _mailchimp(address: str, fake: Any) -> Vendor:
    fake.segments[1] = "regulars_vip"

    def put(number: int) -> None:
        fake.put(_email(number)).segments.add(1)

    def take(number: int) -> None:
        fake.members[mailchimp.hash_of(_email(number))].segments.clear()

    options = {"base_url": address, "list_id": mailchimp.LIST_ID}
    return Vendor(fake, address, _opened("mailchimp", options), put, take)


@contextmanager
def _serving(kind: str, patch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    create, vendor_of = KINDS[kind]
    with serving(create, Served[Any]) as served:
        give_keys(served.fake, patch)
        yield vendor_of(served.address, served.fake)


def _opened(kind: str, options: dict[str, Any]) -> Any:
    settings = config.Destination(kind=kind, options={**options, "allow_private": True})
    return open_destination(kind, settings, Any)  # type: ignore[arg-type]


KINDS: dict[str, Any] = {
    "klaviyo": (klaviyo.create, _klaviyo),
    "mailchimp": (mailchimp.create, _mailchimp),
}


@pytest.fixture(params=KINDS)
def vendor(
    request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Vendor]:
    with _serving(request.param, monkeypatch) as vendor:
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
    with _serving("klaviyo", monkeypatch) as vendor:
        for number in range(3):
            vendor.put(number)
        vendor.fake.account.find("email", _email(0)).lists.clear()
        options = {"base_url": vendor.address, "lists": {"vip": "NEWS01"}}
        on_list = _opened("klaviyo", options)
        assert sorted(on_list.members_of("vip")) == ["c00001", "c00002"]
        assert sorted(vendor.opened.members_of("vip")) == ["c00000", "c00001", "c00002"]
        assert list(vendor.opened.members_of("loyal")) == []


def test_a_static_segment_that_is_not_there_is_empty_and_not_made(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _serving("mailchimp", monkeypatch) as vendor:
        vendor.put(1)
        vendor.fake.put(_email(1), "unsubscribed")
        assert list(vendor.opened.addresses_of("vip")) == [("email", _email(1))]
        assert list(vendor.opened.addresses_of("loyal")) == []
        assert list(vendor.fake.segments.values()) == ["regulars_vip"]
