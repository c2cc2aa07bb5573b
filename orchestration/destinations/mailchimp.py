"""The `mailchimp` destination: a segment as a static segment (a tag) of one list's members.

Calls, per batch: the segments of the list, once, to find ours (made where it is missing); each
person of the batch, several at once, for status and tags as they are right before anything leaves;
then one call that adds and removes 500 at most. For `forget`, and for nothing else, the permanent
deletion.
Auth: an API key (basic authentication) in the variable that `api_key_env` names; its ending names
the server where `base_url` is empty.
Limits: 10 calls at once, of which this uses 8; a bare 403 is a throttle. A yes means it is so: the
answer lists whom it added and removed, and what it leaves out without a word is tried again.
Not done: nobody is added to the list, subscribed or archived; no merge fields, no events.

Does not belong here: who may be sent anything (the gate), connections (`http`).
Data flow: outbox rows -> static segments of the list; statuses there -> withdrawals.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingestion.errors import UsageError
from ingestion.functions.identifiers import match_email
from orchestration.destinations.base import (
    Acknowledgement,
    Audience,
    Batch,
    Idempotency,
    Identifiers,
    Limits,
    Outcome,
    Payload,
    RetryLaterError,
    Row,
    Withdrawal,
)
from orchestration.destinations.http import (
    AccessRefusedError,
    Answer,
    HttpClient,
    secret,
)
from orchestration.destinations.options import checked_options
from orchestration.home.layout import Home

AT_ONCE = 8  # of the 10 that Mailchimp allows an account
ROWS = 500
PAGE = 1_000
_SERVER = re.compile(r"-([a-z]{2}\d{1,3})$")
# A member's status in the gate's words, where it is a no.
_REFUSALS = {
    "unsubscribed": "unsubscribed",
    "cleaned": "hard_bounce",
    "archived": "no_profile",
    "pending": "unconfirmed",
}


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say.

    Attributes:
        list_id: the list (Mailchimp says audience) whose members these are.
        prefix: of the static segments' names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    list_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,20}$")] = ""
    api_key_env: Annotated[str, Field(min_length=1)] = "MAILCHIMP_API_KEY"
    base_url: str = ""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_ ]{0,31}$")] = "regulars_"
    columns: list[str] = []
    batch_size: Annotated[int, Field(ge=1, le=ROWS)] = ROWS
    allow_private: bool = False

    @model_validator(mode="after")
    def _is_of_a_list(self) -> Options:
        if not self.list_id:
            raise ValueError("give `list_id`: the id of the list (Mailchimp says audience)")
        return self


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of the list as it is now; none of it where the list does not have them."""

    status: str = ""
    tags: frozenset[str] = frozenset()


class MailchimpDestination:
    """Puts members of a list into static segments, and takes them out."""

    channels = frozenset({"email"})
    idempotency = Idempotency.SET
    acknowledgement = Acknowledgement.APPLIED

    def __init__(self, name: str, options: Options) -> None:
        """Nothing is reached until the first delivery."""
        self.name = name
        self.limits = Limits(options.batch_size)
        self._options = options
        self._path = f"/3.0/lists/{options.list_id}"
        self._segments: dict[str, int] = {}
        if options.base_url:
            _ = self._client  # judges the address

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Read everybody's status, then add and remove in one call."""
        if not batch.rows:
            return []
        tag = f"{self._options.prefix}{batch.segment}"
        joins = {row.key: _joins(row) for row in batch.rows}
        leaves = {email for row in batch.rows for email in _leaves(row)}
        known = self._look_up({email for email in joins.values() if email} | leaves)
        refused = {row.key: _refusal(row, known) for row in batch.rows}
        stay = {email for key, email in joins.items() if email and not refused[key]}
        add = sorted(email for email in stay if tag not in known[email].tags)
        remove = sorted(email for email in leaves - stay if tag in known[email].tags)
        wrong = self._change(tag, add, remove)
        return [_outcome(row, refused[row.key], wrong) for row in batch.rows]

    def finish(self, audience: Audience) -> None:
        """Nothing to do: each row is of one person."""

    def preview(self, segment: str) -> str:
        """Which static segment of which list."""
        tag = f"{self._options.prefix}{segment}"
        return f"the static segment {tag} of members of the list {self._options.list_id}"

    def stays_in(self, folder: Path) -> bool:  # noqa: ARG002 - an account is in no folder
        """Only an account on this machine, a fake, is the pretend shop's own."""
        return bool(self._options.base_url) and self._client.is_local

    def withdrawals_since(self, since: datetime) -> Iterator[Withdrawal]:
        """Whoever is unsubscribed or cleaned, of the members that changed since."""
        for status in ("unsubscribed", "cleaned"):
            for member in self._members(status, since):
                email = match_email(member.get("email_address"))
                if email:
                    at = datetime.fromisoformat(member["last_changed"]).astimezone(UTC)
                    reason = _REFUSALS[status]
                    yield Withdrawal("email", email, "email", "*", reason, at.replace(tzinfo=None))

    def addresses_of(self, segment: str) -> Iterator[tuple[str, str]]:
        """Whoever is in the static segment, whatever their status."""
        tag = f"{self._options.prefix}{segment}"
        number = self._known_segment(tag)
        if number is None:
            return
        shown = ("cleaned", "transactional", "unsubscribed")
        query = {f"include_{status}": "true" for status in shown}
        query["fields"] = "members.email_address,total_items"
        for member in self._pages(f"/segments/{number}/members", "members", query):
            email = match_email(member.get("email_address"))
            if email:
                yield "email", email

    def erase(self, people: Sequence[Identifiers]) -> Sequence[Outcome]:
        """Delete members for good: Mailchimp never takes such an address again."""
        return [self._erase(person) for person in people]

    def _erase(self, person: Identifiers) -> Outcome:
        try:
            for email in person.values.get("email", ()):
                path = f"{self._member(email)}/actions/delete-permanent"
                self._call("POST", path, accept=(404,))
        except RetryLaterError as error:
            return Outcome(person.key, "retry", error.reason)
        return Outcome(person.key, "delivered")

    @cached_property
    def _client(self) -> HttpClient:
        options = self._options
        return HttpClient(
            self.name,
            options.base_url or _server(self.name, self._key()),
            repeatable=True,
            headers=self._authorization,
            credentials=options.api_key_env,
            allow_private=options.allow_private,
        )

    def _key(self) -> str:
        return secret(self.name, "api_key_env", self._options.api_key_env)

    def _authorization(self) -> Mapping[str, str]:
        code = base64.b64encode(f"regulars:{self._key()}".encode()).decode()
        return {"authorization": f"Basic {code}"}

    def _call(
        self, method: str, path: str, *, accept: Sequence[int] = (), **request: Any
    ) -> Answer:
        """One answer; a 403 that says nothing is Mailchimp's way to ask for less."""
        answer = self._client.call(method, self._path + path, accept=(403, *accept), **request)
        if answer.status == 403:
            if not answer.body.lstrip().startswith(b"{"):
                raise RetryLaterError("http_403")
            raise AccessRefusedError(self.name, 403, self._options.api_key_env)
        return answer

    def _look_up(self, emails: Iterable[str]) -> dict[str, _Member]:
        """The members of addresses, several calls at once."""
        first, *rest = sorted(emails) or [""]
        if not first:
            return {}
        known = {first: self._read(first)}  # alone: it opens what the threads then share
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return known | dict(zip(rest, pool.map(self._read, rest), strict=True))

    def _read(self, email: str) -> _Member:
        query = {"fields": "status,tags"}
        answer = self._call("GET", self._member(email), params=query, accept=(404,))
        if answer.status == 404:
            return _Member()
        content = answer.json()
        return _Member(str(content["status"]), frozenset(tag["name"] for tag in content["tags"]))

    def _change(self, tag: str, add: Sequence[str], remove: Sequence[str]) -> dict[str, str]:
        """Add and remove members; why single ones of them were not, as codes."""
        wrong: dict[str, str] = {}
        for start in range(0, max(len(add), len(remove)), ROWS):
            part = slice(start, start + ROWS)
            wrong |= self._change_at_once(tag, add[part], remove[part])
        return wrong

    def _change_at_once(
        self, tag: str, add: Sequence[str], remove: Sequence[str]
    ) -> dict[str, str]:
        path = f"/segments/{self._segment(tag)}"
        body = {"members_to_add": add, "members_to_remove": remove}
        answer = self._call("POST", path, json=body, accept=(404,))
        if answer.status == 404:
            self._segments.clear()  # somebody deleted it; the next try makes it anew
            raise RetryLaterError("segment_is_gone")
        content = answer.json()
        changed = (*content["members_added"], *content["members_removed"])
        done = {match_email(each["email_address"]) for each in changed}
        wrong = {email: "not_applied" for email in (*add, *remove) if email not in done}
        named = {str(email) for each in content["errors"] for email in each["email_addresses"]}
        return wrong | dict.fromkeys(named & wrong.keys(), "member_error")

    def _segment(self, tag: str) -> int:
        """The id of a static segment, which is made where it is missing."""
        if self._known_segment(tag) is None:
            body = {"name": tag, "static_segment": []}
            self._segments[tag] = int(self._call("POST", "/segments", json=body).json()["id"])
        return self._segments[tag]

    def _known_segment(self, tag: str) -> int | None:
        if tag not in self._segments:
            for each in self._pages("/segments", "segments", {"type": "static"}):
                self._segments[each["name"]] = int(each["id"])
        return self._segments.get(tag)

    def _members(self, status: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        query = {
            "status": status,
            "since_last_changed": since.replace(tzinfo=UTC).isoformat(),
            "fields": "members.email_address,members.last_changed,total_items",
            "sort_field": "last_changed",
            "sort_dir": "ASC",
        }
        return self._pages("/members", "members", query)

    def _pages(self, path: str, name: str, query: Mapping[str, str]) -> Iterator[Any]:
        """The rows of all pages."""
        offset = 0
        while True:
            asked = {**query, "count": str(PAGE), "offset": str(offset)}
            page = self._call("GET", path, params=asked).json()
            yield from page[name]
            offset += len(page[name])
            if offset >= page["total_items"]:
                return
            if not page[name]:
                raise RetryLaterError("short_page")

    def _member(self, email: str) -> str:
        """The address of a member: by the MD5 of the e-mail, as Mailchimp names them."""
        return f"/members/{hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()}"


def create(name: str, options: dict[str, Any], home: Home) -> MailchimpDestination:  # noqa: ARG001
    """The destination with these options; nothing is reached.

    Raises:
        UsageError: an option is missing, unknown or has a wrong value.
    """
    return MailchimpDestination(name, checked_options(Options, name, options))


def _server(name: str, key: str) -> str:
    """Where the account lives, by the ending of its key."""
    named = _SERVER.search(key)
    if named is None:
        raise UsageError(
            f"The key of the destination `{name}` does not end with its server, such as -us21.",
            "Copy it whole, or say where the account is: `base_url` in its options.",
        )
    return f"https://{named[1]}.api.mailchimp.com"


def _email(payload: Payload) -> str:
    return str(payload.get("email") or "")


def _before(row: Row) -> str:
    return _email(row.previous) if row.previous else ""


def _joins(row: Row) -> str:
    return "" if row.operation == "removed" else _email(row.payload)


def _leaves(row: Row) -> list[str]:
    """The addresses that a row takes out: all of a removal, else one that it had before."""
    emails = {_email(row.payload), _before(row)} - {_joins(row), ""}
    return sorted(emails)


def _refusal(row: Row, known: Mapping[str, _Member]) -> str:
    """Why the row's person gets nothing; empty if they do, or if it is a removal."""
    email = _joins(row)
    if row.operation == "removed":
        return ""
    if not email:
        return "no_address"
    status = known[email].status
    return "no_profile" if not status else _REFUSALS.get(status, "")


def _outcome(row: Row, refusal: str, wrong: Mapping[str, str]) -> Outcome:
    if refusal:
        return Outcome(row.key, "rejected", refusal)
    reasons = [wrong[email] for email in (_joins(row), *_leaves(row)) if email in wrong]
    if not reasons:
        return Outcome(row.key, "delivered")
    return Outcome(row.key, "rejected" if "member_error" in reasons else "retry", reasons[0])
