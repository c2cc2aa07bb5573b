"""WooCommerce, Customer/Order/Coupon Export: a CSV of orders, one row per item or per order.

Described at https://woocommerce.com/document/ordercustomer-csv-export/ . What belongs to the order
stands on each of its rows. Times are the site's own, without an offset: the shop's zone.

Money: `item_subtotal` is what the items cost, `item_total` the same after discounts, both without
tax. `refunded_total` is money with tax; `item_refunded`, where the file has it, is what came back
for that item without tax, and what is more than all of it and its tax was for shipping. An order
that waits for its first payment (`pending`) or failed is no sale, as in WooCommerce's own reports.
Fees are left out, with their tax, which `tax_total` holds.

One row per order has its items in `line_items`: a JSON list, or items between `;`, their fields
between `|` as `name:value`, where these three signs have a backslash before them inside a value.
Fields are the ones of an item's row. Such a text is read where each item has every field that is
needed, once, under a plain name; else its order is put aside whole, as nobody can say what of it
is a name and what an amount.

Not read are forms that hold less: WebToffee's and older files with columns `line_item_1` …, which
protect no sign; Analytics' orders report, which has neither addresses nor amounts of items. What
Advanced Order Export writes is the shop's own choice of columns.
"""

from __future__ import annotations

from functools import partial

from ingestion.duckdb import literal
from ingestion.files.recognised.export import OF_ITEM, Export, Feed, UnreadExport
from ingestion.files.recognised.sql import amount, amount_of, local

_ORDER = "@[order_id]"
_NEEDED = ("id", "name", "quantity", "subtotal", "total")
_AMOUNTS = ("quantity", "subtotal", "total")
# Stand for the signs that have a backslash before them while the text is taken apart
_PROTECTED = {";": "chr(1)", "|": "chr(2)", ":": "chr(3)"}


def _money(header: str) -> str:
    return f"coalesce({amount(f'@[{header}]')}, 0)"


def _protected(text: str) -> str:
    for sign, other in _PROTECTED.items():
        text = f"replace({text}, {literal(chr(92) + sign)}, {other})"
    return text


def _plain(text: str) -> str:
    for sign, other in _PROTECTED.items():
        text = f"replace({text}, {other}, {literal(sign)})"
    return text


def _json_items(text: str) -> str:
    """Items between `;` as a JSON list of objects; a part without a `:` has the name ''."""
    cut = "instr(part, ':')"
    key = f"to_json(case when {cut} > 0 then part[:{cut} - 1] else '' end)::varchar"
    value = f"to_json({_plain(f'part[{cut} + 1:]')})::varchar"
    fields = f"list_transform(string_split(item, '|'), lambda part: {key} || ':' || {value})"
    item = f"'{{' || array_to_string({fields}, ',') || '}}'"
    items = f"list_transform(string_split({_protected(text)}, ';'), lambda item: {item})"
    return f"'[' || array_to_string({items}, ',') || ']'"


def _is_certain(items: str) -> str:
    """Whether every item of a JSON list has each field once, by a plain name, its amounts, and an
    id that no other has."""
    keys = "json_keys(item)"
    plain = f"len(list_filter({keys}, lambda field: not regexp_full_match(field, '[a-z_]+'))) = 0"
    once = f"len(list_distinct({keys})) = len({keys})"
    needed = f"list_has_all({keys}, {list(_NEEDED)})"
    sums = " and ".join(
        f"try_cast(json_extract_string(item, '$.{field}') as decimal(18, 4)) is not null"
        for field in _AMOUNTS
    )
    whole = f"{plain} and {once} and {needed} and {sums}"
    members = f"from_json({items}, '[\"json\"]')"
    ids = f"list_transform({members}, lambda item: json_extract_string(item, '$.id'))"
    each = f"list_bool_and(list_transform({members}, lambda item: {whole}))"
    return f"coalesce({each} and len(list_distinct({ids})) = len({ids}), false)"


_LISTED = (
    "case when json_valid(@[line_items]) and json_type(@[line_items]) = 'ARRAY' "
    f"then @[line_items] else {_json_items('@[line_items]')} end"
)


def _unread(header: str) -> str:
    """The text of an amount that is none: not to know it is not to have nothing of it."""
    return f"case when {amount(f'@[{header}]')} is null then @[{header}] end"


def _steps(item: str, order: str) -> tuple[dict[str, str], ...]:
    """What the columns need.

    Args:
        item: what stands before the names of an item's fields.
        order: what the rows of one order have in common.
    """

    def sum_of(what: str) -> str:
        return f"coalesce(sum({what}) filter (where is_latest) over (partition by {order}), 0)"

    of_order = partial(amount_of, partition=order)
    same = f"coalesce(@[{item}id], _line::varchar)"
    return (
        {
            "before": _money(f"{item}subtotal"),
            "after": _money(f"{item}total"),
            "tax": _money(f"{item}total_tax"),
            "back": _money(f"{item}refunded"),
            "shipping": of_order("shipping_total"),
            # A fee (for wrapping, for a way to pay) is no sale of goods, nor is its tax
            "taxes": f"{of_order('tax_total')} - {of_order('fee_tax_total')}",
            "refunded": f"abs({of_order('refunded_total')})",
            # Of an item that a file has twice the later row counts, as it is the newer version
            "is_latest": (
                f"row_number() over (partition by {order}, {same} order by _line desc) = 1"
            ),
        },
        {
            "is_first": f"row_number() over (partition by {order}, is_latest order by {same}) = 1"
            " and is_latest",
            "goods": sum_of("after"),
            "with_tax": sum_of("after + tax"),
            "known_back": sum_of("abs(back)"),
        },
        {
            "goods_back": "case when known_back > 0 then known_back when with_tax > 0 "
            "then round(least(refunded, with_tax) * goods / with_tax, 2) else 0 end"
        },
        {
            "beyond": "greatest(refunded - case when goods > 0 "
            "then round(goods_back * with_tax / goods, 2) else 0 end, 0)"
        },
    )


def _columns(item: str) -> dict[str, str]:
    """Our columns, with `item` before the names of an item's fields."""
    return {
        "order_id": _ORDER,
        "order_name": "coalesce(@[order_number_formatted], @[order_number])",
        "line_id": f"{_ORDER} || ':' || @[{item}id]",
        "ordered_at": local("@[date]"),
        "customer_ref": "nullif(@[customer_id], '0')",
        "email": "@[billing_email]",
        "phone": "@[billing_phone]",
        "first_name": "@[billing_first_name]",
        "last_name": "@[billing_last_name]",
        "sku": f"@[{item}sku]",
        "product_name": f"@[{item}name]",
        "quantity": f"@[{item}quantity]",
        "line_amount": f"@[{item}total]",
        "discount": "before - after",
        "shipping": f"coalesce({_unread('shipping_total')}, "
        "case when is_first then greatest(shipping - beyond, 0)::varchar end)",
        "taxes": f"coalesce({_unread('tax_total')}, {_unread('fee_tax_total')}, "
        f"{_unread(f'{item}total_tax')}, "
        "case when is_first then greatest(taxes - case when goods > 0 "
        "then round(goods_back * (with_tax - goods) / goods, 2) else 0 end "
        "- greatest(beyond - shipping, 0), 0)::varchar end)",
        # A file may hold the one or the other of what came back
        "refunded_amount": f"coalesce({_unread('refunded_total')}, {_unread(f'{item}refunded')}, "
        "case when is_first and goods_back > 0 then goods_back::varchar end)",
        "currency": "@[order_currency]",
        "country": "@[billing_country]",
        "region": "@[billing_state]",
        "status": "case when lower(@[status]) in ('pending', 'wc-pending') then 'voided' "
        "else @[status] end",
        "sales_channel": "'online'",
    }


_OF_ROW = "item_"
LINES = Feed("orders", "order_lines", _columns(_OF_ROW), steps=_steps(_OF_ROW, _ORDER))
ITEMS = Feed(
    "orders",
    "order_lines",
    # Items that cannot be read for certain put their order aside, with their text as its reason
    {**_columns(OF_ITEM), "quantity": f"coalesce(@[{OF_ITEM}quantity], @[line_items])"},
    # A row is an order whole, also where its order has another row
    steps=_steps(OF_ITEM, "_file, _line"),
    where="_item is not null or @[line_items] <> '[]'",
    items=f"case when {_is_certain(_LISTED)} then {_LISTED} end",
)
_OTHER_NAMES = {
    "date": ("order_date",),
    "status": ("order_status",),
    "order_currency": ("currency",),
}

EXPORTS = (
    Export(
        "woocommerce_orders",
        "WooCommerce orders export",
        required=(
            *("order_id", "date", "status", "order_total", "billing_email"),
            *("item_name", "item_quantity", "item_subtotal", "item_total"),
        ),
        feeds=(LINES,),
        other_names=_OTHER_NAMES,
        together=True,
    ),
    Export(
        "woocommerce_order_rows",
        "WooCommerce orders export, one row per order",
        required=(
            *("order_id", "date", "status", "order_total", "billing_email"),
            *("line_items", "order_currency", "refunded_total", "tax_total"),
        ),
        feeds=(ITEMS,),
        other_names=_OTHER_NAMES,
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
            f"{why} {_ONE_ROW_PER_ITEM}",
        )
        for items, why in (
            (
                "line_items",
                "It lacks the order's date, status, address, currency, tax or refunds.",
            ),
            (
                "line_item_1",
                "A sign in the name of an item may be one between its fields, so its items cannot"
                " be read for certain.",
            ),
        )
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
