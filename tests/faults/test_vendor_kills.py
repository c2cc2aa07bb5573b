"""kill -9 at random points of syncs to fakes of vendors that misbehave, each by its own protocol.

Where an audience is kept, in the end exactly those are in it who should (RELIABILITY A1, A3). Where
each row is a message, nobody gets it twice, and what nobody knows of is listed (A2). Klaviyo's are
in test_klaviyo_kills.py. 25 kills by default, 200 by `make soak`.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.context import ForkServerContext
from typing import Any

import pytest

from orchestration.activation.ledger import broken_laws, open_intents
from orchestration.activation.people import Target
from orchestration.activation.resolution import resolve
from orchestration.fakes import google, meta, push, sendgrid, shopify, twilio
from orchestration.fakes.faults import Fault
from orchestration.fakes.server import served_fake, utc_now
from orchestration.messages.compose import Writer
from orchestration.messages.templates import PUSH, SMS, MessageTemplate
from orchestration.ops import schema
from orchestration.ops.store import append, to_micros
from tests.faults.sync_child import run_sync
from tests.orchestration.activation.records import state_counts
from tests.orchestration.activation.shop import NOW, TARGET, Shop

ROUNDS = 200 if os.environ.get("REGULARS_SOAK") else 25
PEOPLE = 64 if ROUNDS < 100 else 1_000
JOINING = 12  # people who are first met in a round, where each is sent one message
SEED = 20_261_130
JOB_SECONDS = 0.05
ADS = Target("vip", "receiver", "ads", "ads")
ENDED = {"sent", "superseded", "withheld"}

pytestmark = pytest.mark.faults


def _email(name: str) -> str:
    return f"{name}@example.com"


@dataclass
class Account:
    """A vendor's fake that is served, and how the shop's destination is pointed at it.

    `holds`: what it has of each customer; of ads True, as it has hashes alone.
    """

    kind: str
    fake: Any
    options: dict[str, Any]
    holds: Callable[[], Mapping[str, Any]]
    target: Target = TARGET
    has_reasons: bool = True
    faulty: str = ""  # the calls that fail, by what is in their address

    def child(
        self, fork: ForkServerContext, shop: Shop, round_: int
    ) -> multiprocessing.process.BaseProcess:
        """A process that syncs once."""
        arguments = (
            *(str(shop.home.root), self.kind, self.options, dict(self.fake.credentials)),
            *(round_, 0.0, self.target, round_),
        )
        process = fork.Process(target=run_sync, args=arguments)
        process.start()
        return process

    def misbehave(self) -> None:
        """From now on some calls are not taken, and some are without an answer."""
        self.fake.faults.plan(
            *(Fault(kind, 0.05, self.faulty, wait=0) for kind in ("429", "503")),
            Fault("lost_ack", 0.05, self.faulty),
        )


@contextmanager
def _served(kind: str, fake: Any, holds: Callable[[], Any], **more: Any) -> Iterator[Account]:
    options = more.pop("options", {})
    with served_fake(fake) as address:
        base = {"base_url": address, "allow_private": True}
        yield Account(kind, fake, {**base, **options}, holds, **more)


@contextmanager
def _shopify(names: list[str]) -> Iterator[Account]:
    fake = shopify.create(0, _hurried(utc_now()))  # its bucket fills as fast as it is emptied
    for name in names:
        fake.shop.put(_email(name))

    def holds() -> dict[str, str]:
        contexts = [
            json.loads(each.fields["regulars", "vip"][1])
            for each in fake.shop.customers.values()
            if "regulars_vip" in each.tags
        ]
        return {each["customer_id"]: each["reason"] for each in contexts}

    options = {"points_per_second": 10_000, "batch_size": PEOPLE // 8}
    with _served("shopify", fake, holds, options=options, faulty="/graphql") as account:
        yield account


@contextmanager
def _sendgrid(names: list[str]) -> Iterator[Account]:
    fake = sendgrid.create(0, utc_now)
    fake.job_seconds = JOB_SECONDS
    keys = {name: fake.put_field(name) for name in ("customer_id", "vip_reason")}
    for name in names:
        fake.put(_email(name))

    def holds() -> dict[str, str]:
        people = {each.email: each.fields for each in fake.contacts.values()}
        there = [people[email] for email in fake.of("regulars_vip")]
        return {each[keys["customer_id"]]: each[keys["vip_reason"]] for each in there}

    fields = {"customer_id": "customer_id", "reason": "{segment}_reason"}
    options = {"fields": fields, "settling_hours": 0, "batch_size": PEOPLE // 8}
    with _served("sendgrid", fake, holds, options=options) as account:
        yield account


@contextmanager
def _google_ads(names: list[str]) -> Iterator[Account]:
    fake = google.create(0, utc_now)
    fake.job_seconds, fake.in_eea = JOB_SECONDS, False
    options = {
        "operating_account": google.ACCOUNT,
        "lists": {"vip": google.LIST},
        **{"terms_accepted": True, "settling_hours": 0, "batch_size": PEOPLE // 8},
    }
    known = _by_hash(names)
    with _served(
        "google_ads",
        fake,
        lambda: {known[each]: True for each in fake.of()},
        options=options,
        target=ADS,
        has_reasons=False,
    ) as account:
        yield account


@contextmanager
def _meta_ads(names: list[str]) -> Iterator[Account]:
    fake = meta.create(0, utc_now)
    fake.job_seconds = JOB_SECONDS
    fake.put("regulars_vip")
    known = _by_hash(names)
    with _served(
        "meta_ads",
        fake,
        lambda: {known[each["EMAIL"]]: True for each in fake.of("regulars_vip")},
        options={"ad_account": meta.ACCOUNT, "batch_size": PEOPLE // 8},
        target=ADS,
        has_reasons=False,
    ) as account:
        yield account


def _hurried(start: datetime) -> Callable[[], datetime]:
    """A clock that runs 200 times as fast."""
    return lambda: start + 200 * (utc_now() - start)


def _by_hash(names: list[str]) -> dict[str, str]:
    return {hashlib.sha256(_email(name).encode()).hexdigest(): name for name in names}


def _day(shop: Shop, dice: random.Random, names: list[str]) -> None:
    """People come, go and change."""
    for name in dice.sample(names, len(names) // 2):
        if name in shop.members and dice.random() < 0.4:
            del shop.members[name]
        else:
            shop.members[name] = f"reason {dice.randrange(10_000)}"
    shop.publish()


def _duration(process: multiprocessing.process.BaseProcess) -> float:
    began = time.monotonic()
    process.join(60)
    assert process.exitcode == 0
    return time.monotonic() - began


@pytest.mark.parametrize("opened", [_shopify, _sendgrid, _google_ads, _meta_ads])
def test_kills_and_faults_lose_nobody_and_leave_nobody_behind(
    shop: Shop, fork: ForkServerContext, opened: Callable[[list[str]], Any]
) -> None:
    dice = random.Random(SEED)
    names = [f"c{number:04d}" for number in range(PEOPLE)]
    said_no: set[str] = set()
    killed = 0
    with opened(names) as account:
        shop.channel, shop.purpose = account.target.channel, account.target.purpose
        for name in names:
            shop.add(name, _email(name), member=False)
            shop.grant(_email(name))
        for round_ in range(2):  # the first one also waits for the fork server's imports
            _day(shop, dice, names)
            usual = _duration(account.child(fork, shop, round_))
        account.misbehave()
        for round_ in range(2, ROUNDS + 2):
            _day(shop, dice, names)
            process = account.child(fork, shop, round_)
            process.join(dice.uniform(0.0, usual * 1.3))
            killed += process.is_alive()
            process.kill()
            process.join()
            if dice.random() < 0.3:
                name = dice.choice(names)
                shop.suppress(_email(name), "unsubscribed")
                said_no.add(name)
        account.fake.faults.clear()
        for round_ in range(ROUNDS + 2, ROUNDS + 12):
            _duration(account.child(fork, shop, round_))
            time.sleep(4 * JOB_SECONDS)
            if set(state_counts(shop.store)) <= ENDED:
                break
        _settle(account.fake)
        holds = account.holds()
    wanted = {
        name: reason if account.has_reasons else True
        for name, reason in shop.members.items()
        if name not in said_no
    }
    assert killed >= ROUNDS // 3
    assert holds == wanted
    assert broken_laws(shop.store) == []
    states = state_counts(shop.store)
    assert set(states) <= ENDED
    print(
        f"\n{account.kind}: {killed} kills of {ROUNDS}, a sync takes {usual:.2f} s,"
        f" faults {dict(Counter(account.fake.faults.happened))}, states {states}, seed {SEED}"
    )


def _settle(fake: Any) -> None:
    """Let jobs of a vendor that applies later be done."""
    if hasattr(fake, "settle"):
        time.sleep(4 * JOB_SECONDS)
        fake.settle()


def _target(channel: str, parts: dict[str, str]) -> Target:
    template = MessageTemplate("offer", channel, False, parts, frozenset())
    own = Writer("offer", channel, "marketing", "Fern", template=template)
    return Target("vip", "receiver", channel, "marketing", writer=own)


@contextmanager
def _sms(shop: Shop, names: list[str]) -> Iterator[Account]:
    fake = twilio.create(0, utc_now)
    fake.job_seconds = JOB_SECONDS
    numbers = {f"+4477009{number:05d}": name for number, name in enumerate(names)}
    for number, name in numbers.items():
        shop.add(name, f"phone:{number}", member=False)
        shop.grant(number, kind="phone", channel="sms")
    options = {"account_sid": twilio.ACCOUNT, "sender": twilio.SENDER, "batch_size": 4}
    with _served(
        "sms",
        fake,
        lambda: Counter(numbers[each.to] for each in fake.texts.values()),
        options=options,
        target=_target(SMS, {"text": "{{ reason }}"}),
    ) as account:
        yield account


@contextmanager
def _web_push(shop: Shop, names: list[str]) -> Iterator[Account]:
    fake = push.create(0, utc_now)
    browsers = {name: fake.subscribe() for name in names}
    with served_fake(fake) as address:
        rows = []
        for name, browser in browsers.items():
            shop.add(name, f"device:device-of-{name}", member=False)
            shop.grant(f"device-of-{name}", kind="device", channel="push")
            subscription = {"endpoint": f"{address}/push/{browser.id}", **browser.keys}
            at = dict.fromkeys(("subscribed_at", "seen_at"), to_micros(NOW))
            rows.append({"device": f"device-of-{name}", **subscription, **at, "gone_at": None})
        with shop.store.write() as connection:
            append(connection, schema.push_subscriptions, rows)
        yield Account(
            "web_push",
            fake,
            {
                "subject": "mailto:shop@example.com",
                "services": ["127.0.0.1"],
                "allow_private": True,
                "batch_size": 4,
            },
            lambda: Counter({name: len(each.shown) for name, each in browsers.items()}),
            _target(PUSH, {"title": "Fern", "body": "{{ reason }}"}),
        )


@pytest.mark.parametrize("opened", [_sms, _web_push])
def test_kills_and_faults_send_nobody_a_second_message(
    shop: Shop, fork: ForkServerContext, opened: Callable[[Shop, list[str]], Any]
) -> None:
    """After each round a person looks at the vendor's log and says what arrived."""
    dice = random.Random(SEED)
    names = [f"c{number:04d}" for number in range(JOINING * (ROUNDS + 2))]
    said_no: set[str] = set()
    killed = unknown = 0
    with opened(shop, names) as account:
        shop.channel = account.target.channel
        joining = iter(names)
        for round_ in range(ROUNDS + 2):
            new = [next(joining) for _ in range(JOINING)]
            shop.members.update(dict.fromkeys(new, "Because you are one of us."))
            shop.publish()
            if round_ < 2:
                usual = _duration(account.child(fork, shop, round_))
                unknown += _answer_for_unknown(shop, account)
                continue
            account.misbehave()
            process = account.child(fork, shop, round_)
            process.join(dice.uniform(usual * 0.3, usual * 1.1))
            killed += process.is_alive()
            process.kill()
            process.join()
            account.fake.faults.clear()
            unknown += _answer_for_unknown(shop, account)
            if dice.random() < 0.3:
                _refuse(shop, account, dice.choice(new), said_no)
        for round_ in range(ROUNDS + 2, ROUNDS + 12):
            _duration(account.child(fork, shop, round_))
            time.sleep(4 * JOB_SECONDS)
            unknown += _answer_for_unknown(shop, account)
            if set(state_counts(shop.store)) <= ENDED:
                break
        got = account.holds()
        happened = Counter(account.fake.faults.happened)
    assert killed >= ROUNDS // 3
    assert {name: got[name] for name in names if got[name] > 1} == {}, "twice"
    assert [name for name in names if not got[name] and name not in said_no] == [], "lost"
    assert unknown <= 4 * (killed + happened["lost_ack"])
    assert broken_laws(shop.store) == []
    assert set(state_counts(shop.store)) <= ENDED
    print(
        f"\n{account.kind}: {killed} kills of {ROUNDS}, a sync takes {usual:.2f} s, {unknown} rows"
        f" of unknown fate, faults {dict(happened)}, states {state_counts(shop.store)}, seed {SEED}"
    )


def _refuse(shop: Shop, account: Account, name: str, said_no: set[str]) -> None:
    """One person opts out, before or after the message."""
    ((kind, value),) = shop.people[name]
    had = account.holds()[name]
    shop.suppress(value, "unsubscribed", kind=kind, channel=account.target.channel)
    if not had:
        said_no.add(name)


def _answer_for_unknown(shop: Shop, account: Account) -> int:
    """Say of rows of unknown fate what the vendor's log has, as a person would; how many."""
    rows = open_intents(shop.store, ["unknown"])
    if rows:
        time.sleep(0.05)  # what a killed sync had sent may still be on its way
    got = account.holds()
    for row in rows:
        answer = "arrived" if got[row.customer_id] else "lost"
        resolve(shop.store, row.key, answer, by="Ada", at=NOW)
    return len(rows)
