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
from orchestration.ops.store import to_micros
from orchestration.serve.feed.answers import Showing, answer
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


def _entries(shop: Shop, device: str) -> list[tuple[str, str | None]]:
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
    assert _entries(shop, "laptop") == [("vip", None)]
    shop.revoke("phone", kind="device")
    sync(shop.store, shop.home, target, _site(shop), at=NOW)
    assert _entries(shop, "laptop") == _entries(shop, "phone") == []


def test_a_browser_that_turns_out_to_be_of_another_tells_nobodys_segments(shop: Shop) -> None:
    shop.add("c1", "login:ann", "device:shared")
    shop.grant("ann", kind="login")
    shop.publish()
    sync(shop.store, shop.home, TARGET, _site(shop), at=NOW)
    assert _entries(shop, "shared")
    shop.add("c1", "login:ann")
    shop.add("c2", "device:shared", member=False)
    shop.publish()
    sync(shop.store, shop.home, TARGET, _site(shop), at=NOW)
    assert _entries(shop, "shared") == []


def test_the_settings_send_the_site_no_name(shop: Shop) -> None:
    settings = config.Settings(destinations={"site": config.Destination(kind="onsite")})
    target = target_of(settings, "vip", "site", "onsite", "personalisation")
    assert target.columns == (
        *("customer_id", "login", "device", "segment", "reason", "context"),
        *("devices", "stage", "recommendations"),
    )


STEPS, PAIRS = "marts.recent_interactions", "marts.product_affinities"
SHOWN, PRODUCTS = "marts.fct_recommendations", "marts.dim_products"


def _with_recommendations(shop: Shop, level: str = "full") -> None:
    """One person with a login and a phone: bought p1, at home; on the phone looked at p5 last."""
    shop.add("c1", "login:ann", "device:phone", "device:laptop")
    shop.grant("ann", kind="login")
    shop.rows[LEVELS] = [["c1", level]]
    shop.rows[SHOWN] = [["c1", "next", 1, "p1-next"], ["c1", "cross_sell", 1, "p1-case"]]
    earlier = NOW - timedelta(days=1)
    shop.rows[VISITS] = [
        ["v1", "c1", "phone", "mobile", earlier],
        ["v2", "c1", "phone", "mobile", NOW],
        ["v3", "c1", "laptop", "desktop", NOW],
    ]
    shop.rows[STEPS] = [
        ["v1", "c1", "Product Viewed", "p4", earlier],
        ["v2", "c1", "Product Viewed", "p5", NOW],
        ["v2", "c1", "Product Viewed", "p6", NOW],
        ["v3", "c1", "Product Added", "p4", NOW],
    ]
    shop.rows[PAIRS] = [
        ["also_viewed", "p4", "p4-like", 9, 3.0],
        ["also_viewed", "p5", "p5-like", 5, 2.0],
        ["also_viewed", "p5", "p6", 9, 4.0],
        ["also_viewed", "p6", "p6-best", 8, 2.0],
        ["also_viewed", "p6", "sold-out", 9, 9.0],
        ["also_bought", "p5", "p5-bought", 9, 9.0],
    ]
    names = ("p1-next", "p1-case", "p4-like", "p5-like", "p6", "p6-best", "p5-bought")
    shop.rows[PRODUCTS] = [*([each, None, True] for each in names), ["sold-out", None, False]]


def _shown(shop: Shop, kind: str, value: str) -> list[str]:
    """The products that the feed has for one identifier."""
    reader = FeedReader(_site(shop).path)
    try:
        record = reader.find(kind, value)
        shown = answer(record, (), Showing(), to_micros(NOW))["recommendations"]
        return [f"{each['kind']} {each['product_id']}" for each in shown]
    finally:
        reader.close()


def test_a_browser_shows_what_goes_with_its_own_latest_visit_and_no_more(shop: Shop) -> None:
    """Whoever else uses it has looked at the same; what its owner bought, they have not."""
    _with_recommendations(shop)
    shop.publish()
    sync(shop.store, shop.home, TARGET, _site(shop), at=NOW)
    assert _shown(shop, "device", "phone") == ["also_viewed p6-best", "also_viewed p5-like"]
    assert _shown(shop, "device", "laptop") == []
    own = ["next p1-next", "cross_sell p1-case"]
    assert _shown(shop, "login", "ann") == _shown(shop, "customer_id", "c1") == own


def test_an_anonymous_visitor_is_shown_something_too(shop: Shop) -> None:
    _with_recommendations(shop)
    shop.add("c1", "device:phone")
    shop.visitors.add("c1")
    shop.grant("phone", kind="device")
    shop.rows[LEVELS] = []
    shop.publish()
    sync(shop.store, shop.home, TARGET, _site(shop), at=NOW)
    assert _shown(shop, "device", "phone") == ["also_viewed p6-best", "also_viewed p5-like"]
    assert _shown(shop, "customer_id", "c1") == []


def test_below_level_full_nothing_is_for_the_person(shop: Shop) -> None:
    _with_recommendations(shop, "segment")
    shop.publish()
    sync(shop.store, shop.home, TARGET, _site(shop), at=NOW)
    assert _shown(shop, "login", "ann") == []
    assert _shown(shop, "device", "phone")


@pytest.mark.parametrize("has_refused", [True, False])
def test_what_is_shown_needs_a_yes_to_personalisation(shop: Shop, has_refused: bool) -> None:
    """Of a segment for another purpose too."""
    shop.purpose = "marketing"
    _with_recommendations(shop)
    if has_refused:
        shop.revoke("phone", kind="device", purpose="personalisation")
    shop.publish()
    target = Target("vip", "site", "onsite", "marketing", ())
    sync(shop.store, shop.home, target, _site(shop), at=NOW)
    assert _entries(shop, "phone") == [("vip", None)]
    assert _shown(shop, "device", "phone") == _shown(shop, "login", "ann") == []


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
