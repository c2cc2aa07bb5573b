"""What staging makes of the input folders: latest versions, one form, nothing of tomorrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.world import World

AS_OF = "2026-06-01 00:00:00"
STAGED = (
    *("--select", "+int_evidence_from_sightings", "+int_web_events", "stg_products__products"),
    *("stg_products__product_states", "stg_contacts__contacts", "stg_spend__spend"),
    *(
        "stg_experiments__assignments",
        "stg_calendar__occasions",
        "stg_personas__personas",
        "--exclude",
        "path:tests",
    ),
)


def step(message: str, event: str, **more: Any) -> dict[str, Any]:
    """A step of an SMS to one number."""
    return {
        "message_id": message,
        "channel": "sms",
        "identifier_type": "phone",
        "identifier_value": "+447700900123",
        "event": event,
        "occurred_at": "2026-05-10 09:00:00",
        "is_opt_out_reply": False,
    } | more


def event(number: int, name: str, context: Any = None, **properties: Any) -> dict[str, Any]:
    """A web event of one device."""
    return {
        "type": "track",
        "message_id": f"e{number}",
        "anonymous_id": "d-1",
        "event": name,
        "occurred_at": f"2026-05-11 09:00:0{number}",
        "properties": properties,
        "context": context,
    }


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A shop with a few rows in every folder."""
    world = World(Path(tmp_path_factory.mktemp("staged")), AS_OF)
    world.add(
        "raw_messages.messages",
        [
            step("m1", "sent", campaign_id="c1"),
            step("m1", "clicked", url="https://shop.example/a"),
            step("m1", "clicked", url="https://shop.example/b"),
            step("m1", "replied", is_opt_out_reply=True),
            step("m2", "sent", occurred_at="2026-06-02 09:00:00"),
        ],
    )
    world.new_load()
    world.add("raw_messages.messages", [step("m1", "sent", campaign_id="c2")])
    push = {"endpoint": "https://push.example/1", "keys": {"p256dh": "P", "auth": "A"}}
    logins = [{"id": "x", "type": "ios"}, {"id": "reader-7", "type": "publisher_login"}]
    world.add(
        "raw_web.events",
        [
            event(1, "Products Searched", {"gpc": True}, query="socks", results=12),
            event(2, "Push Subscribed", {"touchpoint": "App"}, **push),
            event(3, "Quiz Completed", quiz_id="q1", answers={"size": "XL", "likes": ["a"]}),
            event(4, "Content Viewed", {"touchpoint": "tv"}, content_id="c1", topic="care"),
            event(5, "Sign-up Offered", {"page": {"load_ms": 412.5}}, promotion_id="p1"),
            event(6, "Product Viewed", {"externalIds": logins, "gpc": "0"}, variant="blue"),
            event(7, "Products Searched", {"externalIds": "odd"}, results="many"),
        ],
    )
    world.add(
        "raw_products.products",
        [
            {"product_id": "p1", "sku": "s1", "price": "9", "updated_at": "2026-05-01"},
            {"product_id": "p1", "sku": "s1", "price": "8", "updated_at": "2026-04-01"},
            {"product_id": "p1", "sku": "s1", "price": "7", "updated_at": "2026-06-02"},
            {"product_id": "p2", "sku": "s2", "price": "5", "attributes": {"colour": "blue"}},
        ],
    )
    voucher = {"promotion_id": "v", "code": "V1", "identifier_type": "email", "value_amount": "5"}
    voucher |= {"identifier_value": "a@x.example", "issued_at": "2026-05-01", "currency": "GBP"}
    spent = {"redeemed_at": "2026-05-20", "redeemed_order_id": "o1"}
    late = {"redeemed_at": "2026-06-20", "redeemed_order_id": "o2"}
    world.add("raw_promotions.promotions", [voucher, {**voucher, "code": "V2"}])
    world.add("raw_promotions.promotions", [{**voucher, "code": "V3", "issued_at": "2026-06-20"}])
    answer = {"identifier_type": "email", "identifier_value": "a@x.example", "kind": "survey"}
    answer |= {"occurred_at": "2026-05-01", "question": "size", "answer": "M"}
    world.add("raw_feedback.feedback", [answer, {**answer, "question": "pet", "answer": "cat"}])
    case = {**answer, "kind": "support", "question": None, "answer": None}
    world.add("raw_feedback.feedback", [case])
    contact = {"email": "a@x.example", "preferred_channel": "sms", "attributes": {"shoe_size": 41}}
    world.add("raw_contacts.contacts", [contact | {"verified_at": "2026-05-01"}])
    cost = {"date": "2026-05-01", "marketing_channel": "Email", "cost": "2", "currency": "GBP"}
    world.add("raw_spend.spend", [{**cost, "programme": "club"}, {**cost, "claimed_orders": 3}])
    group = {"experiment_id": "x", "identifier_type": "email", "identifier_value": "a@x.example"}
    group |= {"experiment_group": "holdout", "assigned_at": "2026-05-01"}
    other = {"experiment_group": "treatment", "assigned_at": "2026-05-02"}
    world.add("raw_experiments.assignments", [{**group, **other}, group])
    day = {"occasion": "easter", "starts_on": "2026-04-05", "ends_on": "2026-04-06"}
    world.add("raw_calendar.occasions", [{**day, "country": "nl"}])
    who = [{"stage": ["purchase"]}]
    for file, name in (("a.yml", "Giver"), ("b.yml", "giver"), ("c.yml", "Saver")):
        world.add("raw_personas.personas", [{"name": name, "who": who}], file=file)
    world.new_load()
    world.add("raw_personas.personas", [{"name": "Spender", "who": who}], file="c.yml")
    world.add("raw_promotions.promotions", [voucher | spent, {**voucher, "code": "V2"} | late])
    world.add("raw_feedback.feedback", [{**answer, "answer": "L"}])
    world.add("raw_feedback.feedback", [{**case, "closed_at": "2026-05-03"}])
    world.build(*STAGED)
    with world.warehouse() as connection:
        yield connection


def test_a_message_has_its_steps_up_to_now_in_their_latest_version(
    staged: duckdb.DuckDBPyConnection,
) -> None:
    query = """select event, campaign_id, url, is_opt_out_reply
        from staging.stg_messages__messages order by event, url"""
    assert staged.execute(query).fetchall() == [
        ("clicked", None, "https://shop.example/a", False),
        ("clicked", None, "https://shop.example/b", False),
        ("replied", None, None, True),
        ("sent", "c2", None, False),
    ]


def test_who_was_written_to_is_evidence_once_for_all_steps(
    staged: duckdb.DuckDBPyConnection,
) -> None:
    query = """select phone, rule, observation_count, source_record_id
        from intermediate.int_evidence_from_sightings where source_system = 'messages'"""
    assert staged.execute(query).fetchall() == [("+447700900123", "recipient", 1, "m1")]


def test_what_a_web_event_says_stands_in_columns_of_its_own(
    staged: duckdb.DuckDBPyConnection,
) -> None:
    names = """results, endpoint, p256dh, auth, quiz_id, answers, content_id, topic, promotion_id,
        load_ms, publisher_login, variant"""
    rows = staged.execute(
        f"select event_id, touchpoint, gpc, {names} from intermediate.int_web_events order by 1"
    ).fetchall()
    said = {row[0]: tuple(str(value) for value in row[1:] if value is not None) for row in rows}
    assert said == {
        "e1": ("web", "True", "12"),
        "e2": ("app", "False", "https://push.example/1", "P", "A"),
        "e3": ("web", "False", "q1", '{"size":"XL","likes":["a"]}'),
        "e4": ("other", "False", "c1", "care"),
        "e5": ("web", "False", "p1", "412.5000"),
        "e6": ("web", "False", "reader-7", "blue"),
        "e7": ("web", "False"),
    }


@pytest.mark.parametrize(
    ("table", "columns", "expected"),
    [
        (
            "stg_products__products",
            "product_id, price::integer, attributes",
            [("p1", 9, None), ("p2", 5, '{"colour": "blue"}')],
        ),
        ("stg_products__product_states", "product_id, price::integer", [("p1", 8), ("p1", 9)]),
        (
            "stg_promotions__promotions",
            "code, value_amount::integer, redeemed_order_id",
            [("V1", 5, "o1"), ("V2", 5, None)],
        ),
        (
            "stg_feedback__feedback",
            "kind, answer, closed_at::date::varchar",
            [("support", None, "2026-05-03"), ("survey", "L", None), ("survey", "cat", None)],
        ),
        (
            "stg_contacts__contacts",
            "preferred_channel, verified_at::varchar, attributes",
            [("sms", "2026-05-01 00:00:00", '{"shoe_size": 41}')],
        ),
        ("stg_spend__spend", "programme, claimed_orders", [("club", None), (None, 3)]),
        ("stg_experiments__assignments", "experiment_group", [("holdout",)]),
        ("stg_calendar__occasions", "occasion, country", [("easter", "NL")]),
        (
            "stg_personas__personas",
            "persona, who",
            [("Giver", '[{"stage": ["purchase"]}]'), ("Spender", '[{"stage": ["purchase"]}]')],
        ),
    ],
)
def test_staging_says_what_is_true_now(
    staged: duckdb.DuckDBPyConnection, table: str, columns: str, expected: list[Any]
) -> None:
    query = f"select {columns} from staging.{table} order by all"
    assert staged.execute(query).fetchall() == expected


def test_a_voucher_names_whose_it_is(staged: duckdb.DuckDBPyConnection) -> None:
    query = """select distinct email from intermediate.int_evidence_from_sightings
        where rule in ('voucher', 'assignment') order by all"""
    assert staged.execute(query).fetchall() == [("a@x.example",)]
