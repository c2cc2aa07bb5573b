"""Orders whose money is told in unusual ways: refunds, discounts, gift cards, line files, names.

Belongs here: raw rows. Does not belong here: what they come to (models/test_order_money.py). None
of these orders says whose it is, so that they change nobody's identity.
"""

from __future__ import annotations

from typing import Any

from tests.dbt.scenes import event, order
from tests.dbt.world import World

Document = dict[str, Any]


def line(number: int, price: str, quantity: int = 1, **changes: Any) -> Document:
    """A line of a REST order."""
    return {
        "id": number,
        "product_id": f"p{number}",
        "quantity": quantity,
        "price": price,
    } | changes


def shop(amount: str, code: str = "GBP") -> Document:
    """An amount in the shop's currency alone."""
    return {"shop_money": {"amount": amount, "currency_code": code}}


def both(amount: str, foreign: str, code: str = "SEK") -> Document:
    """An amount in the shop's and in the buyer's currency."""
    return shop(amount) | {"presentment_money": {"amount": foreign, "currency_code": code}}


def refund(*transactions: Document, **changes: Any) -> Document:
    """A refund of the twelfth of May."""
    return {"created_at": "2026-05-12T10:00:00Z", "transactions": list(transactions)} | changes


def back(
    amount: str | None, status: str = "success", kind: str = "refund", **changes: Any
) -> Document:
    """A transaction of a refund."""
    return {"amount": amount, "status": status, "kind": kind, "currency": "GBP"} | changes


def returned(number: int, subtotal: str | None, tax: str = "0.00", **changes: Any) -> Document:
    """A line of a refund."""
    return {"line_item_id": number, "quantity": 1, "subtotal": subtotal, "total_tax": tax} | changes


def adjusted(amount: str, kind: str = "refund_discrepancy", tax: str = "0.00") -> Document:
    """An adjustment of a refund; below zero is what the shop loses."""
    return {"kind": kind, "amount": amount, "tax_amount": tax}


TWO = [line(1, "40.00"), line(2, "60.00")]
SENT: Document = {"total_shipping_price_set": shop("8.00")}


def rest_orders() -> dict[str, Document]:
    """Documents of the REST API by a name that says what is odd about them."""
    return {
        "M-five-transactions": {
            "refunds": [refund(*(back("3.00") for _ in range(5)), back("50.00", "failure"))]
        },
        "M-a-void-is-no-refund": {"refunds": [refund(back("100.00", kind="void"))]},
        "M-only-failed": {
            "refunds": [refund(back("30.00", "failure"), order_adjustments=[adjusted("-30.00")])]
        },
        "M-pending": {
            "line_items": TWO,
            "refunds": [
                refund(
                    back("20.00"),
                    back("20.00", "pending"),
                    refund_line_items=[returned(1, "40.00")],
                )
            ],
        },
        "M-converted": {
            "presentment_currency": "SEK",
            "total_price_set": both("100.00", "1300.00"),
            "refunds": [refund(back("390.00", currency="SEK"))],
        },
        "M-converted-by-lines": {
            "presentment_currency": "SEK",
            "line_items": [line(1, "100.00", price_set=both("100.00", "1300.00"))],
            "refunds": [refund(back("390.00", currency="SEK"))],
        },
        "M-set-beats-text": {
            "refunds": [refund(back("390.00", currency="SEK", amount_set=both("30.00", "390.00")))]
        },
        "M-unknown-rate": {
            "refunds": [
                refund(back("390.00", currency="SEK"), order_adjustments=[adjusted("-30.00")])
            ]
        },
        "M-fee": {
            "line_items": TWO,
            "refunds": [
                refund(
                    back("90.00"), refund_line_items=[returned(1, "40.00"), returned(2, "60.00")]
                )
            ],
        },
        "M-goodwill": {
            "line_items": TWO,
            "refunds": [refund(back("50.00"), refund_line_items=[returned(1, "40.00")])],
        },
        "M-two-lines-of-one-id": {
            "line_items": [line(1, "40.00"), line(1, "60.00"), line(3, "5.00")],
            "refunds": [refund(back("40.00"), refund_line_items=[returned(1, "40.00")])],
        },
        # a line without an id is known by its number, which another line has for an id
        "M-a-number-for-an-id": {
            "line_items": [line(2, "40.00"), {**line(9, "60.00"), "id": None}]
        },
        "M-no-money-moved": {
            "line_items": TWO,
            "refunds": [refund(refund_line_items=[returned(1, "40.00")])],
        },
        "M-subtotal-set": {
            "line_items": TWO,
            "refunds": [refund(refund_line_items=[returned(1, None, subtotal_set=shop("40.00"))])],
        },
        "M-more-than-all": SENT | {"refunds": [refund(back("108.00"))]},
        "M-shipping-lines-back": SENT
        | {
            "refunds": [
                refund(back("8.00"), refund_shipping_lines=[{"subtotal_amount_set": shop("8.00")}])
            ]
        },
        "M-shipping-back": SENT
        | {
            "refunds": [
                refund(back("38.00"), order_adjustments=[adjusted("-8.00", "shipping_refund")])
            ]
        },
        "M-taxed-amount-back": {
            "total_tax": "20.00",
            "line_items": [line(1, "100.00", tax_lines=[{"price": "20.00"}])],
            "refunds": [refund(back("30.00"))],
        },
        "M-included-amount-back": {
            "taxes_included": True,
            "total_tax": "20.00",
            "line_items": [
                line(
                    1,
                    "120.00",
                    tax_lines=[{"price": "12.00"}, {"price": "5.00"}, {"price": "3.00"}],
                )
            ],
            "refunds": [refund(back("60.00"))],
        },
        "M-refunded-without-a-word": {"financial_status": "refunded", "refunds": []},
        "M-later-refund": {
            "financial_status": "refunded",
            "refunds": [refund(back("100.00"), created_at="2026-06-02T00:00:00Z")],
        },
        "M-allocated": {
            "line_items": [
                line(1, "40.00", discount_allocations=[{"amount": "5.00"}, {"amount": "7.00"}]),
                line(2, "60.00"),
            ],
            "total_discounts": "12.00",
        },
        "M-allocated-and-a-code": {
            "line_items": [
                line(1, "40.00", discount_allocations=[{"amount": "40.00"}]),
                line(2, "60.00"),
            ],
            "total_discounts": "46.00",
        },
        "M-allocated-in-sets": {
            "line_items": [
                line(1, "40.00", discount_allocations=[{"amount_set": shop("12.00")}]),
                line(2, "60.00"),
            ],
            "total_discounts": "12.00",
        },
        "M-free-shipping": SENT
        | {
            "total_discounts": "8.00",
            "shipping_lines": [
                {"price": "8.00", "discount_allocations": [{"amount": "6.00"}, {"amount": "2.00"}]}
            ],
        },
        "M-free-shipping-by-code": SENT
        | {
            "total_discounts": "8.00",
            "discount_codes": [{"code": "SHIP", "amount": "8.00", "type": "shipping"}],
        },
        "M-bore-less": {"total_discounts": "30.00", "subtotal_price": "90.00"},
        "M-gift-card": {
            "line_items": [*TWO, line(3, "25.00", gift_card=True)],
            "total_discounts": "10.00",
        },
        "M-gift-card-back": {
            "line_items": [*TWO, line(3, "25.00", gift_card=True)],
            "refunds": [refund(back("35.00"), refund_line_items=[returned(3, "25.00")])],
        },
        "M-gift-card-cheaper": {
            "line_items": [*TWO, line(3, "25.00", gift_card=True, total_discount="5.00")],
            "total_discounts": "15.00",
        },
        "M-only-a-gift-card": {"line_items": [line(3, "25.00", gift_card=True)]},
        "M-tip": {
            "line_items": [*TWO, line(3, "4.00", tip={"payment_gateway": "shopify_payments"})],
            "total_tip_received": "4.00",
        },
        "M-tip-line-and-total": {
            "line_items": [*TWO, line(3, "4.00", product_id=None, title="Tip")],
            "total_tip_received": "4.00",
        },
        "M-tip-by-another-name": {
            "line_items": [*TWO, line(3, "4.00", product_id=None, title="For the crew")],
            "total_tip_received": "4.00",
            "subtotal_price": "100.00",
        },
        "M-tip-and-work-at-its-price": {
            "line_items": [*TWO, line(3, "4.00", product_id=None, title="Engraving")],
            "total_tip_received": "4.00",
            "subtotal_price": "104.00",
        },
        "M-tip-and-work-on-two-lines": {
            "line_items": [
                *TWO,
                line(3, "4.00", product_id=None, title="Engraving"),
                line(4, "4.00", product_id=None, title="Trinkgeld"),
            ],
            "total_tip_received": "4.00",
        },
        "M-a-product-called-tip": {"line_items": [*TWO, line(3, "4.00", title="Tip")]},
        "M-duties-told": {
            "line_items": TWO,
            "refunds": [
                refund(
                    back("52.00"),
                    refund_line_items=[returned(1, "40.00")],
                    duties=[{"duty_id": 7, "amount_set": shop("12.00")}],
                )
            ],
        },
        "M-duties-named": {
            "line_items": [
                line(1, "40.00", duties=[{"id": 7, "shop_money": {"amount": "12.00"}}]),
                *TWO[1:],
            ],
            "refunds": [
                refund(
                    back("52.00"),
                    refund_line_items=[returned(1, "40.00")],
                    refund_duties=[{"duty_id": 7, "refund_type": "FULL"}],
                )
            ],
        },
        "M-duties-in-part": {
            "line_items": [
                line(1, "20.00", 2, duties=[{"id": 7, "shop_money": {"amount": "12.00"}}]),
                *TWO[1:],
            ],
            "refunds": [
                refund(
                    back("26.00"),
                    refund_line_items=[returned(1, "20.00")],
                    refund_duties=[{"duty_id": 7, "refund_type": "PROPORTIONAL"}],
                )
            ],
        },
        "M-unknown-and-silent": {
            "line_items": TWO,
            "refunds": [refund(back("390.00", currency="SEK")), refund(back("10.00"))],
        },
        "M-unknown-but-cancelled": {
            "cancelled_at": "2026-05-12T10:00:00Z",
            "refunds": [refund(back("390.00", currency="SEK"))],
        },
        "M-grouped-price": {
            "line_items": [line(1, "1,234.50"), line(2, "1.234,50"), line(3, "12,50")],
            "total_discounts": "1,000.00",
        },
        "M-price-per-gram": {"line_items": [line(1, "0.00274902", 41833)]},
        "M-denied": {"financial_status": "Denied"},
        "M-fraud": {"financial_status": "fraud"},
        "M-charged-back": {"financial_status": "Chargeback"},
        "M-reversed": {"financial_status": "payment_reversed"},
        "M-expired": {"financial_status": "EXPIRED"},
        "M-let-go": {
            "financial_status": "authorized",
            "transactions": [
                {"kind": "authorization", "status": "success"},
                {"kind": "void", "status": "success"},
            ],
        },
        "M-draft": {"financial_status": "pending", "source_name": "shopify_draft_order"},
        "M-paid-draft": {"source_name": "shopify_draft_order"},
        "M-transfer": {"financial_status": "pending"},
        "M-two-codes": {"discount_codes": [{"code": "ONE"}, {"code": "TWO"}]},
        "M-9001": {"name": "#9301", "order_number": 9301},
        "9301": {"name": "#9302", "order_number": 9302},
        "M-9003": {"name": "#9303", "order_number": 9303},
    }


def bag(amount: str) -> Document:
    """An amount as GraphQL writes it."""
    return {"shopMoney": {"amount": amount, "currencyCode": "GBP"}}


def graphql_orders() -> dict[str, Document]:
    """Documents of the GraphQL API."""
    item = {
        "id": "gid://shopify/LineItem/1",
        "quantity": 1,
        "isGiftCard": False,
        "originalUnitPriceSet": bag("100.00"),
        "totalDiscountSet": bag("0.00"),
        "taxLines": [],
    }
    base = {
        "displayFinancialStatus": "PAID",
        "test": False,
        "taxesIncluded": False,
        "sourceName": "web",
        "totalDiscountsSet": bag("0.00"),
        "totalShippingPriceSet": bag("8.00"),
        "totalTaxSet": bag("0.00"),
        "lineItems": {"nodes": [item]},
        "refunds": [],
    }
    made = {"createdAt": "2026-05-12T10:00:00Z", "refundLineItems": {"nodes": []}}
    return {
        "Q-shipping-back": base
        | {
            "refunds": [
                made
                | {
                    "totalRefundedSet": bag("8.00"),
                    "refundShippingLines": {
                        "nodes": [{"subtotalAmountSet": bag("8.00"), "taxAmountSet": bag("0.00")}]
                    },
                }
            ],
        },
        "Q-fee": base
        | {
            "refunds": [
                made
                | {
                    "totalRefundedSet": bag("90.00"),
                    "refundLineItems": {
                        "nodes": [
                            {
                                "quantity": 1,
                                "subtotalSet": bag("100.00"),
                                "totalTaxSet": bag("0.00"),
                                "lineItem": {"id": "gid://shopify/LineItem/1"},
                            }
                        ]
                    },
                }
            ],
        },
        # The shop asked for 100 to go back: 60 went, 40 failed
        "Q-part-failed": base
        | {
            "refunds": [
                made
                | {
                    "totalRefundedSet": bag("100.00"),
                    "transactions": {
                        "nodes": [
                            {"kind": "REFUND", "status": "SUCCESS", "amountSet": bag("60.00")},
                            {"kind": "REFUND", "status": "FAILURE", "amountSet": bag("40.00")},
                        ]
                    },
                }
            ],
        },
        "Q-allocated": base
        | {
            "totalDiscountsSet": bag("15.00"),
            "subtotalPriceSet": bag("85.00"),
            "lineItems": {
                "nodes": [item | {"discountAllocations": [{"allocatedAmountSet": bag("15.00")}]}]
            },
        },
        "Q-gift-card": base
        | {
            "totalTipReceivedSet": bag("3.00"),
            "lineItems": {
                "nodes": [item, item | {"id": "gid://shopify/LineItem/2", "isGiftCard": True}]
            },
        },
        "Q-tip": base
        | {
            "totalTipReceivedSet": bag("3.00"),
            "subtotalPriceSet": bag("100.00"),
            "lineItems": {
                "nodes": [
                    item | {"sku": "S1"},
                    item
                    | {
                        "id": "gid://shopify/LineItem/2",
                        "title": "Tip",
                        "product": None,
                        "originalUnitPriceSet": bag("3.00"),
                    },
                ]
            },
        },
        "Q-duties-back": base
        | {
            "refunds": [
                made
                | {
                    "totalRefundedSet": bag("52.00"),
                    "duties": [{"amountSet": bag("12.00")}],
                    "orderAdjustments": {"nodes": []},
                }
            ],
        },
        "Q-reversed": base | {"displayFinancialStatus": "REVERSED"},
        "Q-two-lines-of-one-id": base | {"lineItems": {"nodes": [item, item]}},
        "Q-voided": base | {"displayFinancialStatus": "VOIDED"},
    }


def file_lines() -> list[Document]:
    """Lines of files: one or more per order."""

    def sold(
        order_id: str, number: int, quantity: str, price: str | None, **changes: Any
    ) -> Document:
        return {
            "order_id": order_id,
            "line_id": f"{order_id}-{number}",
            "quantity": quantity,
            "unit_price": price,
            "ordered_at": "2026-05-11 08:00:00",
        } | changes

    return [
        sold("F-price-per-gram", 1, "25137", "0.004575327207"),
        sold("F-no-pieces", 1, "0", None, line_amount="17.25"),
        sold("F-came-to", 1, "3", None, line_amount="27.00", discount="3.00"),
        sold("F-full-amount", 1, "3", "10.00", line_amount="30.00", discount="3.00"),
        sold("F-discount-on-the-first", 1, "1", "20.00", discount="50.00"),
        sold("F-discount-on-the-first", 2, "1", "80.00"),
        sold("F-refunded", 1, "1", "20.00", refunded_amount="103.00", shipping="5.00"),
        sold("F-refunded", 2, "1", "80.00"),
        sold("F-said-on-each", 1, "1", "20.00", shipping="5.00"),
        sold("F-said-on-each", 2, "1", "80.00", shipping="5.00"),
        sold("F-cancelled-in-a-word", 1, "1", "20.00", status="Storniert"),
        sold("F-cancelled-in-a-word", 2, "1", "80.00"),
        sold("F-cancelled-on-a-day", 1, "1", "20.00", cancelled_at="2026-05-12 08:00:00"),
        sold("F-cancelled-later", 1, "1", "20.00", cancelled_at="2026-06-02 08:00:00"),
        sold("F-never-paid", 1, "1", "20.00", status="wc-failed"),
        sold("F-came-back", 1, "1", "20.00", status="Remboursé"),
        sold("F-reversed", 1, "1", "20.00", status="Reversed"),
        sold("F-denied", 1, "1", "20.00", status="Denied"),
        sold("F-fraud", 1, "1", "20.00", status="Suspected fraud"),
        sold("F-one-line-off", 1, "1", "20.00", status="paid"),
        sold("F-one-line-off", 2, "1", "80.00", status="cancelled"),
        sold("F-unknown-word", 1, "1", "20.00", status="on its way"),
        sold("F-return-by-amount", 1, "-2", None, line_amount="-18.00"),
        sold("F-currency", 1, "1", "20.00", currency="EUR"),
        sold("F-currency", 2, "1", "30.00"),
        # the export's name of an order that came as JSON; a till's number far away in time
        sold("#9301", 1, "1", "100.00"),
        sold("#9303", 1, "1", "70.00", ordered_at="2026-03-11 08:00:00"),
        sold("F-called-otherwise", 1, "1", "20.00", order_name="#9401"),
        sold("F-called-as-another", 1, "1", "20.00", order_name="#9402"),
        sold("F-called-as-another-too", 1, "1", "20.00", order_name="#9402"),
    ]


def paid() -> list[Document]:
    """A provider's payments that name orders in their own ways."""
    named = {
        "F-price-per-gram": "20",  # by its id, whenever
        "9401": "11",
        "#9402": "11",  # which two orders have
        "#9302": "02",
        "#9301": "20",  # on another day than any of that name
    }
    return [
        {
            "order_id": name,
            "provider": "stripe",
            "fingerprint": f"fp-of-{name}",
            "status": "paid",
            "paid_at": f"2026-05-{day} 08:05:00",
        }
        for name, day in named.items()
    ]


# An order's number may be the id of another, which was placed on another day.
ELSEWHEN = {"9301": "02 08:00:00"}


def completions() -> list[Document]:
    """Order Completed events that name orders in their own ways."""
    named = {
        "9301": "11 08:05",
        "#9302": "02 08:05",
        "9303": "28 08:05",
        "M-9003": "28 08:06",
        "elsewhere": "28 08:07",
    }
    return [
        event(9900 + place, at, None, f"m-{name}", "Order Completed", properties={"order_id": name})
        for place, (name, at) in enumerate(named.items())
    ]


def money(world: World) -> None:
    """Lay all of them down."""
    world.add(
        "raw_orders.orders",
        [order(name, ELSEWHEN.get(name, "11 08:00:00"), **d) for name, d in rest_orders().items()],
    )
    shown = ("order_id", "created_at", "processed_at", "updated_at", "currency")
    world.add(
        "raw_shopify.orders",
        [
            {key: order(name, "11 08:00:00")[key] for key in shown} | {"payload": document}
            for name, document in graphql_orders().items()
        ],
    )
    world.add("raw_orders.order_lines", file_lines())
    world.add("raw_payments.payments", paid())
    world.add("raw_web.events", completions())
