"""The state or province of a buyer in the exports that name it, and by a mapping: quiet hours go by
it (docs/decision.md)."""

from __future__ import annotations

import pytest

from tests.exports.conftest import ExportShop

SHOPIFY_ORDERS = (
    "Name,Email,Financial Status,Subtotal,Total,Currency,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Billing Province,Billing Country,Shipping Province,"
    "Shipping Country,Billing Province Name\n"
    "#1,a@example.com,paid,20,20,USD,2025-09-01 08:00:00 +0000,1,Tea,10,TX,US,FL,US,Texas\n"
    "#1,a@example.com,,,,,2025-09-01 08:00:00 +0000,1,Pot,10,,,,,\n"
    # The bill names no country, so the region is that of the parcel
    "#2,b@example.com,paid,10,10,USD,2025-09-01 08:00:00 +0000,1,Tea,10,TX,,FL,US,\n"
    "#3,c@example.com,paid,10,10,USD,2025-09-01 08:00:00 +0000,1,Tea,10,,US,FL,US,\n"
)
SHOPIFY_CUSTOMERS = (
    "First Name,Last Name,Email,Accepts Email Marketing,Default Address City,"
    "Default Address Province Code,Default Address Country Code,Phone,Accepts SMS Marketing,"
    "Total Spent,Total Orders,Tax Exempt\n"
    "Ann,Lee,a@example.com,yes,Austin,TX,US,+15125550100,no,0,0,no\n"
)
WOOCOMMERCE = (
    "order_id,date,status,order_total,order_currency,billing_email,billing_country,billing_state,"
    "item_name,item_quantity,item_subtotal,item_total\n"
    "7,2025-09-01 08:00:00,completed,10,USD,a@example.com,US,OK,Tea,1,10,10\n"
)
STRIPE = (
    "id,Email,Name,Created (UTC),Delinquent,Card Address Country,Card Address State\n"
    "cus_1,a@example.com,Ann Lee,2025-06-30 08:00:00,false,US,MD\n"
)
OWN_LINES = (
    "Invoice,When,Mail,Qty,Amount,Nation,State\n"
    "1,2025-09-01 08:00:00,a@example.com,1,10,United States,Texas\n"
    "1,2025-09-01 08:00:00,a@example.com,2,10,United States,\n"
    "2,2025-09-01 08:00:00,b@example.com,1,10,United States,Texas\n"
    "2,2025-09-01 08:00:00,b@example.com,2,10,United States,Florida\n"
)
OWN_MAPPING = """\
columns: {order_id: Invoice, ordered_at: When, email: Mail, quantity: Qty, line_amount: Amount,
          country: Nation, region: State}
currency: USD
"""


def lines(exports: ExportShop) -> list[tuple[object, ...]]:
    exports.run("orders")
    return exports.raw(
        "select coalesce(order_name, order_id), country, region from raw_orders.order_lines"
        " order by 1, _line"
    )


def test_shopifys_orders_have_the_region_of_the_address_that_names_the_country(
    exports: ExportShop,
) -> None:
    exports.write("exports/orders_export.csv", SHOPIFY_ORDERS)
    assert lines(exports) == [
        ("#1", "US", "TX"),
        ("#1", "US", "TX"),
        ("#2", "US", "FL"),
        ("#3", "US", None),
    ]


def test_woocommerces_orders_have_the_state_of_the_bill(exports: ExportShop) -> None:
    exports.write("exports/orders.csv", WOOCOMMERCE)
    assert lines(exports) == [("7", "US", "OK")]


def test_a_mapping_of_order_lines_names_the_column(exports: ExportShop) -> None:
    exports.write("orders/mapping.yml", OWN_MAPPING)
    exports.write("orders/a.csv", OWN_LINES)
    assert lines(exports)[:2] == [("1", "United States", "Texas")] * 2


@pytest.mark.parametrize(
    ("text", "regions"),
    [(SHOPIFY_CUSTOMERS, ["TX", "TX"]), (STRIPE, ["MD"])],
    ids=["Shopify", "Stripe"],
)
def test_exported_accounts_have_their_region(
    exports: ExportShop, text: str, regions: list[str]
) -> None:
    """Shopify's customers are two contacts each where they refuse texts."""
    exports.write("exports/customers.csv", text)
    exports.run("contacts")
    found = exports.raw("select country, region from raw_contacts.contacts")
    assert found == [("US", region) for region in regions]


def test_lists_have_their_region_under_its_header_or_by_a_mapping(exports: ExportShop) -> None:
    exports.write("contacts/mapping.yml", "columns: {email: Mail, region: Bundesstaat}\n")
    exports.write("contacts/mapped.csv", "Mail,Bundesstaat\na@example.com,FL\n")
    for header in ("region", "Province", "province_code"):
        exports.write(f"contacts/{header}.csv", f"email,{header}\n{header}@example.com,Texas\n")
    exports.run("contacts")
    found = exports.raw("select region, attributes from raw_contacts.contacts order by 1")
    assert found == [("FL", None), *[("Texas", None)] * 3]


@pytest.mark.faults
def test_models_have_the_region_of_an_order_and_none_of_two(exports: ExportShop) -> None:
    exports.write("orders/mapping.yml", OWN_MAPPING)
    exports.write("orders/a.csv", OWN_LINES)
    exports.write("exports/orders_export.csv", SHOPIFY_ORDERS)
    exports.run()
    with exports.model().warehouse() as connection:
        found = connection.execute(
            "select email, country_code, region from intermediate.int_orders_unioned order by all"
        ).fetchall()
    assert found == [
        ("a@example.com", "US", "TX"),
        ("a@example.com", "US", "Texas"),
        ("b@example.com", "US", "FL"),
        ("b@example.com", "US", None),
        ("c@example.com", "US", None),
    ]
