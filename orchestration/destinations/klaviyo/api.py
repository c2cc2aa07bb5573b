"""Klaviyo's calls that the destination makes, and what their answers say in its words.

Belongs here: paths, bodies, pages, waiting when a read is throttled. Does not belong here: what a
segment becomes (`destination`), connections (`..http`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ingestion.functions.identifiers import match_email, match_phone
from orchestration.destinations.base import RetryLaterError, cut, vendors_code
from orchestration.destinations.http import AnswerError, HttpClient, as_json

REVISION = "2026-07-15"
MEDIA_TYPE = "application/vnd.api+json"
AT_ONCE = 100  # addresses of one look-up: as many as a page holds
LOOK_UP_CHARACTERS = 6_000  # of its addresses: servers take about 8,000 of a line
LIST_AT_ONCE = 1_000
SCAN_PATIENCE_SECONDS = 120.0  # the same, of each page where all profiles are read
PATIENCE_SECONDS = 20.0  # how long the look-ups of one batch wait in all when they are throttled
_JOBS = "/api/profile-bulk-import-jobs"
_SUPPRESSED_AT = "subscriptions.email.marketing.suppression.timestamp"
# What Klaviyo calls a suppression, in the gate's words; anything else somebody set by hand.
_REASONS = {
    "UNSUBSCRIBE": "unsubscribed",
    "SPAM_COMPLAINT": "spam_report",
    "HARD_BOUNCE": "hard_bounce",
    "INVALID_EMAIL": "hard_bounce",
}
_NUMBER = re.compile(r"^/data/attributes/profiles/data/(\d+)(?:/|$)")
# What a filter's text cannot hold without another meaning.
_ODD = re.compile(r"[\s\"'\\\[\](){}<>,;]")

Address = tuple[str, str]  # email or phone_number, and its matching form


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a profile may not be sent marketing on a channel; `reason` in the gate's words."""

    channel: str
    reason: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Profile:
    """What is asked of a profile. `subscribed`: by channel since when, where it is said."""

    id: str
    addresses: frozenset[Address]
    properties: Mapping[str, Any]
    refusals: tuple[Refusal, ...]
    subscribed: Mapping[str, datetime]
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class Job:
    """A bulk import."""

    created: datetime
    is_done: bool
    failed: int


class Api:
    """The calls.

    Args:
        client: reaches the account.
        wait: waits so many seconds; tests pass their own.
    """

    def __init__(self, client: HttpClient, wait: Callable[[float], None] = time.sleep) -> None:
        """Nothing is reached."""
        self._client = client
        self._wait = wait

    @property
    def is_local(self) -> bool:
        """Whether it only speaks to this machine."""
        return self._client.is_local

    def look_up(self, addresses: Collection[Address]) -> dict[Address, list[Profile]]:
        """The profiles of addresses, with their subscriptions as they are now."""
        profiles: dict[Address, list[Profile]] = {}
        for kind, chunk in _chunks(addresses):
            for profile in self._profiles(f"any({kind},{as_json(chunk).decode()})"):
                for address in profile.addresses:
                    profiles.setdefault(address, []).append(profile)
        return profiles

    def by_id(self, ids: Collection[str]) -> list[Profile]:
        """The profiles of ids, as far as there are any."""
        chunks = cut(sorted(ids), AT_ONCE)
        filters = (f"any(id,{as_json(chunk).decode()})" for chunk in chunks)
        return [profile for each in filters for profile in self._profiles(each)]

    def refused_since(self, since: datetime) -> Iterator[Profile]:
        """Profiles that were suppressed or changed since a moment (naive UTC)."""
        moment = since.replace(tzinfo=UTC).isoformat()
        yield from self._profiles(f"greater-or-equal({_SUPPRESSED_AT},{moment})")
        yield from self._profiles(f"greater-than(updated,{moment})")

    def begin_import(
        self, profiles: Sequence[Mapping[str, Any]], list_id: str = ""
    ) -> tuple[str, dict[int, str]]:
        """Hand over profiles; the job's id, and why single ones of them were not taken.

        Raises:
            AnswerError: the whole of it was refused.
        """
        data: dict[str, Any] = {
            "type": "profile-bulk-import-job",
            "attributes": {"profiles": {"data": list(profiles)}},
        }
        if list_id:
            data["relationships"] = {"lists": {"data": [{"type": "list", "id": list_id}]}}
        answer = self._write("POST", _JOBS, {"data": data}, accept=(400,))
        if answer.status == 400:
            return "", _refused_rows(answer.json(), self._client.name)
        return str(answer.json()["data"]["id"]), {}

    def job(self, ticket: str) -> Job | None:
        """How far a bulk import is; None where Klaviyo no longer knows it."""
        answer = self._client.call("GET", f"{_JOBS}/{ticket}", accept=(404,))
        if answer.status == 404:
            return None
        attributes = answer.json()["data"]["attributes"]
        is_done = attributes["status"] in ("complete", "cancelled")
        return Job(
            _known_moment(attributes["created_at"]),
            is_done,
            int(attributes.get("failed_count") or 0),
        )

    def open_jobs(self, *, newest: bool) -> datetime | None:
        """When the newest, or the oldest, bulk import that is not yet done was begun."""
        page = self._read(
            _JOBS,
            {
                "filter": 'any(status,["queued","processing"])',
                "sort": "-created_at" if newest else "created_at",
                "page[size]": "1",
            },
        )
        jobs = _data(page)
        return _known_moment(jobs[0]["attributes"]["created_at"]) if jobs else None

    def import_errors(self, ticket: str) -> dict[Address, str]:
        """Why profiles of a bulk import were not taken, as codes."""
        errors: dict[Address, str] = {}
        for each in self._pages(f"{_JOBS}/{ticket}/import-errors", {"page[size]": "100"}):
            attributes = each["attributes"]
            payload = attributes.get("original_payload") or {}
            sent = payload.get("attributes") or payload
            for kind in ("email", "phone_number"):
                if sent.get(kind):  # as it was sent, which may be no address for anybody
                    errors[kind, str(sent[kind])] = vendors_code(
                        attributes.get("code"), "import_error"
                    )
        return errors

    def on_list(self, list_id: str, addresses: Collection[Address]) -> set[Address]:
        """Which of these addresses are on a list."""
        members: set[Address] = set()
        for kind, chunk in _chunks(addresses):
            query = {
                "filter": f"any({kind},{as_json(chunk).decode()})",
                "page[size]": "100",
                "fields[profile]": "email,phone_number",
            }
            for each in self._pages(f"/api/lists/{list_id}/profiles", query):
                members |= _addresses(each["attributes"])
        return members

    def all_properties(self, list_id: str = "") -> Iterator[Mapping[str, Any]]:
        """The properties of every profile, or of every one that is on a list."""
        path = f"/api/lists/{list_id}/profiles" if list_id else "/api/profiles"
        query = {"page[size]": "100", "fields[profile]": "properties"}
        for each in self._pages(path, query, SCAN_PATIENCE_SECONDS):
            yield each["attributes"].get("properties") or {}

    def leave_list(self, list_id: str, ids: Collection[str]) -> None:
        """Take profiles off a list; their consent stays as it is."""
        for chunk in cut(sorted(ids), LIST_AT_ONCE):
            body = {"data": [{"type": "profile", "id": each} for each in chunk]}
            self._write("DELETE", f"/api/lists/{list_id}/relationships/profiles", body)

    def unsubscribe(self, addresses: Collection[Address], channel: str) -> None:
        """Unsubscribe profiles that exist from a channel, whatever list they are on.

        Without a list it is about everything, which is what is meant; an address without a profile
        would become one.
        """
        off = {channel: {"marketing": {"consent": "UNSUBSCRIBED"}}}
        for chunk in cut(sorted(addresses), AT_ONCE):
            attributes = [{kind: value, "subscriptions": off} for kind, value in chunk]
            self._stop("profile-subscription-bulk-delete-job", attributes)

    def suppress(self, addresses: Collection[Address]) -> None:
        """Suppress profiles that exist, as somebody would by hand; emails only."""
        for chunk in cut(sorted(addresses), AT_ONCE):
            self._stop(
                "profile-suppression-bulk-create-job", [{kind: value} for kind, value in chunk]
            )

    def delete(self, kind: str, value: str) -> None:
        """Have the profiles of an email, phone_number or id deleted; done later."""
        named = {"id": value} if kind == "id" else {}
        attributes = {} if named else {kind: value}
        profile = {"type": "profile", **named, "attributes": attributes}
        data = {"type": "data-privacy-deletion-job", "attributes": {"profile": {"data": profile}}}
        self._write("POST", "/api/data-privacy-deletion-jobs", {"data": data})

    def _stop(self, job: str, attributes: Sequence[Mapping[str, Any]]) -> None:
        profiles = [{"type": "profile", "attributes": each} for each in attributes]
        data = {"type": job, "attributes": {"profiles": {"data": profiles}}}
        self._write("POST", f"/api/{job}s", {"data": data})

    def _profiles(self, text: str) -> Iterator[Profile]:
        query = {
            "filter": text,
            "page[size]": "100",
            "additional-fields[profile]": "subscriptions",
            "fields[profile]": "email,phone_number,properties,updated",
        }
        for each in self._pages("/api/profiles", query):
            attributes = each["attributes"]
            if "subscriptions" not in attributes:
                raise RetryLaterError("no_subscriptions")  # nobody may be written to unread
            yield Profile(
                each["id"],
                frozenset(_addresses(attributes)),
                attributes.get("properties") or {},
                tuple(_refusals(attributes["subscriptions"] or {})),
                _subscribed(attributes["subscriptions"] or {}),
                _moment(attributes.get("updated")),
            )

    def _pages(
        self, path: str, query: Mapping[str, str], patience: float = PATIENCE_SECONDS
    ) -> Iterator[Any]:
        """The rows of all pages; a page that names one that was read already is not believed."""
        seen: set[str] = set()
        page = self._read(path, query, patience)
        while True:
            yield from _data(page)
            following = (page.get("links") or {}).get("next")
            if not following:
                return
            if following in seen:
                raise RetryLaterError("repeated_page")
            seen.add(following)
            page = self._read(following, None, patience)

    def _read(
        self, path: str, query: Mapping[str, str] | None, patience: float = PATIENCE_SECONDS
    ) -> Any:
        """One answer; waits where Klaviyo asks for it, as long as a batch may."""
        waited = 0.0
        while True:
            try:
                return self._client.json("GET", path, params=query)
            except RetryLaterError as error:
                pause = error.wait_seconds
                if pause is None or waited + pause > patience:
                    raise
                self._wait(pause)
                waited += pause

    def _write(self, method: str, path: str, body: Any, accept: Collection[int] = ()) -> Any:
        headers = {"content-type": MEDIA_TYPE}
        return self._client.call(
            method, path, content=as_json(body), headers=headers, accept=accept
        )


def sendable(kind: str, value: object) -> Address | None:
    """An address that can be asked for and sent, else None."""
    text = str(value or "").strip()
    return (kind, text) if text and not _ODD.search(text) else None


def _addresses(attributes: Mapping[str, Any]) -> set[Address]:
    """The addresses of a profile in their matching form."""
    email = match_email(attributes.get("email"))
    phone = match_phone(attributes.get("phone_number"), None)
    pairs = (("email", email), ("phone_number", phone))
    return {(kind, value) for kind, value in pairs if value}


def _refusals(subscriptions: Mapping[str, Any]) -> Iterator[Refusal]:
    email = (subscriptions.get("email") or {}).get("marketing") or {}
    suppressions = email.get("suppression") or []
    for each in suppressions:
        reason = _REASONS.get(each.get("reason"), "manual")
        yield Refusal("email", reason, _moment(each.get("timestamp")))
    if email.get("consent") == "UNSUBSCRIBED":
        yield Refusal("email", "unsubscribed", _moment(email.get("consent_timestamp")))
    elif email.get("can_receive_email_marketing") is False and not suppressions:
        yield Refusal("email", "manual", _moment(email.get("last_updated")))
    sms = (subscriptions.get("sms") or {}).get("marketing") or {}
    if sms.get("consent") == "UNSUBSCRIBED":
        yield Refusal("sms", "unsubscribed", _moment(sms.get("consent_timestamp")))


def _subscribed(subscriptions: Mapping[str, Any]) -> dict[str, datetime]:
    """Since when a profile has consented, by channel, where both are said."""
    moments = {}
    for channel in ("email", "sms"):
        marketing = (subscriptions.get(channel) or {}).get("marketing") or {}
        at = _moment(marketing.get("consent_timestamp"))
        if marketing.get("consent") == "SUBSCRIBED" and at:
            moments[channel] = at
    return moments


def _refused_rows(body: Any, name: str) -> dict[int, str]:
    """Which profiles a refusal names, each with its code.

    Raises:
        AnswerError: it names none, so it is about the whole.
    """
    rows: dict[int, str] = {}
    for each in body.get("errors") or []:
        named = _NUMBER.match(str((each.get("source") or {}).get("pointer") or ""))
        if named:
            rows[int(named[1])] = vendors_code(each.get("code"), "import_error")
    if not rows:
        raise AnswerError(name, 400)
    return rows


def _data(page: Any) -> list[Any]:
    rows = page.get("data") if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise RetryLaterError("unreadable_answer")  # errors in a 200, or no page at all
    return rows


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _known_moment(text: object) -> datetime:
    moment = _moment(text)
    if moment is None:
        raise RetryLaterError("unreadable_answer")
    return moment


def _chunks(addresses: Iterable[Address]) -> Iterator[tuple[str, list[str]]]:
    """Addresses by kind, as many as one look-up takes."""
    chunk: list[str] = []
    kind, length = "", 0
    for next_kind, value in sorted(set(addresses)):
        size = len(quote(f'"{value}",', safe=""))
        if chunk and (
            next_kind != kind or len(chunk) == AT_ONCE or length + size > LOOK_UP_CHARACTERS
        ):
            yield kind, chunk
            chunk, length = [], 0
        kind, length = next_kind, length + size
        chunk.append(value)
    if chunk:
        yield kind, chunk
