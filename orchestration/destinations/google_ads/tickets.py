"""What requests of Google's are asked about by, and what their states say of a row.

Belongs here: tickets and verdicts, pure. Does not belong here: the calls (`api`), rows
(`destination`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestration.destinations.google_ads.api import Status

REMOVE, ADD = "remove", "add"
# Why Google leaves members out who did not give both consents: it takes those elsewhere than in the
# European Economic Area, and does not say which they are.
CONSENT_REASONS = frozenset({"denied_consent", "no_consent", "unknown_consent"})
Verdict = Literal["accepted", "delivered", "retry", "rejected", "unknown"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request: what it does, Google's id of it, and how many members it had.

    `lacks_consent`: whether its members are those who did not give both consents.
    """

    verb: str
    id: str
    rows: int
    lacks_consent: bool = False


def as_ticket(requests: Sequence[Request]) -> str:
    """As the outbox keeps it."""
    fields = [[each.verb, each.id, each.rows, each.lacks_consent] for each in requests]
    return json.dumps(fields, separators=(",", ":"))


def requests_of(ticket: str) -> list[Request]:
    """From what the outbox kept."""
    return [Request(*fields) for fields in json.loads(ticket)]


def verdict(requests: Sequence[Request], known: Mapping[str, Status]) -> tuple[Verdict, str]:
    """What became of a row that several requests were made for, and why.

    A request without a state is not done yet. Where some members of a request failed nobody knows
    which, so that all of them may be there or not.
    """
    verdicts = [_of_one(each, known.get(each.id)) for each in requests]
    for status in ("accepted", "unknown", "retry", "rejected"):
        for each in verdicts:
            if each[0] == status:
                return each
    return "delivered", ""


def _of_one(request: Request, status: Status | None) -> tuple[Verdict, str]:
    if status is None or status.state == "open":
        return "accepted", ""
    is_about_consent = bool(status.reasons) and status.reasons <= CONSENT_REASONS
    reason = min(status.reasons, default="failed")
    if status.state == "failed":
        refused = is_about_consent and request.verb == ADD
        return ("rejected" if refused else "retry"), reason
    if status.state == "partial" and not (is_about_consent and request.lacks_consent):
        return "unknown", reason
    return ("unknown", "not_received") if status.rows < request.rows else ("delivered", "")


@dataclass(frozen=True, slots=True)
class Erasure:
    """The removal of a person who is forgotten: when the first one began, and its requests.

    `is_last`: whether it began after everything that was under way at first.
    """

    begun: datetime
    requests: tuple[Request, ...]
    is_last: bool

    def __str__(self) -> str:
        """As `forget` keeps it."""
        return json.dumps([self.begun.isoformat(), as_ticket(self.requests), self.is_last])

    @classmethod
    def read(cls, text: str) -> Erasure:
        """From what `forget` kept."""
        begun, ticket, is_last = json.loads(text)
        return cls(datetime.fromisoformat(begun), tuple(requests_of(ticket)), is_last)
