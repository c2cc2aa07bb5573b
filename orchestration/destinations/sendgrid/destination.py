"""What a segment becomes at SendGrid: contacts on a list, with custom fields where asked.

Belongs here: who is put on and taken off, and what is believed. Does not belong here: the calls
(`api`), permission (the gate).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

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
    Withdrawal,
)
from orchestration.destinations.http import as_json
from orchestration.destinations.sendgrid.api import (
    AT_ONCE,
    JOB_BYTES,
    Api,
    Contact,
    GoneError,
    bodies,
)

ROWS = 30_000
OVERLAP = timedelta(minutes=10)  # of what is read of suppressions before each batch
RESERVED = {"first_name": 50, "last_name": 50, "city": 60, "country": 50}  # their longest values
LONGEST_FIELD = 1_000
_FAILED = ("errored", "failed")

Known = Mapping[str, Contact | None]


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say.

    Attributes:
        lists: by segment the id of its list; another's is found by its name, or made.
        prefix: of those names.
        create: whether members who are no contacts become some; SendGrid bills contacts.
        fields: by column the name of the custom field that it goes into; `{segment}` in it stands
            for the segment's name.
        columns: what of a person goes along; names and place go into SendGrid's own fields.
        suppression_groups: the unsubscribe groups whose mail the audience is for.
        settling_hours: how long a job may take; until then an erasure is not confirmed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lists: dict[str, Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{36}$")]] = {}
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_ ]{0,31}$")] = "regulars_"
    create: bool = False
    fields: dict[str, Annotated[str, Field(min_length=1, max_length=100)]] = {}
    columns: list[str] = []
    suppression_groups: list[int] = []
    settling_hours: Annotated[int, Field(ge=0, le=240)] = 24
    api_key_env: Annotated[str, Field(min_length=1)] = "SENDGRID_API_KEY"
    base_url: str = "https://api.sendgrid.com"
    batch_size: Annotated[int, Field(ge=1, le=ROWS)] = 1_000
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class _Change:
    """What a row means there: whose contact goes on the list, and whose come off it."""

    row: Row
    joins: str
    leaves: tuple[str, ...]

    @property
    def emails(self) -> tuple[str, ...]:
        return (*((self.joins,) if self.joins else ()), *self.leaves)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a segment goes: its list, and the ids of custom fields by column."""

    list_id: str
    fields: Mapping[str, str]


class SendGridDestination:
    """Puts contacts on lists and takes them off."""

    channels = frozenset({"email"})
    idempotency = Idempotency.SET
    acknowledgement = Acknowledgement.ASKABLE
    patience = timedelta(days=1)

    def __init__(self, name: str, options: Options, api: Api, now: Callable[[], datetime]) -> None:
        """Nothing is reached until the first delivery."""
        self.name = name
        self.limits = Limits(
            options.batch_size, batch_bytes=JOB_BYTES - 1_000, rates=(Rate(30, 60.0),)
        )
        self._options = options
        self._api = api
        self._now = now
        self._lists: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._read_until: datetime | None = None

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Read who is suppressed and who is a contact, then begin the jobs."""
        if not batch.rows:
            return []
        changes = _changes(batch.rows)
        target = self._target(batch.segment)
        self._read_refusals()
        known = self._api.look_up({email for each in changes for email in each.emails})
        refused = {each.row.key: self._refusal(each, known) for each in changes}
        try:
            left = self._leave(target, changes, known)
            jobs, wrong = self._join(target, changes, known, refused)
        except GoneError:
            return self._without_list(batch.segment, target, changes)
        return [
            _outcome(each, refused[each.row.key] or wrong.get(each.joins, ""), left, jobs)
            for each in changes
        ]

    def ask(self, segment: str, ticket: str, rows: Sequence[Row]) -> Sequence[Outcome]:
        """What became of rows: by their jobs, and by the contacts as they are now."""
        states = [self._api.job(job_id) for job_id in json.loads(ticket)]
        if any(state in ("", "pending") for state in states):
            return [Outcome(row.key, "accepted", ticket=ticket) for row in rows]
        has_failed = any(state in _FAILED for state in states)
        changes = _changes(rows)
        target = self._target(segment)
        known = self._api.look_up({email for each in changes for email in each.emails})
        return [self._verdict(each, target, known, segment, has_failed) for each in changes]

    def finish(self, audience: Audience) -> None:
        """Nothing to do: each row is of one person."""

    def preview(self, segment: str) -> str:
        """Which list, and whether contacts are made."""
        named = self._options.lists.get(segment) or f"{self._options.prefix}{segment}"
        who = "also people who are no contacts yet, whom SendGrid then bills"
        only = who if self._options.create else "contacts that exist"
        return f"the list {named}: {only}; automations that begin when one is added start"

    def stays_in(self, folder: Path) -> bool:  # noqa: ARG002 - an account is in no folder
        """Only an account on this machine, a fake, is the pretend shop's own."""
        return self._api.is_local

    def size(self, row: Row) -> int:
        """The bytes of a row in a body, with its comma."""
        fields = {column: column for column in self._options.fields}
        contact = self._contact(_email(row.payload), row, _Target("", fields), None)
        return len(as_json(contact)) + 1

    def withdrawals_since(self, since: datetime) -> Iterator[Withdrawal]:
        """Whoever unsubscribed, complained or bounced there since, everywhere or in our groups."""
        groups = self._options.suppression_groups
        for each in self._api.refusals(since.replace(tzinfo=UTC), groups):
            if each.email:
                purpose = "marketing" if each.is_of_a_group else "*"
                yield Withdrawal("email", each.email, "email", purpose, each.reason, each.at)

    def audience_size(self, segment: str) -> AudienceSize:
        """How many contacts the list has; none where there is no list."""
        named = self._options.lists.get(segment)
        list_id = named or self._api.lists().get(f"{self._options.prefix}{segment}")
        try:
            return AudienceSize(self._api.count(list_id) if list_id else 0)
        except GoneError:
            return AudienceSize(0)

    def erase(self, people: Sequence[Identifiers]) -> Sequence[Outcome]:
        """Delete contacts, until none is found once every job that was under way is done."""
        return [self._erase(person) for person in people]

    def _erase(self, person: Identifiers) -> Outcome:
        at = self._now()
        begun = datetime.fromisoformat(person.ticket) if person.ticket else at
        try:
            known = self._api.look_up(person.values.get("email", ()))
            ids = {contact.id for contact in known.values() if contact}
            self._api.delete(ids)
        except RetryLaterError as error:
            return Outcome(person.key, "retry", error.reason, person.ticket)
        if not ids and at - begun >= timedelta(hours=self._options.settling_hours):
            return Outcome(person.key, "delivered")
        return Outcome(person.key, "accepted", "deletion_requested", begun.isoformat())

    def _read_refusals(self) -> None:
        """Whoever is suppressed there: all of them once, then what is new before each batch."""
        since = self._read_until - OVERLAP if self._read_until else None
        until = self._now()
        refusals = self._api.refusals(since, self._options.suppression_groups)
        self._refused |= {each.email: each.reason for each in refusals if each.email}
        self._read_until = until

    def _refusal(self, change: _Change, known: Known) -> str:
        """Why the row's person gets nothing; empty if they do, or if it is a removal."""
        if change.row.operation == "removed":
            return ""
        if not change.joins:
            return "no_address"
        contact = known.get(change.joins)
        if change.joins in known and contact is None:
            return "invalid_address"
        own = {change.joins, contact.email if contact else change.joins}
        reasons = [self._refused[email] for email in sorted(own) if email in self._refused]
        if reasons:
            return reasons[0]
        return "" if contact or self._options.create else "no_profile"

    def _leave(self, target: _Target, changes: Sequence[_Change], known: Known) -> dict[str, str]:
        """Take contacts off the list; the job by address."""
        stays = _staying(changes, known)
        leaving = {
            email: contact.id
            for change in changes
            for email in change.leaves
            if (contact := known.get(email)) and contact.id not in stays
        }
        ids = sorted(set(leaving.values()))
        jobs = self._api.leave(target.list_id, ids)
        by_id = {each: jobs[number // AT_ONCE] for number, each in enumerate(ids)}
        return {email: by_id[contact_id] for email, contact_id in leaving.items()}

    def _join(
        self,
        target: _Target,
        changes: Sequence[_Change],
        known: Known,
        refused: Mapping[str, str],
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Put contacts on the list: the job by address, and why single ones were not taken."""
        contacts = {
            each.joins: self._contact(each.joins, each.row, target, known.get(each.joins))
            for each in changes
            if each.joins and not refused[each.row.key]
        }
        jobs: dict[str, str] = {}
        wrong: dict[str, str] = {}
        while contacts:
            order = list(contacts)
            numbers: dict[int, str] = {}
            done = 0
            for part in bodies([contacts[email] for email in order]):
                job_id, numbers = self._api.upsert(part, target.list_id)
                if numbers:
                    break
                jobs |= dict.fromkeys(order[done : done + len(part)], job_id)
                done += len(part)
            named = {order[done + n]: why for n, why in numbers.items() if done + n < len(order)}
            if numbers and not named:
                raise RetryLaterError("unreadable_answer")
            wrong |= named
            contacts = {e: contacts[e] for e in order[done:] if e not in named}
        return jobs, wrong

    def _contact(
        self, email: str, row: Row, target: _Target, known: Contact | None
    ) -> dict[str, Any]:
        """A contact as it is sent: with all its identifiers, else it is not updated."""
        own: dict[str, Any] = {"email": known.email if known else email}
        if known:
            own |= known.identifiers
        own |= self._reserved(row.payload)
        fields = {field: _text(row.payload.get(column)) for column, field in target.fields.items()}
        return {**own, "custom_fields": fields} if fields else own

    def _reserved(self, payload: Payload) -> dict[str, str]:
        return {
            column: _text(payload.get(column))[:longest]
            for column, longest in RESERVED.items()
            if column in self._options.columns
        }

    def _verdict(
        self, change: _Change, target: _Target, known: Known, segment: str, has_failed: bool
    ) -> Outcome:
        key = change.row.key
        stays = known.get(change.joins)
        is_gone = not any(
            target.list_id in contact.lists
            for email in change.leaves
            if (contact := known.get(email)) and not (stays and contact.id == stays.id)
        )
        is_there = not change.joins or bool(stays and self._has(change.row, target, stays, segment))
        if is_gone and is_there:
            return Outcome(key, "delivered")
        if has_failed and change.row.operation != "removed":
            return Outcome(key, "rejected", "import_error")
        return Outcome(key, "retry", "not_applied")

    def _has(self, row: Row, target: _Target, contact: Contact, segment: str) -> bool:
        """Whether a contact is on the list and has what the row says."""
        names = {column: self._field_name(column, segment) for column in target.fields}
        sent = {names[column]: _text(row.payload.get(column)) for column in target.fields}
        return (
            target.list_id in contact.lists
            and all((contact.fields.get(name) or "") == value for name, value in sent.items())
            and all(
                (contact.reserved_fields.get(name) or "") == value
                for name, value in self._reserved(row.payload).items()
            )
        )

    def _field_name(self, column: str, segment: str) -> str:
        return self._options.fields[column].replace("{segment}", segment)

    def _target(self, segment: str) -> _Target:
        """The list, made where it is missing, and the custom fields, which must be there.

        Raises:
            UsageError: a field is not there.
        """
        names = {column: self._field_name(column, segment) for column in self._options.fields}
        known = self._api.custom_fields() if names else {}
        missing = sorted(set(names.values()) - known.keys())
        if missing:
            raise UsageError(
                f"The destination `{self.name}` finds no custom field {', '.join(missing)}.",
                "Make it in SendGrid as a text field, or name another one in its options (fields);"
                " the rows stay queued.",
            )
        list_id = self._options.lists.get(segment) or self._list(segment)
        return _Target(list_id, {column: known[name] for column, name in names.items()})

    def _list(self, segment: str) -> str:
        name = f"{self._options.prefix}{segment}"
        if name not in self._lists:
            self._lists = self._api.lists()
        if name not in self._lists:
            self._lists[name] = self._api.create_list(name)
        return self._lists[name]

    def _without_list(
        self, segment: str, target: _Target, changes: Sequence[_Change]
    ) -> list[Outcome]:
        """The outcomes where somebody deleted the list: nobody is on it."""
        if segment not in self._options.lists:
            self._lists.clear()  # the next try makes it anew
            raise RetryLaterError("list_is_gone")
        if self._api.has_list(target.list_id):
            raise RetryLaterError("list_not_found")
        return [
            Outcome(each.row.key, "delivered")
            if each.row.operation == "removed"
            else Outcome(each.row.key, "rejected", "list_not_found")
            for each in changes
        ]


def _changes(rows: Sequence[Row]) -> list[_Change]:
    joins = {row.key: "" if row.operation == "removed" else _email(row.payload) for row in rows}
    return [_Change(row, joins[row.key], _leaves(row, joins[row.key])) for row in rows]


def _staying(changes: Sequence[_Change], known: Known) -> set[str]:
    """The contacts that somebody joins with: they are not taken off beside it."""
    return {contact.id for each in changes if (contact := known.get(each.joins))}


def _leaves(row: Row, joins: str) -> tuple[str, ...]:
    """The addresses that a row takes off: all of a removal, else one that it had before."""
    payloads = [row.payload] if row.operation == "removed" else []
    payloads += [row.previous] if row.previous else []
    emails = dict.fromkeys(_email(payload) for payload in payloads)
    return tuple(email for email in emails if email and email != joins)


def _email(payload: Payload) -> str:
    return str(payload.get("email") or "").strip().lower()


def _text(value: object) -> str:
    """A value as a field holds it; an empty one empties the field."""
    if value is None:
        return ""
    return (value if isinstance(value, str) else json.dumps(value))[:LONGEST_FIELD]


def _outcome(
    change: _Change, refusal: str, left: Mapping[str, str], joined: Mapping[str, str]
) -> Outcome:
    key = change.row.key
    if refusal:
        return Outcome(key, "rejected", refusal)
    jobs = [left[email] for email in change.leaves if email in left]
    jobs += [joined[change.joins]] if change.joins in joined else []
    if not jobs:
        return Outcome(key, "delivered")
    ticket = json.dumps(list(dict.fromkeys(jobs)))
    return Outcome(key, "accepted", ticket=ticket)
