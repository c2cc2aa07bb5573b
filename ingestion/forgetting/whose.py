"""Whose a raw row is: the identifiers of each table, and what of an order stays without its person.

Belongs here: one declaration per raw table that holds people. Does not belong here: finding rows
(`raw_rows`), whether an identifier is one of somebody who is forgotten.

A row that names a forgotten identifier goes, but for orders and payments: their amounts belong to
the shop's books, so these rows stay, without anything that says whose they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Where an order's document names its buyer, in REST and in GraphQL.
_BUYER = (
    ("email", "payload ->> '$.email'"),
    ("email", "payload ->> '$.contact_email'"),
    ("email", "payload ->> '$.customer.email'"),
    ("email", "payload ->> '$.customer.defaultEmailAddress.emailAddress'"),
    ("phone", "payload ->> '$.phone'"),
    ("phone", "payload ->> '$.customer.phone'"),
    ("phone", "payload ->> '$.customer.defaultPhoneNumber.phoneNumber'"),
    ("payment_card", "payload ->> '$.payment_fingerprint'"),
    ("payment_card", "payload ->> '$.paymentFingerprint'"),
    (
        "device",
        r"""regexp_extract(payload, '(?i)"anonymous_?id"\s*,\s*"value"\s*:\s*"([^"]+)"', 1)""",
    ),
)
_COUNTRY = (
    "coalesce(payload ->> '$.billing_address.country_code',"
    " payload ->> '$.billingAddress.countryCodeV2')"
)
_CUSTOMER = "regexp_replace(payload ->> '$.customer.id', '^.*/', '')"
# Ids of a further shop have the shop's name before them (dbt_project/macros/order_parts.sql).
SCOPED = "coalesce(id_scope || ':', '') || "


@dataclass(frozen=True)
class PersonalTable:
    """One raw table.

    Args:
        identifiers: type and SQL for each place of a row that names somebody.
        typed: pairs of columns, the type of an identifier and its value.
        country: SQL for the country by which a phone number of the row is read.
        emptied: columns that say whose the row is, of rows that stay; none: rows go.
        document: the JSON column of rows that stay, from which the person is taken out.
        together: a column by which other rows are of the same order.
    """

    identifiers: tuple[tuple[str, str], ...] = ()
    typed: tuple[tuple[str, str], ...] = ()
    country: str = "null"
    emptied: tuple[str, ...] = ()
    document: str = ""
    together: str = ""

    @property
    def stays(self) -> bool:
        """Whether rows stay without their person."""
        return bool(self.emptied or self.document)


_TYPED = PersonalTable(typed=(("identifier_type", "identifier_value"),))

PERSONAL: Mapping[tuple[str, str], PersonalTable] = {
    ("consents", "consents"): _TYPED,
    ("experiments", "assignments"): _TYPED,
    ("feedback", "feedback"): _TYPED,
    ("messages", "messages"): _TYPED,
    ("promotions", "promotions"): PersonalTable(
        (("orders_customer_id", "customer_ref"),), _TYPED.typed
    ),
    ("identity_rules", "identity_rules"): PersonalTable(
        typed=(("type_a", "value_a"), ("type_b", "value_b"))
    ),
    ("contacts", "contacts"): PersonalTable(
        (
            ("email", "email"),
            ("phone", "phone"),
            ("loyalty_id", "loyalty_id"),
            ("orders_customer_id", "customer_ref"),
        ),
        country="country",
    ),
    ("email", "events"): PersonalTable((("email", "email"),)),
    ("klaviyo", "profiles"): PersonalTable(
        (
            ("klaviyo_profile_id", "profile_id"),
            ("email", "email"),
            ("phone", "phone_number"),
            ("login", "external_id"),
            ("device", "anonymous_id"),
        ),
        country="payload ->> '$.attributes.location.country'",
    ),
    ("klaviyo", "events"): PersonalTable(
        (
            ("klaviyo_profile_id", "profile_id"),
            ("email", "email"),
            ("phone", "phone_number"),
            ("login", "external_id"),
        )
    ),
    ("klaviyo", "list_members"): PersonalTable((("klaviyo_profile_id", "profile_id"),)),
    ("orders", "orders"): PersonalTable(
        (*_BUYER, ("shopify_customer_id", SCOPED + _CUSTOMER)),
        country=_COUNTRY,
        document="payload",
    ),
    ("orders", "order_lines"): PersonalTable(
        (
            ("orders_customer_id", "customer_ref"),
            ("email", "email"),
            ("phone", "phone"),
            ("payment_card", "payment_fingerprint"),
        ),
        country="country",
        emptied=(
            *("customer_ref", "email", "phone", "payment_fingerprint"),
            *("first_name", "last_name"),
        ),
        together="order_id",
    ),
    ("payments", "payments"): PersonalTable(
        (("payment_card", "fingerprint"), ("email", "billing_email")),
        emptied=("fingerprint", "billing_email", "billing_name"),
    ),
    ("shopify", "orders"): PersonalTable(
        (*_BUYER, ("shopify_customer_id", SCOPED + _CUSTOMER)),
        country=_COUNTRY,
        document="payload",
    ),
    ("shopify", "customers"): PersonalTable(
        (
            ("shopify_customer_id", SCOPED + "shopify_customer_id"),
            ("email", "email"),
            ("phone", "phone"),
        ),
        country="payload ->> '$.defaultAddress.countryCodeV2'",
    ),
    ("shopify", "checkouts"): PersonalTable(
        (
            ("shopify_customer_id", SCOPED + _CUSTOMER),
            ("email", "email"),
            ("phone", "phone"),
        )
    ),
    ("web", "events"): PersonalTable(
        (
            ("device", "anonymous_id"),
            ("device", "previous_id"),
            ("login", "user_id"),
            ("login", "previous_id"),
            ("email", "user_id"),
            ("email", "traits ->> '$.email'"),
            ("email", "properties ->> '$.email'"),
            ("email", "context ->> '$.traits.email'"),
            ("phone", "traits ->> '$.phone'"),
            ("push_token", "properties ->> '$.endpoint'"),
            (
                "publisher_login",
                r"""regexp_extract(context, '(?i)\{[^{}]*"id"\s*:\s*"([^"]+)"[^{}]*"""
                r""""type"\s*:\s*"publisher_login"', 1)""",
            ),
        ),
        country="coalesce(traits ->> '$.country', context ->> '$.location.country')",
    ),
}
# People are in no row of these: the shop's own words, figures and days.
WITHOUT_PEOPLE = frozenset(
    {
        *(("calendar", "occasions"), ("personas", "personas"), ("products", "products")),
        *(("rates", "rates"), ("spend", "spend"), ("shopify", "products")),
        *(("shopify", "discounts"), ("klaviyo", "campaigns"), ("klaviyo", "lists")),
        ("klaviyo", "flows"),
    }
)
