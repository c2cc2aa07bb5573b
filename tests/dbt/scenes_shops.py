"""Scenes of two shops that count alike: each id, name and number of one is the other's too.

Belongs here: raw rows, as the source lands them. What must come of them stands in the tests.
"""

from __future__ import annotations

from typing import Any

from tests.dbt.scenes import event, order
from tests.dbt.scenes_money import bag
from tests.dbt.world import World

MAIN, OUTLET = None, "outlet"
# What both shops call one thing each: an order, a customer, a product.
NUMBER, CUSTOMER, PRODUCT = "8800", "4400", "6600"


def _id(scope: str | None, number: str) -> str:
    return f"{scope}:{number}" if scope else number


def _shop(scope: str | None, buyer: str, currency: str, number: str = NUMBER) -> dict[str, Any]:
    """An order of 100.00 that the customer of that number placed."""
    shown = order(number, "20 08:00:00", currency=currency)
    line = {
        "id": f"gid://shopify/LineItem/{number}1",
        "quantity": 1,
        "product": {"id": f"gid://shopify/Product/{PRODUCT}", "productType": "Tea"},
        "originalUnitPriceSet": bag("100.00"),
    }
    payload = {
        "name": f"#{number}",
        "displayFinancialStatus": "PAID",
        "test": False,
        "sourceName": "web",
        "email": buyer,
        "customer": {"id": f"gid://shopify/Customer/{CUSTOMER}"},
        "totalShippingPriceSet": bag("0.00"),
        "lineItems": {"nodes": [line]},
        "refunds": [],
    }
    return {key: shown[key] for key in ("created_at", "processed_at", "updated_at")} | {
        "order_id": _id(scope, number),
        "shop_id": "outlet-eu" if scope else None,
        "id_scope": scope,
        "currency": currency,
        "payload": payload,
    }


def _customer(scope: str | None, email: str, name: str) -> dict[str, Any]:
    return {
        "shopify_customer_id": _id(scope, CUSTOMER),
        "email": email,
        "first_name": name,
        "last_name": "Shopper",
        "created_at": "2026-05-01 08:00:00",
        "updated_at": "2026-05-02 08:00:00",
        "shop_id": "outlet-eu" if scope else None,
        "id_scope": scope,
        "payload": {},
    }


def _product(scope: str | None, currency: str) -> dict[str, Any]:
    cost = {"amount": "30.00", "currencyCode": currency}
    variant = {"price": "100.00", "inventoryItem": {"unitCost": cost}}
    return {
        "product_id": _id(scope, PRODUCT),
        "title": f"Tea in {currency}",
        "updated_at": "2026-05-02 08:00:00",
        "id_scope": scope,
        "payload": {
            "priceRangeV2": {"minVariantPrice": {"amount": "100.00", "currencyCode": currency}},
            "variants": {"nodes": [variant]},
            "totalInventory": 3,
        },
    }


def _line(scope: str | None, number: str, currency: str) -> dict[str, Any]:
    """An order of 7.00 in a file of lines, by somebody who buys in both shops."""
    return {
        "order_id": _id(scope, number),
        "id_scope": scope,
        "ordered_at": "2026-05-20 09:00:00",
        "customer_ref": _id(scope, "77"),
        "email": "bea@both-shops.example",
        "quantity": 1,
        "unit_price": "7.00",
        "currency": currency,
        "store_id": "1",
        "sku": "S1",
    }


def document(scope: str | None, number: str, currency: str) -> dict[str, Any]:
    """A raw order of 12.00 from a file of Shopify's JSON, by somebody who buys in both shops."""
    written = order(number, "21 08:00:00", currency=currency)
    item = {"id": f"{number}1", "product_id": PRODUCT, "quantity": 1, "price": "12.00"}
    payload = {
        "name": f"#{number}",
        "financial_status": "paid",
        "email": "bea@both-shops.example",
        "customer": {"id": "4499"},
        "location_id": "9",
        "line_items": [item],
    }
    times = {key: written[key] for key in ("created_at", "processed_at", "updated_at")}
    return times | {
        "order_id": _id(scope, number),
        "id_scope": scope,
        "currency": currency,
        "payload": payload,
    }


def files_of_two_shops(world: World) -> None:
    """Files of both, an order of each under one number, and one that the outlet's API has too."""
    world.add(
        "raw_orders.order_lines",
        [
            _line(MAIN, "8810", "GBP"),
            _line(OUTLET, "8810", "EUR"),
            _line(OUTLET, "#8802", "EUR") | {"customer_ref": None, "email": None},
        ],
    )
    world.add("raw_orders.orders", [document(MAIN, "8811", "GBP"), document(OUTLET, "8811", "EUR")])
    world.add(
        "raw_payments.payments",
        [
            {
                "order_id": _id(OUTLET, "8810"),
                "provider": "stripe",
                "fingerprint": "card-of-bea",
                "status": "paid",
                "amount": "7.00",
                "currency": "EUR",
                "paid_at": "2026-05-20 09:01:00",
            }
        ],
    )


def two_shops(world: World) -> None:
    """Lay both down."""
    main, outlet = "mia@main-shop.example", "otto@outlet-shop.example"
    world.add(
        "raw_shopify.orders",
        [
            _shop(MAIN, main, "GBP"),
            _shop(OUTLET, outlet, "EUR"),
            _shop(OUTLET, outlet, "EUR", "8801"),
            _shop(OUTLET, outlet, "EUR", "8802"),
        ],
    )
    world.add(
        "raw_shopify.customers", [_customer(MAIN, main, "Mia"), _customer(OUTLET, outlet, "Otto")]
    )
    world.add("raw_shopify.products", [_product(MAIN, "GBP"), _product(OUTLET, "EUR")])
    world.add(
        "raw_orders.order_lines",
        [
            {
                "order_id": "#8801",
                "ordered_at": "2026-05-20 09:00:00",
                "quantity": 1,
                "unit_price": "7.00",
                "currency": "GBP",
                "sku": "S1",
            }
        ],
    )
    named = {
        "8800": "both-by-number",
        "#8800": "both-by-name",
        "8801": "file-by-number",
        "8802": "outlet-by-number",
    }
    world.add(
        "raw_web.events",
        [
            event(
                9950 + place,
                "20 08:05",
                None,
                device,
                "Order Completed",
                properties={"order_id": name},
            )
            for place, (name, device) in enumerate(named.items())
        ],
    )
