"""The orders of Shopify's order export, pulled from the shop's GraphQL API."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestion.config import Settings
from ingestion.demo.servers import CLIENT_ID, CLIENT_SECRET, served
from ingestion.demo.shopify_server import Shopify
from ingestion.sources.shopify.settings import ShopifySettings
from tests.exports.conftest import ExportShop
from tests.exports.shopify_nodes import order_node
from tests.exports.test_shopify_orders import API, MONEY_BACK, TOTALS

_BACK = ("line_item_id", "quantity", "subtotal", "total_tax")
ORDERS: list[dict[str, Any]] = json.loads(API.read_text("utf-8"))["orders"]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Shopify, str]]:
    shopify = Shopify(CLIENT_ID, CLIENT_SECRET, bulk_polls=0)
    with served(shopify.app()) as address:
        yield shopify, address


@pytest.fixture(params=["bulk", "pages"])
def shop(
    request: pytest.FixtureRequest,
    server: tuple[Shopify, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> ExportShop:
    """A shop whose orders come from the server alone, in either way in which they may."""
    monkeypatch.setenv("SHOPIFY_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("SHOPIFY_CLIENT_SECRET", CLIENT_SECRET)
    is_bulk = request.param == "bulk"
    own = ShopifySettings(enabled=True, base_url=server[1], bulk_backfill=is_bulk, page_size=5)
    return ExportShop(tmp_path, Settings(sources={"shopify": own}))


def totals(
    shop: ExportShop, shopify: Shopify, orders: list[dict[str, Any]]
) -> dict[str, tuple[Any, ...]]:
    for key in list(shopify.store.nodes["orders"]):
        shopify.store.remove("orders", key)
    for order in orders:
        shopify.store.upsert("orders", order_node(order))
    shop.write("rates/eur.csv", "date,currency,rate\n2025-01-01,EUR,0.80\n")
    assert shop.run("shopify")["shopify.orders"].loaded == len(orders)
    shop.model()
    return shop.orders()


def test_the_api_gives_the_totals_of_the_export(
    shop: ExportShop, server: tuple[Shopify, str]
) -> None:
    # That of #1008 stands in the order's total alone, as in an order pulled before lines were asked
    assert totals(shop, server[0], ORDERS) == TOTALS


def test_money_back_gives_the_totals_of_the_export(
    shop: ExportShop, server: tuple[Shopify, str]
) -> None:
    bought = next(order for order in ORDERS if order["name"] == "#1001")
    back = {
        # The tea set alone, all goods, and all goods with their shipping
        "36.00": [(10011, 1, "36.00", "6.00")],
        "90.00": [(10011, 2, "54.00", "9.00"), (10012, 1, "36.00", "6.00")],
        "94.95": [(10011, 2, "54.00", "9.00"), (10012, 1, "36.00", "6.00")],
    }
    orders = []
    for place, (amount, lines) in enumerate(back.items()):
        shipping = [{"subtotal_amount": "4.12", "tax_amount": "0.83"}] if amount > "90.00" else []
        orders.append(
            copy.deepcopy(bought)
            | {
                "id": bought["id"] + place,
                "name": f"#100{place}",
                "refunds": [
                    {
                        "id": place,
                        "created_at": "2025-09-10T10:00:00+01:00",
                        "refund_line_items": [
                            dict(zip(_BACK, line, strict=True)) for line in lines
                        ],
                        "refund_shipping_lines": shipping,
                        "transactions": [{"amount": amount, "status": "success"}],
                    }
                ],
            }
        )
    found = totals(shop, server[0], orders)
    assert [found[str(order["id"])][:6] for order in orders] == [said for _, said in MONEY_BACK]
