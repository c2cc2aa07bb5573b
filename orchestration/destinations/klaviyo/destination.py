"""What a segment becomes at Klaviyo: properties of profiles, and members of a list where asked.

Belongs here: what is set, unset and believed. Does not belong here: the calls (`api`), permission.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

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
)
from orchestration.destinations.http import as_json
from orchestration.destinations.klaviyo.api import AT_ONCE, Address, Api, Profile, sendable

ENVELOPE_BYTES = 1_000  # what a body has around its profiles, at most
JOB_BYTES = 5_000_000
PROFILE_BYTES = 100_000
JOB_ROWS = 10_000
READS_A_MINUTE = 700  # of 750, so that other programs of the shop have some
ABSENT = "absent:"  # the ticket of a removal of nobody, while jobs are open that may make them
_TYPES = {"email": "email", "phone_number": "phone"}  # our names of Klaviyo's kinds of address
_CHANNELS = {"email": "email", "phone_number": "sms"}

Known = Mapping[Address, Sequence[Profile]]


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say.

    Attributes:
        create: whether members who have no profile get one; Klaviyo bills each that has an email.
        lists: by segment the id of a list that members are also put on; its flows begin for them.
        prefix: of the properties' names.
        columns: what of a person goes along, as properties of the same prefix.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = "https://a.klaviyo.com"
    api_key_env: Annotated[str, Field(min_length=1)] = "KLAVIYO_API_KEY"
    create: bool = False
    lists: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,20}$")]] = {}
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")] = "regulars_"
    columns: list[str] = []
    batch_size: Annotated[int, Field(ge=1, le=JOB_ROWS)] = 1_000
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class _Change:
    """What a row means there: whose properties are set and whose are unset."""

    row: Row
    sets: Address | None
    clears: tuple[Address, ...]

    @property
    def addresses(self) -> tuple[Address, ...]:
        return (*((self.sets,) if self.sets else ()), *self.clears)


class KlaviyoDestination:
    """Sets and unsets properties of profiles."""

    channels = frozenset({"email", "sms"})
    idempotency = Idempotency.SET
    acknowledgement = Acknowledgement.ASKABLE
    patience = timedelta(days=1)
    withdrawal_channels = frozenset({"email", "sms"})
    withdrawals_at_once = AT_ONCE
    withdrawals_per_sync = 20_000

    def __init__(self, name: str, options: Options, api: Api) -> None:
        """Nothing is reached until the first delivery."""
        self.name = name
        self.limits = Limits(
            options.batch_size,
            batch_bytes=JOB_BYTES - ENVELOPE_BYTES,
            row_bytes=PROFILE_BYTES,
            rates=_rates(options.batch_size),
        )
        self.makes_profiles_of = "klaviyo_profile_id" if options.create else ""
        self._options = options
        self._api = api

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Read the subscriptions of everybody in the batch, then begin the imports."""
        if not batch.rows:
            return []
        changes = [_change(row) for row in batch.rows]
        known = self._api.look_up({each for change in changes for each in change.addresses})
        refused = {change.row.key: self._refusal(change, known) for change in changes}
        sets = {
            change.sets: self._set(change.sets, change.row, batch.segment)
            for change in changes
            if change.sets and not refused[change.row.key]
        }
        clears = {
            address: self._clear(address, batch.segment)
            for change in changes
            for address in change.clears
            if address not in sets and self._may_have(change.row, known.get(address), batch.segment)
        }
        tickets, not_taken = self._send(sets, clears, known, batch.segment)
        return [
            self._outcome(change, refused[change.row.key], tickets, not_taken) for change in changes
        ]

    def ask(self, segment: str, ticket: str, rows: Sequence[Row]) -> Sequence[Outcome]:
        """What became of rows: by the job, its errors, and the profiles as they are now.

        While a bulk import that was begun earlier is open, it may still undo this one: not yet.
        """
        begun = _absent_since(ticket)
        job = None if begun else self._api.job(ticket)
        if job is not None:
            begun = job.created
        oldest = self._api.open_jobs(newest=False) if begun else None
        if (job and not job.is_done) or (begun and oldest and oldest <= begun):
            return [Outcome(row.key, "accepted", ticket=ticket) for row in rows]
        errors = self._api.import_errors(ticket) if job and job.failed else {}
        changes = [_change(row) for row in rows]
        addresses = {each for change in changes for each in change.addresses}
        known = self._api.look_up(addresses)
        list_id = self._options.lists.get(segment, "")
        members = self._api.on_list(list_id, addresses) if list_id else None
        return [self._verdict(change, segment, errors, known, members) for change in changes]

    def finish(self, audience: Audience) -> None:
        """Nothing to do: properties and lists are of single people."""

    def preview(self, segment: str) -> str:
        """Which properties and which list, and whether profiles are made."""
        who = "also people without a profile, whom Klaviyo then bills"
        words = f"the property {self._flag(segment)} of profiles"
        words += f", {who}" if self._options.create else " that exist"
        list_id = self._options.lists.get(segment)
        if list_id:
            words += f', and the list {list_id}: flows that begin with "added to list" start'
        return words

    def stays_in(self, folder: Path) -> bool:  # noqa: ARG002 - an account is in no folder
        """Only an account on this machine, a fake, is the pretend shop's own."""
        return self._api.is_local

    def size(self, row: Row) -> int:
        """The bytes of a row in a body, with its commas."""
        change = _change(row)
        segment = str(row.payload.get("segment") or "")
        profiles = [self._clear(address, segment) for address in change.clears]
        if change.sets:
            profiles.append(self._set(change.sets, row, segment))
        return sum(len(as_json(profile)) + 1 for profile in profiles)

    def withdrawals_since(self, since: datetime) -> Iterator[Withdrawal]:
        """Whoever is suppressed or unsubscribed there, of the profiles that changed since."""
        withdrawals = set()
        for profile in self._api.refused_since(since):
            for withdrawal in _withdrawals(profile, since):
                if withdrawal not in withdrawals:
                    withdrawals.add(withdrawal)
                    yield withdrawal

    def members_of(self, segment: str) -> Iterator[str]:
        """Whoever has the flag, and is on the list where there is one; all profiles are read."""
        flag = self._flag(segment)
        for held in self._api.all_properties(self._options.lists.get(segment, "")):
            if held.get(flag) is True:
                yield str(held.get(f"{flag}_customer_id") or "")

    def withdraw(self, refusals: Mapping[str, Withdrawal]) -> Sequence[Outcome]:
        """Unsubscribe or suppress profiles that exist and may be written to, then read them back.

        What a person said becomes an unsubscription, which a newer yes of theirs undoes; what
        nobody can undo, a suppression.
        """
        where = {key: _where(refusal) for key, refusal in refusals.items()}
        before = self._standing(refusals, where)
        open_ = {key: each for key, each in refusals.items() if key not in before}
        for channel in sorted(self.withdrawal_channels):
            addresses = {
                (each.reason in CLEARABLE, address)
                for key, each in open_.items()
                if each.channel == channel and (address := where[key])
            }
            lasting = {each for may_return, each in addresses if not may_return}
            self._api.suppress(lasting if channel == "email" else ())
            left = addresses if channel == "sms" else {a for a in addresses if a[0]}
            self._api.unsubscribe({address for _, address in left}, channel)
        after = self._standing(open_, where)
        return [*before.values(), *(_written(key, after.get(key)) for key in open_)]

    def _standing(
        self, refusals: Mapping[str, Withdrawal], where: Mapping[str, Address | None]
    ) -> dict[str, Outcome]:
        """What refusals come to without writing anything; none for those that are to be written."""
        known = self._api.look_up({address for key in refusals if (address := where[key])})
        outcomes = {key: _standing(key, each, where[key], known) for key, each in refusals.items()}
        return {key: outcome for key, outcome in outcomes.items() if outcome}

    def erase(self, people: Sequence[Identifiers]) -> Sequence[Outcome]:
        """Have profiles deleted; asked again once that is done, nothing of them is found."""
        return [self._erase(person) for person in people]

    def _erase(self, person: Identifiers) -> Outcome:
        addresses = {
            address
            for kind, type_ in _TYPES.items()
            for value in person.values.get(type_, ())
            if (address := sendable(kind, value))
        }
        try:
            known = self._api.look_up(addresses)
            ids = {profile.id for profiles in known.values() for profile in profiles}
            asked = set(person.values.get("klaviyo_profile_id", ())) - ids
            ids |= {profile.id for profile in self._api.by_id(asked)}
            if not ids and not self._api.open_jobs(newest=False):
                return Outcome(person.key, "delivered")
            for profile_id in sorted(ids):
                self._api.delete("id", profile_id)
        except RetryLaterError as error:
            return Outcome(person.key, "retry", error.reason)
        return Outcome(person.key, "accepted", "deletion_requested" if ids else "jobs_are_open")

    def _refusal(self, change: _Change, known: Known) -> str:
        """Why the row's person gets nothing; empty if they do, or if it is a removal."""
        if change.row.operation == "removed":
            return ""
        if change.sets is None:
            return "no_address"
        profiles = known.get(change.sets, ())
        channel = _CHANNELS[change.sets[0]]
        refusals = [no for profile in profiles for no in profile.refusals if no.channel == channel]
        if refusals:
            return refusals[0].reason
        return "" if profiles or self._options.create else "no_profile"

    def _send(
        self,
        sets: Mapping[Address, Payload],
        clears: Mapping[Address, Payload],
        known: Known,
        segment: str,
    ) -> tuple[dict[Address, str], dict[Address, str]]:
        """Take people off the list and begin the imports: tickets, and whom it did not take."""
        list_id = self._options.lists.get(segment, "")
        if list_id:
            gone = {profile.id for address in clears for profile in known[address]}
            self._api.leave_list(list_id, gone)
        groups = [(clears, ""), (sets, list_id)] if list_id else [({**clears, **sets}, "")]
        tickets: dict[Address, str] = {}
        not_taken: dict[Address, str] = {}
        for profiles, to_list in groups:
            ticket, refused = self._begin(profiles, to_list)
            not_taken |= refused
            tickets |= dict.fromkeys(profiles.keys() - refused.keys(), ticket)
        return tickets, not_taken

    def _begin(
        self, profiles: Mapping[Address, Payload], list_id: str
    ) -> tuple[str, dict[Address, str]]:
        """One job without the profiles that Klaviyo names as wrong."""
        left = dict(profiles)
        refused: dict[Address, str] = {}
        while left:
            order = list(left)
            ticket, numbers = self._api.begin_import([left[each] for each in order], list_id)
            if not numbers:
                return ticket, refused
            for number, reason in numbers.items():
                if number < len(order):
                    refused[order[number]] = reason
                    del left[order[number]]
        return "", refused

    def _outcome(
        self,
        change: _Change,
        refusal: str,
        tickets: Mapping[Address, str],
        not_taken: Mapping[Address, str],
    ) -> Outcome:
        key = change.row.key
        if refusal:
            return Outcome(key, "rejected", refusal)
        wrong = [not_taken[address] for address in change.addresses if address in not_taken]
        if wrong:
            return Outcome(key, "rejected", wrong[0])
        begun = [tickets[address] for address in change.addresses if address in tickets]
        if begun:
            return Outcome(key, "accepted", ticket=begun[0])
        newest = self._api.open_jobs(newest=True)
        if newest is None:
            return Outcome(key, "delivered")
        return Outcome(key, "accepted", ticket=f"{ABSENT}{newest.isoformat()}")

    def _verdict(
        self,
        change: _Change,
        segment: str,
        errors: Mapping[Address, str],
        known: Known,
        members: set[Address] | None,
    ) -> Outcome:
        key = change.row.key
        wrong = [errors[address] for address in change.addresses if address in errors]
        if wrong:
            return Outcome(key, "rejected", wrong[0])
        is_gone = not any(
            self._may_have(change.row, [profile], segment)
            and (self._flag(segment) in profile.properties or address in (members or ()))
            for address in change.clears
            for profile in known.get(address, ())
        )
        is_there = change.sets is None or (
            any(self._has(change.row, profile, segment) for profile in known.get(change.sets, ()))
            and (members is None or change.sets in members)
        )
        if is_gone and is_there:
            return Outcome(key, "delivered")
        return Outcome(key, "retry", "not_applied")

    def _has(self, row: Row, profile: Profile, segment: str) -> bool:
        """Whether a profile has what the row says, or what a later one said."""
        flag, held = self._flag(segment), profile.properties
        version = held.get(f"{flag}_version")
        return bool(
            held.get(flag) is True
            and held.get(f"{flag}_customer_id") == row.payload.get("customer_id")
            and isinstance(version, int | float)
            and version >= row.version
        )

    def _may_have(self, row: Row, profiles: Sequence[Profile] | None, segment: str) -> bool:
        """Whether profiles may have something of the row's person, and not of another's.

        An address can go over to another person, who may be a member as well by now.
        """
        own = {row.customer_id, *(each.get("customer_id") for each in _payloads(row)), None}
        whose = f"{self._flag(segment)}_customer_id"
        return any(profile.properties.get(whose) in own for profile in profiles or ())

    def _flag(self, segment: str) -> str:
        return f"{self._options.prefix}{segment}"

    def _values(self, row: Row, segment: str) -> dict[str, Any]:
        """The properties of a member; None for those that they do not have."""
        flag, payload = self._flag(segment), row.payload
        values: dict[str, Any] = {
            flag: True,
            f"{flag}_customer_id": payload.get("customer_id"),
            f"{flag}_version": row.version,
            f"{flag}_reason": payload.get("reason") or None,
            f"{flag}_context": _context(payload.get("context")),
        }
        columns = ((name, payload.get(name)) for name in self._options.columns)
        return values | {f"{self._options.prefix}{name}": value for name, value in columns}

    def _set(self, address: Address, row: Row, segment: str) -> dict[str, Any]:
        values = self._values(row, segment)
        return _profile(
            address,
            {name: value for name, value in values.items() if value is not None},
            [name for name, value in values.items() if value is None],
        )

    def _clear(self, address: Address, segment: str) -> dict[str, Any]:
        flag = self._flag(segment)
        more = (f"{flag}_{name}" for name in ("customer_id", "version", "reason", "context"))
        return _profile(address, {}, [flag, *more])


def _change(row: Row) -> _Change:
    here = _address(row.payload)
    before = _address(row.previous) if row.previous else None
    if row.operation == "removed":
        both = dict.fromkeys(address for address in (here, before) if address)
        return _Change(row, None, tuple(both))
    return _Change(row, here, (before,) if before and before != here else ())


def _payloads(row: Row) -> tuple[Payload, ...]:
    return (row.payload, row.previous) if row.previous else (row.payload,)


def _address(payload: Payload) -> Address | None:
    if payload.get("email"):
        return sendable("email", payload["email"])
    return sendable("phone_number", payload.get("phone"))


def _profile(address: Address, properties: Payload, unset: Sequence[str]) -> dict[str, Any]:
    """A profile of a bulk import, which changes these properties and nothing else."""
    kind, value = address
    profile: dict[str, Any] = {"type": "profile", "attributes": {kind: value}}
    if properties:
        profile["attributes"]["properties"] = dict(properties)
    if unset:
        profile["meta"] = {"patch_properties": {"unset": list(unset)}}
    return profile


def _context(value: object) -> Mapping[str, Any] | None:
    """The context as an object, so that a template at Klaviyo can name its parts."""
    try:
        context = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return context if isinstance(context, dict) and context else None


def _absent_since(ticket: str) -> datetime | None:
    return datetime.fromisoformat(ticket.removeprefix(ABSENT)) if ticket[:7] == ABSENT else None


def _withdrawals(profile: Profile, since: datetime) -> Iterator[Withdrawal]:
    by_channel = {_CHANNELS[kind]: (_TYPES[kind], value) for kind, value in profile.addresses}
    for refusal in profile.refusals:
        who = by_channel.get(refusal.channel, ("klaviyo_profile_id", profile.id))
        at = refusal.at or profile.updated
        moment = at.astimezone(UTC).replace(tzinfo=None) if at else since
        yield Withdrawal(*who, refusal.channel, "*", refusal.reason, moment)


def _where(refusal: Withdrawal) -> Address | None:
    kind = "email" if refusal.identifier_type == "email" else "phone_number"
    return sendable(kind, refusal.identifier_value)


def _written(key: str, read: Outcome | None) -> Outcome:
    """What came of a refusal that was written, by what was read back."""
    if read is None:
        return Outcome(key, "accepted", "not_seen_yet")
    return Outcome(key, read.status, WRITTEN if read.reason == KNOWN else read.reason)


def _standing(
    key: str, refusal: Withdrawal, address: Address | None, known: Known
) -> Outcome | None:
    """What a refusal is there already; None where it is to be written."""
    if address is None:
        return Outcome(key, "rejected", "no_address")
    profiles = known.get(address, ())
    channel = refusal.channel
    if not profiles:
        return Outcome(key, "delivered", NOT_THERE)
    if all(any(no.channel == channel for no in each.refusals) for each in profiles):
        return Outcome(key, "delivered", KNOWN)
    since = [each.subscribed[channel] for each in profiles if channel in each.subscribed]
    refused_at = refusal.occurred_at.replace(tzinfo=UTC)
    if refusal.reason in CLEARABLE and since and max(since) > refused_at:
        return Outcome(key, "rejected", NEWER_GRANT)
    return None


def _rates(batch_size: int) -> tuple[Rate, ...]:
    """Calls so far apart that the reads of each stay below Klaviyo's windows."""
    reads = -(-batch_size // AT_ONCE)
    return (Rate(5, 1.0), Rate(min(70, max(1, READS_A_MINUTE // reads)), 60.0))
