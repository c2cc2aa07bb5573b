"""Lightspeed Retail (X-Series), Reporting > Sales history > Export: a row per sale, line, payment.

Described at https://x-series-support.lightspeedhq.com , "Sales history". `Line Type`
says which: a `Sale` has the customer and the status, its `Sale Line` rows the goods, its `Payment`
rows how it was paid. Times are the store's own. `Subtotal` of a line is what it came to without tax
after its `Discount`, `Sales Tax` comes on top; goods that came back have a quantity below zero.
Sales that were saved or put by and not paid yet are no sale, nor are voided ones.
"""

from __future__ import annotations

from functools import partial

from ingestion.files.recognised.export import Export, Feed
from ingestion.files.recognised.sql import (
    amount,
    first_name,
    last_name,
    local,
    tax_of_order,
    text_of,
)

_SALE = "@[Receipt Number]"
_IS_LINE = "lower(@[Line Type]) = 'sale line'"


_of_sale = partial(text_of, partition=_SALE)

LINES = Feed(
    "orders",
    "order_lines",
    {
        "order_id": _SALE,
        "ordered_at": local(f"coalesce(@[Date], {_of_sale('Date')})"),
        "customer_ref": _of_sale("Customer Code"),
        "email": _of_sale("Customer Email"),
        "first_name": first_name("customer"),
        "last_name": last_name("customer"),
        "sku": "@[Sku]",
        "product_name": "@[Details]",
        "quantity": "@[Quantity]",
        "line_amount": "@[Subtotal]",
        "discount": f"abs({amount('@[Discount]')})",
        "taxes": tax_of_order(amount("@[Sales Tax]"), _SALE, _IS_LINE),
        "status": "case when lower(status) in ('saved', 'layby', 'open', 'parked') then 'voided' "
        "else status end",
        "sales_channel": "'store'",
        "store_id": _of_sale("Register"),
    },
    steps=({"customer": _of_sale("Customer Name"), "status": _of_sale("Status")},),
    where=_IS_LINE,
)

EXPORTS = (
    Export(
        "lightspeed_sales",
        "Lightspeed sales history export",
        required=(
            *("Date", "Receipt Number", "Line Type", "Customer Code", "Quantity", "Subtotal"),
            *("Sales Tax", "Discount", "Details", "Status"),
        ),
        feeds=(LINES,),
        together=True,
    ),
)
