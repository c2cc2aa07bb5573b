"""Whole syncs through `web_push`: to a living browser, anonymous people too, once per stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table

from ingestion import config
from orchestration.activation.people import Target
from orchestration.activation.plan import Plan, build_plan
from orchestration.activation.sync import SyncReport
from orchestration.destinations import open_destination
from orchestration.fakes.push import Browser, Push, create
from orchestration.fakes.server import served_fake, utc_now
from orchestration.messages.compose import Writer
from orchestration.messages.templates import PUSH, MessageTemplate
from orchestration.ops import schema
from orchestration.ops.store import append, to_micros
from tests.orchestration.activation.shop import NOW, Shop, open_shop, sync_at
from tests.orchestration.fakes.served import give_keys

_PARTS = {"title": "{{ shop }}", "body": "{{ reason }}"}
_TEMPLATE = MessageTemplate("offer", PUSH, False, _PARTS, frozenset())
_WRITER = Writer("offer", PUSH, "marketing", "Fern", template=_TEMPLATE)
TARGET = Target("vip", "push", PUSH, "marketing", writer=_WRITER)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Push, str]]:
    fake = create(0, utc_now)
    give_keys(fake, monkeypatch)
    with served_fake(fake) as address:
        yield fake, address


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Two anonymous visitors: neither has a level, a name or any other identifier."""
    with open_shop(tmp_path, channel="push", level="none") as shop:
        for number in range(2):
            shop.add_permitted(f"c{number}", f"d{number}", "device")
        shop.rows["marts.customer_personalisation"] = []
        shop.publish()
        yield shop


def subscribe(shop: Shop, service: tuple[Push, str], device: str, seen: datetime = NOW) -> Browser:
    fake, address = service
    browser, at = fake.subscribe(), to_micros(seen)
    place = {"device": device, "endpoint": f"{address}/push/{browser.id}", **browser.keys}
    with shop.store.write() as connection:
        row = {**place, "subscribed_at": at, "seen_at": at, "gone_at": None}
        append(connection, schema.push_subscriptions, [row])
    return browser


def _sync(shop: Shop, at: datetime = NOW) -> SyncReport:
    options = {"subject": "mailto:a@shop.example", "services": ["127.0.0.1"], "allow_private": True}
    kind = config.Destination(kind="web_push", options=options)
    return sync_at(shop, TARGET, open_destination("web_push", kind, shop.home), at)


def _rows(shop: Shop, table: Table) -> list[Mapping[Any, Any]]:
    with shop.store.read() as connection:
        return list(connection.execute(table.select()).mappings().all())


def _plan(shop: Shop) -> Plan:
    return build_plan(shop.store, shop.home, TARGET, at=NOW)


def test_anonymous_people_get_what_the_plan_shows_once(
    shop: Shop, service: tuple[Push, str]
) -> None:
    browsers = [subscribe(shop, service, f"d{number}") for number in range(2)]
    planned = [change.payload["message"] for change in _plan(shop).changes]
    for day in range(3):
        _sync(shop, NOW + timedelta(days=day))
    assert [each.shown for each in browsers] == [[message] for message in planned]
    assert {row["outcome"] for row in _rows(shop, schema.deliveries)} == {"accepted"}


def test_without_a_living_subscription_there_is_no_address(
    shop: Shop, service: tuple[Push, str]
) -> None:
    subscribe(shop, service, "d0", NOW - timedelta(days=181))
    assert _plan(shop).held_back_counts == {"no_address": 2}


def test_a_person_is_met_on_the_browser_that_is_still_there(
    shop: Shop, service: tuple[Push, str]
) -> None:
    shop.add("c0", "device:d0", "device:d9")
    shop.grant("d9", kind="device")
    shop.publish()
    browser = subscribe(shop, service, "d9")
    _sync(shop)
    assert len(browser.shown) == 1


def test_a_browser_that_may_not_be_told_is_none(shop: Shop, service: tuple[Push, str]) -> None:
    for device in ("d0", "d1"):
        subscribe(shop, service, device)
    shop.revoke("d0", kind="device")
    plan = _plan(shop)
    assert [change.customer_id for change in plan.changes] == ["c1"]
    assert plan.held_back_counts == {"revoked": 1}


def test_a_subscription_that_is_gone_is_noted(shop: Shop, service: tuple[Push, str]) -> None:
    gone, there = (subscribe(shop, service, f"d{number}") for number in range(2))
    gone.is_gone = True
    assert _sync(shop).left == {"dead": 1}
    assert len(there.shown) == 1
    rows = _rows(shop, schema.push_subscriptions)
    assert {row["device"]: row["gone_at"] for row in rows} == {"d0": to_micros(NOW), "d1": None}
    assert _plan(shop).held_back_counts == {"no_address": 1}


def test_nobody_is_pushed_at_night(shop: Shop, service: tuple[Push, str]) -> None:
    for device in ("d0", "d1"):
        subscribe(shop, service, device)
    assert _sync(shop, NOW.replace(hour=23)).held_back == {"quiet_hours": 2}
    assert service[0].posts == []
