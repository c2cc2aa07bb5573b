"""Shops of other countries, sixty people each, as raw rows or files, and the values that are right.

Belongs here: the rows and what must come of them, worked out in Python without any of the product's
code. Does not belong here: building or running anything.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.config import Settings, Shop
from tests.dbt.world import World

PEOPLE = 60
AS_OF = datetime(2026, 3, 31, 12)


@dataclass(frozen=True)
class Country:
    """One shop. `phone` is (as written there, in E.164), each with the person's two digits in it.

    `second` is another currency that every third order is in; `rates` are dated, into the shop's.
    """

    name: str
    timezone: str
    currency: str
    code: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    phone: tuple[str, str]
    postcode: str
    price: str
    second: str = ""
    rates: tuple[tuple[str, str], ...] = ()

    @property
    def settings(self) -> Settings:
        """What such a shop writes into regulars.toml."""
        shop = Shop(
            name=f"{self.name} shop",
            timezone=self.timezone,
            currency=self.currency,
            default_country=self.code,
        )
        return Settings(shop=shop)


GERMAN = ("Jürgen", "Zoë", "Anna", "Müller", "Ümit", "Élodie")
COUNTRIES = (
    Country(
        "Berlin", "Europe/Berlin", "EUR", "DE", GERMAN,
        ("Groß", "Weiß", "Öztürk", "Šimić", "Łukasz", "Ngô", "Schön", "Çelik", "Ahrens", "Voß"),
        ("0151 234567{n:02d}", "+49151234567{n:02d}"), "10{n:03d}", "19.99",
    ),
    Country(
        "Los Angeles", "America/Los_Angeles", "USD", "US",
        ("José", "Siobhán", "D'Andre", "Renée", "Björk", "Mary-Ann"),
        ("Núñez", "O'Neil", "Nguyễn", "Peña", "Kowalski", "Lee", "García", "Zhou", "Ibáñez", "Ray"),
        ("(213) 555-01{n:02d}", "+121355501{n:02d}"), "90{n:03d}-1234", "24.95",
    ),
    Country(
        "Tokyo", "Asia/Tokyo", "JPY", "JP", ("花子", "太郎", "さくら", "健", "ユキ", "葵"),
        ("佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤"),
        ("090-1234-56{n:02d}", "+8190123456{n:02d}"), "〒150-00{n:02d}", "1980",
    ),
    Country(
        "Kolkata", "Asia/Kolkata", "INR", "IN", ("প্রিয়া", "राहुल", "அனிதா", "Aarav", "ਹਰਪ੍ਰੀਤ", "نور"),
        ("শর্মা", "सेन", "குமார்", "Das", "ਸਿੰਘ", "خان", "Bose", "Roy", "Dutta", "Ghosh"),
        ("098765 432{n:02d}", "+9198765432{n:02d}"), "7000{n:02d}", "1499.50",
    ),
    Country(
        "Zurich", "Europe/Zurich", "CHF", "CH", GERMAN,
        ("Frei", "Rochat", "Berna", "Züst", "Gonçalves", "Meier", "Käser", "Wyss", "Dübi", "Rot"),
        ("079 123 45 {n:02d}", "+4179123 45{n:02d}"), "80{n:02d}", "35.50",
        second="EUR", rates=(("2026-01-01", "0.95"), ("2026-02-15", "0.93")),
    ),
    Country(
        "Stockholm", "Europe/Stockholm", "SEK", "SE",
        ("Åsa", "Björn", "Örjan", "Märta", "Ali", "Saga"),
        ("Sjöberg", "Åkesson", "Öberg", "Hägg", "Lindström", "Ek", "Bäck", "Ström", "Löf", "Hjort"),
        ("070-123 45 {n:02d}", "+467012345{n:02d}"), "11{n:03d}", "249.00",
        second="NOK",
    ),
)  # fmt: skip


@dataclass
class Person:
    """One of the sixty, with what must be known of them in the end."""

    number: int
    email: str
    first_name: str
    last_name: str
    phone: str
    phone_e164: str
    country: str
    postcode: str
    has_permission: bool
    orders: list[Order] = field(default_factory=list)

    @property
    def value(self) -> Decimal | None:
        """All orders in the shop's currency; None where one of them has no rate."""
        amounts = [order.in_shop_currency for order in self.orders]
        return None if None in amounts else sum((a for a in amounts if a is not None), Decimal(0))


@dataclass
class Order:
    """One order; `ordered_at` is UTC, `day` the shop's."""

    order_id: str
    ordered_at: datetime
    day: date
    currency: str
    amount: Decimal
    in_shop_currency: Decimal | None


def people_of(country: Country) -> list[Person]:
    """Sixty people; every tenth lives in Britain and writes a British number the national way."""
    people = []
    for number in range(PEOPLE):
        at_home = number % 10 != 9
        written, e164 = country.phone if at_home else ("07700 9001{n:02d}", "+4477009001{n:02d}")
        person = Person(
            number,
            f"person{number:02d}@{country.name.split()[0].lower()}.example",
            country.first_names[number % len(country.first_names)],
            country.last_names[number // len(country.first_names)],
            written.format(n=number),
            e164.format(n=number).replace(" ", ""),
            country.code if at_home else "GB",
            country.postcode.format(n=number) if at_home else f"SW1A {number % 10}AA",
            number % 2 == 0,
        )
        person.orders = list(_orders(country, person))
        people.append(person)
    return people


def _orders(country: Country, person: Person) -> Iterator[Order]:
    """None to three orders, some in the last and first minutes of a day in the shop."""
    zone = ZoneInfo(country.timezone)
    for count in range(person.number % 4):
        day = date(2026, 1, 10) + timedelta(days=person.number + 5 * count)
        minutes = (0, 24 * 60 - 1, 12 * 60)[count]
        local = datetime.combine(day, datetime.min.time(), zone) + timedelta(minutes=minutes)
        serial = person.number + count
        foreign = bool(country.second) and serial % 3 == 0
        amount = Decimal(country.price) * (count + 1)
        yield Order(
            f"{person.number:02d}{count}",
            local.astimezone(UTC).replace(tzinfo=None),
            day,
            country.second if foreign else country.currency,
            amount,
            _converted(country, amount, day) if foreign else amount,
        )


def _converted(country: Country, amount: Decimal, day: date) -> Decimal | None:
    known = [Decimal(rate) for since, rate in country.rates if date.fromisoformat(since) <= day]
    return amount * known[-1] if known else None


def _contact(person: Person) -> dict[str, Any]:
    return {
        "email": person.email,
        "phone": person.phone,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "country": person.country,
        "postcode": person.postcode,
        "source": "newsletter",
        "created_at": "2025-12-01 10:00:00",
    }


def _consent(person: Person) -> dict[str, Any]:
    return {
        "identifier_type": "email",
        "identifier_value": person.email,
        "channel": "email",
        "purpose": "marketing",
        "status": "granted",
        "occurred_at": "2025-12-01 10:00:00",
        "source": "newsletter",
        "wording_version": "v1",
    }


def _document(person: Person, order: Order) -> dict[str, Any]:
    """The order as Shopify writes it."""
    count = int(order.order_id[-1]) + 1
    moment = f"{order.ordered_at:%Y-%m-%dT%H:%M:%SZ}"
    line = {"id": f"{order.order_id}1", "product_id": "p1", "sku": "S1", "title": "Tea"}
    return {
        "id": order.order_id,
        "created_at": moment,
        "processed_at": moment,
        "updated_at": moment,
        "currency": order.currency,
        "email": person.email,
        "billing_address": {
            "first_name": person.first_name,
            "last_name": person.last_name,
            "country_code": person.country,
            "zip": person.postcode,
            "phone": person.phone,
        },
        "financial_status": "paid",
        "line_items": [
            line | {"quantity": count, "price": str(order.amount / count), "total_discount": "0"}
        ],
        "total_discounts": "0",
        "total_tax": "0",
        "payment_gateway_names": ["shopify_payments"],
        "source_name": "web",
    }


def fill(world: World, country: Country) -> None:
    """The shop as raw rows and an export of ops."""
    people = people_of(country)
    world.add("raw_contacts.contacts", map(_contact, people))
    world.add(
        "raw_orders.orders",
        [
            {
                "order_id": order.order_id,
                "created_at": order.ordered_at,
                "processed_at": order.ordered_at,
                "updated_at": order.ordered_at,
                "currency": order.currency,
                "payload": _document(person, order),
            }
            for person in people
            for order in person.orders
        ],
    )
    world.add("raw_rates.rates", _rates(country))
    world.export(
        "consent_events",
        [
            _consent(person)
            | {
                "consent_event_id": f"consent-{person.number}",
                "lawful_basis": "consent",
                "recorded_at": "2026-01-01",
            }
            for person in people
            if person.has_permission
        ],
    )
    run = {"run_id": "run", "as_of": world.as_of, "code_version": "test", "status": "succeeded"}
    counts = ("rows_received", "rows_loaded", "rows_quarantined", "rows_duplicate")
    world.export("runs", [run | dict.fromkeys(counts, 0)])


def write_files(country: Country, folder: Path) -> None:
    """The same shop as a folder in the layout of docs/formats.md."""
    people = people_of(country)
    _csv(folder / "contacts" / "a.csv", [_contact(person) for person in people])
    _csv(folder / "consents" / "a.csv", [_consent(each) for each in people if each.has_permission])
    _csv(folder / "rates" / "a.csv", _rates(country))
    orders = [json.dumps(_document(each, order)) for each in people for order in each.orders]
    (folder / "orders").mkdir()
    (folder / "orders" / "a.jsonl").write_text("\n".join(orders) + "\n", "utf-8")


def _rates(country: Country) -> list[dict[str, Any]]:
    return [
        {"date": since, "currency": country.second, "rate": rate} for since, rate in country.rates
    ]


def _csv(path: Path, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
