"""The decision over a published file and a store: what it reads, and what reaches a destination."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from ingestion.errors import BusyError, RegularsError
from orchestration.activation import contact_day, gate, holdouts
from orchestration.activation.contact_day import load_contact_day, read_contact_day
from orchestration.activation.contact_tables import DECISIONS, HOLDOUTS, ONSITE, add_contact_tables
from orchestration.activation.gate import Policy, decide, load_all_states
from orchestration.activation.people import Target
from orchestration.activation.plan import build_plan
from orchestration.activation.settlement import recover
from orchestration.activation.sync import sync
from orchestration.destinations.base import Batch, Idempotency, Outcome
from orchestration.ops.commit import commit_after_publish
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import to_micros
from orchestration.ops.tombstones import Erasable, request
from orchestration.report.today import read_today
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop

pytestmark = pytest.mark.slow

CART = Target("cart", "receiver", "email", "marketing")


@pytest.fixture
def both(shop: Shop) -> Shop:
    """Two segments want the same three people; carts go first."""
    shop.limits = {"contacts_per_day": 1, "contacts_per_week": 2}
    shop.further = {"cart": {"priority": 0, "message_kind": "reminder"}}
    for one in ("c1", "c2", "c3"):
        shop.add(one, f"{one}@a.example")
        shop.grant(f"{one}@a.example")
    shop.rows["segments.seg_cart"] = [
        [one, "left a cup", '{"product_id": "7"}'] for one in ("c1", "c2")
    ]
    return shop


def plan(shop: Shop, target: Target, at: datetime = NOW) -> tuple[dict[str, int], dict[str, int]]:
    made = build_plan(shop.store, shop.home, target, at=at)
    return made.counts, made.held_back_counts


def send(shop: Shop, receiver: Receiver, target: Target, at: datetime = NOW) -> dict[str, int]:
    report = sync(shop.store, shop.home, target, receiver, at=at, wait=lambda _: None)
    return report.sent


def test_each_person_stands_in_one_marketing_audience(both: Shop) -> None:
    both.publish()
    assert plan(both, CART)[0]["added"] == 2
    assert plan(both, TARGET) == (
        {"added": 1, "updated": 0, "removed": 0},
        {"other_segment": 2},
    )


def test_who_moves_to_a_segment_that_goes_first_leaves_the_other_audience(both: Shop) -> None:
    """The day after, because a second contact of one day waits."""
    carts, both.rows["segments.seg_cart"] = both.rows["segments.seg_cart"], []
    both.publish()
    receiver = Receiver()
    assert send(both, receiver, TARGET)["added"] == 3
    both.rows["segments.seg_cart"] = carts
    both.publish()
    later = NOW + timedelta(hours=1)
    assert plan(both, CART, later) == (
        {"added": 0, "updated": 0, "removed": 0},
        {"contact_cap": 2},
    )
    assert plan(both, TARGET, later)[0] == {"added": 0, "updated": 0, "removed": 0}
    tomorrow = NOW + timedelta(days=1)
    assert send(both, Receiver("carts"), CART, tomorrow)["added"] == 2
    assert plan(both, TARGET, tomorrow)[0] == {"added": 0, "updated": 0, "removed": 2}


def test_being_left_out_of_ads_is_no_contact_of_the_day(both: Shop) -> None:
    """Whoever was put on the list gets the day's message, and nobody who got it leaves the list."""
    both.further["left_out"] = {"channel": "ads", "purpose": "ads", "is_exclusion": True}
    both.rows["segments.seg_left_out"] = [["c1", "bought it", "{}"]]
    both.grant("c1@a.example", channel="ads", purpose="ads")
    both.publish()
    left_out = Target("left_out", "receiver", "ads", "ads")
    assert send(both, Receiver("ads"), left_out)["added"] == 1
    assert send(both, Receiver("carts"), CART)["added"] == 2
    assert plan(both, left_out)[0] == {"added": 0, "updated": 0, "removed": 0}


def test_a_week_of_two_contacts_has_no_third(both: Shop) -> None:
    both.further |= {
        name: {"priority": -number, "message_kind": "newsletter"}
        for number, name in enumerate(("news", "more"), 1)
    }
    both.publish()
    for days, (name, expected) in enumerate([("cart", 1), ("news", 1), ("more", 0)]):
        both.rows[f"segments.seg_{name}"] = [["c1", "because", "{}"]]
        both.publish()
        target = Target(name, "receiver", "email", "marketing")
        sent = send(both, Receiver(name), target, NOW + timedelta(days=days))
        assert sent["added"] == expected, name


def test_contacts_under_an_id_that_was_merged_count_for_the_survivor(both: Shop) -> None:
    carts, both.rows["segments.seg_cart"] = both.rows["segments.seg_cart"], []
    both.publish()
    send(both, Receiver(), TARGET)
    del both.members["c2"]
    both.people["c1"] = [("email", "c1@a.example"), ("email", "c2@a.example")]
    both.people.pop("c2")
    both.aliases = {"c2": "c1"}
    both.rows["segments.seg_cart"] = carts[:1]
    both.publish()
    day = read_contact_day(both.home)
    with both.store.read() as connection:
        judged = day.judge(connection, NOW + timedelta(hours=1))
    assert str(judged.verdicts["c1"]["cart"].reason) == "contact_cap"


def test_two_contacts_of_two_ids_that_became_one_person_are_two(both: Shop) -> None:
    both.rows["segments.seg_cart"] = []
    both.limits = {"contacts_per_day": 1, "contacts_per_week": 2}
    both.publish()
    send(both, Receiver(), TARGET)  # both get the same at the same moment
    both.people["c1"] = [*both.people["c1"], *both.people.pop("c2")]
    del both.members["c2"]
    both.aliases = {"c2": "c1"}
    both.rows["segments.seg_cart"] = [["c1", "left a cup", "{}"]]
    both.publish()
    day = read_contact_day(both.home)
    with both.store.read() as connection:
        judged = day.judge(connection, NOW + timedelta(days=2))
    assert str(judged.verdicts["c1"]["cart"].reason) == "contact_cap"


def test_the_measured_channel_is_read_where_it_was_measured(both: Shop) -> None:
    both.publish()
    with duckdb.connect(str(both.home.published)) as published:
        published.execute(
            "create table marts.customer_channel_preferences as"
            " select * from (values ('c1', 'sms', 2, 'measured'), ('c1', 'push', 1, 'measured'),"
            " ('c2', 'sms', 1, 'stated')) as t(customer_id, channel, rank, basis)"
        )
    people = read_contact_day(both.home).people
    assert [people[each].measured_channel for each in ("c1", "c2", "c3")] == ["push", None, None]


@pytest.mark.parametrize(
    ("went_back", "expected"),
    [(timedelta(hours=3), "contact_cap"), (timedelta(days=1, hours=3), "contact_cap")],
)
def test_a_clock_that_goes_back_undoes_no_contact(
    both: Shop, went_back: timedelta, expected: str
) -> None:
    carts, both.rows["segments.seg_cart"] = both.rows["segments.seg_cart"], []
    both.publish()
    assert send(both, Receiver(), TARGET)["added"] == 3
    both.rows["segments.seg_cart"] = carts
    both.publish()
    assert plan(both, CART, NOW - went_back) == (
        {"added": 0, "updated": 0, "removed": 0},
        {expected: 2},
    )


@pytest.mark.parametrize(
    ("line", "context", "is_held"),
    [
        (["o1", "shop", "7", "CUP"], '{"product_id": "7"}', True),
        (["o1", "shop", "9", "CUP"], '{"sku": "CUP"}', True),
        (["o1", "shop", "8", "MUG"], '{"product_id": "7"}', True),  # a substitute
        (["o1", "shop", "5", "PEN"], '{"product_id": "7"}', False),
        (["o1", "shop", "7", "CUP"], "{}", False),
    ],
)
def test_what_was_just_bought_or_a_substitute_of_it_is_not_offered(
    both: Shop, line: list[str], context: str, is_held: bool
) -> None:
    both.limits |= {"quiet_time_days": 0}
    both.rows |= {
        "segments.seg_cart": [["c1", "left a cup", context]],
        "marts.fct_orders": [["c1", "o1", "shop", True, NOW - timedelta(days=13)]],
        "marts.fct_order_lines": [line],
        "marts.dim_products": [
            ["7", "drinking", True],
            ["8", "drinking", True],
            ["5", "writing", True],
        ],
    }
    both.publish()
    assert plan(both, CART)[1] == ({"just_bought": 1} if is_held else {})
    both.rows["marts.fct_orders"] = [["c1", "o1", "shop", True, NOW - timedelta(days=15)]]
    both.publish()
    assert plan(both, CART)[1] == {}


def test_nobody_is_offered_anything_so_soon_after_an_order(both: Shop) -> None:
    both.rows["marts.fct_orders"] = [
        ["c1", "o1", "shop", True, NOW - timedelta(days=1)],
        ["c2", "o2", "shop", False, NOW - timedelta(days=1)],  # cancelled
    ]
    both.publish()
    assert plan(both, CART) == ({"added": 1, "updated": 0, "removed": 0}, {"quiet_time": 1})


def test_whoever_may_not_be_told_what_is_known_gets_the_plain_context(both: Shop) -> None:
    both.further["cart"] |= {
        "level": "full",
        "plain_context": '{"link": "/cart"}',
        "description": "Left",
    }
    both.rows["marts.customer_personalisation"] = [["c2", "full"]]
    both.publish()
    changes = {
        change.customer_id: (change.payload["reason"], change.payload["context"])
        for change in build_plan(both.store, both.home, CART, at=NOW).changes
    }
    assert changes == {
        "c1": ("Left", '{"link": "/cart"}'),
        "c2": ("left a cup", '{"product_id": "7"}'),
    }


def test_a_text_at_night_waits_until_it_may_ring(both: Shop) -> None:
    both.channel = "sms"
    both.limits = {}
    both.further["cart"] |= {"channel": "sms"}
    both.rows["segments.seg_cart"] = [["c1", "left a cup", "{}"]]
    both.people["c1"] = [("phone", "+447700900001")]
    both.grant("+447700900001", kind="phone")
    both.publish()
    texts = Target("cart", "receiver", "sms", "marketing")
    night = datetime(2026, 6, 2, 1, 0)
    assert plan(both, texts, night)[1] == {"quiet_hours": 1}
    assert plan(both, texts, datetime(2026, 6, 2, 8, 0))[0]["added"] == 1


def test_a_text_goes_by_the_rule_of_the_region_and_by_the_strictest_where_none_is_known(
    both: Shop,
) -> None:
    both.channel = "sms"
    both.limits = {}
    both.further["cart"] |= {"channel": "sms"}
    both.rows["segments.seg_cart"] = [[one, "left a cup", "{}"] for one in ("c1", "c2", "c3")]
    both.lives = {"c1": ("US", "CA"), "c2": ("US", "FL"), "c3": ("US", None)}
    for number, one in enumerate(both.lives):
        both.people[one] = [("phone", f"+44770090000{number}")]
        both.grant(f"+44770090000{number}", kind="phone")
    both.publish()
    texts = Target("cart", "receiver", "sms", "marketing")
    # 08:30 in Honolulu, before Texas opens
    assert plan(both, texts, datetime(2026, 6, 2, 18, 30))[1] == {"quiet_hours": 1}
    # 20:30 in New York, when Florida has closed
    assert plan(both, texts, datetime(2026, 6, 2, 0, 30))[1] == {"quiet_hours": 2}
    assert plan(both, texts, datetime(2026, 6, 2, 19, 30))[0]["added"] == 3


def test_an_offer_that_calls_itself_transactional_reaches_nobody_who_unsubscribed(
    shop: Shop,
) -> None:
    shop.purpose = "transactional"
    shop.add("c1", "c1@a.example")
    shop.grant("c1@a.example", lawful_basis="contract", proof="order 1")
    shop.suppress("c1@a.example", "unsubscribed")
    shop.publish()
    receiver = Receiver()
    target = Target("vip", "receiver", "email", "transactional")
    report = sync(shop.store, shop.home, target, receiver, at=NOW, wait=lambda _: None)
    assert (receiver.log, report.held_back) == ([], {"unsubscribed": 1})


class _Dies(Receiver):
    """Takes a batch, and the sender is killed before it hears so."""

    def deliver(self, batch: Batch) -> list[Outcome]:
        super().deliver(batch)
        raise KeyboardInterrupt


@pytest.mark.parametrize("is_taken_back", [False, True])
def test_what_a_killed_sync_may_have_sent_counts_for_the_cap(
    both: Shop, is_taken_back: bool
) -> None:
    both.limits = {"contacts_per_day": 1}
    both.publish()
    with pytest.raises(KeyboardInterrupt):
        send(both, _Dies("carts"), CART)
    if is_taken_back:
        with both.store.write() as connection:
            recover(connection, CART, Idempotency.KEY, NOW)
    both.rows["segments.seg_cart"] = []
    both.publish()
    other = Receiver()
    assert send(both, other, TARGET, NOW + timedelta(minutes=5))["added"] == 1
    assert other.members.keys() == {"c3"}


def test_what_a_killed_sync_may_have_sent_is_repeated_by_the_same_segment(both: Shop) -> None:
    both.limits = {"contacts_per_day": 1}
    both.publish()
    with pytest.raises(KeyboardInterrupt):
        send(both, _Dies("carts"), CART)
    assert send(both, Receiver("carts"), CART, NOW + timedelta(minutes=5))["added"] == 2


def test_what_went_on_after_midnight_counts_for_both_days(both: Shop) -> None:
    both.limits = {"contacts_per_day": 1}
    both.publish()
    midnight = datetime(2026, 6, 1, 23)  # in London
    for name, minutes in (("one", -10), ("two", 10)):
        target = Target("cart", name, "email", "marketing")
        assert (
            send(both, Receiver(name), target, midnight + timedelta(minutes=minutes))["added"] == 2
        )
    both.rows["segments.seg_cart"] = []
    both.publish()
    assert plan(both, TARGET, midnight + timedelta(hours=9)) == (
        {"added": 1, "updated": 0, "removed": 0},
        {"contact_cap": 2},
    )


@pytest.mark.parametrize("hops", [["c9"], ["c8", "c9"]])
def test_an_address_that_was_split_off_keeps_its_past(both: Shop, hops: list[str]) -> None:
    both.limits = {"contacts_per_day": 1}
    both.further["cart"] |= {"cooldown_days": 30}
    both.publish()
    assert send(both, Receiver("carts"), CART)["added"] == 2
    both.people["c9"] = both.people.pop("c1")
    both.members = {"c9": "best"}
    both.rows["segments.seg_cart"] = [["c9", "left a cup", "{}"]]
    both.rows["marts.fct_identity_changes"] = [
        ["split", new, old, NOW + timedelta(hours=1)]
        for old, new in zip(["c1", *hops], hops, strict=False)
    ]
    both.publish()
    soon, later = NOW + timedelta(hours=2), NOW + timedelta(days=31)
    assert plan(both, CART, soon)[1] == {"cooldown": 1}
    assert plan(both, TARGET, soon)[1] == {"contact_cap": 1}
    assert plan(both, CART, later)[0]["added"] == 1


def test_what_the_other_half_gets_after_a_split_is_its_own(both: Shop) -> None:
    both.limits = {"contacts_per_day": 1}
    both.rows["segments.seg_cart"] = [["c1", "left a cup", "{}"]]
    both.rows["marts.fct_identity_changes"] = [["split", "c2", "c1", NOW - timedelta(days=5)]]
    both.publish()
    assert send(both, Receiver("carts"), CART)["added"] == 1
    assert send(both, Receiver(), TARGET)["added"] == 2, "c2 and c3"


def test_a_revocation_after_the_decision_holds_at_sending(both: Shop) -> None:
    both.publish()
    day = read_contact_day(both.home)
    both.revoke("c1@a.example")
    report = sync(both.store, both.home, CART, Receiver(), at=NOW, day=day, wait=lambda _: None)
    assert report.sent["added"] == 1 and report.held_back == {"revoked": 1}


def test_four_senders_at_once_never_break_the_cap(both: Shop) -> None:
    both.limits = {"contacts_per_day": 1, "contacts_per_week": 1}
    names = ["one", "two", "three", "four"]
    both.further = {name: {"priority": number} for number, name in enumerate(names)}
    both.rows |= {f"segments.seg_{name}": [["c1", "because", "{}"]] for name in names}
    both.members = {}
    both.publish()
    day = read_contact_day(both.home)
    receivers = {name: Receiver(name) for name in names}

    def work(name: str) -> None:
        target = Target(name, name, "email", "marketing")
        for _ in range(2_000):  # on a busy machine one may hold the lock for long
            try:
                sync(
                    both.store, both.home, target, receivers[name], at=NOW, day=day,
                    wait=lambda _: None,
                )  # fmt: skip
            except BusyError:
                time.sleep(0.01)
                continue
            return

    senders = [threading.Thread(target=work, args=(name,)) for name in names]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    sent = [row for each in receivers.values() for row in each.log if row.operation == "added"]
    assert len(sent) == 1


def test_complaints_hold_promotions_by_email_until_the_day_that_is_published(both: Shop) -> None:
    both.publish()
    with duckdb.connect(str(both.home.published)) as published:
        published.execute(
            "create table marts.rpt_complaint_rates as select date '2026-06-04' as held_until"
        )
    assert plan(both, CART) == ({"added": 0, "updated": 0, "removed": 0}, {"complaint_rate": 2})
    before_midnight_in_london = datetime(2026, 6, 3, 22, 59)
    assert plan(both, CART, before_midnight_in_london)[1] == {"complaint_rate": 2}
    assert plan(both, CART, before_midnight_in_london + timedelta(minutes=1))[0]["added"] == 2


def test_a_plan_of_everybody_says_so_and_the_other_segment_is_sent(both: Shop) -> None:
    both.publish()
    with duckdb.connect(str(both.home.published)) as published:
        published.execute(
            "create table marts.rpt_segment_reach as"
            " select 'cart' as segment, 'email' as channel, true as is_everybody"
        )
    receiver = Receiver()
    assert plan(both, CART) == ({"added": 0, "updated": 0, "removed": 0}, {"everybody": 2})
    assert send(both, receiver, CART)["added"] == 0
    assert send(both, receiver, TARGET)["added"] == 3


def test_a_file_of_an_earlier_version_is_one_sentence(both: Shop) -> None:
    both.publish()
    with duckdb.connect(str(both.home.published)) as published:
        published.execute("drop table marts.dim_contact_rules")
    with pytest.raises(RegularsError, match="earlier version"):
        build_plan(both.store, both.home, CART, at=NOW)


def decided(shop: Shop, as_of: datetime = NOW) -> dict[str, list[dict[str, Any]]]:
    """The tables as a run would write them."""
    with duckdb.connect(str(shop.home.published)) as published:
        for table in (DECISIONS, HOLDOUTS, ONSITE):
            published.execute(f"drop table if exists {table}")
        published.execute(
            "create table if not exists marts.fct_identity_changes (change_type varchar,"
            " customer_id varchar, previous_customer_id varchar, recorded_at timestamp)"
        )
        published.execute(
            "alter table marts.dim_customers add column if not exists is_known boolean"
        )
        published.execute("update marts.dim_customers set is_known = true")
        add_contact_tables(published, shop.store, as_of)
        return {
            table: published.execute(f"select * from {table} order by all")
            .to_arrow_table()
            .to_pylist()
            for table in (DECISIONS, HOLDOUTS, ONSITE)
        }


def commit(shop: Shop, run: str) -> None:
    """Commit the file to the store as publishing does."""
    with duckdb.connect(str(shop.home.published)) as published:
        published.execute("update ops.build set run_id = ?", [run])
    commit_after_publish(shop.store, shop.home, finished_at=NOW)


def test_the_table_says_what_goes_out_and_what_lost(both: Shop) -> None:
    both.publish()
    rows = {row["customer_id"]: row for row in decided(both)[DECISIONS]}
    assert set(rows) == {"c1", "c2", "c3"}
    first = rows["c1"]
    assert (first["segment"], first["channel"], first["class"]) == ("cart", "email", "marketing")
    assert (first["outcome"], first["reason"], first["held_until"]) == ("chosen", None, None)
    assert first["rivals"] == (
        '[{"segment": "vip", "channel": "email", "outcome": "deferred", "reason": "other_segment"}]'
    )
    assert rows["c3"]["segment"] == "vip"
    assert first["decided_for"].isoformat() == "2026-06-01"


def test_what_the_site_may_show_is_counted_and_is_no_contact_of_the_day(both: Shop) -> None:
    both.further["banner"] = {"channel": "onsite", "priority": 0}
    both.rows["segments.seg_banner"] = [[one, "seen", "{}"] for one in ("c1", "c2", "c3")]
    for one in ("c1", "c2", "c3"):
        both.people[one] = [*both.people[one], ("login", f"login-{one}")]
    for one in ("c1", "c2"):
        event = ConsentEvent(
            "login", f"login-{one}", "onsite", "marketing", "granted", NOW, "form", "v1"
        )
        record_consents(both.store, [event], recorded_at=NOW)
    both.publish()
    tables = decided(both)
    assert tables[ONSITE] == [
        {"segment": "banner", "outcome": "chosen", "reason": None, "people": 2},
        {"segment": "banner", "outcome": "dropped", "reason": "no_consent", "people": 1},
    ]
    assert "banner" not in {row["segment"] for row in tables[DECISIONS]}
    with duckdb.connect(str(both.home.published)) as published:
        today = {(each.segment, each.channel): each for each in read_today(published)}
    assert (today["banner", "onsite"].goes, today["banner", "onsite"].reasons) == (
        2,
        (("no_consent", 1),),
    )
    assert ("cart", "email") in today


def test_the_same_file_is_decided_alike_and_days_before_stay(both: Shop) -> None:
    both.publish()
    assert decided(both) == decided(both)
    commit(both, "one")
    both.publish()
    tomorrow = decided(both, NOW + timedelta(days=1))[DECISIONS]
    assert Counter(row["decided_for"].day for row in tomorrow) == {1: 3, 2: 3}
    commit(both, "two")
    commit(both, "three")


def test_holdouts_stay_with_merges_splits_and_a_changed_share(both: Shop) -> None:
    people = [f"p{number}" for number in range(400)]
    for one in people:
        both.add(one, f"{one}@p.example", member=False)
    both.limits |= {"holdout_share": 0.1}
    both.publish()
    first = {row["customer_id"]: row for row in decided(both)[HOLDOUTS]}
    out = {one for one, row in first.items() if row["is_held_out"]}
    assert 20 <= len(out) <= 65
    commit(both, "one")
    both.limits |= {"holdout_share": 0.2}
    both.publish()
    more = {row["customer_id"]: row for row in decided(both, NOW + timedelta(days=1))[HOLDOUTS]}
    larger = {one for one, row in more.items() if row["is_held_out"]}
    assert out < larger, "a larger share adds people and moves nobody else"
    assert {more[one]["assigned_at"] for one in out} == {NOW}
    assert {more[one]["assigned_at"] for one in larger - out} == {NOW + timedelta(days=1)}
    someone = sorted(out)[0]
    assert holdouts.origin_of("new", {"new": "between", "between": someone}) == someone
    assert holdouts.is_held_out(someone, "global", 0.1, "salt")


def test_who_is_held_out_reaches_no_destination(both: Shop) -> None:
    both.limits |= {"holdout_share": 1.0}
    both.publish()
    decided(both)
    for target in (CART, TARGET):
        counts, held = plan(both, target)
        assert counts["added"] == 0 and set(held) == {"holdout"}


def test_nothing_is_decided_of_a_shop_without_segments_or_people(shop: Shop) -> None:
    shop.publish()
    assert decided(shop) == {DECISIONS: [], HOLDOUTS: [], ONSITE: []}
    with duckdb.connect(str(shop.home.published)) as published:
        published.execute("delete from marts.dim_segments")
        assert load_contact_day(published, NOW).wishes == {}


def test_one_identifier_that_was_forgotten_holds_its_person_however_many_are_judged(
    both: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_LARGE", 0)
    both.add("c1", "c1@a.example", "login:u1")
    both.publish()
    with both.store.write() as connection:
        request(connection, Erasable((), (("login", "u1"),)), reason="asked", at=NOW)
    day = read_contact_day(both.home)
    with both.store.read() as connection:
        verdicts = day.judge(connection, NOW + timedelta(hours=1)).verdicts
    assert {str(each.reason) for each in verdicts["c1"].values()} == {"forgotten"}
    assert str(verdicts["c2"]["cart"].outcome) == "chosen"


@pytest.mark.parametrize("column", ["complaint", "support"])
def test_who_complained_or_asked_for_help_gets_no_promotion_until_a_week_is_over(
    both: Shop, column: str
) -> None:
    said_at = NOW - timedelta(days=2)
    said = [said_at, None] if column == "complaint" else [None, said_at]
    both.rows["marts.customer_engagement"] = [["c1", *said], ["c2", None, None]]
    both.publish()
    assert plan(both, CART) == ({"added": 1, "updated": 0, "removed": 0}, {"support": 1})
    assert plan(both, CART, said_at + timedelta(days=7))[0]["added"] == 2
    both.further["cart"]["message_kind"] = "thank_you"
    both.publish()
    assert plan(both, CART)[0]["added"] == 2, "an answer is no promotion"
    both.limits |= {"support_quiet_days": 0}
    both.further["cart"]["message_kind"] = "reminder"
    both.publish()
    assert plan(both, CART)[0]["added"] == 2


def test_answers_of_the_gate_that_are_handed_over_are_not_asked_for_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan has asked already; the day comes to the same."""
    for number in range(6):
        shop.add(f"c{number}", f"c{number}@example.com")
    for number in range(4):
        shop.grant(f"c{number}@example.com")
    shop.suppress("c1@example.com", "unsubscribed")
    shop.publish()
    day = read_contact_day(shop.home)
    policy = Policy("email", "marketing")
    with shop.store.read() as facts:
        usual = day.judge(facts, NOW)
        states = load_all_states(facts, policy, to_micros(NOW))
        answers = {who: decide(day.identifiers[who], states, policy) for who in day.wishes}
        monkeypatch.setattr(contact_day, "load_states", None)
        monkeypatch.setattr(contact_day, "decide", None)
        again = day.judge(facts, NOW, permitted={("email", "marketing"): answers})
    assert again == usual
    assert len({str(row.verdict.reason) for row in usual.rows}) > 2
