"""A local double for each kind of destination, so that one suite can try them all.

A kind without an entry writes files into its home, as a destination fresh from `regulars new` does.

Belongs here: what a kind needs to be tried, and what its double can do. Does not belong here: the
rules (`test_contract`), the doubles that users start (`orchestration/fakes`).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ingestion.demo.servers import served
from orchestration.destinations.audience_tables import MEMBERS
from orchestration.fakes import google, mailchimp, meta, push, sendgrid, shopify, twilio
from orchestration.fakes import server as fakes_server
from orchestration.fakes.faults import Fault as FakesFault
from tests.orchestration.fakes.klaviyo_calls import serving
from tests.orchestration.fakes.served import Hand

# What the next call comes to: not taken (busy, down, expired, gone, redirect), or taken by a server
# whose answer says so badly (lost, page, huge).
Fault = Literal["busy", "down", "expired", "gone", "redirect", "lost", "page", "huge"]
NOT_TAKEN: tuple[Fault, ...] = ("busy", "down", "expired", "gone", "redirect")
TAKEN: tuple[Fault, ...] = ("lost", "page", "huge")
WAIT_SECONDS = 7
PAGE = "<!doctype html><title>Sign in to the network of the hotel</title>"
WEBHOOK_SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSBzdWl0ZSwgbm9ib2R5IGVsc2U="

Members = Mapping[str, Mapping[str, Any]]


@dataclass
class Double:
    """A system that a destination can be pointed at.

    Args:
        options: what the destination's settings say to reach it.
        holds: everything it has, to compare before and after.
        members: the people it has of a segment, with what it knows of them.
        fail: makes its next call come to a fault.
        environment: the variables that hold its secrets.
        word: what the suite's payload is where messages are sent: an address and the message.
    """

    options: dict[str, Any]
    holds: Callable[[], Any]
    members: Callable[[str], Members] = lambda _segment: {}
    fail: Callable[[Fault], None] = lambda _fault: None
    environment: dict[str, str] = field(default_factory=dict)
    word: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda payload: payload


@dataclass(frozen=True)
class Kind:
    """How a kind is tried, and why some of the rules are none for it (by what a rule needs)."""

    open: Callable[[Path], AbstractContextManager[Double]]
    lacks: Mapping[str, str] = field(default_factory=dict)


def files_below(folder: Path) -> dict[str, bytes]:
    """The files of a folder and what is in them."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def _files(folder: Path) -> Iterator[Double]:
    yield Double({}, lambda: files_below(folder))


@dataclass
class Receiver:
    """A receiver of webhooks as docs/channels/webhook.md asks for: signed, once per key, newest."""

    members: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    newest: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    fault: Fault | None = None
    answer: Response | None = None

    async def receive(self, request: Request) -> Response:
        """Take a batch, or fail as asked."""
        body = await request.body()
        Webhook(WEBHOOK_SECRET).verify(body, dict(request.headers))
        self.ids.append(request.headers["webhook-id"])
        self.bodies.append(body)
        fault, self.fault = self.fault, None
        answer, self.answer = self.answer, None
        if answer is None and fault not in NOT_TAKEN:
            self._take(json.loads(body))
        return answer or _answer(fault)

    def _take(self, content: Mapping[str, Any]) -> None:
        segment = content["segment"]
        for row in content["rows"]:
            place = (segment, row["customer_id"])
            moment = (content["sync_started_at"], row["version"])
            if row["key"] in self.keys or moment < self.newest.get(place, moment):
                continue
            self.keys.add(row["key"])
            self.newest[place] = moment
            ended = {row["customer_id"], *row["merged_ids"]}
            if row["operation"] == "removed":
                ended |= {c for c, p in self.of(segment).items() if _same_address(p, row)}
            for customer in ended:
                self.members.pop((segment, customer), None)
            if row["operation"] != "removed":
                self.members[place] = row["payload"]

    def of(self, segment: str) -> Members:
        """The people of a segment."""
        return {who: payload for (name, who), payload in self.members.items() if name == segment}


def _same_address(payload: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return bool(payload["email"] == row["payload"]["email"])


def _answer(fault: Fault | None) -> Response:
    if fault == "busy":
        return PlainTextResponse("", 429, {"Retry-After": str(WAIT_SECONDS)})
    if fault == "redirect":
        return RedirectResponse("http://169.254.169.254/latest/meta-data/", 307)
    if fault == "page":
        return PlainTextResponse(PAGE, media_type="text/html")
    if fault == "huge":
        return JSONResponse({"rows": [], "more": "x" * 11_000_000})
    statuses = {"down": 503, "expired": 401, "gone": 410, "lost": 502}
    return PlainTextResponse("", statuses[fault] if fault else 204)


@contextmanager
def receiving(receiver: Receiver) -> Iterator[str]:
    """The address of a running receiver."""
    app = Starlette(routes=[Route("/hook", receiver.receive, methods=["POST"])])
    with served(app) as url:
        yield f"{url}/hook?token=of-the-address"


@contextmanager
def _webhook(_folder: Path) -> Iterator[Double]:
    receiver = Receiver()
    with receiving(receiver) as url:
        yield Double(
            {"url": url, "secret_env": "WEBHOOK_SECRET", "allow_private": True},
            holds=lambda: dict(receiver.members),
            members=receiver.of,
            fail=lambda fault: setattr(receiver, "fault", fault),
            environment={"WEBHOOK_SECRET": WEBHOOK_SECRET},
        )


_AT_FAKES = {
    "busy": "429", "down": "503", "expired": "401", "gone": "404", "redirect": "redirect",
    "lost": "lost_ack", "page": "html", "huge": "huge",
}  # fmt: skip
# Of these the own throttle says no time to wait (Mailchimp), minutes (Meta), a moment (SendGrid).
_WITH_OWN_THROTTLE = {**_AT_FAKES, "busy": "503"}


def _failing(
    fake: Any, where: str, kinds: Mapping[Fault, str] = _AT_FAKES
) -> Callable[[Fault], None]:
    """What makes the next call of a fake come to a fault."""

    def fail(fault: Fault) -> None:
        fake.faults.plan(FakesFault(kinds[fault], where=where, times=1, wait=WAIT_SECONDS))

    return fail


def _emails_by_hash() -> dict[str, str]:
    """The addresses of the suite by what advertisers compare."""
    emails = (f"c{number}@example.com" for number in range(100))
    return {hashlib.sha256(email.encode()).hexdigest(): email for email in emails}


@contextmanager
def _klaviyo(_folder: Path) -> Iterator[Double]:
    """The fake that users start, whose jobs are done by the time they are asked about."""
    with serving() as served_fake:
        account = served_fake.fake.account
        account.job_seconds = 0

        def properties() -> dict[str, dict[str, Any]]:
            account.settle()
            return {
                each.attributes["email"]: dict(each.properties)
                for each in account.profiles.values()
                if each.properties
            }

        def members(segment: str) -> Members:
            flag = f"regulars_{segment}"
            return {
                held[f"{flag}_customer_id"]: {
                    "first_name": held["regulars_first_name"],
                    "reason": held[f"{flag}_reason"],
                }
                for held in properties().values()
                if held.get(flag)
            }

        yield Double(
            {
                "base_url": served_fake.address,
                "allow_private": True,
                "create": True,
                "columns": ["first_name"],
            },
            properties,
            members,
            _failing(served_fake.fake, "POST"),
            dict(served_fake.fake.credentials),
        )


@contextmanager
def _google_ads(_folder: Path) -> Iterator[Double]:
    """An account outside the EEA whose requests are done by the time they are asked about."""
    fake = google.create(0, Hand())
    fake.job_seconds, fake.in_eea = 0, False
    fake.put("9002", "regulars_loyal")
    emails = _emails_by_hash()
    with fakes_server.served_fake(fake) as address:
        yield Double(
            {
                "base_url": address,
                "allow_private": True,
                "operating_account": google.ACCOUNT,
                "lists": {"vip": google.LIST, "loyal": "9002"},
                "terms_accepted": True,
                "settling_hours": 0,
            },
            lambda: {name: {emails[each] for each in fake.of(name)} for name in fake.lists},
            fail=_failing(fake, "audienceMembers"),
            environment=dict(fake.credentials),
        )


@contextmanager
def _sendgrid(_folder: Path) -> Iterator[Double]:
    """An account without contacts, where members become some; its jobs are done at once."""
    fake = sendgrid.create(0, Hand())
    fake.job_seconds = 0
    for name in ("customer_id", "vip_reason", "loyal_reason"):
        fake.put_field(name)

    def members(segment: str) -> Members:
        people = {e.email: e for e in fake.contacts.values()}
        there = [people[email] for email in fake.of(f"regulars_{segment}")]
        fields = [{fake.fields[key]: v for key, v in each.fields.items()} for each in there]
        return {
            said["customer_id"]: {
                "first_name": each.reserved_fields["first_name"],
                "reason": said[f"{segment}_reason"],
            }
            for each, said in zip(there, fields, strict=True)
        }

    with fakes_server.served_fake(fake) as address:
        yield Double(
            {
                "base_url": address,
                "allow_private": True,
                "create": True,
                "columns": ["first_name"],
                "fields": {"customer_id": "customer_id", "reason": "{segment}_reason"},
                "settling_hours": 0,
            },
            lambda: {name: fake.of(name) for name in fake.lists.values() if fake.of(name)},
            members,
            _failing(fake, "PUT", _WITH_OWN_THROTTLE),
            dict(fake.credentials),
        )


@contextmanager
def _sql(folder: Path) -> Iterator[Double]:
    """SQLite; tests/orchestration/destinations/test_sql.py has PostgreSQL as well."""
    file = folder / "audiences.db"
    file.touch()
    yield Double(
        {"url_env": "AUDIENCES_URL"},
        holds=lambda: all_rows(file),
        members=lambda segment: {
            row["customer_id"]: row
            for row in all_rows(file).get(MEMBERS, ())
            if row["segment"] == segment
        },
        environment={"AUDIENCES_URL": f"sqlite:///{file}"},
    )


def all_rows(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of a SQLite database, in an order of its own."""
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        return {
            name: sorted(map(dict, connection.execute(f'select * from "{name}"')), key=str)
            for (name,) in tables.fetchall()
        }


@contextmanager
def _mailchimp(_folder: Path) -> Iterator[Double]:
    """A list that has all people of the suite already: nobody is added to it."""
    fake = mailchimp.create(0, Hand())
    for number in (*range(20), 99):
        fake.put(f"c{number}@example.com")
    with fakes_server.served_fake(fake) as address:
        yield Double(
            {"base_url": address, "allow_private": True, "list_id": mailchimp.LIST_ID},
            lambda: {name: fake.of(name) for name in fake.segments.values() if fake.of(name)},
            fail=_failing(fake, "/segments/", _WITH_OWN_THROTTLE),
            environment=dict(fake.credentials),
        )


@contextmanager
def _meta_ads(_folder: Path) -> Iterator[Double]:
    """An account whose sessions are done by the time they are asked about, a second later."""
    hand = Hand()

    def clock() -> datetime:
        hand.move(1)
        return hand.at

    fake = meta.create(0, clock)
    fake.job_seconds = 0
    emails = _emails_by_hash()

    def holds() -> dict[str, list[dict[str, str]]]:
        """The entries by audience, with the addresses of the suite in place of their hashes."""
        return {
            audience.name: [{**each, "EMAIL": emails[each["EMAIL"]]} for each in entries]
            for audience in fake.audiences.values()
            if (entries := fake.of(audience.name))
        }

    with fakes_server.served_fake(fake) as address:
        yield Double(
            {
                "base_url": address,
                "allow_private": True,
                "ad_account": meta.ACCOUNT,
                "create": True,
            },
            holds,
            fail=_failing(fake, "/users", _WITH_OWN_THROTTLE),
            environment=dict(fake.credentials),
        )


@contextmanager
def _shopify(_folder: Path) -> Iterator[Double]:
    """A shop without customers, where members become some; its first call only reads."""
    fake = shopify.create(0, Hand())

    def holds() -> dict[str, Any]:
        return {
            each.email: [sorted(each.tags), each.fields]
            for each in fake.shop.customers.values()
            if each.tags or each.fields
        }

    def members(segment: str) -> Members:
        contexts = [
            json.loads(each.fields["regulars", segment][1])
            for each in fake.shop.customers.values()
            if f"regulars_{segment}" in each.tags
        ]
        names = ("first_name", "reason")
        return {each["customer_id"]: {name: each[name] for name in names} for each in contexts}

    def fail(fault: Fault) -> None:
        times = 2 if fault == "expired" else 1  # a token that has ended is renewed once
        after = 2 if fault in TAKEN else 1  # the tag comes after the metafield
        kind = _AT_FAKES[fault]
        fake.faults.plan(
            FakesFault(kind, where="/graphql", after=after, times=times, wait=WAIT_SECONDS)
        )

    for number in (1, 2):
        fake.shop.put(f"c{number}@example.com")
    with fakes_server.served_fake(fake) as address:
        yield Double(
            {
                "base_url": address,
                "allow_private": True,
                "create": True,
                "columns": ["first_name"],
            },
            holds,
            members,
            fail,
            dict(fake.credentials),
        )


@contextmanager
def _onsite(folder: Path) -> Iterator[Double]:
    """The file in the home of the suite."""
    file = folder / "home" / "feeds" / "onsite.sqlite"
    yield Double({}, holds=lambda: all_rows(file) if file.exists() else {})


def _number(payload: Mapping[str, Any]) -> str:
    return f"+4477009{int(payload['customer_id'][1:]):05d}"


@contextmanager
def _sms(_folder: Path) -> Iterator[Double]:
    """An account whose messages have arrived by the time they are asked about."""
    fake = twilio.create(0, Hand())
    fake.job_seconds = 0
    with fakes_server.served_fake(fake) as address:
        yield Double(
            {
                "base_url": address,
                "allow_private": True,
                "account_sid": twilio.ACCOUNT,
                "sender": twilio.SENDER,
            },
            lambda: [(each.to, each.body) for each in fake.texts.values()],
            fail=_failing(fake, "POST"),
            environment=dict(fake.credentials),
            word=lambda payload: {
                "customer_id": payload["customer_id"],
                "phone": _number(payload),
                "segment": "vip",
                "message": f"Fern: {payload['first_name']}. Reply STOP to opt out.",
            },
        )


@contextmanager
def _web_push(_folder: Path) -> Iterator[Double]:
    """A push service at which everybody of the suite subscribed."""
    fake = push.create(0, fakes_server.utc_now)
    browsers = {f"c{number}": fake.subscribe() for number in (*range(20), 99)}
    with fakes_server.served_fake(fake) as address:
        yield Double(
            {
                "subject": "mailto:shop@example.com",
                "services": ["127.0.0.1"],
                "allow_private": True,
            },
            lambda: {who: list(each.shown) for who, each in browsers.items() if each.shown},
            fail=_failing(fake, "POST"),
            environment=dict(fake.credentials),
            word=lambda payload: {
                "customer_id": payload["customer_id"],
                "device": f"device-of-{payload['customer_id']}",
                "endpoint": f"{address}/push/{browsers[payload['customer_id']].id}",
                **browsers[payload["customer_id"]].keys,
                "segment": "vip",
                "message": {"title": "Fern", "body": payload["first_name"]},
            },
        )


NO_SERVER = "no server is asked"
SENT_ONCE = "a message that is sent twice is two; the outbox sends none twice (test_messages.py)"
FILES = Kind(
    _files,
    lacks={
        "a server": NO_SERVER,
        "erasing": "`forget` takes people out of the files in the home itself",
        "members": "a file of its own for each change; the audience is put in place by `finish`",
    },
)
KINDS: dict[str, Kind] = {
    "file": FILES,
    "google_ads": Kind(
        _google_ads,
        lacks={"members": "a list holds hashes of addresses, nothing else (test_google_ads.py)"},
    ),
    "klaviyo": Kind(
        _klaviyo,
        lacks={
            "versions": "a profile has no version of ours; the outbox sends a person's newest row"
        },
    ),
    "mailchimp": Kind(
        _mailchimp,
        lacks={"members": "a static segment says who is in it, nothing else (test_mailchimp.py)"},
    ),
    "meta_ads": Kind(
        _meta_ads,
        lacks={"members": "an audience holds hashes of addresses, nothing else (test_meta_ads.py)"},
    ),
    "onsite": Kind(
        _onsite,
        lacks={
            "a server": NO_SERVER,
            "members": "the feed holds no name and no reason of a person (test_onsite.py)",
            "erasing": "the feed holds digests, no address (test_onsite.py)",
        },
    ),
    "shopify": Kind(
        _shopify,
        lacks={
            "versions": "what was removed has no version; the outbox sends a person's newest row"
        },
    ),
    "sendgrid": Kind(
        _sendgrid,
        lacks={"versions": "a contact has no version; the outbox sends a person's newest row"},
    ),
    "sms": Kind(
        _sms,
        lacks={
            "repeats": SENT_ONCE,
            "members": "it keeps no audience (test_sms.py)",
            "erasing": "by phone number (test_sms.py)",
        },
    ),
    "sql": Kind(_sql, lacks={"a server": "a database answers in another way: `test_sql`"}),
    "web_push": Kind(
        _web_push,
        lacks={
            "repeats": SENT_ONCE,
            "members": "it keeps no audience (test_web_push.py)",
            "erasing": "it keeps nothing of anybody",
        },
    ),
    "webhook": Kind(
        _webhook,
        lacks={"erasing": "a removal is all that it is told; its page says why"},
    ),
}


def kind_of(name: str) -> Kind:
    """How a kind is tried."""
    return KINDS.get(name, FILES)
