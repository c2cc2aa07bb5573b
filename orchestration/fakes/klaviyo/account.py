"""One Klaviyo account: its profiles, lists, jobs and events, and what calls do to them.

Belongs here: the state and its meaning. Does not belong here: HTTP, limits (`app`), filters.

Jobs are applied later, each at its own moment, so that a later one may come first: Klaviyo
promises no order between jobs.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orchestration.fakes.server import Clock
from orchestration.fakes.shop import ShopProfile

Content = Mapping[str, Any]
JOB_SECONDS = 0.2
_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>()]+\.[^@\s,;<>()]+")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_DATES = ("created", "updated", "last_event_date")
# As the profile shows them; the subscribe call's page says SPAM_REPORT for SPAM_COMPLAINT.
LIFTED_BY_SUBSCRIBING = frozenset({"UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED"})


@dataclass
class Marketing:
    """Whether a profile may get marketing on one channel."""

    consent: str = "NEVER_SUBSCRIBED"
    at: datetime | None = None
    suppressions: dict[str, datetime] = field(default_factory=dict)
    list_suppressions: dict[str, datetime] = field(default_factory=dict)


@dataclass
class Profile:
    """One profile; `lists` says since when it is on each."""

    id: str
    created: datetime
    updated: datetime
    attributes: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    email: Marketing = field(default_factory=Marketing)
    sms: Marketing = field(default_factory=Marketing)
    lists: dict[str, datetime] = field(default_factory=dict)

    @property
    def is_billed(self) -> bool:
        """Whether it counts as an active profile, which Klaviyo bills."""
        return bool(
            self.attributes.get("email")
            and not self.email.suppressions
            and self.email.consent != "UNSUBSCRIBED"
        )


@dataclass
class Job:
    """A bulk import: what it was given, when it is applied, and what was wrong with it."""

    id: str
    created: datetime
    due: datetime
    profiles: list[Content]
    lists: list[str]
    completed: datetime | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)

    def status(self, now: datetime) -> str:
        """Queued for the first half of its time."""
        if self.completed:
            return "complete"
        return "processing" if now - self.created > (self.due - self.created) / 2 else "queued"


class Account:
    """The state of one account.

    Args:
        seed: of ids and of how long jobs take.
        clock: tells its time.
        job_seconds: the shortest time of a job; the longest is twice as long.
        is_idle: jobs are completed and nothing of them is done.
    """

    def __init__(self, seed: int, clock: Clock, job_seconds: float = JOB_SECONDS) -> None:
        """An account without content but one list."""
        self._dice = random.Random(seed)  # noqa: S311 - chance, no secret
        self.clock = clock
        self.job_seconds = job_seconds
        self.is_idle = False
        self.profiles: dict[str, Profile] = {}
        self.lists: dict[str, str] = {}
        self.jobs: dict[str, Job] = {}
        self.events: dict[tuple[str, str, str], Content] = {}
        self.flows: Counter[str] = Counter()
        self.deleted = 0
        self._later: list[tuple[datetime, Callable[[], None]]] = []
        self._keys: dict[tuple[str, str], str] = {}

    def settle(self, *, everything: bool = False) -> None:
        """Do what is due by now, in the order in which it is."""
        now = self.clock()
        due = [each for each in self._later if everything or each[0] <= now]
        self._later = [each for each in self._later if each not in due]
        for _, act in sorted(due, key=lambda each: each[0]):
            act()

    def add_list(self, list_id: str, name: str) -> None:
        """Make a list."""
        self.lists[list_id] = name

    def find(self, kind: str, value: str | None) -> Profile | None:
        """The profile of an id, or of an email, phone_number or external_id."""
        if not value:
            return None
        if kind == "id":
            return self.profiles.get(value)
        return self.profiles.get(self._keys.get((kind, _matching(kind, value)), ""))

    def match(self, content: Content) -> Profile | None:
        """The profile that an object with an id or attributes is about."""
        attributes = content.get("attributes") or {}
        kinds = ("email", "phone_number", "external_id")
        candidates = (self.find(kind, attributes.get(kind)) for kind in kinds)
        return self.find("id", content.get("id")) or next((p for p in candidates if p), None)

    def upsert(self, content: Content) -> Profile:
        """Make or change a profile as an import would."""
        now = self.clock()
        profile = self.match(content)
        if profile is None:
            profile = Profile(self._new_id(), now, now)
            self.profiles[profile.id] = profile
        attributes = dict(content.get("attributes") or {})
        profile.properties.update(attributes.pop("properties", None) or {})
        profile.attributes.update(attributes)
        patch = (content.get("meta") or {}).get("patch_properties") or {}
        unset = patch.get("unset") or []
        for name in [unset] if isinstance(unset, str) else unset:
            profile.properties.pop(name, None)
        profile.updated = now
        for kind in ("email", "phone_number", "external_id"):
            if profile.attributes.get(kind):
                self._keys[kind, _matching(kind, profile.attributes[kind])] = profile.id
        return profile

    def take_over(self, known: ShopProfile) -> None:
        """Add a profile as another account has it."""
        now = self.clock()
        attributes = {k: v for k, v in known.attributes.items() if k not in _DATES}
        profile = Profile(known.id, now, now)
        self.profiles[known.id] = profile
        self.upsert({"id": known.id, "attributes": attributes})
        for channel in ("email", "sms"):
            state = (known.subscriptions.get(channel) or {}).get("marketing") or {}
            marketing: Marketing = getattr(profile, channel)
            marketing.consent = state.get("consent") or marketing.consent
            marketing.at = _moment(state.get("consent_timestamp"))
            for each in state.get("suppression") or []:
                marketing.suppressions[each["reason"]] = _moment(each["timestamp"]) or now
        if known.joined_at:
            profile.lists = dict.fromkeys(list(self.lists)[:1], known.joined_at)

    def begin_import(self, profiles: list[Content], lists: list[str]) -> Job:
        """Take a bulk import, to be done later."""
        now = self.clock()
        due = now + timedelta(seconds=self.job_seconds * (1 + self._dice.random()))
        job = Job(f"{self._dice.getrandbits(64):016x}", now, due, profiles, lists)
        self.jobs[job.id] = job
        self._later.append((due, lambda: self._finish(job)))
        return job

    def add_to_list(self, list_id: str, profiles: Iterable[Profile]) -> None:
        """Put profiles on a list; flows fire for those that were not on it."""
        for profile in profiles:
            if list_id not in profile.lists:
                profile.lists[list_id] = self.clock()
                self.flows["added_to_list"] += 1

    def subscribe(self, contents: Iterable[Content], list_id: str, *, is_historical: bool) -> None:
        """Give consent for the channels named, which lifts suppressions."""
        for each in contents:
            profile = self.upsert(_without_subscriptions(each))
            for marketing in _channels(profile, each):
                marketing.consent, marketing.at = "SUBSCRIBED", self.clock()
                for reason in LIFTED_BY_SUBSCRIBING & marketing.suppressions.keys():
                    del marketing.suppressions[reason]
            if list_id and is_historical:
                profile.lists.setdefault(list_id, self.clock())
            elif list_id:
                self.add_to_list(list_id, [profile])

    def unsubscribe(self, contents: Iterable[Content], list_id: str) -> None:
        """Take consent back: of one list for who is on it, else of everything."""
        for each in contents:
            profile = self.match(each) or self.upsert(_without_subscriptions(each))
            now = self.clock()
            profile.updated = now
            for marketing in _channels(profile, each):
                if list_id and list_id in profile.lists:
                    marketing.list_suppressions[list_id] = now
                else:
                    marketing.consent, marketing.at = "UNSUBSCRIBED", now
                    if marketing is profile.email:
                        marketing.suppressions["UNSUBSCRIBE"] = now

    def suppress(self, emails: Iterable[str], reason: str = "USER_SUPPRESSED") -> None:
        """Let nobody of these get email marketing; who was unknown becomes a profile."""
        for email in emails:
            profile = self.find("email", email) or self.upsert({"attributes": {"email": email}})
            profile.email.suppressions.setdefault(reason, self.clock())
            profile.updated = self.clock()

    def delete_later(self, content: Content) -> None:
        """Delete the profile that this is about, in a while."""
        due = self.clock() + timedelta(seconds=self.job_seconds * (1 + self._dice.random()))
        self._later.append((due, lambda: self._delete(content)))

    def record(self, metric: str, profile: Profile, unique_id: str, event: Content) -> None:
        """Keep an event unless its unique id is known; flows fire unless it is backfill."""
        key = (metric, profile.id, unique_id)
        if key not in self.events:
            self.events[key] = event
            self.flows["metric"] += 0 if event.get("backfill") else 1

    def _finish(self, job: Job) -> None:
        job.completed = self.clock()
        if self.is_idle:
            return
        for number, content in enumerate(job.profiles):
            problem = _problem(content)
            if problem:
                job.errors.append(_import_error(number, content, *problem))
                continue
            profile = self.upsert(content)
            for list_id in job.lists:
                self.add_to_list(list_id, [profile])

    def _delete(self, content: Content) -> None:
        profile = None if self.is_idle else self.match(content)
        if profile:
            del self.profiles[profile.id]
            self._keys = {key: id_ for key, id_ in self._keys.items() if id_ != profile.id}
            self.deleted += 1

    def _new_id(self) -> str:
        return f"01FAKE{self._dice.getrandbits(80):020X}"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _matching(kind: str, value: str) -> str:
    return value.strip().lower() if kind == "email" else value.strip()


def _channels(profile: Profile, content: Content) -> Iterator[Marketing]:
    subscriptions = (content.get("attributes") or {}).get("subscriptions") or {"email": {}}
    for name in ("email", "sms"):
        if name in subscriptions:
            yield getattr(profile, name)


def _without_subscriptions(content: Content) -> Content:
    attributes = dict(content.get("attributes") or {})
    attributes.pop("subscriptions", None)
    return {**content, "attributes": attributes}


def _problem(content: Content) -> tuple[str, str] | None:
    """What is wrong with a profile of an import: the attribute and a sentence."""
    attributes = content.get("attributes") or {}
    email, phone = attributes.get("email"), attributes.get("phone_number")
    if not (email or phone or attributes.get("external_id") or content.get("id")):
        return "email", "A profile needs an identifier."
    if email and not _EMAIL.fullmatch(email):
        return "email", "Invalid email address."
    if phone and not _PHONE.fullmatch(phone):
        return "phone_number", "Invalid phone number format."
    return None


def _import_error(number: int, content: Content, attribute: str, detail: str) -> dict[str, Any]:
    return {
        "code": "invalid",
        "title": "Invalid input.",
        "detail": detail,
        "source": {"pointer": f"/data/attributes/profiles/data/{number}/attributes/{attribute}"},
        "original_payload": dict(content),
    }
