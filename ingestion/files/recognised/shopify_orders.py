"""Shopify admin, Orders > Export: `orders_export.csv`, one row per line of an order.

Described at https://help.shopify.com/en/manual/fulfillment/managing-orders/exporting-orders .
What belongs to the order (its id, status, money, country) stands on its first row only; `Name`,
`Email` and `Created at` on each. Times carry their offset.

Money: `Lineitem price` is the price of one before any discount. `Subtotal` is all lines after their
discounts, whatever code or rule gave them, so what it lacks of the lines' full price is the
discount on goods; a code that only freed the shipping is in `Discount Amount` and not in it. Prices
hold the tax where `Total` is no more than subtotal and shipping; it is then taken out, by the rate
in `Tax 1 Name` ("VAT 20%") or else as the share that falls to goods, and what is left of it out of
the shipping. `Refunded Amount` is money, with the tax in it. Gift cards sold and tips are lines
like any other and known by their name; they are no sale of goods, so those rows are left out.

The status is `Financial Status`; a draft that was never paid is no sale. `Accepts Marketing` yes is
a wish stated at checkout at `Created at`; an unticked box says nothing.
"""

from __future__ import annotations

from functools import partial

from ingestion.files.recognised.export import Export, Feed
from ingestion.files.recognised.sql import (
    amount,
    amount_of,
    choice,
    first_name,
    last_name,
    share,
    text_of,
    ticked,
    unquoted,
)

_ORDER = "@[Name]"


# A text and an amount of the order, which stand on its first row
_of_order = partial(text_of, partition=_ORDER)
_total = partial(amount_of, partition=_ORDER)


def _sum(what: str, rows: str = "true") -> str:
    return f"coalesce(sum({what}) filter (where {rows}) over (partition by {_ORDER}), 0)"


_PERCENT = r"regexp_extract(@[Tax {} Name], '([\d.]+) ?%', 1)"
_RATES = " + ".join(
    f"coalesce(try_cast({_PERCENT.format(number)} as decimal(9, 4)), 0)" for number in range(1, 6)
)
# A gift card and a tip are not shipped, and no product has such a name alone.
_IS_APART = (
    "coalesce(lower(@[Lineitem requires shipping]) = 'false', false) and "
    "coalesce(regexp_matches(lower(@[Lineitem name]), '(^|\\W)gift ?cards?(\\W|$)|^tip$'), false)"
)
STEPS: tuple[dict[str, str], ...] = (
    {
        "quantity": amount("@[Lineitem quantity]"),
        "price": amount("@[Lineitem price]"),
        "line_discount": amount("@[Lineitem discount]"),
        "is_apart": _IS_APART,
        "is_gift": f"{_IS_APART} and lower(@[Lineitem name]) <> 'tip'",
        "is_taxable": "coalesce(lower(@[Lineitem taxable]) <> 'false', true)",
        "is_first": f"row_number() over (partition by {_ORDER}, {_IS_APART} order by _line) = 1",
        "channel": f"lower({_of_order('Source')})",
        "financial_status": _of_order("Financial Status"),
        "full_name": f"coalesce({_of_order('Billing Name')}, {_of_order('Shipping Name')})",
        "has_subtotal": f"count({amount('@[Subtotal]')}) over (partition by {_ORDER}) > 0",
        "subtotal": _total("Subtotal"),
        "shipping": _total("Shipping"),
        "taxes": _total("Taxes"),
        "total": _total("Total"),
        "refunded": _total("Refunded Amount"),
        "rate": f"coalesce(max({_RATES}) over (partition by {_ORDER}), 0)",
    },
    {"value": "case when is_apart then 0 else coalesce(round(quantity * price, 4), 0) end"},
    {
        "goods": _sum("value"),
        "taxable_goods": _sum("value", "is_taxable"),
        "own": "least(greatest(coalesce(line_discount, 0), 0), value)",
        "gift_cards": _sum("round(quantity * price, 4)", "is_gift"),
        "tips": _sum("round(quantity * price, 4)", "is_apart and not is_gift"),
    },
    {
        # What the buyers paid for goods, with the tax where prices hold it
        "paid": "case when has_subtotal then greatest(least(subtotal - gift_cards, goods), 0) "
        "else goods end",
        "is_included": "taxes > 0 and abs(total - tips - subtotal - shipping) "
        "< abs(total - tips - subtotal - shipping - taxes)",
    },
    {
        # A line's own discount first, where all of them together are no more than the order's
        "stated": f"case when {_sum('own')} <= goods - paid then own else 0 end",
        "taxable": "case when goods > 0 then paid * taxable_goods / goods else 0 end",
    },
    {
        "goods_tax": "round(least(taxes, case "
        "when rate > 0 then taxable * rate / (case when is_included then 100 + rate else 100 end) "
        "when paid + shipping > 0 then taxes * paid / (paid + shipping) else 0 end), 2)",
        "left": f"goods - paid - {_sum('stated')}",
    },
    {
        "discount": "stated + " + share('"left"', "(value - stated)", _ORDER),
        # What the goods leave of a tax within the prices is within the shipping
        "shipping_tax": "case when is_included then least(taxes - goods_tax, shipping) else 0 end",
    },
    {},
    {
        "tax": "case when is_included then "
        + share("goods_tax", "case when is_taxable then value - discount else 0 end", _ORDER)
        + " else 0 end",
        "net_goods": "paid - case when is_included then goods_tax else 0 end",
        "full_goods": "paid + case when is_included then 0 else goods_tax end",
    },
    {
        "line_amount": "value - discount - tax",
        # Money back is for goods first, and takes their tax with it
        "goods_back": "case when full_goods > 0 "
        "then round(least(refunded, full_goods) * net_goods / full_goods, 2) else 0 end",
        "beyond_goods": "greatest(refunded - full_goods, 0)",
    },
    {
        "goods_tax_back": "least(refunded, full_goods) - goods_back",
        "shipping_tax_back": "case when shipping > 0 "
        "then round(least(beyond_goods, shipping) * shipping_tax / shipping, 2) else 0 end",
    },
)

LINES = Feed(
    "orders",
    "order_lines",
    {
        "order_id": f"coalesce({_of_order('Id')}, {_ORDER})",
        "order_name": _ORDER,
        "ordered_at": "@[Created at]",
        "email": "@[Email]",
        "phone": unquoted(
            f"coalesce({_of_order('Phone')}, {_of_order('Billing Phone')},"
            f" {_of_order('Shipping Phone')})"
        ),
        "first_name": first_name("full_name"),
        "last_name": last_name("full_name"),
        "sku": "@[Lineitem sku]",
        "product_name": "@[Lineitem name]",
        "quantity": "@[Lineitem quantity]",
        # Beside what the line came to; the same to a cent would be taken for it
        "unit_price": "case when price is null then coalesce(@[Lineitem price], '') "
        "when line_amount = value or abs(line_amount - value) > 0.01 then price::varchar end",
        "line_amount": "case when price is not null then line_amount end",
        "discount": "discount",
        "shipping": "case when is_first then shipping - shipping_tax end",
        # What went back beyond the goods was for the shipping, and beyond that for its tax
        "taxes": "case when is_first then greatest(taxes - goods_tax_back "
        "- shipping_tax_back - greatest(beyond_goods - shipping, 0), 0) end",
        "refunded_amount": "case when is_first and refunded > 0 "
        "then goods_back + beyond_goods - shipping_tax_back end",
        "currency": _of_order("Currency"),
        "country": f"coalesce({_of_order('Billing Country')}, {_of_order('Shipping Country')})",
        # Of the address that names the country
        "region": f"case when {_of_order('Billing Country')} is not null "
        f"then coalesce({_of_order('Billing Province')}, {_of_order('Billing Province Name')}) "
        f"else coalesce({_of_order('Shipping Province')}, {_of_order('Shipping Province Name')}) "
        "end",
        "status": "case when channel = 'shopify_draft_order' "
        "and lower(financial_status) = 'pending' then 'voided' else financial_status end",
        "cancelled_at": _of_order("Cancelled at"),
        "sales_channel": "case channel when 'web' then 'online' when 'pos' then 'store' "
        "else channel end",
        "store_id": f"case when channel = 'pos' then {_of_order('Location')} end",
    },
    steps=STEPS,
    where="not is_apart",
)

WISHES = Feed(
    "consents",
    "consents",
    {
        "identifier_type": "'email'",
        "identifier_value": "@[Email]",
        "channel": "'email'",
        "purpose": "'marketing'",
        "status": choice("@[Accepts Marketing]"),
        "occurred_at": "@[Created at]",
        "source": "'checkout'",
    },
    where=f"{ticked('@[Accepts Marketing]')} and @[Email] is not null",
)

EXPORTS = (
    Export(
        "shopify_orders",
        "Shopify orders export",
        required=(
            "Name",
            "Email",
            "Financial Status",
            "Subtotal",
            "Total",
            "Created at",
            "Lineitem quantity",
            "Lineitem name",
            "Lineitem price",
        ),
        feeds=(LINES, WISHES),
        together=True,
    ),
)
