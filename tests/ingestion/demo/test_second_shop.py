"""The second shop: small, in euros, some of its people the first's, and the first as it was."""

from __future__ import annotations

import filecmp
import json
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from ingestion.demo.__main__ import main
from ingestion.demo.servers import CLIENT_ID, CLIENT_SECRET, demo_servers
from ingestion.demo.world import make_world
from ingestion.demo.write import write_demo

PEOPLE, SEED = 300, 3


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops")
    write_demo(make_world(PEOPLE, SEED), folder, shops=2)
    return folder


def nodes(shops: Path, kind: str) -> list[dict[str, Any]]:
    lines = (shops / "shops" / "outlet" / kind / "part-000.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def number(node: dict[str, Any]) -> str:
    return str(node["id"]).rsplit("/", 1)[1]


def test_the_first_shop_is_what_it_is_alone(shops: Path, tmp_path: Path) -> None:
    write_demo(make_world(PEOPLE, SEED), tmp_path)
    alone = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert all(filecmp.cmp(tmp_path / path, shops / path, shallow=False) for path in alone)
    beside = {path.relative_to(shops) for path in shops.rglob("*") if path.is_file()} - {*alone}
    assert {path.parts[:2] for path in beside} == {
        ("shops", "outlet"),
        ("truth", "second_shop"),
        ("truth", "second_shop_orders"),
    }


def test_everything_there_is_in_its_own_currency(shops: Path) -> None:
    text = "".join(
        path.read_text("utf-8") for path in (shops / "shops" / "outlet").rglob("*.jsonl")
    )
    assert '"currencyCode":"EUR"' in text
    assert '"currencyCode":"GBP"' not in text
    paid = [
        (line["sku"], line["originalUnitPriceSet"]["shopMoney"]["amount"], order["createdAt"])
        for order in nodes(shops, "orders")
        for line in order["lineItems"]["nodes"]
    ]
    asked = {
        variant["sku"]: variant["price"]
        for product in nodes(shops, "products")
        for variant in product["variants"]["nodes"]
    }
    latest = [price == asked[sku] for sku, price, at in paid if at > "2026-06-10"]
    assert latest
    assert all(latest)


def test_the_truth_has_each_order_with_who_bought_and_what_it_came_to(shops: Path) -> None:
    rows = duckdb.sql(
        f"""select o.order_id, o.total::text, o.currency, o.is_cancelled, t.buys_in_both
        from '{shops}/truth/second_shop_orders/*.parquet' o
        join '{shops}/truth/second_shop/*.parquet' t using (person_id)"""
    ).fetchall()
    told = {order: (total, currency, gone) for order, total, currency, gone, _ in rows}
    there = {
        f"outlet:{number(order)}": (
            order["totalPriceSet"]["shopMoney"]["amount"],
            order["currencyCode"],
            order["cancelledAt"] is not None,
        )
        for order in nodes(shops, "orders")
    }
    assert there
    assert told == there
    both = [buys_in_both for *_, buys_in_both in rows]
    assert any(both)
    assert not all(both)


def test_who_buys_in_both_has_one_address_and_name_in_both(shops: Path) -> None:
    people = duckdb.sql(
        f"""select t.email, p.best_email, p.first_name, p.last_name
        from '{shops}/truth/second_shop/*.parquet' t
        left join '{shops}/truth/people/*.parquet' p using (person_id) where t.buys_in_both"""
    ).fetchall()
    assert len(people) >= 5
    named = {
        node["defaultEmailAddress"]["emailAddress"]: (node["firstName"], node["lastName"])
        for node in nodes(shops, "customers")
    }
    shown = [email for email, *_ in people if email in named]
    assert len(shown) >= 4
    for email, best, first, last in people:
        assert email == best
        assert named.get(email, (first, last)) == (first, last)
    ours = {
        name
        for (name,) in duckdb.sql(
            f"""select identifier_value from '{shops}/truth/identifiers/*.parquet'
            where identifier_type in ('email', 'phone') and not is_shared"""
        ).fetchall()
    }
    strangers = duckdb.sql(
        f"select email from '{shops}/truth/second_shop/*.parquet' where not buys_in_both"
    ).fetchall()
    assert not {email for (email,) in strangers} & ours


def test_each_shop_answers_at_an_address_of_its_own(shops: Path) -> None:
    with demo_servers(shops / "api", shops / "shops") as servers:
        assert list(servers.further["shopify"]) == ["outlet"]
        assert servers.env["SHOPIFY_OUTLET_CLIENT_ID"] == CLIENT_ID
        found = []
        for address in (servers.shopify_url, servers.shops["outlet"]):
            body = {
                "grant_type": "client_credentials",
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
            }
            token = httpx.post(f"{address}/admin/oauth/access_token", data=body).json()
            answer = httpx.post(
                f"{address}/admin/api/2026-07/graphql.json",
                headers={"X-Shopify-Access-Token": token["access_token"]},
                json={"query": "{ orders(first: 1) { nodes { id currencyCode } } }"},
            ).json()
            found.append(answer["data"]["orders"]["nodes"][0])
    assert found[0]["id"] != found[1]["id"]
    assert found[1]["currencyCode"] == "EUR"


def test_files_alone_are_of_the_first_shop(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--people", "30", "--shops", "2", "--all-files", "--out", str(tmp_path)])
    assert not list(tmp_path.iterdir())
