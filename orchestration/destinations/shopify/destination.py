"""What a segment becomes at Shopify: a tag of ours on customers, and a metafield beside it.

The metafield is set before the tag and deleted after it: whatever begins with the tag finds it.

Belongs here: what is set, unset and believed. Does not belong here: the calls (`api`), permission.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingestion.vocabulary import CLEARABLE
from orchestration.destinations.base import (
    KNOWN,
    NEWER_GRANT,
    NOT_THERE,
    WRITTEN,
    Acknowledgement,
    Audience,
    Batch,
    Idempotency,
    Identifiers,
    Limits,
    Outcome,
    Payload,
    Rate,
    RetryLaterError,
    Row,
    Withdrawal,
    merged_ids,
)
from orchestration.destinations.shopify.api import (
    AT_ONCE,
    GID,
    NOT_APPLIED,
    PAGE,
    Address,
    Api,
    Customer,
)

TAG_SIGNS = 40
TAGS_OF_A_CUSTOMER = 250
CONTEXT_BYTES = 128 * 1024
SEARCHED = 10 * PAGE  # of whoever has the tag, to find somebody whose address changed there
POINTS_OF_A_ROW = 20  # of Shopify's bucket: a look-up, a tag, a share of a metafield
_MAIN_SHOPS_ID = re.compile(r"[0-9]{1,20}")
# A consent state in the gate's words, where it is a no.
_REFUSALS = {
    "UNSUBSCRIBED": "unsubscribed",
    "INVALID": "hard_bounce",
    "PENDING": "unconfirmed",
    "REDACTED": "no_profile",
}
_REFUSING_STATES = ("UNSUBSCRIBED", "INVALID")
_KNOWING = ("UNSUBSCRIBED", "INVALID", "REDACTED")  # nothing is sent to such an address
_SAYING_YES = ("SUBSCRIBED", "PENDING")
_CHANNELS = {"email": "email", "phone": "sms"}

Known = Mapping[Address, Customer]


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say.

    Attributes:
        base_url: the shop's address: https://NAME.myshopify.com.
        shop: the name of its section in the source's settings, where it is a further shop.
        create: whether members who are no customers become some.
        request_erasure: whether `forget` also asks Shopify to erase the customer.
        prefix: of the tags' names; other tags are never touched.
        namespace: of the metafields.
        points_per_second: what the shop's plan restores; by it deliveries are spread.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = ""
    shop: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,31})?$")] = ""
    client_id_env: Annotated[str, Field(min_length=1)] = "SHOPIFY_CLIENT_ID"
    client_secret_env: Annotated[str, Field(min_length=1)] = "SHOPIFY_CLIENT_SECRET"  # noqa: S105
    api_version: Annotated[str, Field(pattern=r"^20\d\d-(01|04|07|10)$")] = "2026-10"
    create: bool = False
    request_erasure: bool = False
    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,15}$")] = "regulars_"
    namespace: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{2,31}$")] = "regulars"
    columns: list[str] = []
    batch_size: Annotated[int, Field(ge=1, le=250)] = 50
    points_per_second: Annotated[int, Field(ge=10, le=10_000)] = 100
    allow_private: bool = False

    @model_validator(mode="after")
    def _is_of_a_shop(self) -> Options:
        if not self.base_url:
            raise ValueError("give `base_url`: the shop's address, https://NAME.myshopify.com")
        return self


@dataclass
class _Work:
    """What a batch comes to: by customer the context that they get, and whose is taken away."""

    members: dict[str, str]  # row -> customer
    refused: dict[str, str]  # row -> why they get nothing
    sets: dict[str, str]  # customer -> context as JSON
    clears: dict[str, set[str]]  # customer -> rows


class ShopifyDestination:
    """Tags customers of one shop, and takes the tag away."""

    channels = frozenset({"email", "sms"})
    idempotency = Idempotency.SET
    acknowledgement = Acknowledgement.APPLIED
    withdrawal_channels = frozenset({"email", "sms"})
    withdrawals_at_once = AT_ONCE
    withdrawals_per_sync = 1_000

    def __init__(self, name: str, options: Options, api: Api) -> None:
        """Nothing is reached until the first delivery."""
        self.name = name
        seconds = options.batch_size * POINTS_OF_A_ROW / options.points_per_second
        self.limits = Limits(
            options.batch_size, row_bytes=CONTEXT_BYTES, rates=(Rate(1, max(seconds, 0.1)),)
        )
        self._options = options
        self._api = api

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Read everybody of the batch as they are now, then change what differs."""
        if not batch.rows:
            return []
        segment, tag = batch.segment, self._tag(batch.segment)
        known = self._look_up(batch.rows, segment)
        work = self._work(batch.rows, known, segment)
        self._find_lost(batch.rows, work, segment)
        customers = {customer.gid: customer for customer in known.values()}
        wrong = self._take_away(work, tag, segment)
        wrong |= self._give(work, customers, tag, segment)
        return [_outcome(row, work, wrong) for row in batch.rows]

    def finish(self, audience: Audience) -> None:
        """Nothing to do: each tag is of one customer."""

    def preview(self, segment: str) -> str:
        """Which tag, and whether customers are made."""
        who = ", also made of people who are none yet" if self._options.create else " that exist"
        return f"the tag {self._tag(segment)} of customers{who}"

    def stays_in(self, folder: Path) -> bool:  # noqa: ARG002 - a shop is in no folder
        """Only a shop on this machine, a fake, is the pretend shop's own."""
        return self._api.is_local

    def members_of(self, segment: str) -> Iterator[str]:
        """Whoever has the tag, by the customer_id that our metafield says."""
        for customer in self._api.search(f"tag:'{self._tag(segment)}'", segment):
            owner = (customer.context or {}).get("customer_id")
            yield str(owner or f"shopify_customer_id {customer.gid.removeprefix(GID)}")

    def withdrawals_since(self, since: datetime) -> Iterator[Withdrawal]:
        """Whoever is unsubscribed or has an invalid address, of customers that changed since."""
        at = since.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
        for customer in self._api.search(f"updated_at:>='{at}'", "none"):
            for (kind, value), consent in customer.consents.items():
                if consent.state in _REFUSING_STATES:
                    reason = _REFUSALS[consent.state]
                    moment = consent.at or customer.updated
                    when = moment.astimezone(UTC).replace(tzinfo=None) if moment else since
                    yield Withdrawal(kind, value, _CHANNELS[kind], "*", reason, when)

    def withdraw(self, refusals: Mapping[str, Withdrawal]) -> Sequence[Outcome]:
        """Set the consent of customers who have not refused there to UNSUBSCRIBED."""
        where = {
            key: (each.identifier_type, each.identifier_value) for key, each in refusals.items()
        }
        known = self._api.look_up(set(where.values()), "none")
        outcomes = {
            key: _standing(key, each, known.get(where[key]), where[key])
            for key, each in refusals.items()
        }
        wrong = self._api.unsubscribe(
            {
                where[key]: (known[where[key]].gid, refusals[key].occurred_at)
                for key, outcome in outcomes.items()
                if outcome is None
            }
        )
        return [
            outcome or _stopped(key, wrong.get(where[key], "")) for key, outcome in outcomes.items()
        ]

    def erase(self, people: Sequence[Identifiers]) -> Sequence[Outcome]:
        """Remove our tags and metafields, and have Shopify erase the customer where told to."""
        return [self._erase(person) for person in people]

    def _erase(self, person: Identifiers) -> Outcome:
        who = {(kind, value) for kind in _CHANNELS for value in person.values.get(kind, ())}
        who |= self._ids(person.values.get("shopify_customer_id", ()))
        try:
            for customer in {
                each.gid: each for each in self._api.look_up(who, "none").values()
            }.values():
                reason = self._erase_customer(customer)
                if reason:
                    return Outcome(person.key, "rejected", reason)
        except RetryLaterError as error:
            return Outcome(person.key, "retry", error.reason)
        return Outcome(person.key, "delivered")

    def _erase_customer(self, customer: Customer) -> str:
        ours = sorted(tag for tag in customer.tags if tag.startswith(self._options.prefix))
        if ours and self._api.untag([customer.gid], ours):
            raise RetryLaterError(NOT_APPLIED)
        keys = self._api.context_keys(customer.gid)
        self._api.delete_contexts([(customer.gid, key) for key in keys])
        return self._api.request_erasure(customer.gid) if self._options.request_erasure else ""

    def _tag(self, segment: str) -> str:
        return f"{self._options.prefix}{segment}"

    def _ids(self, values: Sequence[str]) -> set[Address]:
        """The ids that are of this shop; those of a further shop begin with its name."""
        shop = f"{self._options.shop}:" if self._options.shop else ""
        own = (value.removeprefix(shop) for value in values if value.startswith(shop))
        return {("id", value) for value in own if _MAIN_SHOPS_ID.fullmatch(value)}

    def _look_up(self, rows: Sequence[Row], segment: str) -> dict[Address, Customer]:
        """By id and former address first; by address where nobody found so far has it."""
        first = {each for row in rows for each in (*self._row_ids(row), *_former(row))}
        known = self._api.look_up(first, segment)
        wanted = {address for row in rows if (address := _joins(row))}
        return known | self._api.look_up(wanted - known.keys(), segment)

    def _row_ids(self, row: Row) -> set[Address]:
        texts = [payload.get("shopify_customer_id") for payload in _payloads(row)]
        return self._ids([each for text in texts if text for each in str(text).split()])

    def _work(self, rows: Sequence[Row], known: Known, segment: str) -> _Work:
        work = _Work({}, {}, {}, {})
        for row in rows:
            if row.operation != "removed":
                self._join(row, known, segment, work)
        for row in rows:
            for address in (*self._row_ids(row), *_former(row)):
                customer = known.get(address)
                if (
                    customer
                    and customer.gid not in work.sets
                    and self._may_be_of(row, customer, segment)
                ):
                    work.clears.setdefault(customer.gid, set()).add(row.key)
        return work

    def _join(self, row: Row, known: Known, segment: str, work: _Work) -> None:
        address = _joins(row)
        customer = known.get(address) if address else None
        refusal = self._refusal(row, address, customer, known, segment)
        if refusal == "no_profile" and customer is None and address and self._options.create:
            made = self._api.create(address, segment)
            refusal, customer = (made, None) if isinstance(made, str) else ("", made)
        if refusal or customer is None:
            work.refused[row.key] = refusal
            return
        work.members[row.key] = customer.gid
        work.sets[customer.gid] = self._context(row)

    def _refusal(
        self,
        row: Row,
        address: Address | None,
        customer: Customer | None,
        known: Known,
        segment: str,
    ) -> str:
        """Why the row's person gets nothing; empty if they do."""
        if address is None:
            return "no_address"
        tag = self._tag(segment)
        if len(tag) > TAG_SIGNS:
            return "tag_too_long"
        if customer is None:
            # A customer whom we know has another address there: nobody permitted that one.
            return "other_address" if self._row_ids(row) & known.keys() else "no_profile"
        if tag not in customer.tags and customer.tag_count >= TAGS_OF_A_CUSTOMER:
            return "too_many_tags"
        consent = customer.consents.get(address)
        return _REFUSALS.get(consent.state, "") if consent else "other_address"

    def _may_be_of(self, row: Row, customer: Customer, segment: str) -> bool:
        """Whether what a customer has of the segment may be of the row's person.

        An address can go over to another person, who may be a member as well by now.
        """
        if self._tag(segment) not in customer.tags and customer.context is None:
            return False
        owner = (customer.context or {}).get("customer_id")
        return owner is None or owner in {row.customer_id, *merged_ids(row)}

    def _find_lost(self, rows: Sequence[Row], work: _Work, segment: str) -> None:
        """Find by the tag whoever must lose it and is found neither by id nor by address."""
        known_keys = {key for keys in work.clears.values() for key in keys}
        lost = {
            each: row.key
            for row in rows
            if row.key not in known_keys and _former(row) and row.key not in work.members
            for each in {row.customer_id, *merged_ids(row)}
        }
        if not lost:
            return
        tagged = self._api.search(f"tag:'{self._tag(segment)}'", segment, newest_first=True)
        for customer in islice(tagged, SEARCHED):
            owner = (customer.context or {}).get("customer_id")
            if owner in lost and customer.gid not in work.sets:
                work.clears.setdefault(customer.gid, set()).add(lost[owner])

    def _take_away(self, work: _Work, tag: str, segment: str) -> dict[str, str]:
        wrong = self._api.untag(work.clears, [tag])
        gone = [gid for gid in work.clears if gid not in wrong]
        self._api.delete_contexts([(gid, segment) for gid in gone])
        return dict.fromkeys(wrong, NOT_APPLIED)

    def _give(
        self, work: _Work, customers: Mapping[str, Customer], tag: str, segment: str
    ) -> dict[str, str]:
        new = {
            gid: value
            for gid, value in work.sets.items()
            if gid not in customers or customers[gid].context != json.loads(value)
        }
        wrong = self._api.set_context(new, segment)
        bare = [
            gid
            for gid in work.sets
            if gid not in wrong and (gid not in customers or tag not in customers[gid].tags)
        ]
        return wrong | self._api.tag(bare, tag)

    def _context(self, row: Row) -> str:
        payload = row.payload
        names = ("customer_id", "reason", *self._options.columns)
        context = _as_object(payload.get("context"))
        values = {name: payload.get(name) for name in names}
        values |= {"version": row.version, "context": context}
        return json.dumps(values, ensure_ascii=False, sort_keys=True)


def _outcome(row: Row, work: _Work, wrong: Mapping[str, str]) -> Outcome:
    if row.key in work.refused:
        return Outcome(row.key, "rejected", work.refused[row.key])
    own = [work.members[row.key]] if row.key in work.members else []
    own += [gid for gid, keys in work.clears.items() if row.key in keys]
    reasons = [wrong[gid] for gid in own if gid in wrong]
    if not reasons:
        return Outcome(row.key, "delivered")
    return Outcome(row.key, "retry" if NOT_APPLIED in reasons else "rejected", reasons[0])


def _standing(
    key: str, refusal: Withdrawal, customer: Customer | None, address: Address
) -> Outcome | None:
    """What a refusal is there already; None where it is to be written."""
    if customer is None or address not in customer.consents:
        return Outcome(key, "delivered", NOT_THERE)
    consent = customer.consents[address]
    if consent.state in _KNOWING:
        return Outcome(key, "delivered", KNOWN)
    refused_at = refusal.occurred_at.replace(tzinfo=UTC)
    is_newer = consent.state in _SAYING_YES and consent.at and consent.at > refused_at
    if refusal.reason in CLEARABLE and is_newer:
        return Outcome(key, "rejected", NEWER_GRANT)
    return None


def _stopped(key: str, reason: str) -> Outcome:
    if not reason:
        return Outcome(key, "delivered", WRITTEN)
    return Outcome(key, "retry" if reason == NOT_APPLIED else "rejected", reason)


def _as_object(value: object) -> Mapping[str, Any] | None:
    """The context as an object, so that a template at Shopify can name its parts."""
    try:
        context = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return context if isinstance(context, dict) and context else None


def _payloads(row: Row) -> tuple[Payload, ...]:
    return (row.payload, row.previous) if row.previous else (row.payload,)


def _address(payload: Payload) -> Address | None:
    kind = "email" if payload.get("email") else "phone"
    value = str(payload.get(kind) or "")
    return (kind, value) if value else None


def _joins(row: Row) -> Address | None:
    return None if row.operation == "removed" else _address(row.payload)


def _former(row: Row) -> list[Address]:
    """The addresses that a row takes it from: all of a removal, else one that it had before."""
    addresses = {address for payload in _payloads(row) if (address := _address(payload))}
    return sorted(addresses - {_joins(row)})
