"""Pulling from Shopify: bulk and pages agree, faults give the truth or a failure, tokens expire."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from ingestion.apis.source import Pull
from ingestion.config import Settings
from ingestion.demo.faults import Fault, FaultKind
from ingestion.demo.servers import CLIENT_SECRET, DemoServers
from ingestion.errors import SourceError, UsageError
from ingestion.pipelines import RunContext, run_source
from ingestion.settings_file import load_settings
from ingestion.sources.shopify import bulk as shopify_bulk
from ingestion.sources.shopify import graphql as shopify_graphql
from ingestion.sources.shopify import queries as shopify_queries
from ingestion.sources.shopify import source as shopify
from ingestion.sources.shopify.settings import ShopifySettings
from tests.ingestion.api_world import AS_OF, impatient, rows_of, small_shop
from tests.seeds import seeds

SEEDS = 250 if os.environ.get("REGULARS_SOAK") else 60  # RELIABILITY B4 asks for 500 of two APIs
TABLES = ("orders", "customers", "products")
CHECKOUTS = "abandonedCheckouts"
KEYS = {"orders": "order_id", "customers": "shopify_customer_id", "products": "product_id"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServers]:
    with small_shop(tmp_path_factory.mktemp("api")) as servers:
        yield servers


@pytest.fixture
def shop(running: DemoServers, monkeypatch: pytest.MonkeyPatch) -> DemoServers:
    impatient(monkeypatch, running)
    monkeypatch.setattr(shopify_bulk, "POLL_SECONDS", (0.001,))
    running.shopify.faults.clear()
    running.shopify.tokens.clear()
    return running


@pytest.fixture
def settings(shop: DemoServers) -> ShopifySettings:
    return ShopifySettings(enabled=True, base_url=shop.addresses["shopify"])


def with_pages(settings: ShopifySettings, size: int = 20) -> ShopifySettings:
    """The same shop, pulled page by page from the beginning."""
    return settings.model_copy(update={"bulk_backfill": False, "page_size": size})


def numbers(shop: DemoServers, table: str) -> set[str]:
    return {key.rsplit("/", 1)[1] for key in shop.shopify.store.nodes[table]}


@pytest.mark.parametrize("table", TABLES)
def test_bulk_and_pages_give_the_same_rows(
    shop: DemoServers, settings: ShopifySettings, table: str
) -> None:
    bulk = rows_of(shopify, table, settings)
    pages = rows_of(shopify, table, with_pages(settings))
    assert {row[KEYS[table]] for row in bulk} == numbers(shop, table)
    assert len(bulk) == len(pages)
    as_text = [sorted(json.dumps(row, sort_keys=True) for row in rows) for rows in (bulk, pages)]
    assert as_text[0] == as_text[1]


def test_an_order_is_as_the_shop_has_it(shop: DemoServers, settings: ShopifySettings) -> None:
    rows = {row["order_id"]: row["payload"] for row in rows_of(shopify, "orders", settings)}
    refunded = 0
    for key, node in shop.shopify.store.nodes["orders"].items():
        payload = rows[key.rsplit("/", 1)[1]]
        assert payload["totalPriceSet"] == node["totalPriceSet"]
        titles = [line["title"] for line in node["lineItems"]["nodes"]]
        assert [line["title"] for line in payload["lineItems"]["nodes"]] == titles
        for got, expected in zip(payload["refunds"], node["refunds"], strict=True):
            wanted = expected["refundLineItems"]["nodes"] or []
            assert len(got["refundLineItems"]["nodes"]) == len(wanted)
            assert (got["duties"], got["orderAdjustments"]) == ([], {"nodes": []})
            paid = [each["amountSet"] for each in got["transactions"]["nodes"]]
            assert paid == [got["totalRefundedSet"]]
            refunded += len(wanted)
    assert refunded > 0


def test_what_a_customer_permits_arrives_as_the_shop_has_it(
    shop: DemoServers, settings: ShopifySettings
) -> None:
    store = shop.shopify.store
    key, node = next(
        (key, node)
        for key, node in store.nodes["customers"].items()
        if node["defaultPhoneNumber"] and node["defaultEmailAddress"]
    )
    said = {"marketingOptInLevel": "CONFIRMED_OPT_IN", "marketingUpdatedAt": "2026-03-01T09:00:00Z"}
    email = node["defaultEmailAddress"] | said | {"marketingState": "PENDING"}
    phone = node["defaultPhoneNumber"] | said | {"marketingState": "REDACTED"}
    permitted = {
        "dataSaleOptOut": True,
        "defaultEmailAddress": email,
        "defaultPhoneNumber": phone,
    }
    store.upsert("customers", node | permitted)
    try:
        for chosen in (settings, with_pages(settings)):
            rows = {
                row["shopify_customer_id"]: row for row in rows_of(shopify, "customers", chosen)
            }
            payload = rows[key.rsplit("/", 1)[1]]["payload"]
            assert {name: payload[name] for name in permitted} == permitted
    finally:
        store.upsert("customers", node)


@pytest.mark.parametrize("seed", seeds(SEEDS, at_once=12))
def test_faults_give_the_truth_or_a_failure(
    shop: DemoServers, settings: ShopifySettings, seed: int
) -> None:
    chance = random.Random(seed)
    table = chance.choice(TABLES)
    is_bulk = chance.random() < 0.4
    chosen = settings if is_bulk else with_pages(settings, chance.choice([5, 7, 12]))
    for _ in range(chance.randint(1, 3)):
        kind = chance.choice(get_args(FaultKind))
        where = chance.choice(["", "query Page", "Count", "bulkResult", "/bulk/", "access_token"])
        seconds = 1.0 if kind == "timeout" else 0.0
        fault = Fault(kind, where, chance.randint(0, 5), chance.choice([1, 2, 3]), seconds)
        shop.shopify.faults.plan(fault)
    try:
        rows = rows_of(shopify, table, chosen)
    except SourceError:
        return
    finally:
        shop.shopify.faults.clear()
    assert {row[KEYS[table]] for row in rows} == numbers(shop, table)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("repeated_cursor", "the same page cursor again"),
        ("error_in_200", "an error in an answer that says 200"),
        ("short_page", "a short page that says there are more"),
        ("missing_next", "ended after"),
        ("empty_page", "a short page that says there are more"),
    ],
)
def test_a_page_that_stays_odd_fails_the_source(
    shop: DemoServers, settings: ShopifySettings, kind: FaultKind, words: str
) -> None:
    shop.shopify.faults.plan(Fault(kind, "query Page", after=1, times=0))
    with pytest.raises(SourceError, match=words):
        rows_of(shopify, "orders", with_pages(settings, 5))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("truncated", "bulkResult"), r"cut off in a line|holds [\d,]+ of"),
        (Fault("truncated", "/bulk/"), r"cut off in a line|holds [\d,]+ of"),
        (Fault("failed_job", "bulkResult"), "ended as FAILED"),
        (Fault("server_error", "/bulk/"), "the result file answered 500"),
    ],
)
def test_a_bulk_operation_that_goes_wrong_fails_the_source(
    shop: DemoServers, settings: ShopifySettings, fault: Fault, words: str
) -> None:
    state: dict[str, Any] = {}
    shop.shopify.faults.plan(fault)
    with pytest.raises(SourceError, match=words):
        rows_of(shopify, "orders", settings, state)
    assert state == {}


def test_a_bulk_operation_waits_for_the_one_before(
    shop: DemoServers, settings: ShopifySettings
) -> None:
    shop.shopify.start_bulk("{ products { edges { node { id } } } }")
    rows = rows_of(shopify, "customers", settings)
    assert {row["shopify_customer_id"] for row in rows} == numbers(shop, "customers")


def test_a_token_that_expires_half_way_is_renewed(
    shop: DemoServers, settings: ShopifySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    query = shopify_graphql.GraphqlClient.query

    def expiring(client: Any, text: str, **variables: Any) -> dict[str, Any]:
        asked.append(text)
        if len(asked) == 3:
            shop.shopify.tokens.clear()
        return query(client, text, **variables)

    monkeypatch.setattr(shopify_graphql.GraphqlClient, "query", expiring)
    rows = rows_of(shopify, "orders", with_pages(settings))
    assert {row["order_id"] for row in rows} == numbers(shop, "orders")


def test_throttling_is_waited_out(
    shop: DemoServers, settings: ShopifySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.shopify, "bucket_size", 900)
    monkeypatch.setattr(shop.shopify, "restore_rate", 20_000)
    monkeypatch.setattr(shop.shopify, "_available", 10.0)
    rows = rows_of(shopify, "customers", with_pages(settings, 20))
    assert {row["shopify_customer_id"] for row in rows} == numbers(shop, "customers")


def test_a_page_that_costs_too_much_is_halved(shop: DemoServers, settings: ShopifySettings) -> None:
    before = len(shop.shopify.requests)
    rows = rows_of(shopify, "orders", with_pages(settings, 250))
    assert {row["order_id"] for row in rows} == numbers(shop, "orders")
    sizes = {
        json.loads(text[text.rindex("{") :])["first"]
        for text in shop.shopify.requests[before:]
        if "query Page" in text
    }
    assert 250 in sizes
    assert min(sizes) < 100


def test_long_orders_are_read_to_their_last_line(
    shop: DemoServers, settings: ShopifySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shop.shopify.store
    key = next(iter(store.nodes["orders"]))
    short = store.nodes["orders"][key]
    line = short["lineItems"]["nodes"][0]
    many = [line | {"id": f"gid://shopify/LineItem/{number}"} for number in range(130)]
    store.upsert("orders", short | {"lineItems": {"nodes": many}})
    try:
        for chosen in (settings, with_pages(settings)):
            rows = {row["order_id"]: row for row in rows_of(shopify, "orders", chosen)}
            assert len(rows[key.rsplit("/", 1)[1]]["payload"]["lineItems"]["nodes"]) == 130
    finally:
        store.upsert("orders", short)


def test_increments_begin_before_the_newest_row(
    shop: DemoServers, settings: ShopifySettings
) -> None:
    state: dict[str, Any] = {}
    everything = rows_of(shopify, "orders", settings, state)
    node = dict(
        shop.shopify.store.nodes["orders"][f"gid://shopify/Order/{everything[0]['order_id']}"]
    )
    shop.shopify.store.upsert("orders", node | {"updatedAt": "2026-06-30T23:59:00Z"})
    try:
        again = rows_of(shopify, "orders", settings, state)
    finally:
        shop.shopify.store.upsert("orders", node)
    assert everything[0]["order_id"] in {row["order_id"] for row in again}
    assert len(again) < len(everything) / 5


@pytest.mark.parametrize("seed", seeds(10, at_once=2))
def test_what_the_shop_commits_late_arrives_with_the_next_pull_that_succeeds(
    shop: DemoServers, settings: ShopifySettings, seed: int
) -> None:
    """Daily pulls with faults, while rows appear whose last change lies up to three days back."""
    chance = random.Random(seed)
    chosen = with_pages(settings, 50)
    store = shop.shopify.store
    some = next(iter(store.nodes["customers"].values()))
    added: list[str] = []
    seen: set[str] = set()
    state: dict[str, Any] = {}
    failed = 0
    try:
        for day in range(8):
            as_of = AS_OF + timedelta(days=day)
            for number in range(chance.randint(1, 3) if day else 0):
                changed = as_of - timedelta(hours=chance.uniform(0, 71))
                added.append(f"gid://shopify/Customer/{900_000 + 10 * day + number}")
                moment = f"{changed:%Y-%m-%dT%H:%M:%SZ}"
                store.upsert("customers", some | {"id": added[-1], "updatedAt": moment})
            if 0 < day < 7:
                kind = chance.choice(get_args(FaultKind))
                times = chance.choice([1, 2, 9])
                shop.shopify.faults.plan(Fault(kind, "", chance.randint(0, 2), times, 0.8))
            try:
                pages = list(shopify.pull(Pull("customers", chosen, as_of, state)))
                seen |= {row["shopify_customer_id"] for _, rows in pages for row in rows}
            except SourceError:
                failed += 1
            shop.shopify.faults.clear()
        assert seen == numbers(shop, "customers")
    finally:
        for key in added:
            store.remove("customers", key)
    assert failed < 7


def test_a_cost_that_changes_without_its_product_arrives_within_a_week(
    shop: DemoServers, settings: ShopifySettings
) -> None:
    def cost(rows: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            row["product_id"]: row["payload"]["variants"]["nodes"][0]["inventoryItem"]["unitCost"]
            for row in rows
        }

    state: dict[str, Any] = {}
    rows_of(shopify, "products", settings, state)
    key = shop.shopify.store.order["products"][0]
    node = shop.shopify.store.nodes["products"][f"gid://shopify/Product/{key[1]}"]
    variant = node["variants"]["nodes"][0]
    dearer = {"amount": "77.77", "currencyCode": "GBP"}
    changed = variant | {"inventoryItem": {"unitCost": dearer}}
    shop.shopify.store.upsert("products", node | {"variants": {"nodes": [changed]}})
    try:
        days = [AS_OF + timedelta(days=day) for day in (1, 8, 9)]
        found = [
            cost([row for _, rows in shopify.pull(Pull("products", settings, day, state))
                  for row in rows])
            for day in days
        ]  # fmt: skip
    finally:
        shop.shopify.store.upsert("products", node)
    assert [costs.get(str(key[1])) for costs in found] == [None, dearer, None]
    assert set(found[1]) == numbers(shop, "products")


def test_a_pull_that_asks_for_other_fields_begins_again(
    shop: DemoServers, settings: ShopifySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    state: dict[str, Any] = {}
    rows_of(shopify, "products", settings, state)
    assert len(rows_of(shopify, "products", settings, state)) < len(numbers(shop, "products"))
    less = shopify_queries.VARIANT.replace("sku", "")
    monkeypatch.setitem(
        shopify_queries._NODES,
        "products",
        shopify_queries._NODES["products"].replace(shopify_queries.VARIANT, less),
    )
    before = dict(state)
    again = rows_of(shopify, "products", settings, state)
    assert {row["product_id"] for row in again} == numbers(shop, "products")
    assert (state["newest"], state["asked"] != before["asked"]) == (before["newest"], True)


def test_wrong_credentials_are_a_clear_sentence_without_the_secret(
    settings: ShopifySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPIFY_CLIENT_SECRET", "not-it")
    with pytest.raises(SourceError, match="no access token was granted") as caught:
        rows_of(shopify, "orders", settings)
    assert "SHOPIFY_CLIENT_SECRET" in str(caught.value)
    assert "not-it" not in str(caught.value)


def test_the_connection_check_names_missing_scopes(
    shop: DemoServers, settings: ShopifySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {check.status for check in shopify.check_connection(settings)} == {"ok"}
    monkeypatch.setattr(shop.shopify, "scopes", ("read_orders", "read_customers"))
    checks = shopify.check_connection(settings)
    failed = {check.name: check.sentence for check in checks if check.status == "failed"}
    assert failed == {
        "shopify orders": "Missing: read_all_orders.",
        "shopify products": "Missing: read_products.",
    }
    assert CLIENT_SECRET not in repr(checks)


def test_a_missing_secret_names_its_variable(
    settings: ShopifySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOPIFY_CLIENT_SECRET")
    with pytest.raises(UsageError, match="SHOPIFY_CLIENT_SECRET is not set"):
        rows_of(shopify, "orders", settings)


MONEY = {"amount": "12.50", "currencyCode": "GBP"}
BAG = {"shopMoney": MONEY, "presentmentMoney": MONEY}


def checkout(number: int, lines: int) -> dict[str, Any]:
    """A checkout that somebody left."""
    return {
        "id": f"gid://shopify/AbandonedCheckout/{number}",
        "name": f"#C{number}",
        "createdAt": "2026-06-01T10:00:00Z",
        "updatedAt": f"2026-06-02T10:00:{number:02d}Z",
        "completedAt": None,
        "taxesIncluded": True,
        "discountCodes": ["SAVE10"],
        "subtotalPriceSet": BAG,
        "totalPriceSet": BAG,
        "totalDiscountSet": BAG,
        "customAttributes": [],
        "customer": {
            "id": "gid://shopify/Customer/1",
            "defaultEmailAddress": {"emailAddress": f"{number}@left.example"},
            "defaultPhoneNumber": None,
        },
        "lineItems": {
            "nodes": [
                {
                    "id": f"gid://shopify/AbandonedCheckoutLineItem/{number}-{place}",
                    "title": "Tea",
                    "sku": "TEA",
                    "quantity": 1,
                    "product": None,
                    "originalUnitPriceSet": BAG,
                }
                for place in range(lines)
            ]
        },
    }


def test_checkouts_come_with_all_their_lines(shop: DemoServers, settings: ShopifySettings) -> None:
    left = [checkout(number, lines) for number, lines in enumerate((1, 64, 3))]
    for node in left:
        shop.shopify.store.upsert(CHECKOUTS, node)
    try:
        found = rows_of(shopify, "checkouts", with_pages(settings, 2))
    finally:
        for node in left:
            shop.shopify.store.remove(CHECKOUTS, node["id"])
    found = [row for row in found if str(row["email"]).endswith("@left.example")]
    assert [(row["checkout_id"], row["email"]) for row in found] == [
        (str(number), f"{number}@left.example") for number in range(3)
    ]
    lines = [row["payload"]["checkoutLines"]["nodes"] for row in found]
    assert [len(each) for each in lines] == [1, 64, 3]


def test_discounts_come_with_their_value_and_codes(settings: ShopifySettings) -> None:
    found = {row["title"]: row for row in rows_of(shopify, "discounts", settings)}
    assert set(found) == {"10 % off", "15 % off", "20 % off"}
    payload = found["15 % off"]["payload"]
    assert payload["codes"]["nodes"] == [{"code": "SAVE15"}]
    assert payload["customerGets"]["value"] == {"percentage": 0.15}


def test_a_table_that_may_be_left_out_is_and_its_run_says_so(
    shop: DemoServers, settings: ShopifySettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shop.shopify, "scopes", ("read_orders", "read_customers", "read_products"))
    context = RunContext(
        *(tmp_path / "raw.duckdb", tmp_path / "dlt", "r1", AS_OF),
        Settings(sources={"shopify": settings}),
    )
    counts = {count.table: count for count in run_source("shopify", context)}
    said = {table: count.remarks() for table, count in counts.items() if count.remarks()}
    assert said == {
        "discounts": [
            "shopify: the app lacks a scope for this table. "
            "`regulars doctor --connect` names the missing scope"
        ]
    }
    assert (counts["discounts"].loaded, counts["orders"].loaded) == (
        0,
        len(numbers(shop, "orders")),
    )
    checks = {check.name: check for check in shopify.check_connection(settings)}
    assert checks["shopify discounts"].status == "ok"
    assert checks["shopify discounts"].sentence == "Left out, for want of read_discounts."


def test_a_table_that_is_needed_fails_the_source_without_its_scope(
    shop: DemoServers, settings: ShopifySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.shopify, "scopes", ("read_customers", "read_discounts"))
    with pytest.raises(SourceError, match="the app lacks a scope"):
        rows_of(shopify, "orders", with_pages(settings))


def test_two_runs_load_nothing_twice(
    shop: DemoServers, settings: ShopifySettings, tmp_path: Path
) -> None:
    totals = []
    for number in range(2):
        context = RunContext(
            tmp_path / "raw.duckdb",
            tmp_path / "dlt",
            f"r{number}",
            AS_OF,
            Settings(sources={"shopify": settings}),
        )
        counts = run_source("shopify", context)
        assert all(c.received == c.loaded + c.quarantined + c.duplicate for c in counts)
        totals.append({c.table: c.loaded for c in counts})
    each = {name: len(numbers(shop, name)) for name in TABLES}
    assert totals[0] == each | {"checkouts": len(numbers(shop, CHECKOUTS)), "discounts": 3}
    assert totals[1] == dict.fromkeys(totals[0], 0)


def test_every_query_is_valid_against_the_schema(shop: DemoServers) -> None:
    from graphql import build_schema, parse, validate

    from ingestion.demo.shopify_schema import SDL

    schema = build_schema(SDL)
    for text in (
        *(shopify_queries.page_query(table) for table in shopify.SCOPES),
        *(shopify_queries.count_query(table) for table in shopify.SCOPES),
        *(shopify_queries.bulk_query(table, "updated_at:>=2026") for table in TABLES),
        *(shopify_queries.inside_query(name) for name in shopify_queries.PAGES_INSIDE),
        shopify_queries.REFUNDS_QUERY,
        shopify_queries.START_BULK,
        shopify_queries.POLL_BULK,
        shopify_queries.SCOPES,
    ):
        assert validate(schema, parse(text)) == []


# Several shops -----------------------------------------------------------------------------------

OUTLET_VARIABLES = {"SHOPIFY_OUTLET_CLIENT_ID", "SHOPIFY_OUTLET_CLIENT_SECRET"}


@pytest.fixture
def two_shops(shop: DemoServers, monkeypatch: pytest.MonkeyPatch) -> ShopifySettings:
    """The same server twice, under two addresses: whatever one shop has, the other has too."""
    address = shop.addresses["shopify"]
    for name in OUTLET_VARIABLES:
        monkeypatch.setenv(name, shop.env[name.replace("OUTLET_", "")])
    outlet = {"enabled": True, "base_url": f"{address}/", "shop_id": "outlet-eu"}
    main = {"enabled": True, "base_url": address.replace("127.0.0.1", "localhost")}
    return ShopifySettings.model_validate(main | {"outlet": outlet})


def test_two_shops_with_equal_ids_keep_their_rows_apart(
    shop: DemoServers, two_shops: ShopifySettings
) -> None:
    expected = numbers(shop, "customers")
    state: dict[str, Any] = {}
    rows = rows_of(shopify, "customers", two_shops, state)
    assert {row["shopify_customer_id"] for row in rows} == {
        *expected,
        *(f"outlet:{number}" for number in expected),
    }
    assert {(row["shop_id"], row["id_scope"]) for row in rows} == {
        (None, None),
        ("outlet-eu", "outlet"),
    }
    assert state["newest"] == state["shops"]["outlet"]["newest"]


def test_each_shop_has_its_own_cursor(shop: DemoServers, two_shops: ShopifySettings) -> None:
    main_only = two_shops.only_with({})
    state: dict[str, Any] = {}
    rows_of(shopify, "products", main_only, state)
    assert "shops" not in state
    again = rows_of(shopify, "products", two_shops, state)
    outlet = [row for row in again if row["id_scope"] == "outlet"]
    assert {row["product_id"] for row in outlet} == {
        f"outlet:{number}" for number in numbers(shop, "products")
    }
    main = [row for row in again if row["id_scope"] is None]
    assert len(main) < len(outlet), "the first shop goes on where it was, the second begins"


def test_a_further_shop_changes_no_row_of_the_first(
    shop: DemoServers, settings: ShopifySettings, two_shops: ShopifySettings, tmp_path: Path
) -> None:
    loaded = []
    for number, chosen in enumerate((settings, two_shops, two_shops)):
        context = RunContext(
            tmp_path / "raw.duckdb",
            tmp_path / "dlt",
            f"r{number}",
            AS_OF,
            Settings(sources={"shopify": chosen}),
        )
        counts = run_source("shopify", context)
        loaded.append({c.table: c.loaded for c in counts})
    each = {name: len(numbers(shop, name)) for name in TABLES}
    each |= {"checkouts": len(numbers(shop, CHECKOUTS)), "discounts": 3}
    assert loaded == [each, each, dict.fromkeys(each, 0)]


def test_a_shop_that_refuses_is_named_and_fails_the_source(
    two_shops: ShopifySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPIFY_OUTLET_CLIENT_SECRET", "not-it")
    with pytest.raises(SourceError, match=r"shopify\.outlet: no access token was granted") as error:
        rows_of(shopify, "customers", two_shops)
    assert "SHOPIFY_OUTLET_CLIENT_SECRET" in str(error.value)
    checks = shopify.check_connection(two_shops)
    assert {check.name for check in checks if check.status == "failed"} == {"shopify.outlet token"}
    assert {"shopify orders", "shopify.outlet"} <= {c.name for c in checks if c.status == "ok"}


def test_a_missing_secret_of_a_further_shop_names_its_variable(
    two_shops: ShopifySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOPIFY_OUTLET_CLIENT_ID")
    with pytest.raises(UsageError, match="SHOPIFY_OUTLET_CLIENT_ID is not set") as error:
        rows_of(shopify, "customers", two_shops)
    assert "[sources.shopify.outlet] enabled = false" in str(error.value)


def test_a_further_shop_alone_switches_the_source_on() -> None:
    outlet = {"enabled": True, "base_url": "https://outlet.example"}
    own = ShopifySettings.model_validate({"outlet": outlet})
    assert list(own.accounts()) == ["outlet"]
    assert own.is_on
    assert not own.only_with({}).is_on
    assert own.shops["outlet"].shop_id == "outlet"
    assert not ShopifySettings.model_validate({"outlet": outlet | {"enabled": False}}).is_on


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sources.shopify.outlet]\nenabled = true", "the shop outlet needs its base_url"),
        (
            "[sources.shopify]\nenabled = true\nbase_url = 'https://One.example/'\n"
            "[sources.shopify.outlet]\nenabled = true\nbase_url = 'https://one.example'",
            "two shops have one base_url",
        ),
        (
            "[sources.shopify.outlet]\nbase_url = 'https://one.example'\nshop_id = 'shop'",
            "two shops have one shop_id",
        ),
        ("[sources.shopify.'Out let']\nbase_url = 'https://one.example'", "should match pattern"),
        ("[sources.shopify.outlet]\nbase_ur = 'https://one.example'", "unknown setting"),
    ],
)
def test_what_is_wrong_with_a_further_shop_is_said(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "regulars.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=words) as error:
        load_settings(path)
    assert "sources.shopify" in str(error.value)
