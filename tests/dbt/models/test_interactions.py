"""One timeline: what stands in it, what does not, and that loads day by day equal one refresh."""

# ruff: noqa: E501 - raw rows read best as a table, one to a line
from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.models.test_increments import commit, take_rules_back
from tests.dbt.scenes import event, identify, order
from tests.dbt.scenes_timeline import mail, timeline_shop
from tests.dbt.world import World

AS_OF = "2026-06-01 00:00:00"
KEPT = ("+int_identity_registry_next", "+int_identity_moves_next")
TIMELINE = ("--select", "+fct_interactions", *KEPT, "--exclude-resource-type", "test")
DAYS = 30 if os.environ.get("REGULARS_SOAK") else 6
Line = dict[str, Any]


def timeline(world: World) -> list[Line]:
    """Every row, in a fixed order."""
    with world.warehouse() as con:
        found = con.execute("select * from marts.fct_interactions order by all")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def told(timeline_world: World) -> list[Line]:
    return timeline(timeline_world)


def of(told: list[Line], *kinds: str) -> list[Line]:
    return [line for line in told if line["kind"] in kinds]


def test_each_source_is_told_once_with_where_and_who_acted(told: list[Line]) -> None:
    columns = ("kind", "channel", "touchpoint", "direction")
    found = sorted(tuple(line[column] for column in columns) for line in told)
    assert found == sorted(
        [
            ("visit", "web", "web", "inbound"),
            ("visit", "web", "web", "inbound"),
            ("product_viewed", "web", "web", "inbound"),
            ("product_viewed", "web", "web", "inbound"),
            ("products_searched", "web", "web", "inbound"),
            ("products_searched", "web", "web", "inbound"),
            ("product_added", "web", "web", "inbound"),
            ("other_event", "web", "web", "inbound"),
            ("promotion_viewed", "web", "web", "outbound"),
            ("order_placed", "web", "web", "inbound"),
            ("order_cancelled", "web", "web", "inbound"),
            ("order_placed", "store", "store", "inbound"),
            *[("order_placed", "web", "web", "inbound")] * 3,
            ("message_sent", "email", "email", "outbound"),
            ("message_delivered", "email", "email", "outbound"),
            ("message_opened_by_machine", "email", "email", "outbound"),
            ("message_opened", "email", "email", "inbound"),
            ("message_clicked", "email", "email", "inbound"),
            ("message_unsubscribed", "email", "email", "inbound"),
            ("message_sent", "email", "email", "outbound"),
            ("message_bounced", "email", "email", "outbound"),
            ("signed_up", "store", "store", "inbound"),
            ("signed_up", "store", "store", "inbound"),
            ("signed_up", "other", None, "inbound"),
            ("loyalty_joined", "store", "store", "inbound"),
            ("nps", "other", None, "inbound"),
            ("support", "other", None, "inbound"),
            ("review", "other", None, "inbound"),
            ("message_sent", "push", "push", "outbound"),
            ("message_sent", "ads", "ads", "outbound"),
            ("message_sent", "onsite", "onsite", "outbound"),
            ("survey", "other", None, "inbound"),
            ("survey", "other", None, "inbound"),
            ("preference", "other", None, "inbound"),
            ("visit", "web", "app", "inbound"),
            ("content_viewed", "web", "app", "inbound"),
            ("quiz_completed", "web", "blog", "inbound"),
            ("sign_up_offered", "web", "social", "outbound"),
            ("sign_up_accepted", "web", "web", "inbound"),
            ("products_searched", "web", "iot", "inbound"),
            ("message_sent", "sms", "sms", "outbound"),
            ("message_clicked", "sms", "sms", "inbound"),
            ("message_replied", "sms", "sms", "inbound"),
            ("message_unsubscribed", "sms", "sms", "inbound"),
            ("message_sent", "sms", "sms", "outbound"),
            ("message_failed", "sms", "sms", "outbound"),
            ("message_sent", "email", "email", "outbound"),
            ("message_opened_by_machine", "email", "email", "outbound"),
            ("voucher_issued", "other", None, "outbound"),
            ("voucher_redeemed", "other", None, "inbound"),
        ]
    )


@pytest.mark.parametrize(
    ("touchpoint", "kind", "moment"),
    [
        ("app", "content_viewed", "2026-05-12 09:00:00"),
        ("blog", "quiz_completed", "2026-05-12 09:01:00"),
        ("social", "sign_up_offered", "2026-05-12 09:02:00"),
        ("iot", "products_searched", "2026-05-12 09:04:00"),
        ("email", "message_opened", "2026-05-06 12:00:00"),
    ],
)
def test_blog_social_iot_and_email_are_kinds_of_touchpoint_with_their_time(
    told: list[Line], touchpoint: str, kind: str, moment: str
) -> None:
    there = [line for line in of(told, kind) if line["touchpoint"] == touchpoint]
    assert [str(line["occurred_at"]) for line in there] == [moment]
    (line,) = there
    assert line["customer_id"]


def test_robots_tests_and_nobody_are_left_out_and_so_is_the_future(told: list[Line]) -> None:
    assert max(line["occurred_at"] for line in told).isoformat(" ") < AS_OF
    assert {line["order_id"] for line in of(told, "order_placed")} == {*"12567"}
    assert all(line["customer_id"] for line in told)
    assert len({line["customer_id"] for line in told}) == 2


def test_a_machine_that_opens_is_no_reader(told: list[Line]) -> None:
    other, machine = sorted(
        of(told, "message_opened_by_machine"), key=lambda line: line["source_system"], reverse=True
    )
    (read,) = of(told, "message_opened")
    assert (other["source_system"], other["campaign_id"]) == ("messages", "may")
    assert (str(machine["occurred_at"]), machine["direction"]) == (
        "2026-05-06 10:00:06",
        "outbound",
    )
    assert (str(read["occurred_at"]), read["direction"]) == ("2026-05-06 12:00:00", "inbound")
    assert (read["campaign_id"], read["message_kind"]) == ("spring", "promo")


def test_details_are_small_json_without_names_and_addresses(told: list[Line]) -> None:
    assert not any("@" in (line["detail"] or "") for line in told)
    details = [json.loads(line["detail"]) for line in told if line["detail"]]
    assert {"query": "blue mug", "results": None} in details
    assert {"query": "teapot", "results": 0} in details
    assert {"content": "c-1", "title": "How to brew", "topic": "tea"} in details
    assert {"quiz": "q1"} in details
    assert {"promotion": "TEN"} in details
    assert {"asks_to_stop": True} in details
    assert {"question": None, "score": None} in details, "a question is words too"
    assert {"query": None, "results": None} in details, (
        "a search that holds an address is a search without words"
    )
    assert {"sku": "S-7", "name": "Tea pot"} in details
    assert 9 in [each["score"] for each in details if each.get("score")]
    visit = {"pages": 1, "source": "direct", "campaign": None, "device": "desktop"}
    assert visit | {"load_ms": None} in details
    assert visit | {"pages": 0, "load_ms": 900} in details
    assert max(len(line["detail"] or "") for line in told) < 200


def test_a_city_is_that_of_the_bill_or_where_the_tracker_says_the_device_was(
    told: list[Line],
) -> None:
    found = sorted(
        (line["kind"], line["place"], line["city"], line["order_id"])
        for line in told
        if line["city"]
    )
    assert found == [
        *[("order_placed", "GB", "Leeds", order_id) for order_id in "567"],
        ("product_viewed", "GB", "York", None),
        ("visit", "GB", "York", None),
    ]


def test_money_has_the_orders_currency_and_a_product_on_the_site_none(told: list[Line]) -> None:
    (added,) = of(told, "product_added")
    assert (str(added["value"]), added["currency"]) == ("24.0000", None)
    (redeemed,) = of(told, "voucher_redeemed")
    assert (str(redeemed["value"]), redeemed["currency"], redeemed["order_id"]) == (
        "10.0000",
        "GBP",
        "7",
    )
    assert {(str(line["value"]), line["currency"]) for line in of(told, "order_placed")} == {("100.0000", "GBP")}  # fmt: skip
    (store,) = [line for line in of(told, "order_placed") if line["channel"] == "store"]
    assert store["store_id"] == "north"
    assert {line["place"] for line in of(told, "loyalty_joined")} == {"FR"}


def test_load_time_rewards_and_reviews_are_in_it(told: list[Line]) -> None:
    visits = [json.loads(line["detail"])["load_ms"] for line in of(told, "visit")]
    assert sorted(visits, key=str) == [900, None, None]
    assert [line["order_id"] for line in of(told, "voucher_redeemed")] == ["7"]
    (review,) = of(told, "review")
    assert (review["product_id"], float(json.loads(review["detail"])["score"])) == ("p1", 4)


def test_a_key_names_one_line_in_every_run(told: list[Line], tmp_path: Path) -> None:
    ids = [line["interaction_id"] for line in told]
    assert len(set(ids)) == len(ids)
    again = World(tmp_path / "again", AS_OF)
    timeline_shop(again)
    again.new_load()
    again.add("raw_web.events", [event(900, "01 08:00", "first-comer")])
    again.build(*TIMELINE)
    assert set(ids) < {line["interaction_id"] for line in timeline(again)}


def test_gifts_occasions_and_other_addresses_are_what_the_order_says(timeline_world: World) -> None:
    """An unknown word for an occasion is no occasion; whom the gift is for is kept nowhere."""
    with timeline_world.warehouse() as con:
        found = con.execute(
            "select order_id, is_gift, ships_elsewhere, occasion from intermediate.int_orders_resolved"
            " where order_id in ('1', '5', '6', '7') order by 1"
        ).fetchall()
        texts = con.execute(
            "select to_json(o)::varchar from intermediate.int_orders_resolved as o"
        ).fetchall()
        unknown = con.execute(
            "select count(*) from intermediate.int_orders_unioned where is_occasion_unknown"
        ).fetchone()
    assert found == [
        ("1", None, None, None),
        ("5", True, True, "mothers_day"),
        ("6", False, False, None),
        ("7", True, None, None),
    ]
    assert "Poppins" not in str(texts)
    assert unknown == (1,)


def a_day(world: World, day: int, number: int, dice: random.Random) -> None:
    """Visits, some of them late, signed in or not; an order; a message, and an open of yesterday's."""
    events = []
    for place, who in enumerate(("a", "b", "c")):
        for late in (day, dice.randint(1, day)):
            key, clock = number + 10 * place + late % 7, f"{late:02d} {dice.randint(8, 20):02d}:00"
            events.append(
                event(
                    key,
                    clock,
                    f"pc-{who}",
                    dice.choice([None, who]),
                    "Product Viewed",
                    properties={"product_id": f"p{key}"},
                )
            )
        events.append(
            identify(
                number + 50 + place,
                f"{day:02d} 21:00",
                f"pc-{who}",
                who,
                email=f"{who}@day.example",
            )
        )
    world.add("raw_web.events", events)
    world.add(
        "raw_orders.orders", [order(str(number), f"{day:02d} 12:00:00", email="a@day.example")]
    )
    before = max(day - 1, 1)
    world.add(
        "raw_email.events",
        [
            mail(number, "delivered", f"{day:02d} 07:00:00", f"m{day}", "b@day.example"),
            mail(number + 1, "open", f"{before:02d} 09:00:00", f"m{before}", "b@day.example"),
        ],
    )
    if day % 5 == 2:
        rule = {"rule": "must_link", "type_a": "email", "value_a": "a@day.example"}
        other = {"type_b": "email", "value_b": "b@day.example", "reason": "one person"}
        world.add("raw_identity_rules.identity_rules", [rule | other])
    if day % 5 == 4:
        take_rules_back(world)


@pytest.mark.faults
def test_days_one_by_one_equal_a_full_refresh_though_people_merge_and_split(tmp_path: Path) -> None:
    """Late events, a merge, a split, `as_of` back and forth; 6 days, 30 by `make soak`."""
    world, dice = World(tmp_path / "days", AS_OF), random.Random(5)
    people = set()
    for day in range(1, DAYS + 1):
        world.new_load()
        world.set_as_of(f"2026-05-{day:02d} 22:00:00")
        a_day(world, day, 1000 + 100 * day, dice)
        world.build(*TIMELINE)
        if day == 3:  # a run for a moment that is over, and back
            world.set_as_of("2026-05-01 22:00:00")
            world.build(*TIMELINE)
            assert max(str(line["occurred_at"]) for line in timeline(world)) < "2026-05-01 22"
            world.set_as_of("2026-05-03 22:00:00")
            world.build(*TIMELINE)
        people.add(len({line["customer_id"] for line in timeline(world)}))
        commit(world)
    assert people == {2, 3}, "two of them are one for a time"
    refreshed = World(tmp_path / "refreshed", world.as_of)
    shutil.copytree(world.home / "ops_export", refreshed.home / "ops_export", dirs_exist_ok=True)
    shutil.copy(world.home / "raw.duckdb", refreshed.home / "raw.duckdb")
    refreshed.build(*TIMELINE)
    assert timeline(world) == timeline(refreshed)
    assert len(timeline(world)) > 10 * DAYS
