"""What follows when people merge or split: a small shop published before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Destination, Settings
from orchestration.activation.delivery import DeliveryContext
from orchestration.activation.moments import stopped
from orchestration.home.layout import Home
from orchestration.preview.consequences import Consequence, consequences
from tests.orchestration.activation.shop import NOW, Shop

SETTINGS = Settings(destinations={"receiver": Destination()})
COLUMNS = {
    "fct_orders": "order_id varchar, customer_id varchar, order_source varchar default 'orders',"
    " is_kept boolean default true, ordered_at timestamp default '2026-01-01'",
    "fct_customer_journey_stages": "customer_id varchar, stage varchar, is_current boolean",
    "fct_customer_rfm": "customer_id varchar, rfm_segment varchar, is_current boolean",
    "fct_segment_memberships": "segment varchar, customer_id varchar, is_current boolean,"
    " entered_at timestamp default '2026-01-01', exited_at timestamp",
    "contactability": "customer_id varchar, channel varchar, purpose varchar,"
    " is_contactable boolean, address_type varchar, address varchar",
}
Marts = Mapping[str, Sequence[str]]


def publish(shop: Shop, marts: Marts) -> None:
    """Publish the shop with these rows, each as SQL writes it."""
    shop.publish()
    with duckdb.connect(str(shop.home.published)) as connection:
        for name, columns in COLUMNS.items():
            connection.execute(f"create or replace table marts.{name} ({columns})")
            for row in marts.get(name, ()):
                given = [part.split()[0] for part in columns.split(", ")][: len(row.split(", "))]
                connection.execute(f"insert into marts.{name} ({', '.join(given)}) values ({row})")


@pytest.fixture
def later(shop: Shop, tmp_path: Path) -> Shop:
    """The same shop as it would be afterwards, with the same permission facts."""
    return Shop(Home(tmp_path / "later").create(), shop.store)


def found(shop: Shop, later: Shop, *people: str) -> list[Consequence]:
    context = DeliveryContext(shop.home, SETTINGS, shop.store, stopped(NOW))
    return consequences(context, later.home, set(people))


SISTERS: Marts = {
    "fct_orders": ["'o1', 'ann'", "'o2', 'ann'", "'o3', 'bob'", "'o4', null"],
    "fct_customer_journey_stages": ["'ann', 'advocacy', true", "'ann', 'purchase', false"],
    "fct_customer_rfm": ["'ann', 'champions', true", "'bob', 'new', true", "'ann', 'new', false"],
    "fct_segment_memberships": ["'vip', 'ann', true", "'vip', 'bob', false"],
    "contactability": ["'ann', 'email', 'marketing', true, 'email', 'old@a.example'"],
}


def test_nothing_follows_where_nothing_is_another(shop: Shop, later: Shop) -> None:
    for each in (shop, later):
        each.add("ann", "ann@a.example")
        publish(each, SISTERS)
    shop.grant("ann@a.example")
    assert found(shop, later, "ann") == []


def test_a_split_is_followed_into_every_table_and_destination(shop: Shop, later: Shop) -> None:
    """Ann was two sisters: the second gets an order, a stage, a value, a place, a permission."""
    shop.grant("ann@a.example")
    shop.grant("sue@a.example")
    shop.add("ann", "ann@a.example", "sue@a.example")
    publish(shop, SISTERS)
    later.add("ann", "ann@a.example", member=False)
    later.add("sue", "sue@a.example")
    publish(
        later,
        {
            "fct_orders": ["'o1', 'ann'", "'o2', 'sue'", "'o3', 'bob'", "'o4', null"],
            "fct_customer_journey_stages": ["'ann', 'purchase', true", "'sue', 'purchase', true"],
            "fct_customer_rfm": [
                "'ann', 'loyal', true",
                "'sue', 'new', true",
                "'bob', 'new', true",
            ],
            "fct_segment_memberships": ["'vip', 'sue', true"],
            "contactability": [
                "'ann', 'email', 'marketing', true, 'email', 'ann@a.example'",
                "'sue', 'email', 'marketing', true, 'email', 'sue@a.example'",
                "'sue', 'sms', 'marketing', false, null, null",
            ],
        },
    )
    assert found(shop, later, "ann", "sue") == [
        Consequence("people", "", 1, 0, 0),
        Consequence("orders", "", 0, 1, 0),
        Consequence("stage", "", 1, 1, 0),
        Consequence("rfm", "", 1, 1, 0),
        Consequence("segment", "vip", 1, 0, 1),
        Consequence("permission", "email, marketing", 1, 1, 0),
        Consequence("destination", "receiver, vip", 1, 0, 1),
    ]


def test_a_merge_moves_a_place_and_removes_nobody_by_address(shop: Shop, later: Shop) -> None:
    """The older id stands for both; a destination hears of it as an update."""
    shop.grant("ann@a.example")
    shop.add("ann", "ann@a.example")
    publish(shop, {})
    later.add("older", "ann@a.example")
    later.aliases["ann"] = "older"
    publish(later, {})
    assert found(shop, later, "ann", "older") == [
        Consequence("people", "", 1, 0, 1),
        Consequence("destination", "receiver, vip", 0, 1, 0),
    ]


def test_what_may_not_be_sent_before_or_after_is_no_consequence(shop: Shop, later: Shop) -> None:
    shop.grant("ann@a.example")
    shop.revoke("ann@a.example")
    shop.add("ann", "ann@a.example")
    publish(shop, {})
    later.add("ann", "ann@a.example", member=False)
    publish(later, {})
    assert found(shop, later, "ann") == []


def test_what_is_another_of_somebody_else_does_not_follow(shop: Shop, later: Shop) -> None:
    shop.grant("bob@a.example")
    shop.add("bob", "bob@a.example")
    publish(shop, SISTERS)
    later.add("bob", "bob@a.example", member=False)
    publish(later, {})
    assert found(shop, later) == []
