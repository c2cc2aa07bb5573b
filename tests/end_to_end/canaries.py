"""A shop whose every personal value can be recognised, and the search for them outside its stores.

Belongs here: the input, what is added to the product to make it fail on a value (a suite, a
destination), and where to look. Does not belong here: the failures themselves and what is claimed.

Every personal text holds the word MARK, every phone number begins with PHONES: whatever is found of
either outside the stores has leaked. Words for a state are no personal text: `doctor` quotes those
that nobody has told us.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from orchestration.home.sqlite_file import read_only_sqlite

MARK = "zqcanary"
PHONES = "7700900"
PEOPLE = 60
# What holds people's data by design; everything else of a home is looked through.
STORES = ("raw.duckdb", "warehouse.duckdb", "published.duckdb", "published.candidate", "ops.sqlite")
STORE_FOLDERS = ("ops_export", "delivered")

MAPPING = """\
columns: {order_id: order, ordered_at: date, customer_ref: who, email: email, phone: phone,
          payment_fingerprint: card, first_name: first, last_name: last, sku: sku, quantity: qty,
          unit_price: price}
currency: GBP
timezone: Europe/London
"""

# Both are found by their file alone, as if the shop had added them.
SUITE = """
from orchestration.quality.expectations import Suite, only

def suites(settings, tables):
    looks = "select email, phone, last_name from {table} where email is not null"
    return [
        Suite("looks", "marts.dim_customers", looks, (
            only("email", ["nobody"], "{observed} people have an address.", "Look.", name="email"),
            only("phone", ["nobody"], "{observed} people have a phone.", "Look.", name="phone"),
        )),
        Suite("breaks", "marts.dim_customers", "select email::integer as n from {table}", (
            only("n", [1], "{observed} are not one.", "Look.", name="n"),
        )),
    ]
"""
DESTINATION = """
import httpx
from orchestration.destinations.base import Acknowledgement, Idempotency, Limits, Outcome

class Echo:
    channels, idempotency = frozenset({"email"}), Idempotency.SET
    acknowledgement, limits = Acknowledgement.APPLIED, Limits(5)

    def __init__(self, name, options):
        self.name, self.address = name, options["address"]

    def deliver(self, batch):
        rows = [dict(row.payload) for row in batch.rows]
        answer = httpx.post(self.address, json=rows)
        if answer.status_code == 422:
            return [Outcome(row.key, "rejected", answer.text) for row in batch.rows]
        raise ValueError(f"{answer.status_code} {answer.url} {answer.text}")

    def finish(self, audience):
        pass

    def preview(self, segment):
        return "posted"

    def stays_in(self, folder):
        return False

def create(name, options, home):
    return Echo(name, options)
"""
HOOK = """
import orchestration.destinations, orchestration.quality.suites
orchestration.destinations.__path__.append({destinations!r})
if {with_suite}:
    orchestration.quality.suites.__path__.append({suites!r})
"""


def write_additions(folder: Path, *, with_suite: bool) -> Path:
    """A folder for PYTHONPATH that adds the destination `echo` and, if asked, the suites."""
    destinations, suites = folder / "destinations", folder / "suites"
    for each, name, code in ((destinations, "echo", DESTINATION), (suites, "looks", SUITE)):
        each.mkdir(parents=True, exist_ok=True)
        (each / f"{name}.py").write_text(code, "utf-8")
    hook = HOOK.format(
        destinations=str(destinations), suites=str(suites), with_suite=int(with_suite)
    )
    (folder / "sitecustomize.py").write_text(hook, "utf-8")
    return folder


def write_input(folder: Path) -> Path:
    """Sixty people in every kind of file, each file with rows that cannot be used."""
    people = [_person(number) for number in range(PEOPLE)]
    (folder / "orders").mkdir(parents=True)
    (folder / "orders" / "mapping.yml").write_text(MAPPING, "utf-8")
    lines = [
        {
            "order": f"o{n}",
            "date": f"2026-0{n % 6 + 1}-1{n % 9}",
            "who": f"{MARK}-ref-{n}",
            **_parts(person, "email", "phone", "card", "first", "last"),
            "sku": "s1",
            "qty": 1,
            "price": "9.99",
        }
        for n, person in enumerate(people)
    ]
    bad = [{**lines[0], "date": f"{MARK} on a day"}, {**lines[1], "qty": f"{MARK} pieces"}]
    _csv(folder / "orders" / "a.csv", [*lines, *bad])
    _jsonl(
        folder / "orders" / "b.jsonl",
        [*(_document(n, person) for n, person in enumerate(people[:20])), {"id": f"{MARK}-order"}],
    )
    contacts = [_contact(person) for person in people]
    _csv(folder / "contacts" / "a.csv", [*contacts, {**contacts[0], "email": "", "phone": MARK}])
    consents = [_consent(person) for person in people]
    _csv(
        folder / "consents" / "a.csv",
        [*consents, {**consents[0], "channel": "pigeon"}, {**consents[1], "occurred_at": MARK}],
    )
    events = [event for n, person in enumerate(people) for event in _events(n, person)]
    _jsonl(folder / "web" / "a.jsonl", [*events, {**events[0], "messageId": None}])
    with (folder / "web" / "a.jsonl").open("a", encoding="utf-8") as file:
        file.write(f'{{"type": "track", "userId": "{MARK}@open.example\n')
    mails = [_mail(n, person) for n, person in enumerate(people)]
    _jsonl(folder / "email" / "a.jsonl", [*mails, {**mails[0], "event": "pigeon event"}])
    _csv(
        folder / "payments" / "a.csv",
        [
            {
                "order_id": f"o{n}",
                "provider": "till",
                "fingerprint": person["card"],
                "billing_email": person["email"],
                "billing_name": f"{person['first']} {person['last']}",
                "status": "succeeded",
                "amount": "9.99" if n else MARK,
                "currency": "GBP" if n != 1 else MARK,
                "paid_at": "2026-05-01T10:00:00Z",
            }
            for n, person in enumerate(people)
        ],
    )
    _csv(
        folder / "promotions" / "a.csv",
        [
            {
                "promotion_id": f"p{n}",
                "code": f"{MARK}-voucher-{n}",
                "customer_ref": f"{MARK}-ref-{n}",
                "ends_at": "2026-12-01" if n else MARK,
            }
            for n in range(5)
        ],
    )
    _csv(
        folder / "feedback" / "a.csv",
        [
            {
                "identifier_type": "email",
                "identifier_value": person["email"],
                "kind": "nps" if n else MARK,
                "score": "9" if n != 1 else MARK,
                "occurred_at": "2026-05-01",
            }
            for n, person in enumerate(people[:8])
        ],
    )
    _csv(
        folder / "identity_rules.csv",
        [
            {
                "rule": "must_link" if n != 1 else MARK,
                "type_a": "email",
                "value_a": people[n]["email"],
                "type_b": "phone",
                "value_b": people[n]["phone"],
                "reason": f"{MARK} said so",
            }
            for n in range(3)
        ],
    )
    return folder


def _person(n: int) -> dict[str, str]:
    return {
        "email": f"{MARK}.{n}@people.example",
        "phone": f"+44{PHONES}{n + 100:03d}",
        "card": f"card_{MARK}_{n}",
        "first": f"{MARK.capitalize()}{n}",
        "last": f"Mc{MARK.capitalize()}{n}",
        "street": f"{n} {MARK.capitalize()} Lane",
        "device": f"{MARK}-device-{n}",
        "login": f"{MARK}-login-{n}",
    }


def _parts(person: dict[str, str], *names: str) -> dict[str, str]:
    return {name: person[name] for name in names}


def _document(n: int, person: dict[str, str]) -> dict[str, Any]:
    address = {
        "first_name": person["first"],
        "last_name": person["last"],
        "address1": person["street"],
        "phone": person["phone"],
        "country_code": "GB",
    }
    return {
        "id": 7000 + n,
        "created_at": f"2026-06-0{n % 9 + 1}T10:00:00Z",
        "currency": "GBP",
        "email": person["email"],
        "phone": person["phone"],
        "customer": {"id": 900 + n, "email": person["email"], "first_name": person["first"]},
        "billing_address": address,
        "shipping_address": address,
        "total_price": "12.00",
        "token": f"{MARK}-token-{n}",
        "note": f"ring at {MARK}",
        "discount_codes": [{"code": f"{MARK}-code", "amount": "0.00"}],
        "line_items": [{"id": 1, "price": "12.00", "quantity": 1 if n else MARK, "sku": "s1"}],
    }


def _contact(person: dict[str, str]) -> dict[str, str]:
    return {
        "email": person["email"],
        "phone": person["phone"],
        "first_name": person["first"],
        "last_name": person["last"],
        "birthday": MARK,
        "postcode": f"{MARK} 1AA",
        "source": "newsletter",
        "created_at": "2026-01-05",
        "status": "pigeon status",
        "street": person["street"],
    }


def _consent(person: dict[str, str]) -> dict[str, str]:
    return {
        "identifier_type": "email",
        "identifier_value": person["email"],
        "channel": "email",
        "purpose": "marketing",
        "status": "granted",
        "occurred_at": "2026-01-05T10:00:00Z",
        "source": "newsletter",
        "wording_version": "v1",
        "proof": f"{MARK}-proof",
    }


def _events(n: int, person: dict[str, str]) -> Iterator[dict[str, Any]]:
    common = {
        "anonymousId": person["device"],
        "context": {
            "page": {"url": f"https://shop.example/p?email={person['email']}&token={MARK}"},
            "userAgent": f"{MARK} browser",
        },
    }
    yield {
        **common,
        "type": "identify",
        "messageId": f"i{n}",
        "userId": person["login"],
        "timestamp": f"2026-06-2{n % 9}T10:00:00Z",
        "traits": {"email": person["email"], "phone": person["phone"], "name": person["first"]},
    }
    yield {
        **common,
        "type": "track",
        "messageId": f"t{n}",
        "event": "Product Added",
        "timestamp": f"2026-06-2{n % 9}T11:00:00Z",
        "properties": {"product_id": "p1", "price": "9.99" if n else MARK, "note": MARK},
    }


def _mail(n: int, person: dict[str, str]) -> dict[str, Any]:
    return {
        "email": person["email"],
        "timestamp": 1780000000 + n,
        "event": "click",
        "sg_event_id": f"e{n}",
        "url": f"https://shop.example/?who={person['email']}",
        "ip": "192.0.2.1",
        "reason": f"550 {person['email']} {MARK}",
    }


def _csv(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")


_LEAK = re.compile(f"{MARK}|{PHONES}[1-9][0-9][0-9]".encode(), re.IGNORECASE)
_AROUND = 40  # what is told of a find, so that it is clear whence it comes


def leaks(root: Path, *texts: str) -> list[str]:
    """`file: what was found` for every place outside the stores, in the files and what was said."""
    found = [f"said: {each}" for text in texts for each in _in(text.encode())]
    for path in sorted(root.rglob("*")):
        if path.is_file() and not _is_store(path.relative_to(root)):
            hits = {each for content in _contents(path) for each in _in(content)}
            found += [f"{path.relative_to(root)}: {each}" for each in sorted(hits)]
    return found


def _in(content: bytes) -> set[str]:
    return {
        content[max(found.start() - _AROUND, 0) : found.end() + _AROUND].decode("utf-8", "replace")
        for found in _LEAK.finditer(content)
    }


def _is_store(place: Path) -> bool:
    """Whether a file of the home is one of the stores; the page among the tables is none."""
    top = place.parts[0]
    is_table = top.startswith("published") and place.suffix == ".parquet"
    return is_table or top in STORE_FOLDERS or place.name.startswith(STORES)


def _contents(path: Path) -> Iterator[bytes]:
    """A file as it is and, of what is packed in it, unpacked."""
    content = path.read_bytes()
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield gzip.decompress(content)
    if content.startswith(b"SQLite format 3"):
        yield from _packed_cells(path)


def _packed_cells(path: Path) -> Iterator[bytes]:
    """What Dagster keeps packed in its databases, such as the configuration of a job."""
    with read_only_sqlite(path) as connection:
        names = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (name,) in names:
            for row in connection.execute(f'select * from "{name}"'):
                for cell in row:
                    if isinstance(cell, bytes):
                        with suppress(zlib.error):
                            yield zlib.decompress(cell)
