"""A pulse: what arrived since the last run is judged and sent once, without a run.

Belongs here: pulses on a small published file. Does not belong here: that a run of the same moment
makes the same members (tests/end_to_end/test_pulse.py), reading files
(tests/ingestion/files/test_further.py).
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from ingestion.config import SourceSettings
from ingestion.errors import BusyError, RegularsError
from orchestration.activation.pulse.latest import judged_lately
from orchestration.activation.pulse.pulse import pulse
from orchestration.home.layout import Home
from orchestration.ops.commit import commit_after_publish
from orchestration.ops.store import to_micros
from orchestration.ops.tombstones import Erasable, request
from orchestration.ops.unread_sources import begin_reading
from tests.locks import held_elsewhere
from tests.orchestration.activation.pulse.conftest import READERS
from tests.orchestration.activation.pulse.shop import (
    NOW,
    ONSITE,
    PUBLISHED_AT,
    READ_AT,
    PulseShop,
    address,
    ago,
    event,
)

CART, SEARCH = "abandoned_cart", "search_without_result"


def test_a_cart_left_during_a_run_is_in_the_outbox_after_the_next_pulse(shop: PulseShop) -> None:
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    with held_elsewhere(shop.home.lock):
        outcome = shop.pulse()
    assert (outcome.arrivals.new_count, outcome.laid.of_people) == (1, 1)
    assert outcome.turned.entered[CART] == 1
    assert shop.outbox() == [(CART, "aiko", "added")]
    assert shop.stays(CART) == {"aiko": (to_micros(NOW), None)}
    assert not shop.home.raw.exists()
    assert not shop.home.warehouse.exists()
    assert not list(shop.home.root.glob(".pulse-*"))


def test_a_second_pulse_reads_nothing_new_and_sends_nothing(shop: PulseShop) -> None:
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    shop.pulse()
    again = shop.pulse(at=NOW + timedelta(minutes=5))
    assert again.arrivals.new_count == 0
    assert again.deliveries == ()
    assert shop.outbox() == [(CART, "aiko", "added")]
    assert shop.stays(CART) == {"aiko": (to_micros(NOW), None)}


def test_the_sites_feed_has_whoever_a_pulse_took_in(shop: PulseShop) -> None:
    shop.write([event("Product Viewed", "aiko", ago(2), product_id="P1")])
    shop.pulse()
    assert (ONSITE, "aiko", "added") in shop.outbox()
    with sqlite3.connect(shop.home.feeds / "site.sqlite") as feed:
        rows = feed.execute("select segment, customer_id from entries").fetchall()
    assert set(rows) == {(ONSITE, "aiko")}


def test_time_alone_takes_somebody_in(shop: PulseShop) -> None:
    shop.write([event("Product Added", "aiko", ago(0.5), product_id="P1")])
    assert shop.pulse().turned.entered[CART] == 0
    assert shop.pulse(at=NOW + timedelta(minutes=40)).turned.entered[CART] == 1


def test_an_order_takes_out_whoever_a_pulse_took_in(shop: PulseShop) -> None:
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    shop.pulse()
    shop.write([event("Order Completed", "aiko", ago(0.1), order_id="1001")])
    later = NOW + timedelta(minutes=5)
    shop.pulse(at=later)
    assert shop.outbox() == [(CART, "aiko", "added"), (CART, "aiko", "removed")]
    assert shop.stays(CART) == {"aiko": (to_micros(NOW), to_micros(later))}


def test_plans_of_what_is_published_keep_to_what_a_pulse_began_and_ended(shop: PulseShop) -> None:
    shop.publish(READERS, "run2", carts=("ben", "chie"))
    shop.write(
        [
            event("Product Added", "aiko", ago(2), product_id="P1"),
            event("Order Completed", "ben", ago(2), order_id="1001"),
        ]
    )
    shop.pulse()
    assert shop.outbox() == [(CART, "aiko", "added"), (CART, "chie", "added")]
    later = NOW + timedelta(minutes=5)
    counts = shop.plan(CART, later).counts
    assert (counts["added"], counts["removed"]) == (0, 0)
    shop.refuse("chie")
    assert shop.plan(CART, later).counts["removed"] == 1


def test_a_release_leaves_to_pulses_what_they_keep_up_to_date(shop: PulseShop) -> None:
    shop.pulse()
    with shop.store.read() as connection:
        assert judged_lately(connection, NOW + timedelta(minutes=5)) >= {CART, SEARCH}
        assert judged_lately(connection, NOW + timedelta(hours=1)) == frozenset()


def test_a_run_that_began_before_the_pulse_undoes_nothing_of_it(shop: PulseShop) -> None:
    shop.publish(READERS, "run2", carts=("ben", "chie"))
    shop.write([event("Order Completed", "ben", ago(2), order_id="1001")])
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    shop.pulse()
    commit_after_publish(shop.store, shop.home, finished_at=NOW)
    there = {who for who, (_, left) in shop.stays(CART).items() if left is None}
    assert there == {"aiko", "chie"}
    counts = shop.plan(CART, NOW).counts
    assert (counts["added"], counts["removed"]) == (0, 0)


def test_a_stay_that_a_run_began_too_is_one_stay(shop: PulseShop) -> None:
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    shop.pulse()
    shop.publish(READERS, "run2", carts=("aiko",))
    commit_after_publish(shop.store, shop.home, finished_at=NOW)
    assert shop.stays(CART) == {"aiko": (to_micros(PUBLISHED_AT), None)}


def test_one_contact_a_day_over_all_triggers(shop: PulseShop) -> None:
    shop.write(
        [
            event("Product Added", "aiko", ago(3), product_id="P1"),
            event("Products Searched", "aiko", ago(2), query="x", results=0),
        ]
    )
    outcome = shop.pulse()
    assert outcome.turned.entered[SEARCH] == 1
    assert shop.outbox() == [(CART, "aiko", "added")]


def test_a_refusal_counts_at_once(shop: PulseShop) -> None:
    carts = [event("Product Added", who, ago(2), product_id="P1") for who in ("aiko", "ben")]
    shop.write(carts)
    shop.refuse("ben")
    outcome = shop.pulse()
    assert outcome.turned.entered[CART] == 2
    assert shop.outbox() == [(CART, "aiko", "added")]


def test_an_unheard_of_device_is_nobody_yet(shop: PulseShop) -> None:
    shop.write([event("Product Added", "stranger", ago(2), product_id="P1")])
    outcome = shop.pulse()
    assert (outcome.arrivals.new_count, outcome.laid.of_people) == (1, 0)
    assert shop.outbox() == []


def test_an_unfinished_line_waits_and_a_bad_one_is_counted(shop: PulseShop) -> None:
    whole = [event("Product Added", "aiko", ago(2), product_id="P1")]
    file = shop.write(whole, rest='nonsense\n{"type": "track", "event": "Pro')
    outcome = shop.pulse()
    assert (outcome.arrivals.new_count, outcome.arrivals.bad_count) == (1, 1)
    started = file.read_text("utf-8").rfind("{")
    file.write_text(file.read_text("utf-8")[:started], "utf-8")
    shop.write([event("Product Added", "ben", ago(2), product_id="P1")])
    assert shop.pulse().arrivals.new_count == 1
    assert shop.outbox() == [(CART, "aiko", "added"), (CART, "ben", "added")]


def test_a_shop_without_a_web_folder_has_a_quiet_pulse(shop: PulseShop) -> None:
    outcome = shop.pulse()
    assert (outcome.arrivals.new_count, outcome.deliveries) == (0, ())


def test_an_empty_shop_has_a_quiet_pulse(shop: PulseShop) -> None:
    shop.publish((), "run2")
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    outcome = shop.pulse()
    assert (outcome.arrivals.new_count, outcome.laid.of_people) == (1, 0)
    assert (outcome.turned.entered[CART], outcome.deliveries, shop.outbox()) == (0, (), [])


def test_a_shop_of_orders_alone_has_a_quiet_pulse(shop: PulseShop) -> None:
    """Its settings switch the website off; what lies in its folder all the same is not read."""
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    orders_only = shop.settings.model_copy(
        update={"sources": {"web": SourceSettings(enabled=False)}}
    )
    outcome = pulse(shop.home, orders_only, at=NOW, send="scheduled", read_at=READ_AT)
    assert (outcome.arrivals.new_count, outcome.laid.events) == (0, 0)
    assert (outcome.deliveries, shop.outbox()) == ((), [])


def test_whoever_was_erased_since_the_run_is_sent_nothing(shop: PulseShop) -> None:
    carts = [event("Product Added", who, ago(2), product_id="P1") for who in ("aiko", "ben")]
    shop.write(carts)
    asked = Erasable(("ben",), (("email", address("ben")), ("device", "device-ben")))
    with shop.store.write() as connection:
        request(connection, asked, reason="asked", at=NOW - timedelta(hours=1))
    shop.pulse()
    assert shop.outbox() == [(CART, "aiko", "added")]


def test_what_came_by_webhook_is_read_too(shop: PulseShop) -> None:
    file = shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    kept = shop.home.inbox / "web/segment/2026-06-10/040000000000-0.json"
    kept.parent.mkdir(parents=True)
    file.rename(kept)
    assert shop.pulse().turned.entered[CART] == 1


def test_without_a_word_nothing_is_sent_or_noted(shop: PulseShop) -> None:
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    (planned,) = shop.pulse(send=False).deliveries
    assert planned.counts["added"] == 1
    assert shop.outbox() == []
    assert shop.stays(CART) == {}
    assert shop.pulse().arrivals.new_count == 1


def test_while_refusals_are_being_read_nothing_leaves(shop: PulseShop) -> None:
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    begin_reading(shop.store, "web", "run2")
    assert "stopped before it had read all of web" in shop.pulse().waits
    assert shop.outbox() == []


def test_only_one_sends_at_a_time(shop: PulseShop) -> None:
    with held_elsewhere(shop.home.sending_lock), pytest.raises(BusyError):
        shop.pulse()


def test_without_a_published_file_there_is_a_sentence(shop: PulseShop) -> None:
    nowhere = Home(shop.home.root / "nowhere")
    with pytest.raises(RegularsError, match="Nothing is published"):
        pulse(nowhere, shop.settings)
