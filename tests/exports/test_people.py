"""Exports of people: who they are, what they permitted and what they refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import pytest

from ingestion.config import Settings
from orchestration.activation.gate import Identifier, Policy, decide, load_states
from orchestration.home.layout import Home
from orchestration.ops.permission.consent_facts import record_consent_facts
from orchestration.ops.store import Store, open_store, to_micros
from tests.exports.conftest import AS_OF, SAMPLES, ExportShop

PEOPLE = (
    *("shopify_customers_export.csv", "klaviyo_list_export.csv"),
    *("subscribed_email_audience_export_1a2b3c.csv", "cleaned_email_audience_export_1a2b3c.csv"),
    "unsubscribed_email_audience_export_1a2b3c.csv",
    *sorted(path.name for path in SAMPLES.glob("suppression_*.csv")),
)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> ExportShop:
    shop = ExportShop(tmp_path_factory.mktemp("people"), Settings())
    for sample in PEOPLE:
        shop.put(sample)
    shop.run("contacts", "consents")
    return shop


@pytest.fixture(scope="module")
def store(people: ExportShop) -> Iterator[Store]:
    home = Home(people.home)
    home.create()
    with open_store(home) as opened:
        record_consent_facts(opened, home.raw, as_of=AS_OF, default_country="GB")
        yield opened


# Yes where the export says yes with a time, else why not. Sue was imported; the name of a file of
# suppressions is a refusal as well.
@pytest.mark.parametrize(
    ("kind", "value", "channel", "reason"),
    [
        ("email", "kim@example.com", "email", None),
        ("phone", "+447700900301", "sms", "unsubscribed"),
        ("email", "lou@example.com", "email", "unsubscribed"),
        ("email", "max@example.com", "email", "no_consent"),
        ("email", "ned@example.com", "email", "no_consent"),
        ("email", "oli@example.com", "email", "hard_bounce"),
        ("email", "pat@example.com", "email", "no_consent"),
        ("email", "ray@example.com", "email", None),
        ("email", "sue@example.com", "email", "no_consent"),
        ("email", "tom@example.com", "email", "unsubscribed"),
        ("email", "una@example.com", "email", "hard_bounce"),
        ("email", "vic@example.com", "email", "unsubscribed"),
        ("email", "wes@example.com", "email", "manual"),
        ("email", "xan@example.com", "email", "no_consent"),
        ("email", "yul@example.com", "email", "spam_report"),
        ("email", "zed@example.invalid", "email", "hard_bounce"),
        ("email", "ivy@example.com", "email", "no_consent"),
        ("email", "jon@example.com", "email", "unsubscribed"),
        ("phone", "+447700900201", "sms", "unsubscribed"),
        ("phone", "+447700900203", "sms", "no_consent"),
    ],
)
def test_a_yes_has_its_time_and_no_refusal_is_lost(
    store: Store, kind: str, value: str, channel: str, reason: str | None
) -> None:
    policy = Policy(channel, "marketing")
    with store.read() as connection:
        standings = load_states(connection, [(kind, value)], policy, to_micros(AS_OF))
    decision = decide([Identifier(kind, value)], standings, policy)
    assert (str(decision.reason) if decision.reason else None) == reason


def test_a_birthday_without_its_year_is_a_day_of_the_year(people: ExportShop) -> None:
    assert people.raw(
        "select email, birthday, attributes->>'$.birthday_month_day' from raw_contacts.contacts"
        " where _file like '%/subscribed%' order by 1"
    ) == [("ray@example.com", None, "04-17"), ("sue@example.com", None, None)]


def test_a_birthday_with_its_year_is_a_date(exports: ExportShop) -> None:
    text = (SAMPLES / "subscribed_email_audience_export_1a2b3c.csv").read_text("utf-8")
    exports.write("a.csv", text.replace("04/17", "1985-04-17"))
    assert exports.run("contacts")["contacts.contacts"].emptied == {"birthday": 1}  # 13/45
    assert (date(1985, 4, 17),) in exports.raw("select birthday from raw_contacts.contacts")


def test_further_columns_are_traits_and_addresses_of_computers_are_not_kept(
    people: ExportShop,
) -> None:
    traits = dict(
        people.raw(
            "select email, attributes from raw_contacts.contacts"
            " where email in ('ray@example.com', 'kim@example.com', 'ivy@example.com')"
        )
    )
    assert '"Favourite colour":"green"' in traits["ray@example.com"]
    assert traits["kim@example.com"] == '{"Favourite tea":"Assam"}'
    assert '"Shoe size' in traits["ivy@example.com"]
    assert "203.0.113" not in str(traits)


def test_a_header_in_german_is_the_same_export(people: ExportShop) -> None:
    assert people.raw(
        "select first_name, last_name, status, created_at from raw_contacts.contacts"
        " where email = 'tom@example.com'"
    ) == [("Tom", "Uhl", "unsubscribed", datetime(2022, 1, 1, 9))]


def test_numbers_behind_an_apostrophe_are_numbers(people: ExportShop) -> None:
    assert people.raw(
        "select phone, postcode, customer_ref from raw_contacts.contacts"
        " where email = 'ivy@example.com'"
    ) == [("+447700900201", "YO1 7HY", "7001")]


def test_a_list_of_addresses_that_says_nothing_else_is_no_suppression(exports: ExportShop) -> None:
    exports.write("contacts/friends.csv", "email,created\nann@example.com,2025-01-01\n")
    exports.run("contacts")
    assert exports.raw("select email, status from raw_contacts.contacts") == [
        ("ann@example.com", None)
    ]
