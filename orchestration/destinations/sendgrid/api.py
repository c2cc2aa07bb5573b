"""SendGrid's calls that the destination makes, and what their answers say in its words.

Belongs here: paths, bodies, pages, jobs, its throttle. Does not belong here: what a segment becomes
(`destination`), connections (`..http`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ingestion.functions.identifiers import match_email
from orchestration.destinations.base import RetryLaterError, cut
from orchestration.destinations.http import Answer, AnswerError, HttpClient, as_json

AT_ONCE = 100  # addresses of one look-up, ids of one removal
JOB_BYTES = 6_000_000
LIST_PAGE, SUPPRESSION_PAGE = 1_000, 500
_CONTACTS, _LISTS = "/v3/marketing/contacts", "/v3/marketing/lists"
# Where refusals stand, in the gate's words; blocks are of a moment and say nothing of a person.
_SUPPRESSIONS = {
    "unsubscribes": "unsubscribed",
    "spam_reports": "spam_report",
    "bounces": "hard_bounce",
    "invalid_emails": "hard_bounce",
}
_POSITION = re.compile(r"^contacts[.\[](\d+)")
_OTHER_IDENTIFIERS = ("phone_number_id", "external_id", "anonymous_id", "alternate_emails")


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as it is now. `identifiers`: those beside the email, without which it cannot be
    updated.
    """

    id: str
    email: str
    lists: frozenset[str]
    identifiers: Mapping[str, Any] = field(default_factory=dict)
    reserved_fields: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)  # custom ones by their name


@dataclass(frozen=True, slots=True)
class Refusal:
    """That an address may not be sent to; of one group of mail, or of everything."""

    email: str
    reason: str
    at: datetime
    is_of_a_group: bool = False


class GoneError(AnswerError):
    """What a call names is not there."""


class Api:
    """The calls.

    Args:
        client: reaches the account.
        now: the moment, by which a throttle says when to come back.
    """

    def __init__(self, client: HttpClient, now: Callable[[], datetime]) -> None:
        """Nothing is reached."""
        self._client = client
        self._now = now

    @property
    def is_local(self) -> bool:
        """Whether it only speaks to this machine."""
        return self._client.is_local

    def look_up(self, emails: Collection[str]) -> dict[str, Contact | None]:
        """The contacts of addresses, by the address that was asked for.

        None where SendGrid does not take the address for one; nothing where it has no contact.
        """
        known: dict[str, Contact | None] = {}
        for chunk in cut(sorted(set(emails)), AT_ONCE):
            known |= self._search(chunk)
        return known

    def upsert(
        self, contacts: Sequence[Mapping[str, Any]], list_id: str
    ) -> tuple[str, dict[int, str]]:
        """Hand over contacts for a list; the job's id, or which of them are wrong, by place.

        Raises:
            GoneError: there is no such list.
        """
        body = {"list_ids": [list_id], "contacts": list(contacts)}
        answer = self._call("PUT", _CONTACTS, json=body, accept=(400,))
        if answer.status == 400:
            return "", _refused(answer, self._client.name)
        return self._job_of(answer), {}

    def leave(self, list_id: str, ids: Collection[str]) -> list[str]:
        """Take contacts off a list; the ids of the jobs.

        Raises:
            GoneError: there is no such list.
        """
        path = f"{_LISTS}/{list_id}/contacts"
        return [
            self._job_of(self._call("DELETE", path, params={"contact_ids": ",".join(chunk)}))
            for chunk in cut(sorted(ids), AT_ONCE)
        ]

    def delete(self, ids: Collection[str]) -> None:
        """Delete contacts; done later."""
        for chunk in cut(sorted(ids), AT_ONCE):
            self._call("DELETE", _CONTACTS, params={"ids": ",".join(chunk)})

    def job(self, job_id: str) -> str:
        """The state of a job: pending, completed, errored or failed; empty if it is not known."""
        try:
            return str(self._json("GET", f"{_CONTACTS}/imports/{quote(job_id, safe='')}")["status"])
        except GoneError:
            return ""

    def lists(self) -> dict[str, str]:
        """The ids of all lists by their names.

        Raises:
            RetryLaterError: SendGrid repeats a page, so that the end would never come.
        """
        token = ""
        names: dict[str, str] = {}
        while True:
            query = {"page_size": str(LIST_PAGE)} | ({"page_token": token} if token else {})
            page = self._json("GET", _LISTS, params=query)
            names |= {str(each["name"]): str(each["id"]) for each in page["result"]}
            following = re.search(r"[?&]page_token=([^&]+)", page["_metadata"].get("next") or "")
            if not following:
                return names
            if following[1] == token:
                raise RetryLaterError("repeated_page")
            token = following[1]

    def has_list(self, list_id: str) -> bool:
        """Whether a list is there."""
        try:
            self._json("GET", f"{_LISTS}/{list_id}")
        except GoneError:
            return False
        return True

    def count(self, list_id: str) -> int:
        """How many contacts a list has.

        Raises:
            GoneError: there is no such list.
        """
        return int(self._json("GET", f"{_LISTS}/{list_id}/contacts/count")["contact_count"])

    def create_list(self, name: str) -> str:
        """Make a list; its id."""
        return str(self._json("POST", _LISTS, json={"name": name})["id"])

    def custom_fields(self) -> dict[str, str]:
        """The ids of custom fields by their names."""
        answer = self._json("GET", "/v3/marketing/field_definitions")
        return {str(each["name"]): str(each["id"]) for each in answer.get("custom_fields") or []}

    def refusals(self, since: datetime | None, groups: Collection[int]) -> Iterator[Refusal]:
        """Who is suppressed, since a moment or ever, everywhere or in groups of mail."""
        start = int(since.timestamp()) if since else 0
        for kind, reason in _SUPPRESSIONS.items():
            for each in self._suppressed(kind, start):
                yield _refusal(each, each["created"], reason)
        if groups:
            for each in self._json("GET", "/v3/asm/suppressions"):
                if each["group_id"] in groups and each["created_at"] >= start:
                    yield _refusal(each, each["created_at"], "unsubscribed", is_of_a_group=True)

    def _suppressed(self, kind: str, start: int) -> Iterator[Mapping[str, Any]]:
        offset = 0
        while True:
            query = {"limit": str(SUPPRESSION_PAGE), "offset": str(offset)}
            if start:
                query["start_time"] = str(start)
            rows = self._json("GET", f"/v3/suppression/{kind}", params=query)
            if not isinstance(rows, list):
                raise RetryLaterError("unreadable_answer")
            yield from rows
            offset += len(rows)
            if len(rows) < SUPPRESSION_PAGE:
                return

    def _search(self, emails: Sequence[str]) -> dict[str, Contact | None]:
        """The same for one call; a wrong address is found by asking for halves."""
        answer = self._call(
            "POST", f"{_CONTACTS}/search/emails", json={"emails": emails}, accept=(400, 404)
        )
        if answer.status == 400 and len(emails) == 1:
            return {emails[0]: None}
        if answer.status == 400:
            half = len(emails) // 2
            return self._search(emails[:half]) | self._search(emails[half:])
        body = answer.json()
        if answer.status == 404:
            return {}
        contacts = {
            email: _contact(each["contact"])
            for email, each in body["result"].items()
            if each.get("contact")
        }
        return {email: contact for email in emails if (contact := contacts.get(email.lower()))}

    def _job_of(self, answer: Answer) -> str:
        job_id = answer.json().get("job_id")
        if not isinstance(job_id, str) or not job_id:
            raise RetryLaterError("unreadable_answer")
        return job_id

    def _json(self, method: str, path: str, **request: Any) -> Any:
        return self._call(method, path, **request).json()

    def _call(
        self, method: str, path: str, *, accept: Collection[int] = (), **request: Any
    ) -> Answer:
        """One answer; a throttle says in a header of its own when to come back."""
        answer = self._client.call(method, path, accept=(404, 429, *accept), **request)
        if answer.status == 429:
            raise RetryLaterError("http_429", self._wait(answer))
        if answer.status == 404 and 404 not in accept:
            answer.json()  # a page of HTML says nothing of what there is
            raise GoneError(self._client.name, 404)
        return answer

    def _wait(self, answer: Answer) -> float | None:
        try:
            ends = float(answer.headers["x-ratelimit-reset"])
        except (KeyError, ValueError):
            return answer.wait_seconds
        return max(1.0, ends - self._now().timestamp())


def bodies(contacts: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Contacts in parts that fit into one call by their bytes."""
    part: list[Mapping[str, Any]] = []
    size = 0
    for contact in contacts:
        own = len(as_json(contact)) + 1
        if part and size + own > JOB_BYTES - 1_000:
            yield part
            part, size = [], 0
        part.append(contact)
        size += own
    if part:
        yield part


def _contact(answer: Mapping[str, Any]) -> Contact:
    others = {name: answer[name] for name in _OTHER_IDENTIFIERS if answer.get(name)}
    return Contact(
        str(answer["id"]),
        str(answer["email"]),
        frozenset(answer.get("list_ids") or ()),
        others,
        answer,
        answer.get("custom_fields") or {},
    )


def _refusal(
    row: Mapping[str, Any], at: float, reason: str, *, is_of_a_group: bool = False
) -> Refusal:
    moment = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
    return Refusal(match_email(row["email"]) or "", reason, moment, is_of_a_group)


def _refused(answer: Answer, name: str) -> dict[int, str]:
    """Which contacts a refusal names.

    Raises:
        GoneError: it is about the list.
        AnswerError: it is about the whole.
    """
    errors = answer.json().get("errors") or []
    fields = [str(each.get("field") or "") for each in errors]
    rows = {int(match[1]): "invalid_contact" for each in fields if (match := _POSITION.match(each))}
    if not rows:
        raise (GoneError if "list_ids" in fields else AnswerError)(name, 400)
    return rows
