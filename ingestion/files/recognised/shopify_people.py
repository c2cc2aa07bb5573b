"""Shopify admin, Customers > Export: `customers_export.csv`, one row per customer.

Described at https://help.shopify.com/en/manual/customers/import-export-customers . Numbers that a
spreadsheet would change stand behind an apostrophe.

`Accepts Email Marketing` has no date, so a yes is no consent (the order's tick or the API has the
date); it is kept as what the list says, and a no there counts as a no. `Accepts SMS Marketing` is
said of the phone.
"""

from __future__ import annotations

from ingestion.files.recognised.export import Export, Feed
from ingestion.files.recognised.sql import ticked, unquoted

_PHONE = unquoted("coalesce(@[Phone], @[Default Address Phone])")
_COUNTRY = "coalesce(@[Default Address Country Code], @[Country Code], @[Country])"
_REGION = "coalesce(@[Default Address Province Code], @[Province Code], @[Province])"
_SMS = "@[Accepts SMS Marketing]"

CUSTOMERS = Feed(
    "contacts",
    "contacts",
    {
        "email": "@[Email]",
        "phone": _PHONE,
        "first_name": "@[First Name]",
        "last_name": "@[Last Name]",
        "country": _COUNTRY,
        "region": _REGION,
        "postcode": unquoted("coalesce(@[Default Address Zip], @[Zip])"),
        "source": "'import'",
        "customer_ref": unquoted("@[Customer ID]"),
        # Said of the address, so nothing of a phone alone
        "Accepts Email Marketing": "case when @[Email] is not null "
        "then @[Accepts Email Marketing] end",
    },
    keeps_others=True,
    leaves=(
        "Accepts SMS Marketing",
        *("Default Address Company", "Default Address Address1", "Default Address Address2"),
        *("Default Address City", "Company", "Address1", "Address2", "City", "Total Spent"),
        *("Total Orders", "Note"),
        *("Tax Exempt", "Accepts WhatsApp Marketing"),
    ),
)

PHONES = Feed(
    "contacts",
    "contacts",
    {
        "phone": _PHONE,
        "country": _COUNTRY,
        "region": _REGION,
        "source": "'import'",
        "Accepts SMS Marketing": _SMS,
    },
    where=f"{_PHONE} is not null and {_SMS} is not null and not {ticked(_SMS)}",
)

EXPORTS = (
    Export(
        "shopify_customers",
        "Shopify customers export",
        required=(
            "First Name",
            "Last Name",
            "Email",
            "Accepts Email Marketing",
            "Total Spent",
            "Total Orders",
            "Tax Exempt",
        ),
        feeds=(CUSTOMERS, PHONES),
        other_names={"Accepts Email Marketing": ("Accepts Marketing",)},
    ),
)
