"""Whole syncs through `sms` to Twilio's fake: once per stay, word for word, refusals at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingestion import config
from orchestration.activation.people import Target
from orchestration.activation.plan import build_plan
from orchestration.activation.sync import SyncReport
from orchestration.destinations import open_destination
from orchestration.fakes.faults import Fault
from orchestration.fakes.server import served_fake
from orchestration.fakes.twilio import ACCOUNT, SENDER, Twilio, create
from orchestration.messages.compose import Writer
from orchestration.messages.templates import SMS, MessageTemplate
from tests.orchestration.activation.shop import NOW, Shop, open_shop, sync_at
from tests.orchestration.fakes.served import Hand, give_keys

_TEXT = MessageTemplate("offer", SMS, False, {"text": "{{ first_name }}!"}, frozenset())
_WRITER = Writer("offer", SMS, "marketing", "Fern", template=_TEXT)
TARGET = Target("vip", "sms", SMS, "marketing", writer=_WRITER)
CLOCK = Hand()


@pytest.fixture
def twilio() -> Twilio:
    return create(0, CLOCK)


@pytest.fixture
def address(twilio: Twilio, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    CLOCK.at = Hand().at
    give_keys(twilio, monkeypatch)
    with served_fake(twilio) as address:
        yield address


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path, channel="sms") as shop:
        for number in range(4):
            shop.add_permitted(f"c{number}", f"+44770090000{number}", "phone")
        shop.publish()
        yield shop


def _sync(shop: Shop, address: str, at: datetime = NOW) -> SyncReport:
    options = {
        "base_url": address,
        "allow_private": True,
        "account_sid": ACCOUNT,
        "sender": SENDER,
        "batch_size": 2,
    }
    destination = open_destination(
        "sms", config.Destination(kind="sms", options=options), shop.home
    )
    return sync_at(shop, TARGET, destination, at)


def test_what_the_plan_shows_is_what_people_get_once(
    shop: Shop, twilio: Twilio, address: str
) -> None:
    planned = build_plan(shop.store, shop.home, TARGET, at=NOW).changes
    assert _sync(shop, address).left == {"accepted": 4}
    CLOCK.move(60)
    for day in range(3):
        report = _sync(shop, address, NOW + timedelta(days=day))
    assert report.left == {}
    assert [(each.to, each.body) for each in twilio.texts.values()] == [
        (change.payload["phone"], change.payload["message"]) for change in planned
    ]


def test_lost_answers_and_throttles_make_no_second_message(
    shop: Shop, twilio: Twilio, address: str
) -> None:
    twilio.faults.plan(
        Fault("lost_ack", where="POST", after=1, times=1),
        Fault("503", where="POST", after=2, times=1),
    )
    for day in range(4):
        report = _sync(shop, address, NOW + timedelta(days=day))
        CLOCK.move(60)
    assert report.left == {"unknown": 1}
    assert len({each.to for each in twilio.texts.values()}) == len(twilio.texts) == 4


def test_whoever_replied_stop_is_held_back_from_then_on(
    shop: Shop, twilio: Twilio, address: str
) -> None:
    twilio.opted_out.add("+447700900002")
    report = _sync(shop, address)
    assert report.left == {"accepted": 3, "dead": 1}
    held = build_plan(shop.store, shop.home, TARGET, at=NOW).held_back_counts
    assert held == {"unsubscribed": 1}


def test_nobody_is_texted_at_night(shop: Shop, twilio: Twilio, address: str) -> None:
    assert _sync(shop, address, NOW.replace(hour=23)).held_back == {"quiet_hours": 4}
    assert not twilio.texts
