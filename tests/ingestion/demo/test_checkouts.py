"""Checkouts of the pretend shop that were left: carts, orders and the truth agree on them."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.demo import write_days
from ingestion.demo.world import World, make_world

MOMENT = "2026-07-01T00:00:00Z"


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(1500, seed=7, as_of=datetime(2026, 7, 1, tzinfo=UTC))


def checkouts(folder: Path) -> dict[str, dict[str, Any]]:
    paths = (folder / "api" / "shopify" / "abandonedCheckouts").glob("*.jsonl")
    nodes = [json.loads(line) for path in paths for line in path.open(encoding="utf-8")]
    return {node["id"].rsplit("/", 1)[1]: node for node in nodes}


def truth(folder: Path) -> list[tuple[Any, ...]]:
    return duckdb.sql(
        "select checkout_id, status, product_id, total_gbp, started_at, person_id"
        f" from '{folder}/truth/checkouts/*.parquet'"
    ).fetchall()


def events(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted((folder / "input" / "web").rglob("part-*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [json.loads(line) for line in lines]
    return found


def test_each_was_begun_with_what_its_cart_on_the_site_held(shop: Path) -> None:
    told = [event for event in events(shop) if event.get("event")]
    carted = {
        (event["properties"]["cart_id"], event["properties"]["product_id"])
        for event in told
        if event["event"] == "Product Added"
    }
    begun: dict[str, set[str]] = {}
    for event in told:
        if event["event"] == "Checkout Started" and "order_id" not in event["properties"]:
            at = begun.setdefault(event["timestamp"], set())
            at.add(event["properties"]["cart_id"])
    nodes = checkouts(shop).values()
    matching = [
        any(
            (cart, node["lineItems"]["nodes"][0]["product"]["id"].rsplit("/", 1)[1]) in carted
            for cart in begun.get(node["createdAt"], ())
        )
        for node in nodes
    ]
    # A clock that is wrong, or an event that never came, leaves a few without their like
    assert sum(matching) > 0.9 * len(matching)


def test_the_truth_tells_what_became_of_each_and_the_api_lets_it_be_found(shop: Path) -> None:
    nodes, told = checkouts(shop), truth(shop)
    assert {row[0] for row in told} == nodes.keys()
    assert {"open", "abandoned", "ordered_since", "bought"} == {row[1] for row in told}
    orders = duckdb.sql(
        "select person_id, ordered_at, is_online, order_id"
        f" from '{shop}/truth/orders/*.parquet' where not is_test"
    ).fetchall()
    for key, status, product, total, started, person in told:
        node = nodes[key]
        later = {at for who, at, *_ in orders if who == person and at >= started}
        paid = node["completedAt"]
        assert (status == "bought") == (paid is not None)
        assert (status in ("bought", "ordered_since")) == bool(later)
        if paid:
            assert datetime.fromisoformat(paid).replace(tzinfo=None) in later
        assert (status == "open") == (node["updatedAt"] > "2026-06-30T23:00:00Z" and not later)
        assert node["createdAt"] <= node["updatedAt"] < MOMENT
        assert node["lineItems"]["nodes"][0]["product"]["id"].endswith(f"/{product}")
        assert node["totalPriceSet"]["shopMoney"]["amount"] == f"{total:.2f}"
        assert node["customer"]["defaultEmailAddress"]["emailAddress"]


def test_three_months_are_listed_and_days_add_theirs(world: World, shop: Path) -> None:
    before = checkouts(shop)
    assert min(node["createdAt"] for node in before.values()) >= "2026-04-02"
    write_days.write_until(world, shop, 3)
    after = checkouts(shop)
    added = [node for key, node in after.items() if key not in before]
    assert added
    assert all(MOMENT <= node["createdAt"] < "2026-07-04T00:00:00Z" for node in added)
    gone = [node for key, node in before.items() if key not in after]
    assert all(node["createdAt"] < "2026-04-05" for node in gone)
    for key, node in after.items():
        if key in before and node["updatedAt"] == before[key]["updatedAt"]:
            assert node == before[key]
