"""What a segment becomes at Google: members of a Customer Match list, known by hashes.

Belongs here: who is added and removed, in which list, and what is believed. Does not belong here:
the calls (`api`), what states mean (`tickets`), permission (the gate).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingestion.apis.addresses import is_this_machine
from ingestion.errors import UsageError
from orchestration.destinations.base import (
    Acknowledgement,
    Audience,
    AudienceSize,
    Batch,
    Idempotency,
    Identifiers,
    Limits,
    Outcome,
    Payload,
    Rate,
    RetryLaterError,
    Row,
)
from orchestration.destinations.google_ads.api import (
    Api,
    Identifier,
    Member,
    NoListError,
    NoRequestError,
    RefusedMembersError,
    Status,
)
from orchestration.destinations.google_ads.tickets import (
    ADD,
    REMOVE,
    Erasure,
    Request,
    as_ticket,
    requests_of,
    verdict,
)
from orchestration.destinations.normalising import GOOGLE, Rule, postal_code, region_code

GOOGLES = "https://datamanager.googleapis.com"
ROWS = 10_000
IDENTIFIERS = 10  # of a member
LONGEST_DAYS = 540  # that Google keeps a member
CALLS = Rate(75, 60.0)  # of batches and questions, each of up to three or four calls: 300 a minute
_ACCOUNT = r"^\d{3}-?\d{3}-?\d{4}$"
NOBODY = "nobody@example.com"  # an address of documentation
GRANTED, DENIED = "granted", "denied"


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say.

    Attributes:
        lists: by segment the id of its Customer Match list.
        operating_account: the ad account that has the lists.
        login_account: the manager account that the key belongs to, where it is another one.
        terms_accepted: that the shop has accepted Google's terms of Customer Match; without it
            Google takes nobody.
        membership_days: how long the lists keep a member.
        settling_hours: how long Google may need for what it has accepted; an erasure is sent again
            after it.
        columns: what of a person goes along; with postal_code members are matched by name as well.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lists: dict[str, Annotated[str, Field(pattern=r"^\d{1,20}$")]]
    operating_account: Annotated[str, Field(pattern=_ACCOUNT)]
    login_account: Annotated[str, Field(pattern=_ACCOUNT + "|^$")] = ""
    terms_accepted: bool = False
    membership_days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = LONGEST_DAYS
    settling_hours: Annotated[int, Field(ge=0, le=240)] = 48
    credentials_env: Annotated[str, Field(min_length=1)] = "GOOGLE_ADS_CREDENTIALS"
    columns: list[str] = []
    base_url: str = GOOGLES
    token_url: str = ""
    batch_size: Annotated[int, Field(ge=1, le=ROWS)] = ROWS
    allow_private: bool = False

    @model_validator(mode="after")
    def _may_send(self) -> Options:
        if not self.terms_accepted:
            raise ValueError(
                "set `terms_accepted = true` once somebody has accepted the terms of Customer Match"
                " in Google Ads"
            )
        return self

    @property
    def account(self) -> str:
        """The ad account's number."""
        return self.operating_account.replace("-", "")

    @property
    def manager(self) -> str:
        """The manager account's number, if there is one."""
        return self.login_account.replace("-", "")

    @property
    def where_tokens_are(self) -> str:
        """The server that hands out tokens: Google's, or that of a double of its API."""
        usual = "https://oauth2.googleapis.com" if self.base_url == GOOGLES else self.base_url
        return self.token_url or f"{usual.rstrip('/')}/token"


@dataclass(frozen=True, slots=True)
class _Change:
    """What a row means there: who is added, and what is taken out first."""

    row: Row
    joins: Member | None
    leaves: tuple[Identifier, ...]


class GoogleAdsDestination:
    """Adds people to Customer Match lists and takes them out."""

    channels = frozenset({"ads"})
    idempotency = Idempotency.SET
    acknowledgement = Acknowledgement.ASKABLE
    patience = timedelta(days=3)  # Google usually needs up to two

    def __init__(self, name: str, options: Options, api: Api, now: Callable[[], datetime]) -> None:
        """Nothing is reached until the first delivery."""
        self.name = name
        self.limits = Limits(options.batch_size, rates=(CALLS,))
        self.renewed_after = timedelta(days=options.membership_days * 5 / 6)
        self._options = options
        self._api = api
        self._now = now

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Hand over whom to take out, then whom to add, those with both consents apart."""
        if not batch.rows:
            return []
        list_id = self._list(batch.segment)
        changes = _changes(batch.rows)
        refused: dict[str, str] = {}
        try:
            removed = self._remove(list_id, changes)
            added = self._add(list_id, changes, refused)
        except NoListError:
            return [Outcome(each.row.key, "rejected", "list_not_found") for each in changes]
        return [
            _outcome(each, removed, added.get(each.row.key), refused.get(each.row.key, ""))
            for each in changes
        ]

    def ask(self, segment: str, ticket: str, rows: Sequence[Row]) -> Sequence[Outcome]:  # noqa: ARG002
        """What became of rows, by the states of their requests; Google never says who matched."""
        requests = requests_of(ticket)
        status, reason = verdict(requests, self._known(requests))
        kept = ticket if status == "accepted" else ""
        return [Outcome(row.key, status, reason, kept) for row in rows]

    def finish(self, audience: Audience) -> None:
        """Nothing to do: each row is of one person."""

    def preview(self, segment: str) -> str:
        """Which list, and when its members are sent again."""
        days = self.renewed_after.days
        return (
            f"the Customer Match list {self._options.lists.get(segment) or '(none is named)'};"
            f" members are sent again after {days} days, since Google drops them after"
            f" {self._options.membership_days}"
        )

    def stays_in(self, folder: Path) -> bool:  # noqa: ARG002 - an account is in no folder
        """Only an account on this machine, a fake, is the pretend shop's own."""
        return self._api.is_local and is_this_machine(self._options.where_tokens_are)

    def validate(self) -> None:
        """Let Google validate, and not do, the addition of somebody who is nobody to each list."""
        nobody = Member((("email", GOOGLE[-1].hashed("email", NOBODY)),), True, True)
        for list_id in sorted(set(self._options.lists.values())):
            self._api.add(list_id, [nobody], only_validate=True)

    def audience_size(self, segment: str) -> AudienceSize:
        """What Google says of the list: people on Search, and how many it matched."""
        list_id = self._options.lists.get(segment)
        try:
            held, matched = self._api.size(list_id) if list_id else (0, 0)
        except NoListError:
            return AudienceSize(0)
        return AudienceSize(held or None, matched or None)

    def erase(self, people: Sequence[Identifiers]) -> Sequence[Outcome]:
        """Take people out of every list, and once more when all that was under way is applied."""
        return [self._erase(person) for person in people]

    def _erase(self, person: Identifiers) -> Outcome:
        members = _members_of(_all_identifiers(person))
        if not members:
            return Outcome(person.key, "delivered")
        try:
            return self._erasure(person, members)
        except RetryLaterError as error:
            return Outcome(person.key, "retry", error.reason, person.ticket)
        except NoListError:
            return Outcome(person.key, "retry", "list_not_found")

    def _erasure(self, person: Identifiers, members: Sequence[Member]) -> Outcome:
        erasure = Erasure.read(person.ticket) if person.ticket else None
        at = self._now()
        begun = erasure.begun if erasure else at
        may_be_undone = at - begun < timedelta(hours=self._options.settling_hours)
        if erasure:
            status, _ = verdict(erasure.requests, self._known(erasure.requests))
            if status == "delivered" and erasure.is_last:
                return Outcome(person.key, "delivered")
            if status == "accepted" or (status == "delivered" and may_be_undone):
                return Outcome(person.key, "accepted", "deletion_requested", person.ticket)
        requests = tuple(
            Request(REMOVE, self._api.remove(list_id, members), len(members))
            for list_id in sorted(set(self._options.lists.values()))
        )
        ticket = str(Erasure(begun, requests, is_last=not may_be_undone))
        return Outcome(person.key, "accepted", "deletion_requested", ticket)

    def _list(self, segment: str) -> str:
        try:
            return self._options.lists[segment]
        except KeyError:
            raise UsageError(
                f"The destination `{self.name}` has no list for the segment `{segment}`.",
                f"Make a Customer Match list in Google Ads and write its id into its options"
                f" (lists.{segment}); the rows stay queued.",
            ) from None

    def _known(self, requests: Iterable[Request]) -> dict[str, Status]:
        """The states of requests; none where Google does not know one, perhaps not yet."""
        known = {}
        for each in requests:
            try:
                known[each.id] = self._api.status(each.id)
            except NoRequestError:
                continue
        return known

    def _remove(self, list_id: str, changes: Sequence[_Change]) -> dict[Identifier, Request]:
        """Hand over what leaves; the request of each identifier."""
        leaving = list(dict.fromkeys(each for change in changes for each in change.leaves))
        requests: dict[Identifier, Request] = {}
        members = _members_of(leaving)
        for start in range(0, len(members), ROWS):
            part = members[start : start + ROWS]
            request = Request(REMOVE, self._api.remove(list_id, part), len(part))
            requests |= {each: request for member in part for each in member.identifiers}
        return requests

    def _add(
        self, list_id: str, changes: Sequence[_Change], refused: dict[str, str]
    ) -> dict[str, Request]:
        """Hand over who joins; the request of each row, and in `refused` why one has none."""
        requests: dict[str, Request] = {}
        for lacks_consent in (False, True):
            joining = {
                change.row.key: change.joins
                for change in changes
                if change.joins and _lacks_consent(change.joins) is lacks_consent
            }
            while joining:
                order = list(joining)
                try:
                    request_id = self._api.add(list_id, [joining[key] for key in order])
                except RefusedMembersError as error:
                    named = {order[n]: code for n, code in error.members.items() if n < len(order)}
                    if not named:
                        raise
                    refused |= {key: code or "invalid_member" for key, code in named.items()}
                    joining = {key: joining[key] for key in order if key not in named}
                    continue
                request = Request(ADD, request_id, len(order), lacks_consent)
                requests |= dict.fromkeys(order, request)
                break
        return requests


def _changes(rows: Sequence[Row]) -> list[_Change]:
    """What rows mean; no identifier that somebody joins with is taken out beside it."""
    joins = {row.key: _joining(row) for row in rows}
    stays = {each for member in joins.values() if member for each in member.identifiers}
    return [_Change(row, joins[row.key], _leaving(row, joins[row.key], stays)) for row in rows]


def _joining(row: Row) -> Member | None:
    """Who is added by a row: nobody who refused ads, or ads that are made for them."""
    payload = row.payload
    consents = (payload.get("ads_consent"), payload.get("personalised_ads_consent"))
    identifiers = _identifiers(payload, GOOGLE[-1])
    if row.operation == "removed" or DENIED in consents or not identifiers:
        return None
    return Member(identifiers[:IDENTIFIERS], *(each == GRANTED for each in consents))


def _leaving(row: Row, joins: Member | None, stays: set[Identifier]) -> tuple[Identifier, ...]:
    """What a row takes out: all that may be there of the person, and is not to stay."""
    payloads = [row.previous] if joins else [row.payload, row.previous]
    before = (
        each
        for payload in payloads
        if payload
        for rule in GOOGLE
        for each in _identifiers(payload, rule)
    )
    return tuple(dict.fromkeys(each for each in before if each not in stays))


def _lacks_consent(member: Member) -> bool:
    return not (member.has_ads_consent and member.has_personalised_ads_consent)


def _identifiers(payload: Payload, rule: Rule) -> tuple[Identifier, ...]:
    identifiers: list[Identifier] = []
    for kind in ("email", "phone"):
        digest = rule.hashed(kind, payload.get(kind))
        if digest:
            identifiers.append((kind, digest))
    address = (
        rule.hashed("given_name", payload.get("first_name")),
        rule.hashed("family_name", payload.get("last_name")),
        region_code(payload.get("country_code")),
        postal_code(payload.get("postal_code")),
    )
    if all(address):  # Google matches all four at once
        identifiers.append(("address", *address))
    return tuple(identifiers)


def _all_identifiers(person: Identifiers) -> list[Identifier]:
    """Each address of a person under each rule."""
    hashes = (
        (kind, rule.hashed(kind, value))
        for kind in ("email", "phone")
        for value in person.values.get(kind, ())
        for rule in GOOGLE
    )
    return sorted({(kind, digest) for kind, digest in hashes if digest})


def _members_of(identifiers: Sequence[Identifier]) -> list[Member]:
    """One member for each identifier, so that none is matched only together with another."""
    return [Member((each,)) for each in identifiers]


def _outcome(
    change: _Change, removed: Mapping[Identifier, Request], added: Request | None, refused: str
) -> Outcome:
    key, row = change.row.key, change.row
    if refused:
        return Outcome(key, "retry" if change.leaves else "rejected", refused)
    is_refusal = DENIED in (
        row.payload.get("ads_consent"),
        row.payload.get("personalised_ads_consent"),
    )
    if row.operation != "removed" and change.joins is None and not is_refusal:
        return Outcome(key, "rejected", "no_address")
    requests = list(dict.fromkeys(removed[each] for each in change.leaves))
    if added:
        requests.append(added)
    if not requests:
        return Outcome(key, "delivered")
    return Outcome(key, "accepted", ticket=as_ticket(requests))
