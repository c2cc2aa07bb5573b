"""`contacts/mapping.yml` and `consents/mapping.yml`: a shop's own lists, in its own words."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from ingestion.errors import UsageError
from tests.exports.conftest import ExportShop

CONTACTS = """\
columns:
  email: Adresse
  customer_ref: Kundennr
  birthday: Geb
  created_at: Angelegt
  status: Zustand
constants: {source: newsletter, country: DE}
clean: {customer_ref: integer_text}
formats: {birthday: "%d.%m.%Y", created_at: "%d.%m.%Y %H:%M"}
words: {status: {Ja: subscribed, Nein: unsubscribed}}
timezone: Europe/Berlin
"""
LIST = (
    "Adresse;Kundennr;Geb;Angelegt;Zustand;Farbe\n"
    "ann@example.com;17850.0;01.02.1980;03.07.2025 10:00;ja;rot\n"
    "bob@example.com;17851.0;0000-00-00;04.01.2025 10:00;Nein;\n"
    "cat@example.com;17852.0;;;vielleicht;\n"
)
CONSENTS = """\
columns: {identifier_value: Adresse, status: Antwort, occurred_at: Am, proof: Beleg}
constants: {identifier_type: email, channel: email, purpose: marketing, source: form}
formats: {occurred_at: "%d/%m/%Y"}
words: {status: {Ja: granted, Nein: revoked}}
"""


def test_a_list_in_its_own_columns_formats_and_words(exports: ExportShop) -> None:
    exports.write("contacts/mapping.yml", CONTACTS)
    exports.write("contacts/list.csv", LIST)
    count = exports.run("contacts")["contacts.contacts"]
    assert (count.loaded, count.quarantined, count.emptied) == (3, 0, {"birthday": 1})
    assert exports.raw(
        "select email, customer_ref, birthday, created_at, status, source, country, attributes"
        " from raw_contacts.contacts order by 1"
    ) == [
        (
            *("ann@example.com", "17850", date(1980, 2, 1), datetime(2025, 7, 3, 8), "subscribed"),
            *("newsletter", "DE", '{"Farbe":"rot"}'),
        ),
        (
            *("bob@example.com", "17851", None, datetime(2025, 1, 4, 9), "unsubscribed"),
            *("newsletter", "DE", None),
        ),
        ("cat@example.com", "17852", None, None, "vielleicht", "newsletter", "DE", None),
    ]


def test_a_log_of_consent_in_its_own_words(exports: ExportShop) -> None:
    exports.write("consents/mapping.yml", CONSENTS)
    exports.write("consents/log.csv", "Adresse,Antwort,Am,Beleg\na@example.com,JA,03/04/2025,f7\n")
    exports.run("consents")
    assert exports.raw(
        "select identifier_value, channel, purpose, status, occurred_at, source, proof"
        " from raw_consents.consents"
    ) == [
        (
            *("a@example.com", "email", "marketing", "granted", datetime(2025, 4, 3)),
            *("form", "f7"),
        )
    ]


def test_a_list_in_our_own_layout_lies_beside_it(exports: ExportShop) -> None:
    exports.write("contacts/mapping.yml", CONTACTS)
    exports.write("contacts/list.csv", LIST)
    exports.write("contacts/own.csv", "email,status\ndan@example.com,unsubscribed\n")
    assert exports.run("contacts")["contacts.contacts"].loaded == 4


def test_another_mapping_reads_the_list_again(exports: ExportShop) -> None:
    exports.write("contacts/mapping.yml", CONTACTS)
    exports.write("contacts/list.csv", LIST)
    exports.run("contacts")
    exports.write("contacts/mapping.yml", CONTACTS.replace("country: DE", "country: AT"))
    assert exports.run("contacts")["contacts.contacts"].received == 3
    assert exports.raw("select country, count(*) from raw_contacts.contacts group by 1") == [
        ("AT", 3)
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            CONTACTS.replace("Zustand", "Stand"),
            "contacts/mapping.yml, line 6, names the column 'Stand' for columns.status, which"
            " contacts/list.csv does not have; it has: Adresse, Kundennr, Geb",
        ),
        (
            CONTACTS.replace("customer_ref: Kundennr", "customer: Kundennr"),
            "contacts/mapping.yml, line 3: `columns.customer` is none of our columns",
        ),
        (
            "columns: {status: Zustand}\n",
            "contacts/mapping.yml does not say where email or phone or loyalty_id or customer_ref",
        ),
        ("columns: {email: no}\n", "YAML reads email's header as false; quote it"),
        ("columns: {email: [a]}\n", "contacts/mapping.yml, line 1: `columns.email` is wrong"),
        ("columns: {email: 'a\n", "contacts/mapping.yml is not valid YAML at line"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(
    exports: ExportShop, text: str, sentence: str
) -> None:
    exports.write("contacts/mapping.yml", text)
    exports.write("contacts/list.csv", LIST)
    with pytest.raises(UsageError) as error:
        exports.run("contacts")
    assert sentence in error.value.message
    assert error.value.hint
