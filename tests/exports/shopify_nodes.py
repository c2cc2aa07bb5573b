"""Orders in the words of Shopify's REST API, as the GraphQL API says them.

Belongs here: the other spelling of the same facts, so that a made-up order is written once. Does
not belong here: any order.
"""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]


def order_node(order: Node) -> Node:
    """The node of an order."""

    def bag(amount: str) -> Node:
        money = {"amount": amount, "currencyCode": order["currency"]}
        return {"shopMoney": money, "presentmentMoney": money}

    def taxes(line: Node) -> list[Node]:
        return [
            {"title": tax["title"], "rate": tax["rate"], "priceSet": bag(tax["price"])}
            for tax in line.get("tax_lines", [])
        ]

    def line_id(number: int) -> str:
        return f"gid://shopify/LineItem/{number}"

    def nodes(found: list[Node]) -> Node:
        return {"nodes": found}

    lines = [
        {
            "id": line_id(line["id"]),
            "title": line["title"],
            "name": line["title"],
            "sku": line["sku"],
            "quantity": line["quantity"],
            "currentQuantity": line["quantity"],
            "isGiftCard": line["gift_card"],
            "product": {"id": f"gid://shopify/Product/{line['product_id']}", "productType": "Tea"},
            "originalUnitPriceSet": bag(line["price"]),
            "totalDiscountSet": bag(line["total_discount"]),
            "discountAllocations": [
                {"allocatedAmountSet": bag(part["amount"])} for part in line["discount_allocations"]
            ],
            "taxLines": taxes(line),
        }
        for line in order["line_items"]
    ]
    refunds = [
        {
            "id": f"gid://shopify/Refund/{refund['id']}",
            "createdAt": refund["created_at"],
            "totalRefundedSet": bag(refund["transactions"][0]["amount"]),
            "refundLineItems": nodes(
                [
                    {
                        "quantity": back["quantity"],
                        "subtotalSet": bag(back["subtotal"]),
                        "totalTaxSet": bag(back["total_tax"]),
                        "lineItem": {"id": line_id(back["line_item_id"])},
                    }
                    for back in refund["refund_line_items"]
                ]
            ),
            "refundShippingLines": nodes(
                [
                    {
                        "subtotalAmountSet": bag(back["subtotal_amount"]),
                        "taxAmountSet": bag(back["tax_amount"]),
                    }
                    for back in refund.get("refund_shipping_lines", [])
                ]
            ),
            "orderAdjustments": nodes([]),
            "duties": [],
            "transactions": nodes(
                [
                    {
                        "id": f"gid://shopify/OrderTransaction/{refund['id']}{place}",
                        "kind": "REFUND",
                        "status": paid["status"].upper(),
                        "test": False,
                        "amountSet": bag(paid["amount"]),
                    }
                    for place, paid in enumerate(refund["transactions"])
                ]
            ),
        }
        for refund in order["refunds"]
    ]
    shipping = [
        {
            "title": "Standard",
            "discountedPriceSet": bag(line["discounted_price"]),
            "taxLines": taxes(line),
        }
        for line in order.get("shipping_lines", [])
    ]
    return {
        "id": f"gid://shopify/Order/{order['id']}",
        "name": order["name"],
        "createdAt": order["created_at"],
        "processedAt": order["processed_at"],
        "updatedAt": order["updated_at"],
        "cancelledAt": order.get("cancelled_at"),
        "test": order["test"],
        "displayFinancialStatus": order["financial_status"].upper(),
        "currencyCode": order["currency"],
        "presentmentCurrencyCode": order["presentment_currency"],
        "taxesIncluded": order["taxes_included"],
        "email": order["email"],
        "sourceName": order["source_name"],
        "customerAcceptsMarketing": order.get("buyer_accepts_marketing", False),
        "paymentGatewayNames": order["payment_gateway_names"],
        "discountCodes": [],
        "tags": [],
        "subtotalPriceSet": bag(order["subtotal_price"]),
        "totalPriceSet": bag(order["total_price"]),
        "totalTaxSet": bag(order["total_tax"]),
        "totalDiscountsSet": bag(order["total_discounts"]),
        "totalShippingPriceSet": bag(order["total_shipping_price_set"]["shop_money"]["amount"]),
        "totalRefundedSet": bag(order["refunds"][0]["transactions"][0]["amount"])
        if order["refunds"]
        else bag("0.00"),
        "customAttributes": [],
        "transactions": [],
        "refunds": refunds,
        "lineItems": nodes(lines),
        "shippingLines": nodes(shipping),
    }
