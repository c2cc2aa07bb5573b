"""A shop in yen between two moments: its files as a run reads them, and what arrives afterwards.

Belongs here: the files. Does not belong here: running anything, what must come of them.
"""

from __future__ import annotations

import csv
import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

BEFORE = datetime(2026, 6, 10, 3)  # noon in Tokyo
AFTER = BEFORE + timedelta(hours=3)
PEOPLE = 60
PRODUCTS = tuple(f"P{number}" for number in range(12))
SETTINGS = """
input = "{input}"
[shop]
name = "本屋"
timezone = "Asia/Tokyo"
currency = "JPY"
default_country = "JP"
[destinations.file]
kind = "file"
send = true
[destinations.site]
kind = "onsite"
send = true
"""
MAPPING = """
columns:
  order_id: number
  line_id: line
  ordered_at: date
  quantity: pieces
  unit_price: price
  sku: product
  email: mail
currency: JPY
"""


def email(number: int) -> str:
    return f"reader{number:02d}@honya.example"


def event(name: str, number: int | str, at: datetime, **more: Any) -> dict[str, Any]:
    """One web event; a person is their number, whoever has none a device."""
    device = f"device-{number:02d}" if isinstance(number, int) else number
    kind = {"type": "page"} if name == "page" else {"type": "track", "event": name}
    return {
        **kind,
        "messageId": f"{name}-{device}-{at:%d%H%M%S}",
        "anonymousId": device,
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "context": {"page": {"url": "https://honya.example/"}, "userAgent": "Mozilla/5.0 Firefox"},
        "properties": more,
    }


def lay_shop(folder: Path) -> None:
    """What the shop has when the first run reads it."""
    _csv(folder / "orders/orders.csv", _orders())
    (folder / "orders/mapping.yml").write_text(MAPPING, "utf-8")
    _csv(
        folder / "contacts/contacts.csv",
        [
            {
                "email": email(n),
                "first_name": "花子",
                "country": "JP",
                "source": "newsletter",
                "created_at": "2026-01-05T00:00:00Z",
                "status": "subscribed",
            }
            for n in range(PEOPLE)
        ],
    )
    _csv(
        folder / "consents/consents.csv",
        [
            {
                "identifier_type": "email",
                "identifier_value": email(n),
                "channel": channel,
                "purpose": purpose,
                "status": "granted",
                "occurred_at": "2026-01-05T00:00:00Z",
                "source": "form",
                "wording_version": "v1",
            }
            for n in range(PEOPLE)
            for channel, purpose in (("email", "marketing"), ("onsite", "personalisation"))
        ],
    )
    _csv(
        folder / "products/products.csv",
        [
            {
                "product_id": each,
                "sku": each,
                "name": f"本 {each}",
                "category": "本",
                "price": "1500",
            }
            for each in PRODUCTS
        ],
    )
    lines = [
        {
            **event("x", n, BEFORE - timedelta(days=40)),
            "type": "identify",
            "traits": {"email": email(n)},
        }
        for n in range(PEOPLE)
    ]
    append(folder, [*lines, *_before(), *_noise(1, BEFORE - timedelta(days=9), BEFORE, 400)])


def _before() -> list[dict[str, Any]]:
    def ago(minutes: float) -> datetime:
        return BEFORE - timedelta(minutes=minutes)

    return [
        event("Product Added", 1, ago(30), product_id="P1", price=1500),
        event("Product Added", 2, ago(120), product_id="P2", price=1500, cart_id="cart-2"),
        event("Product Viewed", 3, ago(20), product_id="P3"),
        event("Product Viewed", 5, ago(90), product_id="P5"),
        event("Product Added to Wishlist", 6, ago(23 * 60), product_id="P6"),
    ]


def arrived() -> list[dict[str, Any]]:
    """What comes between the two moments."""

    def later(minutes: float) -> datetime:
        return BEFORE + timedelta(minutes=minutes)

    return [
        event("Product Added", 0, later(20), product_id="P0", price=1500),
        event("Order Completed", 2, later(30), order_id="web-2", cart_id="cart-2"),
        event("page", 3, later(2)),
        event("Product Viewed", 3, later(5), product_id="P4"),
        event("Products Searched", 4, later(40), query="無い本", results=0),
        event("Product Added", 5, later(45), product_id="P5", price=1500),
        event("Product Added", 7, later(50), product_id="P7", price=1500),
        event("Product Added", 8, later(55), product_id="P8", price=1500),
        event("Product Added", "unheard-of", later(60), product_id="P8", price=1500),
        *_before()[:2],  # delivered again
        *_noise(2, BEFORE, AFTER, 120),
    ]


def append(folder: Path, events: list[dict[str, Any]], rest: str = "") -> None:
    """Write events to the end of the shop's file of the day, with what is no event after them."""
    file = folder / "web/events.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as stream:
        stream.writelines(json.dumps(each) + "\n" for each in events)
        stream.write(rest)


def _noise(seed: int, start: datetime, end: datetime, count: int) -> list[dict[str, Any]]:
    """Visits of the people from number 10 on, whatever they do in them."""
    chance = random.Random(seed)
    names = (
        "page",
        "Product Viewed",
        "Product Viewed",
        "Product Added",
        "Product Removed",
        "Cart Viewed",
        "Checkout Started",
        "Order Completed",
        "Products Searched",
        "Product Added to Wishlist",
    )
    events = []
    for _ in range(count):
        at = start + (end - start) * chance.random()
        name, number = chance.choice(names), chance.randrange(10, PEOPLE)
        more: dict[str, Any] = {"product_id": chance.choice(PRODUCTS), "price": 1500}
        if name == "Products Searched":
            more = {"query": "本", "results": chance.choice((0, 3))}
        if name == "Order Completed":
            more = {"order_id": f"noise-{seed}-{len(events)}"}
        for step in range(chance.randint(1, 3)):
            moment = at + timedelta(minutes=4 * step)
            if moment < end:
                events.append(event(name, number, moment, **more))
    return sorted(events, key=lambda each: each["timestamp"])


def _orders() -> list[dict[str, str]]:
    chance = random.Random(3)
    return [
        {
            "number": f"{n:02d}-{k}",
            "line": f"{n}-{k}",
            "pieces": "1",
            "price": "1500",
            "date": f"{BEFORE - timedelta(days=chance.randint(20, 150)):%Y-%m-%dT%H:%M:%SZ}",
            "product": chance.choice(PRODUCTS),
            "mail": email(n),
        }
        for n in range(20, PEOPLE)
        for k in range(chance.randint(0, 3))
    ]


def _csv(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
