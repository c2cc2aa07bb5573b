"""What goes out for the site: every browser of a person, the stage, and who refused; end to end."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from ingestion import config
from orchestration.activation.people import Target, load_people, target_of
from orchestration.activation.plan import build_plan
from orchestration.activation.shown_refusals import refusals_by_visitor, show_refusals
from orchestration.activation.sync import sync
from orchestration.destinations import open_destination
from orchestration.destinations.base import Payload
from orchestration.destinations.feed_file import FeedReader
from orchestration.destinations.onsite import OnsiteDestination
from tests.orchestration.activation.shop import NOW, Receiver, Shop

TARGET = Target("vip", "site", "onsite", "personalisation", ())
VISITS, STAGES = "marts.fct_web_sessions", "marts.fct_customer_journey_stages"
LEVELS = "marts.customer_personalisation"


@pytest.fixture(autouse=True)
def on_site(shop: Shop) -> None:
    shop.channel, shop.purpose = "onsite", "personalisation"


def _payloads(shop: Shop) -> dict[str, Payload]:
    shop.publish()
    plan = build_plan(shop.store, shop.home, TARGET, at=NOW)
    return {change.customer_id: change.payload for change in plan.changes}


def _site(shop: Shop) -> OnsiteDestination:
    opened = open_destination("site", config.Destination(kind="onsite"), shop.home)
    assert isinstance(opened, OnsiteDestination)
    return opened


def _told(shop: Shop, device: str) -> list[tuple[str, str | None]]:
    reader = FeedReader(_site(shop).path)
    try:
        return [(each.segment, each.stage) for each in reader.find("device", device).entries]
    finally:
        reader.close()


def test_every_browser_goes_out_with_its_type_at_the_latest_visit(shop: Shop) -> None:
    shop.add("c1", "login:ann", "device:phone", "device:laptop", "ann@example.com")
    shop.grant("phone", kind="device")
    shop.rows[VISITS] = [
        ["v1", "c1", "phone", "desktop", NOW - timedelta(days=2)],
        ["v2", "c1", "phone", "mobile", NOW - timedelta(days=1)],
    ]
    payload = _payloads(shop)["c1"]
    assert json.loads(payload["devices"]) == {"laptop": None, "phone": "mobile"}
    assert payload["login"] == "ann"
    assert "ann@example.com" not in json.dumps(payload) and "first_name" not in payload


def test_a_browser_alone_is_somebody_too(shop: Shop) -> None:
    shop.add("c1", "device:phone")
    shop.visitors.add("c1")
    shop.grant("phone", kind="device")
    shop.rows[STAGES] = [["c1", "awareness", False], ["c1", "consideration", True]]
    payload = _payloads(shop)["c1"]
    assert (json.loads(payload["devices"]), payload["stage"]) == ({"phone": None}, "consideration")


@pytest.mark.parametrize("level", ["segment", "full"])
def test_a_stage_is_true_of_a_group(shop: Shop, level: str) -> None:
    shop.add("c1", "login:ann")
    shop.grant("ann", kind="login")
    shop.rows[STAGES] = [["c1", "purchase", True]]
    shop.rows[LEVELS] = [["c1", level]]
    assert _payloads(shop)["c1"]["stage"] == "purchase"


def test_a_message_about_an_order_tells_no_stage_at_the_level_none(shop: Shop) -> None:
    """Such a message is the one thing of a segment that the site may show to them."""
    shop.purpose = "transactional"
    shop.add("c1", "login:ann")
    shop.rows[STAGES] = [["c1", "purchase", True]]
    shop.rows[LEVELS] = [["c1", "none"]]
    shop.publish()
    people = load_people(shop.home, Target("vip", "site", "onsite", "transactional", ()))
    assert people.members["c1"]["stage"] is None


def test_who_wants_no_personalisation_is_in_no_audience_of_the_site(shop: Shop) -> None:
    shop.purpose = "marketing"
    shop.add("c1", "login:ann", "device:phone")
    shop.grant("ann", kind="login")
    shop.rows[LEVELS] = [["c1", "none"]]
    shop.publish()
    target = Target("vip", "site", "onsite", "marketing", ())
    plan = build_plan(shop.store, shop.home, target, at=NOW)
    assert (plan.changes, plan.held_back_counts) == ((), {"level": 1})


def test_a_refusal_on_one_browser_ends_it_on_all(shop: Shop) -> None:
    shop.add("c1", "login:ann", "device:phone", "device:laptop")
    shop.grant("ann", kind="login")
    shop.publish()
    target = TARGET
    sync(shop.store, shop.home, target, _site(shop), at=NOW)
    assert _told(shop, "laptop") == [("vip", None)]
    shop.revoke("phone", kind="device")
    sync(shop.store, shop.home, target, _site(shop), at=NOW)
    assert _told(shop, "laptop") == _told(shop, "phone") == []


def test_a_browser_that_turns_out_to_be_of_another_tells_nobodys_segments(shop: Shop) -> None:
    shop.add("c1", "login:ann", "device:shared")
    shop.grant("ann", kind="login")
    shop.publish()
    sync(shop.store, shop.home, TARGET, _site(shop), at=NOW)
    assert _told(shop, "shared")
    shop.add("c1", "login:ann")
    shop.add("c2", "device:shared", member=False)
    shop.publish()
    sync(shop.store, shop.home, TARGET, _site(shop), at=NOW)
    assert _told(shop, "shared") == []


def test_the_settings_send_the_site_no_name(shop: Shop) -> None:
    settings = config.Settings(destinations={"site": config.Destination(kind="onsite")})
    target = target_of(settings, "vip", "site", "onsite", "personalisation")
    assert target.columns == (
        *("customer_id", "login", "device", "segment", "reason", "context", "devices", "stage"),
    )


def test_refusals_are_told_by_everything_a_visitor_comes_by(shop: Shop) -> None:
    shop.add("c1", "ann@example.com", "login:ann", "device:phone", member=False)
    shop.add("c2", "device:other", member=False)
    shop.add("c3", "login:bo", member=False)
    shop.rows[LEVELS] = [["c3", "none"]]
    shop.revoke("ann@example.com", channel="ads", purpose="sell_share")
    shop.suppress("stray", "gpc", kind="device", channel="ads", purpose="ads")
    shop.publish()
    sold = frozenset({"sell_share"})
    assert refusals_by_visitor(shop.store, shop.home, NOW) == {
        **{("login", "ann"): sold, ("device", "phone"): sold, ("customer_id", "c1"): sold},
        ("device", "stray"): frozenset({"ads"}),
        ("login", "bo"): frozenset({"personalisation"}),
        ("customer_id", "c3"): frozenset({"personalisation"}),
    }


def test_a_refusal_that_a_newer_yes_undid_is_not_told(shop: Shop) -> None:
    shop.add("c1", "device:phone")
    shop.revoke("phone", kind="device", at=NOW - timedelta(days=5))
    shop.grant("phone", kind="device", at=NOW - timedelta(days=1))
    shop.publish()
    assert refusals_by_visitor(shop.store, shop.home, NOW) == {}


def test_refusals_reach_the_feed_of_members_and_others(shop: Shop) -> None:
    shop.add("c1", "device:phone", member=False)
    shop.revoke("phone", kind="device")
    shop.publish()
    show_refusals(shop.store, shop.home, _site(shop), NOW)
    show_refusals(shop.store, shop.home, Receiver(), NOW)  # one that shows none is not asked
    reader = FeedReader(_site(shop).path)
    assert reader.find("device", "phone").refused == {"personalisation"}
    reader.close()


@pytest.mark.parametrize("people", [0, 3])
def test_a_shop_of_nobody_and_one_of_three(shop: Shop, people: int) -> None:
    for number in range(people):
        shop.add(f"c{number}", f"device:browser-{number}")
        shop.grant(f"browser-{number}", kind="device")
    shop.publish()
    show_refusals(shop.store, shop.home, _site(shop), NOW)
    sync(shop.store, shop.home, TARGET, _site(shop), at=NOW)
    assert len(set(_site(shop).members_of("vip"))) == people
