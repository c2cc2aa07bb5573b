"""WooCommerce, Customer/Order/Coupon Export with one row per item: a CSV of orders.

Described at https://woocommerce.com/document/ordercustomer-csv-export/ . What belongs to the order
stands on each of its rows. Times are the site's own, without an offset: the shop's zone.

Money: `item_subtotal` is what the items cost, `item_total` the same after discounts, both without
tax. `refunded_total` is money with tax; `item_refunded`, where the file has it, is what came back
for that item without tax, and what is more than all of it and its tax was for shipping. An order
that waits for its first payment (`pending`) or failed is no sale, as in WooCommerce's own reports.

Not read are forms that hold less. One row per order has its items in one text
(`name:…|quantity:…|total:…`), whose signs stand in names of goods too, and what an item cost before
its discount is not always there. Analytics' orders report has neither addresses nor amounts of
items. What Advanced Order Export writes is the shop's own choice of columns.
"""

from __future__ import annotations

from functools import partial

from ingestion.files.recognised.export import Export, Feed, UnreadExport
from ingestion.files.recognised.sql import amount, amount_of, local

_ORDER = "@[order_id]"


def _money(header: str) -> str:
    return f"coalesce({amount(f'@[{header}]')}, 0)"


def _sum(what: str) -> str:
    return f"sum({what}) over (partition by {_ORDER})"


_of_order = partial(amount_of, partition=_ORDER)

STEPS: tuple[dict[str, str], ...] = (
    {
        "before": _money("item_subtotal"),
        "after": _money("item_total"),
        "tax": _money("item_total_tax"),
        "back": _money("item_refunded"),
        "shipping": _of_order("shipping_total"),
        "taxes": _of_order("tax_total"),
        "refunded": _of_order("refunded_total"),
        "is_first": f"row_number() over (partition by {_ORDER} order by _line) = 1",
    },
    {"goods": _sum("after"), "with_tax": _sum("after + tax"), "known_back": _sum("abs(back)")},
    {
        "goods_back": "case when known_back > 0 then known_back when with_tax > 0 "
        "then round(least(refunded, with_tax) * goods / with_tax, 2) else 0 end"
    },
    {
        "beyond": "greatest(refunded - case when goods > 0 "
        "then round(goods_back * with_tax / goods, 2) else 0 end, 0)"
    },
)

LINES = Feed(
    "orders",
    "order_lines",
    {
        "order_id": _ORDER,
        "order_name": "coalesce(@[order_number_formatted], @[order_number])",
        "line_id": f"{_ORDER} || ':' || @[item_id]",
        "ordered_at": local("@[date]"),
        "customer_ref": "nullif(@[customer_id], '0')",
        "email": "@[billing_email]",
        "phone": "@[billing_phone]",
        "first_name": "@[billing_first_name]",
        "last_name": "@[billing_last_name]",
        "sku": "@[item_sku]",
        "product_name": "@[item_name]",
        "quantity": "@[item_quantity]",
        "line_amount": "@[item_total]",
        "discount": "before - after",
        "shipping": "case when is_first then greatest(shipping - beyond, 0) end",
        "taxes": "case when is_first then greatest(taxes - case when goods > 0 "
        "then round(goods_back * (with_tax - goods) / goods, 2) else 0 end "
        "- greatest(beyond - shipping, 0), 0) end",
        # A file may hold the one or the other of what came back
        "refunded_amount": "case when is_first and goods_back > 0 then goods_back end",
        "currency": "@[order_currency]",
        "country": "@[billing_country]",
        "region": "@[billing_state]",
        "status": "case when lower(@[status]) in ('pending', 'wc-pending') then 'voided' "
        "else @[status] end",
        "sales_channel": "'online'",
    },
    steps=STEPS,
)

EXPORTS = (
    Export(
        "woocommerce_orders",
        "WooCommerce orders export",
        required=(
            *("order_id", "date", "status", "order_total", "billing_email"),
            *("item_name", "item_quantity", "item_subtotal", "item_total"),
        ),
        feeds=(LINES,),
        other_names={
            "date": ("order_date",),
            "status": ("order_status",),
            "order_currency": ("currency",),
        },
        together=True,
    ),
)

_ONE_ROW_PER_ITEM = (
    'Export one row per item: Customer/Order/Coupon Export has the format "Default - One Row per'
    ' Item", other exports write such rows into orders/ beside a mapping.yml (docs/formats.md).'
)
UNREAD = (
    *(
        UnreadExport(
            "a WooCommerce orders export with one row per order",
            ("order_id", "order_total", items),
            f"Its items stand in one text, which cannot be read for certain. {_ONE_ROW_PER_ITEM}",
        )
        for items in ("line_items", "line_item_1")
    ),
    UnreadExport(
        "a download of WooCommerce Analytics",
        ("Order #", "N. Revenue (formatted)", "Product(s)"),
        f"It has neither addresses nor amounts of items. {_ONE_ROW_PER_ITEM}",
    ),
    UnreadExport(
        "an export of Advanced Order Export for WooCommerce",
        ("Order Number", "Order Status", "Order Date", "Item Name"),
        "Its columns are the shop's choice: put it into orders/, with a mapping.yml that says which"
        " column is which (docs/formats.md).",
    ),
)
