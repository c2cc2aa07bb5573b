"""The statement for a customer: in plain words, and with nothing of anybody else in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from ingestion.config import Privacy, Settings, Shop
from ingestion.errors import UsageError
from orchestration.commands.statement import print_statement
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import open_store
from orchestration.who.explain import NotFoundError
from orchestration.who.statement.build import statement
from orchestration.who.statement.expected import expected
from orchestration.who.statement.known import is_own
from orchestration.who.statement.page import page, render
from orchestration.who.statement.parts import Asked, Section, Statement, own_only
from orchestration.words import to_customers as words

AT = datetime(2026, 6, 1, 23, 30)
MAY = datetime(2026, 5, 1, 9)
SETTINGS = Settings(
    shop=Shop(name="Kōhī & Söhne", timezone="Asia/Tokyo", currency="JPY", default_country="JP"),
    privacy=Privacy(contact="privacy@shop.example"),
)
ASKED = Asked(
    settings=SETTINGS,
    at=AT,
    as_of=AT,
    permitted={
        ("email", "marketing"): ("granted", "r1"),
        ("sms", "marketing"): ("unsubscribed", None),
        ("ads", "ads"): ("no_consent", None),
    },
    segments={
        "vip": {"label": "Best buyers", "message_kind": "offer", "channel": "email"},
    },
    products={"p1": "Teapot", "p2": "Sencha"},
)
EMAIL = "花子@shop.example"


def trait(name: str, value: str, kind: str = "stated", source: str = "contacts:quiz") -> Any:
    return {
        "trait": name,
        "value": value,
        "evidence_kind": kind,
        "source": source,
        "stated_at": MAY,
        "valid_to": None,
        "score": None,
    }


def claim(name: str, value: str, *, won: bool = True) -> dict[str, Any]:
    said = {"field": name, "claimed_value": value, "is_winner": won, "fact_kind": "stated"}
    return {**said, "source_system": "shopify", "stated_at": MAY}


TABLES: dict[str, list[dict[str, Any]]] = {
    "marts.bridge_customer_identifiers": [
        {
            "identifier_type": kind,
            "identifier_value": value,
            "evidence_grade": grade,
            "is_shared": shared,
            "is_verified": kind == "email",
            "first_seen_at": MAY,
            "last_seen_at": AT,
        }
        for kind, value, grade, shared in (
            ("email", EMAIL, "card_paid_order", False),
            ("device", "dev-1", "checkout", False),
            ("device", "kiosk", "checkout", True),
        )
    ],
    "marts.fct_customer_field_provenance": [
        claim("first_name", "花子"),
        claim("first_name", "Stranger", won=False),
    ],
    "marts.customer_traits": [
        trait("birthday", "02-29"),
        trait("children", "Tom and Ida"),
        trait("tochter", "Mia Schulze"),
        trait("needs", f"write to {EMAIL}, not to bo@other.example or +44 20 7946 0000"),
        trait("bought_category", "tea_ware", "observed", "orders"),
        {**trait("bought_hour", "11", "observed", "orders"), "stated_at": datetime(2025, 1, 1)},
        trait("bought_hour", "13", "observed", "orders"),
        trait("visited_weekday", "friday", "observed", "web"),
    ],
    "marts.fct_customer_journey_stages": [
        {"stage": "advocacy", "is_current": True, "entered_at": MAY, "entry_reason": "10 orders"}
    ],
    "marts.fct_orders": [
        {
            "order_id": "o1",
            "order_source": "shopify",
            "ordered_at": datetime(2026, 5, 1, 20),
            "store_id": None,
            "sales_channel": "online",
            "status": "placed",
            "is_kept": True,
            "net_sales": Decimal("1000.0000"),
            "total_sales": Decimal("1200.0000"),
            "currency": "JPY",
        }
    ],
    "marts.dim_customers": [{"lifetime_net_sales": Decimal("1000.0000"), "currency": "JPY"}],
    "marts.customer_personalisation": [
        {"level": "full", "reason": "granted", "answered_at": MAY, "source": "preference_centre"}
    ],
    "segments.seg_vip": [{"reason": "Number 1 of 3 buyers.", "context": "{}"}],
    "marts.fct_segment_memberships": [{"segment": "vip", "entered_at": MAY, "is_current": True}],
    "marts.fct_customer_clv": [
        {
            "as_of_date": date(2026, 6, 2),
            "predicted_clv_365d": Decimal("4000"),
            "predicted_clv_low": Decimal("900"),
            "predicted_clv_high": Decimal("9000"),
            "currency": "JPY",
        }
    ],
    "marts.fct_customer_predictions": [
        {"as_of_date": date(2026, 5, 31), "churn_risk": 0.9, "next_category": None},
        {"as_of_date": date(2026, 6, 2), "churn_risk": 0.254, "next_category": "Tea"},
    ],
    "marts.fct_recommendations": [
        {"kind": "next", "rank": 1, "product_id": "p1"},
        {"kind": "replenish", "rank": 1, "product_id": "p2"},
    ],
    "marts.fct_replenishments": [{"product_id": "p2", "due_at": datetime(2026, 7, 1, 20)}],
    "marts.fct_customer_rfm": [{"as_of_date": date(2026, 5, 31), "rfm_segment": "champions"}],
    "ops.consent_events": [
        {
            "consent_event_id": "r1",
            "identifier_type": "email",
            "identifier_value": EMAIL,
            "channel": "email",
            "purpose": "marketing",
            "status": "granted",
            "occurred_at": MAY,
            "source": "newsletter",
        }
    ],
    "ops.suppressions": [
        {
            "identifier_type": "email",
            "identifier_value": EMAIL,
            "channel": "sms",
            "purpose": "*",
            "reason": "unsubscribed",
            "occurred_at": AT,
            "source": "messages:replied",
        }
    ],
    "ops.deliveries": [
        {
            "destination": "klaviyo",
            "segment": "vip",
            "operation": "added",
            "outcome": "delivered",
            "delivered_at": MAY,
        }
    ],
    "ops.audience_states": [
        {
            "destination": "klaviyo",
            "segment": "vip",
            "is_member": True,
            "payload": '{"customer_id": "c1", "email": "x", "first_name": "y", "segment": "vip"}',
        }
    ],
}
GOLDEN = Path(__file__).with_name("statement.txt").read_text("utf-8")


def lines(told: Statement) -> Iterator[str]:
    """The statement as text that no width changes."""
    yield from (told.title, told.about)
    for section in told.sections:
        yield from ("", section.title, *(f"  {sentence}" for sentence in section.sentences))
        if section.rows:
            yield from (f"  {' · '.join(row)}" for row in (section.columns, *section.rows))


def printed(told: Statement, width: int = 200) -> str:
    out = StringIO()
    Console(file=out, width=width, color_system=None).print(render(told))
    return out.getvalue()


def test_a_small_person_in_plain_words() -> None:
    assert "\n".join(lines(statement(TABLES, ASKED))) + "\n" == GOLDEN


@pytest.mark.parametrize("levels", [[], ["none"], ["segment"], ["unheard of"], ["full", "none"]])
def test_what_may_suit_somebody_is_listed_at_the_level_that_permits_alone(
    levels: list[str],
) -> None:
    answers = {"marts.customer_personalisation": [{"level": level} for level in levels]}
    told = expected(TABLES | answers, ASKED, str)
    text = str((told.sentences, told.rows))
    for name in ("Teapot", "Sencha", "Tea"):
        assert name not in text
    assert words.NOT_LISTED in text and "4,000 JPY" in text


def test_what_is_worked_out_is_never_said_to_be_told_or_seen() -> None:
    rows = expected(TABLES, ASKED, str).rows
    assert len(rows) == 5
    assert {row[2] for row in rows} == {words.KINDS["inferred"]}
    assert expected({}, ASKED, str).sentences == ["Nothing."]


def test_both_layouts_have_every_word_and_no_markup_of_a_value() -> None:
    evil = {**TABLES, "marts.fct_customer_field_provenance": [claim("first_name", "<b>[/b]&")]}
    told = statement(evil, ASKED)
    assert "<b>[/b]&" in printed(told)
    html = page(told)
    assert "&lt;b&gt;[/b]&amp;" in html
    assert "<b>" not in html
    for url in re.findall(r"(?:src|href|url)\s*[=(]\S*", html):
        pytest.fail(f"the page asks for {url}")
    shown = re.sub(r"\s+", "", printed(told, width=40))
    for section in statement(TABLES, ASKED).sections:
        assert re.sub(r"\s+", "", section.title) in shown


def test_no_code_and_no_id_is_told() -> None:
    text = "\n".join(lines(statement(TABLES, ASKED)))
    for code in ("customer_id", "rfm", "canonical", "dev-1", "kiosk", "r1", "_", "Stranger", "Tom"):
        assert code not in text


def test_a_link_of_ones_own_is_told_where_there_is_one() -> None:
    link = "https://hooks.shop.example/unsubscribe/abc"
    told = statement(TABLES, replace(ASKED, link=link))
    assert link in "\n".join(told.sections[-1].sentences)


@pytest.mark.parametrize(
    "name",
    [
        *("household", "partner_name", "children_ages", "enfants", "дети", "referrer", "son"),
        *("gift_recipient", "husband", "emergency_contact", "best_friend", "recommended_by"),
        *("tochter", "geworben_von", "parrain", "gift_for", "ehemann", "contact_person", "notes"),
        *("sizes_of_jo", "birthday_of_mia", "relationship", "pregnancy", "nickname"),
    ],
)
def test_a_trait_that_may_be_about_others_is_told_by_name_alone(name: str) -> None:
    assert not is_own(name)


@pytest.mark.parametrize(
    "name", ["device_kind", "shoe_size", "hobby", "lifestyle", "birthday", "gender", "visited_city"]
)
def test_traits_of_ones_own_are_told(name: str) -> None:
    assert is_own(name)


def test_a_name_that_was_claimed_holds_nobody_elses_address() -> None:
    claims = [
        claim("first_name", "Bo bo@other.example"),
        claim("last_name", "c/o Carol 0161 496 0018"),
        claim("postcode", "150-0001"),
    ]
    tables = {**TABLES, "marts.fct_customer_field_provenance": claims}
    rows = statement(tables, ASKED).sections[0].rows
    assert [row[1] for row in rows[:3]] == ["Bo •••", "c/o Carol •••", "150-0001"]


@pytest.mark.parametrize(("claimed", "told"), [("US-TX", ["US-TX"]), ("US", [])])
def test_a_region_is_told_where_one_is_known(claimed: str, told: list[str]) -> None:
    tables = {**TABLES, "marts.fct_customer_field_provenance": [claim("region_code", claimed)]}
    rows = statement(tables, ASKED).sections[0].rows
    assert [row[1] for row in rows if row[0] == "State or province"] == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{EMAIL.upper()} and x@y.example", f"{EMAIL.upper()} and •••"),
        ("0044 20 7946 0000", "•••"),
        ("+44/161/4960018", "•••"),
        ("+44 (0)161 – 496 0018", "•••"),
        ("2025-01-01 12345678", "2025-•••"),
        ("٠١٦١٤٩٦٠٠١٨ and ２０１６１４９", "••• and •••"),
        ("0161\u200b496\u20110018", "•••"),
        ("bo＠other.example", "•••"),
        ("bo%40other.example and bo&#64;other.example", "••• and •••"),
        ("bo (at) other.example", "•••"),
        ("since 2020-05-01, 3 children, size 42", "since 2020-05-01, 3 children, size 42"),
    ],
)
def test_addresses_and_numbers_of_others_are_masked(text: str, told: str) -> None:
    assert own_only(TABLES)(text) == told


def order(name: str, day: int, net: str, **others: Any) -> dict[str, Any]:
    (placed,) = TABLES["marts.fct_orders"]
    amount = Decimal(net)
    when = {"order_id": name, "ordered_at": datetime(2026, 5, day, 9), "currency": "GBP"}
    return {**placed, **when, "net_sales": amount, "total_sales": amount + 5, **others}


def line(order_id: str, product: str, *, back: bool = False) -> dict[str, Any]:
    pieces = {"quantity": -1 if back else 1, "returned_quantity": 1 if back else 0}
    of = {"order_source": "shopify", "order_id": order_id, "product_id": product}
    return {**of, **pieces, "is_return_line": back}


def sections_of(tables: dict[str, Any], asked: Asked = ASKED) -> dict[str, Section]:
    return {section.title: section for section in statement({**TABLES, **tables}, asked).sections}


def test_a_return_is_no_order_and_stands_with_the_order_it_is_of() -> None:
    back = {"status": "returned", "is_kept": False}
    tables = {
        "marts.dim_customers": [],
        "marts.fct_orders": [
            order("s1", 1, "30.50"),
            order("s2", 2, "80.95"),
            order("s3", 3, "20"),
            order("r2", 9, "-80.95", **back),
            order("r3", 10, "-7", **back),
            order("r9", 11, "-3", **back),
        ],
        "marts.fct_order_lines": [
            *(line("s1", "cup"), line("s2", "cup"), line("s2", "pot")),
            *(line("s3", "tea"), line("s3", "tin")),
            *(line("r2", "pot", back=True), line("r2", "cup", back=True)),
            *(line("r3", "tin", back=True), line("r9", "hat", back=True)),
        ],
    }
    told = sections_of(tables)["Your orders"]
    assert told.sentences[0] == "3 orders, the first on 1 May 2026, the last on 3 May 2026."
    assert told.sentences[1].startswith("1 other record beside them")
    assert [(row[0], *row[2:]) for row in told.rows] == [
        ("11 May 2026", "sent back", "−3.00 GBP", "2.00 GBP"),
        ("3 May 2026", "partly sent back", "13.00 GBP", "23.00 GBP"),
        ("2 May 2026", "sent back", "0.00 GBP", "10.00 GBP"),
        ("1 May 2026", "ordered", "30.50 GBP", "35.50 GBP"),
    ]


@pytest.mark.parametrize(
    ("reason", "context", "told"),
    [
        ("Who buys most.", "{}", "email address, country, the group's description"),
        ("Who buys most.", '{"a": 1}', "email address, country, the group's description"),
        ("Bought 3.", "{}", "email address, country, why you are in the group"),
        (
            "Bought 3.",
            '{"b": 2}',
            "email address, country, why you are in the group, what the message may say about you",
        ),
    ],
)
def test_what_went_out_is_said_as_it_went_out(reason: str, context: str, told: str) -> None:
    """At the level none it is the description; columns such as the country go at every level."""
    payload = {"email": "x", "country_code": "GB", "reason": reason, "context": context}
    (state,) = TABLES["ops.audience_states"]
    vip = {**ASKED.segments["vip"], "description": "Who buys most.", "plain_context": '{"a": 1}'}
    asked = replace(ASKED, segments={"vip": vip})
    tables = {"ops.audience_states": [{**state, "payload": json.dumps(payload)}]}
    for level in ("none", "full"):
        levels = {"marts.customer_personalisation": [{"level": level, "reason": "never_asked"}]}
        section = sections_of({**tables, **levels}, asked)["Who received it"]
        assert section.rows[0][2] == told
        assert (section.sentences == [words.GOES_ALONG.format("country")]) is (level == "none")


def event(status: str, day: int, **others: str) -> dict[str, Any]:
    (given,) = TABLES["ops.consent_events"]
    when = {"status": status, "occurred_at": datetime(2026, 4, day), "lawful_basis": "consent"}
    return {**given, "consent_event_id": f"{status}{day}", **when, **others}


def test_nothing_is_called_a_yes_that_was_none() -> None:
    contract = {"lawful_basis": "contract", "purpose": "transactional", "source": "order"}
    events = [event("granted", 1, **contract), event("revoked", 2, channel="sms", purpose="*")]
    permitted = {
        ("email", "transactional"): ("granted", "granted1"),
        ("sms", "personalisation"): ("revoked", None),
    }
    told = sections_of(
        {"ops.consent_events": events, "ops.suppressions": []}, replace(ASKED, permitted=permitted)
    )
    assert [row[2] for row in told["What we may send you"].rows] == [
        "Yes: you ordered, so we may write to you about it",
        "No: you said no",
    ]
    assert [row[1] for row in told["What you told us about that"].rows] == [
        "You said no",
        "You ordered, so we may write to you about it",
    ]


def test_a_yes_is_taken_back_only_for_what_it_was_given_for() -> None:
    events = [event("granted", 1), event("revoked", 2, channel="*", purpose="*")]
    permitted = {("email", "marketing"): ("revoked", None), ("email", "ads"): ("revoked", None)}
    told = sections_of(
        {"ops.consent_events": events, "ops.suppressions": []}, replace(ASKED, permitted=permitted)
    )
    assert [row[1:3] for row in told["What we may send you"].rows] == [
        ("news and offers", "No: you took your yes back"),
        ("advertising", "No: you said no"),
    ]
    assert told["What you told us about that"].rows[0][1] == "You took your yes back"


def test_devices_that_answered_differently_are_said() -> None:
    events = [event("denied", 1, identifier_value="old@shop.example"), event("granted", 2)]
    tables = {"ops.consent_events": events, "ops.suppressions": []}
    permitted = {("email", "marketing"): ("denied", None)}
    (row,) = sections_of(tables, replace(ASKED, permitted=permitted))["What we may send you"].rows
    assert row[2].startswith("No: you said no; your devices or addresses answered differently")
    tables = {**tables, "ops.consent_events": events[:1]}
    (row,) = sections_of(tables, replace(ASKED, permitted=permitted))["What we may send you"].rows
    assert row[2] == "No: you said no"


# A world of people who share a house, a tablet and a phone ---------------------------------------
SHOP = Path(__file__).with_name("explained_shop.sql").read_text("utf-8").partition("-- Rows")[0]
FURTHER = """
alter table marts.bridge_customer_identifiers add column is_shared boolean;
alter table marts.bridge_customer_identifiers add column is_verified boolean;
create table marts.bridge_customer_households (customer_id text, household_id text, member text);
create table marts.customer_lists (customer_id text, list_name text, is_member boolean);
create table marts.fct_orders (customer_id text, order_id text, ordered_at timestamp,
    order_source text, is_kept boolean, store_id text, sales_channel text, status text,
    net_sales decimal(18,4), total_sales decimal(18,4), currency text, gift_recipient text);
insert into ops.build values ('b1', 'r1', timestamp '2026-06-01');
insert into marts.dim_segments values ('vip', 'VIP');
"""
PEOPLE = 12


def person(number: int) -> dict[str, str]:
    """Values that nobody else has."""
    return {
        "first_name": f"Canary{number:03}first",
        "last_name": f"Canary{number:03}last",
        "email": f"canary{number:03}@mail.example",
        "phone": f"+44207946{number:04}",
        "street": f"Canary{number:03}street",
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Each shares with the next: a household, a device, names that lost, gifts, lists, texts."""
    home = Home(tmp_path_factory.mktemp("statement") / "home").create()
    when = "timestamp '2026-05-01'"
    with duckdb.connect(str(home.published)) as file:
        file.execute(SHOP + FURTHER)
        for number in range(PEOPLE):
            own, other = person(number), person((number + 1) % PEOPLE)
            who = f"'c{number}'"
            file.execute(f"""
                insert into marts.dim_customers by name
                select {who} as customer_id, 'buyer' as customer_type, '{own["email"]}' as email;
                insert into marts.bridge_customer_identifiers by name
                select {who} as customer_id, * from (values
                    ('email', '{own["email"]}', false), ('phone', '{own["phone"]}', false),
                    ('device', '{other["phone"]}', true), ('loyalty_id', '{other["street"]}', true)
                ) as t (identifier_type, identifier_value, is_shared);
                insert into marts.fct_customer_field_provenance by name
                select {who} as customer_id, 'shopify' as source_system, * from (values
                    ('first_name', '{own["first_name"]}', true),
                    ('last_name', '{own["last_name"]}', true),
                    ('first_name', '{other["first_name"]}', false),
                    ('last_name', '{other["last_name"]}', false),
                    ('phone', '{other["phone"]}', true)
                ) as t (field, claimed_value, is_winner);
                insert into marts.customer_traits by name
                select {who} as customer_id, 'contacts' as source, 'stated' as evidence_kind,
                    {when} as stated_at, * from (values
                    ('household', 'with {other["first_name"]}'),
                    ('referred_by', '{other["last_name"]}'),
                    ('children', '{other["first_name"]}'),
                    ('tochter', '{other["first_name"]}'),
                    ('geworben_von', '{other["last_name"]}'),
                    ('lifestyle', '{own["street"]}'),
                    ('needs', 'call {other["phone"]} or {other["email"]}')
                ) as t (trait, value);
                insert into marts.bridge_customer_households
                values ({who}, 'h1', '{other["last_name"]}');
                insert into marts.customer_lists
                values ({who}, 'Friends of {other["email"]}', true);
                insert into marts.fct_orders by name
                select {who} as customer_id, 'o{number}' as order_id, {when} as ordered_at,
                    'orders' as order_source, true as is_kept, 'online' as sales_channel,
                    'placed' as status, 9 as net_sales, 10.5 as total_sales,
                    'EUR' as currency, '{other["first_name"]}' as gift_recipient;
                insert into marts.fct_interactions by name
                select {who} as customer_id, {when} as occurred_at, 'referral' as kind,
                    '{{"referrer": "{other["email"]}"}}' as detail, {number} as interaction_id;
                insert into segments.seg_vip
                values ({who}, 'Bought with {other["email"]}', '{{"who": "{other["last_name"]}"}}');
            """)
    events = [
        ConsentEvent(
            "email",
            person(number)["email"],
            channel="email",
            purpose="marketing",
            status="granted",
            occurred_at=MAY,
            source=f"told by {person((number + 1) % PEOPLE)['email']}",
            wording_version="v1",
        )
        for number in range(PEOPLE)
    ]
    events.append(replace(events[0], identifier_value="new@nowhere.example", status="revoked"))
    with open_store(home) as store:
        record_consents(store, events, recorded_at=AT)
    return home


def told_to(home: Home, who: str, html: Path | None = None) -> str:
    out = StringIO()
    console = Console(file=out, width=200, color_system=None)
    print_statement(home, who, html, console, lambda *_: "", at=AT)
    return out.getvalue() if html is None else html.read_text("utf-8")


@pytest.mark.parametrize("as_page", [False, True])
def test_no_value_of_anybody_else_is_in_anybodys_statement(
    home: Home, tmp_path: Path, as_page: bool
) -> None:
    for number in range(PEOPLE):
        text = told_to(home, f"customer_id:c{number}", tmp_path / "it.html" if as_page else None)
        own = person(number)
        for name, value in own.items():
            assert value in text, name
        for other in range(PEOPLE):
            if other != number:
                found = [name for name, value in person(other).items() if value in text]
                assert found == [], (number, other)


def test_whoever_is_in_no_run_gets_what_was_said(home: Home) -> None:
    text = told_to(home, "new@nowhere.example")
    assert "new@nowhere.example" in text
    assert re.search(r"email\s+news and offers\s+No: you said no", text)
    assert "You said no" in text and "took your yes back" not in text
    assert "unpublished" not in text


def test_somebody_with_nothing_but_a_device_gets_one(home: Home, tmp_path: Path) -> None:
    copy = Home(tmp_path / "home").create()
    copy.published.write_bytes(home.published.read_bytes())
    with duckdb.connect(str(copy.published)) as file:
        file.execute(
            "insert into marts.dim_customers by name"
            " select 'a1' as customer_id, 'anonymous' as customer_type;"
            "insert into marts.bridge_customer_identifiers by name"
            " select 'a1' as customer_id, 'device' as identifier_type,"
            " 'dev-9' as identifier_value, false as is_shared"
        )
    text = told_to(copy, "dev-9")
    assert "Browsers or apps that you used" in text
    assert "You permitted nothing" in text
    assert "dev-9" not in text


def test_a_page_is_its_owners_alone_and_a_missing_folder_is_said(
    home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "it.html"
    told_to(home, "customer_id:c0", path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="cannot be written"):
        told_to(home, "customer_id:c0", tmp_path / "no" / "it.html")
    with pytest.raises(NotFoundError):
        told_to(home, "nobody@nowhere.example")
