"""Square dashboard, Reporting > Transactions > Export > Item Detail CSV: one row per item sold.

Described at https://squareup.com/help/us/en/article/5072-summaries-and-reports-from-the-online-
square-dashboard . `Date` and `Time` are in the zone that `Time Zone` names. Amounts carry the sign
of the account's currency and no code: the shop's; whether cents stand behind a point or a comma is
the account's language. `Gross Sales` are at full price without tax,
`Discounts` are below zero, `Net Sales` are both together, `Tax` comes on top. A refund is a row of
its own with amounts below zero; gift cards sold are no sale of goods.
"""

from __future__ import annotations

from ingestion.duckdb import literal
from ingestion.files.recognised.export import Export, Feed
from ingestion.files.recognised.sql import amount, first_name, last_name, tax_of_order

_ZONES = {
    "Eastern Time (US & Canada)": "America/New_York",
    "Central Time (US & Canada)": "America/Chicago",
    "Mountain Time (US & Canada)": "America/Denver",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Atlantic Time (Canada)": "America/Halifax",
    **{"Arizona": "America/Phoenix", "Alaska": "America/Anchorage", "Hawaii": "Pacific/Honolulu"},
    **{"London": "Europe/London", "Dublin": "Europe/Dublin", "Paris": "Europe/Paris"},
    **{"Madrid": "Europe/Madrid", "Sydney": "Australia/Sydney", "Tokyo": "Asia/Tokyo"},
    **{"Melbourne": "Australia/Melbourne", "Brisbane": "Australia/Brisbane"},
    **{"Perth": "Australia/Perth", "Adelaide": "Australia/Adelaide"},
}
_WHENS = " ".join(
    f"when {literal(written)} then {literal(zone)}" for written, zone in _ZONES.items()
)
_ZONE = (
    "case when contains(@[Time Zone], '/') then @[Time Zone] else "
    f"coalesce(case @[Time Zone] {_WHENS} end, @[zone]) end"
)
_IS_REFUND = "coalesce(lower(@[Event Type]) = 'refund', false)"
_ORDER = f"@[Transaction ID] || case when {_IS_REFUND} then ':refund' else '' end"
_GOODS = "coalesce(lower(@[Itemization Type]) not like '%gift card%', true)"


def _read(text: str) -> str:
    return f"case when has_comma then {amount(text, 'comma')} else {amount(text)} end"


LINES = Feed(
    "orders",
    "order_lines",
    {
        "order_id": _ORDER,
        "ordered_at": "@[Date] || ' ' || coalesce(@[Time], '00:00:00') || '[' || zone || ']'",
        "customer_ref": "@[Customer ID]",
        "first_name": first_name("@[Customer Name]"),
        "last_name": last_name("@[Customer Name]"),
        "sku": "@[SKU]",
        "product_name": "@[Item]",
        "category": "@[Category]",
        "quantity": "case when quantity is null then @[Qty] "
        f"when {_IS_REFUND} then (-abs(quantity))::varchar else quantity::varchar end",
        "line_amount": "case when net is null then @[Net Sales] else net::varchar end",
        "discount": "abs(discounts)",
        "taxes": tax_of_order("tax", _ORDER, _GOODS),
        "sales_channel": "'store'",
        "store_id": "@[Location]",
    },
    steps=(
        {
            "has_comma": "coalesce(bool_or("
            "regexp_matches(@[Net Sales], ',\\d\\d\\D*$')) over (), false)",
            "zone": _ZONE,
        },
        {
            "quantity": _read("@[Qty]"),
            "net": _read("@[Net Sales]"),
            "discounts": _read("@[Discounts]"),
            "tax": _read("@[Tax]"),
        },
    ),
    where=_GOODS,
)

EXPORTS = (
    Export(
        "square_items",
        "Square item detail export",
        required=(
            *("Date", "Time", "Item", "Qty", "Gross Sales", "Discounts", "Net Sales"),
            *("Transaction ID", "Price Point Name"),
        ),
        feeds=(LINES,),
        together=True,
    ),
)
