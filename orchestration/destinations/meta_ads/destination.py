"""What a segment becomes at Meta: members of a custom audience, as rows of hashes.

Belongs here: who is added and removed, in which audience, and what is believed. Does not belong
here: the calls (`api`), numbers of sessions (`sessions`), permission (the gate).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
    RetryLaterError,
    Row,
)
from orchestration.destinations.meta_ads.api import (
    Api,
    Entry,
    FlaggedError,
    NotThereError,
    Received,
)
from orchestration.destinations.meta_ads.sessions import (
    PATIENCE,
    Ticket,
    erasure,
    first_number,
    free_numbers,
    has_removed,
    matched_percent,
    number_of,
    verdict,
)
from orchestration.destinations.normalising import META, Rule

ROWS = 10_000
REMOVE, ADD = 0, 1  # which number of a pair
_ID = r"^\d{1,20}$"
Item = TypeVar("Item")
Numbers = Iterator[tuple[int, int]]
_Status = Literal["retry", "accepted", "delivered"]
_WORST: tuple[_Status, ...] = ("retry", "accepted", "delivered")
_DONE: tuple[_Status, str] = ("delivered", "")
Place = tuple[int, int]  # the session that took an entry and its rows; number 0: it is invalid


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say.

    Attributes:
        audiences: by segment the id of its audience.
        ad_account: where the audiences of other segments are found, by their name.
        prefix: of those names.
        create: whether an audience is made where none has the name.
        delete_flagged_audience: whether one that Meta has flagged, and that therefore takes no
            removal, is deleted when somebody is to be removed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    audiences: dict[str, Annotated[str, Field(pattern=_ID)]] = {}
    ad_account: Annotated[str, Field(pattern=r"^(act_)?\d{0,20}$")] = ""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_ ]{0,31}$")] = "regulars_"
    create: bool = False
    delete_flagged_audience: bool = False
    access_token_env: Annotated[str, Field(min_length=1)] = "META_ACCESS_TOKEN"  # noqa: S105 - a name
    base_url: str = "https://graph.facebook.com/v26.0"
    batch_size: Annotated[int, Field(ge=1, le=ROWS)] = ROWS
    allow_private: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Options:
        if not self.audiences and not self.account:
            raise ValueError("give `audiences`, their ids by segment, or `ad_account`")
        if self.create and not self.account:
            raise ValueError("`create` needs `ad_account`")
        if self.delete_flagged_audience and (self.create or not self.account):
            raise ValueError("`delete_flagged_audience` needs `ad_account`, and no `create`")
        return self

    @property
    def account(self) -> str:
        """The ad account's number."""
        return self.ad_account.removeprefix("act_")


@dataclass(frozen=True, slots=True)
class _Change:
    """What a row means there: what is added, and what is taken out first.

    `is_alone`: whether nothing that the batch takes out is of the person who is added.
    """

    row: Row
    joins: Entry | None
    leaves: tuple[Entry, ...]
    is_alone: bool

    @property
    def is_removal(self) -> bool:
        return self.row.operation == "removed"

    def without_old_addresses(self) -> _Change:
        """The same where an earlier try has taken them out: a second time could undo the rest."""
        return self if self.is_removal else replace(self, leaves=())


class MetaAdsDestination:
    """Adds people to custom audiences and takes them out."""

    channels = frozenset({"ads"})
    idempotency = Idempotency.SET
    acknowledgement = Acknowledgement.ASKABLE
    patience = PATIENCE

    def __init__(self, name: str, options: Options, api: Api) -> None:
        """Nothing is reached until the first delivery."""
        self.name = name
        self.limits = Limits(options.batch_size)
        self._options = options
        self._api = api
        self._audience_ids: dict[str, str] = {}

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Hand over whom to take out, then whom to add, each as a session of its own."""
        if not batch.rows:
            return []
        changes = _changes(batch.rows)
        audience = self._audience(batch.segment, is_needed=any(each.joins for each in changes))
        if not audience:
            return [_answer(each, "delivered", "no_address") for each in changes]
        try:
            sessions = self._api.sessions(audience)
            first = first_number(batch.sync_run_id, batch.started_at, batch.number)
            if has_removed(first, sessions):
                changes = [each.without_old_addresses() for each in changes]
            numbers = free_numbers(first, {session.number for session in sessions})
            return self._hand_over(audience, changes, numbers)
        except NotThereError:
            self._audience_ids.pop(batch.segment, None)
            removed = "delivered" if self._is_gone(audience) else "rejected"
            return [_answer(each, removed, "audience_not_found") for each in changes]
        except FlaggedError:
            removed = "rejected"
            if self._options.delete_flagged_audience and any(c.is_removal for c in changes):
                self._api.delete_audience(audience)
                removed = "delivered"
            return [_answer(each, removed, "audience_flagged") for each in changes]

    def ask(self, segment: str, ticket: str, rows: Sequence[Row]) -> Sequence[Outcome]:  # noqa: ARG002
        """What became of rows, by the counts of their session; Meta never says who was matched."""
        asked = Ticket.read(ticket)
        try:
            state = verdict(asked, self._api.sessions(asked.audience))
        except NotThereError:
            state = "audience_not_found"
        if state == "accepted":
            return [Outcome(row.key, "accepted", ticket=ticket) for row in rows]
        if state == "delivered":
            return [Outcome(row.key, "delivered") for row in rows]
        return [Outcome(row.key, "retry", state) for row in rows]

    def finish(self, audience: Audience) -> None:
        """Nothing to do: each row is of one person."""

    def preview(self, segment: str) -> str:
        """Which audience, and what becomes of a removal that Meta refuses."""
        named = self._options.audiences.get(segment)
        words = f"the custom audience {named or self._options.prefix + segment}"
        if not named and self._options.create:
            words += ", made if there is none"
        words += "; if Meta has flagged it, nobody can be added or removed there"
        if self._options.delete_flagged_audience:
            return f"{words}, and a removal deletes the whole audience"
        return f"{words}, and removals are tried again by each sync"

    def stays_in(self, folder: Path) -> bool:  # noqa: ARG002 - an account is in no folder
        """Only an account on this machine, a fake, is the pretend shop's own."""
        return self._api.is_local

    def audience_size(self, segment: str) -> AudienceSize:
        """What Meta says of the audience, roughly, and how many of those sent it matched."""
        audience = self._audience(segment, is_needed=False)
        if not audience:
            return AudienceSize(0)
        try:
            held, sessions = self._api.size(audience), self._api.sessions(audience)
        except NotThereError:
            return AudienceSize(0)
        return AudienceSize(held, matched_percent(sessions))

    def erase(self, people: Sequence[Identifiers]) -> Sequence[Outcome]:
        """Take people out of every audience; asked again, it says whether that is done."""
        return [self._erase(person) for person in people]

    def _erase(self, person: Identifiers) -> Outcome:
        entries = _all_entries(person)
        audiences = self._all_audiences() if entries else []
        states = [self._erase_from(audience, entries) for audience in audiences]
        status, reason = min(states, key=lambda each: _WORST.index(each[0]), default=_DONE)
        return Outcome(person.key, status, reason)

    def _erase_from(self, audience: str, entries: Sequence[Entry]) -> tuple[_Status, str]:
        """What an audience says to the removal of a person; the first time, only that it began."""
        first = number_of(entries)
        try:
            sessions = self._api.sessions(audience)
            state = erasure(first, sessions)
            if state == "begin":
                numbers = free_numbers(first, {session.number for session in sessions})
                places = _placed(entries, numbers, REMOVE, self._removing(audience))
                if any(number == 0 for number, _ in places):
                    return "retry", "invalid_entry"
                return "accepted", "deletion_requested"
            return _DONE if state == "delivered" else ("accepted", "deletion_requested")
        except NotThereError:
            return _DONE if self._is_gone(audience) else ("retry", "audience_not_found")
        except FlaggedError:
            if not self._options.delete_flagged_audience:
                return "retry", "audience_flagged"
            self._api.delete_audience(audience)
            return _DONE

    def _all_audiences(self) -> list[str]:
        """Those that are named and those of the account that have our prefix."""
        ids = set(self._options.audiences.values())
        if self._options.account:
            names = self._api.audiences(self._options.account)
            ids |= {each for each, name in names.items() if name.startswith(self._options.prefix)}
        return sorted(ids)

    def _audience(self, segment: str, *, is_needed: bool) -> str:
        """The id of a segment's audience; empty where there is none and none is needed.

        Raises:
            UsageError: it is needed, and which it is nobody can know.
        """
        known = self._options.audiences.get(segment) or self._audience_ids.get(segment)
        if known:
            return known
        name, account = f"{self._options.prefix}{segment}", self._options.account
        if not account:
            raise self._unknown(segment, f"has no audience for the segment `{segment}`")
        ids = [
            each for each, known_name in self._api.audiences(account).items() if known_name == name
        ]
        if len(ids) > 1:
            raise self._unknown(segment, f"finds {len(ids)} audiences called `{name}`")
        if not ids and not is_needed:
            return ""
        if not ids and not self._options.create:
            raise self._unknown(segment, f"finds no audience called `{name}`")
        self._audience_ids[segment] = ids[0] if ids else self._api.create_audience(account, name)
        return self._audience_ids[segment]

    def _unknown(self, segment: str, what: str) -> UsageError:
        return UsageError(
            f"The destination `{self.name}` {what}.",
            f"Write its id into its options (audiences.{segment}), or set `ad_account` and"
            " `create = true`; the rows stay queued.",
        )

    def _is_gone(self, audience: str) -> bool:
        """Whether an audience that was not found is not in the account either."""
        account = self._options.account
        return bool(account) and audience not in self._api.audiences(account)

    def _removing(self, audience: str) -> Callable[[Sequence[Entry], int], Received]:
        return lambda entries, number: self._api.remove(audience, entries, number)

    def _hand_over(
        self, audience: str, changes: Sequence[_Change], numbers: Numbers
    ) -> list[Outcome]:
        leaving = list(dict.fromkeys(entry for each in changes for entry in each.leaves))
        removed = dict(
            zip(leaving, _placed(leaving, numbers, REMOVE, self._removing(audience)), strict=True)
        )
        joining = [each for each in changes if each.joins]
        added = _placed(
            [(each.joins, _is_limited(each.row.payload)) for each in joining if each.joins],
            numbers,
            ADD,
            lambda entries, number: self._api.add(audience, entries, number),
        )
        places = dict(zip((each.row.key for each in joining), added, strict=True))
        return [_outcome(each, audience, removed, places) for each in changes]


def _changes(rows: Sequence[Row]) -> list[_Change]:
    """What rows mean; no address that somebody joins with is taken out beside it."""
    joins = {
        row.key: entry
        for row in rows
        if row.operation != "removed" and any((entry := _entry(row.payload, META[-1]))[:2])
    }
    stays = {value for entry in joins.values() for value in entry[:2]}
    leaves = {row.key: _leaves(row, stays) for row in rows}
    touched = {
        value for row in rows if leaves[row.key] for entry in _before(row) for value in entry
    }
    return [
        _Change(row, joins.get(row.key), leaves[row.key], _is_apart(joins.get(row.key), touched))
        for row in rows
    ]


def _before(row: Row) -> list[Entry]:
    """What may be there of a row's person and is to go, under each rule that was ever in use."""
    payloads = [row.previous] if row.operation != "removed" else [row.payload, row.previous]
    return [_entry(payload, rule) for payload in payloads if payload for rule in META]


def _leaves(row: Row, stays: set[str]) -> tuple[Entry, ...]:
    """What a row takes out: all of a removal, else the addresses that are no longer the person's.

    The customer id stays with an update: with its address it is the same person.
    """
    keeps_id = row.operation != "removed"
    left = (
        tuple("" if value in stays else value for value in (*entry[:2], entry[2] * (not keeps_id)))
        for entry in _before(row)
    )
    return tuple(dict.fromkeys((a, b, c) for a, b, c in left if a or b or c))


def _is_apart(joins: Entry | None, touched: set[str]) -> bool:
    return joins is not None and not any(value in touched for value in joins if value)


def _entry(payload: Payload, rule: Rule) -> Entry:
    email, phone = (rule.hashed(kind, payload.get(kind)) for kind in ("email", "phone"))
    return email, phone, str(payload.get("customer_id") or "")


def _all_entries(person: Identifiers) -> list[Entry]:
    """A row for each address and each id of a person, under each rule."""
    emails = {rule.hashed("email", v) for rule in META for v in person.values.get("email", ())}
    phones = {rule.hashed("phone", v) for rule in META for v in person.values.get("phone", ())}
    rows: list[Entry] = [(email, "", "") for email in sorted(emails - {""})]
    rows += [("", phone, "") for phone in sorted(phones - {""})]
    return rows + [("", "", each) for each in sorted(person.values.get("customer_id", ()))]


def _is_limited(payload: Payload) -> bool:
    """Whether the person's data may not be sold or shared; who is not known to allow it, neither.

    Then Meta uses them as its rules for the person's state say (LDU).
    """
    return payload.get("is_sell_share_refused") is not False


def _placed(
    items: Sequence[Item],
    numbers: Numbers,
    which: int,
    send: Callable[[Sequence[Item], int], Received],
) -> list[Place]:
    """Hand over items; the session that took each.

    Meta counts invalid entries and does not name them, so a part that has some is handed over again
    in halves, which sets the same state.
    """
    if not items:
        return []
    pair = next(numbers, None)
    if pair is None:
        raise RetryLaterError("no_free_session")
    number = pair[which]
    if not send(items, number).invalid:
        return [(number, len(items))] * len(items)
    if len(items) == 1:
        return [(0, 1)]
    half = len(items) // 2
    parts = (items[:half], items[half:])
    return [placed for part in parts for placed in _placed(part, numbers, which, send)]


def _outcome(
    change: _Change,
    audience: str,
    removed: Mapping[Entry, Place],
    added: Mapping[str, Place],
) -> Outcome:
    key = change.row.key
    left = [removed[entry] for entry in change.leaves]
    places = left if change.is_removal else [*left, *filter(None, [added.get(key)])]
    if any(number == 0 for number, _ in places):
        return Outcome(key, "retry", "invalid_entry")
    if not change.is_removal and change.joins is None:
        return Outcome(key, "rejected", "no_address")
    if not places:
        return Outcome(key, "delivered")
    number, rows = places[-1]
    return Outcome(key, "accepted", ticket=str(Ticket(audience, number, rows, change.is_alone)))


def _answer(change: _Change, removed: str, reason: str) -> Outcome:
    """The outcome of a row where nothing was handed over."""
    key = change.row.key
    if change.is_removal and removed == "delivered":
        return Outcome(key, "delivered")
    if not change.is_removal and change.joins is None:
        return Outcome(key, "rejected", "no_address")
    return Outcome(key, "rejected", reason)
