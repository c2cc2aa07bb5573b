"""What goes out for ads: all that is permitted, with what limits its use; to Meta and Google."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, timedelta

import pytest

from ingestion import config
from orchestration.activation import gate
from orchestration.activation.people import Target
from orchestration.activation.plan import build_plan
from orchestration.activation.sync import SyncReport, sync
from orchestration.destinations import open_destination
from orchestration.fakes.google import create as create_google
from orchestration.fakes.meta import ACCOUNT, LIMITED, Meta
from orchestration.fakes.meta import create as create_meta
from tests.orchestration.activation.shop import NOW, Receiver, Shop
from tests.orchestration.destinations import google_ads_checks as checks
from tests.orchestration.fakes.served import Served, give_keys, serving

TARGET = Target("vip", "receiver", "ads", "ads")


@pytest.fixture(autouse=True)
def for_ads(shop: Shop) -> None:
    shop.channel, shop.purpose = "ads", "ads"


def _add(shop: Shop, name: str, *more: str) -> None:
    shop.add(name, f"{name}@example.com", *more)
    shop.grant(f"{name}@example.com")


def _payloads(shop: Shop) -> dict[str, tuple[object, object, object]]:
    """Email, phone and limited use of everybody who would be added."""
    plan = build_plan(shop.store, shop.home, TARGET, at=NOW)
    return {
        change.customer_id: (
            change.payload["email"],
            change.payload["phone"],
            change.payload["is_sell_share_refused"],
        )
        for change in plan.changes
    }


def test_every_permitted_kind_of_address_goes_out(shop: Shop) -> None:
    _add(shop, "c1", "phone:+447700900001", "phone:+447700900002")
    _add(shop, "c2")
    shop.add("c3", "phone:+447700900003", "login:c3")
    shop.grant("c3", kind="login")
    _add(shop, "c4", "phone:+447700900004")
    shop.suppress("+447700900004", "hard_bounce", kind="phone")
    shop.publish()
    assert _payloads(shop) == {
        "c1": ("c1@example.com", "+447700900001", False),
        "c2": ("c2@example.com", None, False),
        "c3": (None, "+447700900003", False),
        "c4": ("c4@example.com", None, False),
    }


def test_no_other_channel_gets_a_second_address(shop: Shop) -> None:
    shop.channel, shop.purpose = "email", "marketing"
    _add(shop, "c1", "phone:+447700900001")
    shop.publish()
    target = Target("vip", "receiver", "email", "marketing")
    [change] = build_plan(shop.store, shop.home, target, at=NOW).changes
    assert change.payload.keys().isdisjoint({"phone", "is_sell_share_refused"})


@pytest.mark.parametrize("large", [5_000, 0])
def test_who_refused_sale_or_sharing_is_marked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(gate, "_LARGE", large)
    for name in ("c1", "c2", "c3", "c4"):
        _add(shop, name, f"login:{name}")
    shop.revoke("c2", kind="login", purpose="sell_share")
    shop.suppress("c3@example.com", "manual", channel="*", purpose="sell_share")
    shop.grant("c4@example.com", purpose="sell_share")
    shop.publish()
    marked = {name: said[2] for name, said in _payloads(shop).items()}
    assert marked == {"c1": False, "c2": True, "c3": True, "c4": False}


def test_both_consents_are_those_of_the_ledger(shop: Shop) -> None:
    """Granted only by a receipt; what somebody refused is denied, whatever else was granted."""
    for name in ("c1", "c2", "c3", "c4", "c5"):
        _add(shop, name, f"login:{name}")
    shop.grant("c1@example.com", purpose="personalisation")
    shop.grant("c2", kind="login", purpose="personalisation")
    shop.grant("c3@example.com", purpose="personalisation")
    shop.revoke("c3", kind="login", purpose="personalisation")
    expired = NOW - timedelta(days=1)
    shop.grant("c4@example.com", purpose="personalisation", expires_at=expired)
    shop.publish()
    plan = build_plan(shop.store, shop.home, TARGET, at=NOW)
    assert {
        each.customer_id: (each.payload["ads_consent"], each.payload["personalised_ads_consent"])
        for each in plan.changes
    } == {
        "c1": ("granted", "granted"),
        "c2": ("granted", "granted"),
        "c3": ("granted", "denied"),
        "c4": ("granted", None),
        "c5": ("granted", None),
    }


def test_a_permission_for_marketing_is_none_for_ads(shop: Shop) -> None:
    shop.purpose = "marketing"
    _add(shop, "c1")
    shop.publish()
    target = Target("vip", "receiver", "ads", "marketing")
    [change] = build_plan(shop.store, shop.home, target, at=NOW).changes
    assert change.payload["ads_consent"] is None


def test_a_number_that_is_no_longer_the_persons_leaves_with_an_update(shop: Shop) -> None:
    _add(shop, "c1", "phone:+447700900001")
    shop.publish()
    receiver = Receiver()
    assert _sync_to(shop, receiver).sent["added"] == 1
    shop.people["c1"] = [("email", "c1@example.com")]
    shop.publish()
    report = _sync_to(shop, receiver)
    assert report.sent == {"added": 0, "updated": 1, "removed": 0}
    assert receiver.members["c1"]["phone"] is None


def _sync_to(shop: Shop, receiver: Receiver) -> SyncReport:
    return sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=lambda _: None)


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[checks.Served]:
    with serving(create_google, checks.Served) as served:
        give_keys(served.fake, monkeypatch)
        yield served


def test_google_has_its_members_for_years(
    shop: Shop, google: checks.Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody is sent again before Google drops them, and no more often than that."""
    target = Target("vip", "google", "ads", "ads")
    options = checks.options_of(google.address)
    settings = config.Destination(kind="google_ads", options=options)
    monkeypatch.setattr("google.auth._helpers.utcnow", lambda: google.clock().replace(tzinfo=None))
    one, two = (checks.sha(f"{name}@example.com") for name in ("c1", "c2"))
    for name in ("c1", "c2"):
        _add(shop, name)
        shop.grant(f"{name}@example.com", purpose="personalisation")
    shop.publish()
    sent, there = {}, {}
    for day in (0, 1, 440, 455, 456, 539, 541, 545, 904, 907, 908, 1_080, 1_300):
        at = NOW + timedelta(days=day)
        google.clock.at = at.replace(tzinfo=UTC)
        there[day] = google.fake.of()
        if day == 541:
            shop.revoke("c2@example.com", at=at)
        destination = open_destination("google", settings, shop.home)
        report = sync(shop.store, shop.home, target, destination, at=at, wait=lambda _: None)
        if report.planned:
            sent[day] = report.planned
        google.clock.move(60)
    assert sent == {0: 2, 455: 2, 541: 1, 907: 1}
    everybody = {day: there[day] for day in there if 0 < day <= 541}
    assert set(map(frozenset, everybody.values())) == {frozenset({one, two})}
    assert {day: there[day] for day in there if day > 541} == {
        day: {one} for day in (545, 904, 907, 908, 1_080, 1_300)
    }


@pytest.fixture
def meta(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served[Meta]]:
    with serving(create_meta, Served[Meta]) as served:
        give_keys(served.fake, monkeypatch)
        yield served


def test_meta_has_exactly_the_permitted_people(shop: Shop, meta: Served[Meta]) -> None:
    """Sync by sync: each asks first what came of the one before."""
    fake = meta.fake
    target = Target("vip", "meta", "ads", "ads")
    options = {
        "base_url": meta.address,
        "allow_private": True,
        "ad_account": ACCOUNT,
        "create": True,
    }
    settings = config.Destination(kind="meta_ads", options=options)
    syncs = iter(range(1, 10))

    def run() -> SyncReport:
        shop.publish()
        at = NOW + timedelta(hours=next(syncs))
        destination = open_destination("meta", settings, shop.home)
        report = sync(shop.store, shop.home, target, destination, at=at, wait=lambda _: None)
        meta.later(10)
        return report

    def people() -> dict[str, tuple[int, bool]]:
        entries = fake.of("regulars_vip")
        kinds = {"EMAIL", "PHONE"}
        return {e["EXTERN_ID"]: (len(e.keys() & kinds), bool(e[LIMITED])) for e in entries}

    _add(shop, "c1", "phone:+447700900001")
    _add(shop, "c2")
    _add(shop, "c3", "phone:+447700900003")
    shop.revoke("c3@example.com", purpose="sell_share")
    shop.add("c4", "c4@example.com")
    assert run().left == {"accepted": 3}
    assert people() == {"c1": (2, False), "c2": (1, False), "c3": (2, True)}
    shop.revoke("c1@example.com", at=NOW + timedelta(minutes=90))
    shop.grant("c4@example.com")
    second = run()
    assert second.sent == {"added": 3, "updated": 0, "removed": 0}  # those of the first
    assert people() == {"c2": (1, False), "c3": (2, True), "c4": (1, False)}
    [audience] = fake.audiences.values()
    audience.is_flagged = True
    shop.revoke("c2@example.com", at=NOW + timedelta(minutes=150))
    assert run().left == {"pending": 1}
    audience.is_flagged = False
    run()
    assert people() == {"c3": (2, True), "c4": (1, False)}
    last = run()
    assert (last.planned, last.unchanged, last.left) == (0, 2, {})
    hashes = {each["PHONE"] for each in fake.of("regulars_vip") if "PHONE" in each}
    assert hashes == {hashlib.sha256(b"447700900003").hexdigest()}
