"""Contacts: addresses as they stand in the shop's lists (newsletter, till, checkout, import).

Format: CSV, JSON Lines or Parquet, CSV and Parquet also in the shop's own columns, which
`contacts/mapping.yml` explains. Columns we do not know are stated traits, kept in `attributes`
under their own names.
Key: customer_ref, email, phone or loyalty_id, and source; a changed contact is a further version.
Lateness: rows of any age are taken.
Bad day: neither email, phone, loyalty id nor customer number (`no_identifier`): quarantine. A
birthday or date that cannot be read and an unknown preferred channel are left empty; a status
nobody knows stays as written, for it may be a refusal.
Data flow: DIR/contacts/ -> raw_contacts.contacts
"""

from __future__ import annotations

from ingestion.files.list_mapping import mapped_list
from ingestion.landing.fields import LOWER, Column, RowCheck, TableSpec
from ingestion.vocabulary import CHANNELS

CONTACTS = TableSpec(
    name="contacts",
    envelopes=("contacts", "data"),
    description="One row per version of an address in a list.",
    may_refuse=True,
    columns=(
        Column("email", aliases=("email address", "e-mail address", "mail"), restricts=True),
        Column("phone", aliases=("phone number", "telephone"), restricts=True),
        Column("first_name", aliases=("fname", "given name")),
        Column("last_name", aliases=("lname", "surname", "family name")),
        Column("birthday", "date", aliases=("date of birth", "birth date"), first_day="1880-01-01"),
        Column("gender"),
        Column("job"),
        Column("country"),
        Column("region", aliases=("province", "province code")),
        Column("postcode", aliases=("postal code", "zip", "zip code")),
        Column("timezone"),
        Column("source"),
        Column("created_at", "timestamp"),
        Column("status", kept_as_written=True),
        Column("loyalty_id", restricts=True),
        Column("loyalty_tier"),
        Column("customer_ref", restricts=True),
        Column("preferred_channel", allowed=CHANNELS, transform=LOWER),
        Column("verified_at", "timestamp"),
    ),
    row_checks=(
        RowCheck(
            "no_identifier",
            "email",
            "not coalesce(regexp_matches(email, '[@＠]'), false)"
            " and phone is null and loyalty_id is null and customer_ref is null",
        ),
    ),
    attributes="attributes",
    numbers=("customer_ref",),
)

SOURCE = mapped_list(
    "contacts",
    "Addresses in the shop's lists.",
    CONTACTS,
    one_of=("email", "phone", "loyalty_id", "customer_ref"),
)
