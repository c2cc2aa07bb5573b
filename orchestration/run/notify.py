"""Who hears of a failed run, or of what is degraded: a webhook or an email, if settings name one.

Belongs here: notices and their two ways out. Does not belong here: deciding that a run failed, or
that something is degraded (degraded.py).

A notice holds the run, counts and names of checks, never a value, a path or an address, and sending
one never disturbs the run: whatever goes wrong is given back as a word. A webhook may not lead into
the house (`ingestion.apis.addresses`), and redirects are not followed. The variable
REGULARS_WEBHOOK_ALLOW_PRIVATE=1 lifts that for a receiver on the same machine or network.
"""

from __future__ import annotations

import os
import smtplib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any, Protocol

import httpx

from ingestion.apis.addresses import AddressError, GuardedTransport
from ingestion.config import Notify, Settings
from orchestration.ops.degraded_facts import KnownDegradation
from orchestration.published.checks import CheckResult, stopping
from orchestration.run.degraded import Degradation, over_sentence

ALLOW_PRIVATE = "REGULARS_WEBHOOK_ALLOW_PRIVATE"
SECONDS = 10.0
SENT = "sent"  # what is said of a way that took a notice
NAMED = 20  # how many failed checks a notice names


class CanBeSent(Protocol):
    """A notice, as each way takes it."""

    @property
    def subject(self) -> str:
        """The subject of an email."""
        ...

    def to_json(self) -> dict[str, Any]:
        """What a webhook receives."""
        ...

    def to_text(self) -> str:
        """What an email says."""
        ...


@dataclass(frozen=True)
class Notice:
    """What is told of a failed run."""

    run_id: str
    as_of: datetime
    error: str
    failed: tuple[tuple[str, float | None], ...]
    failed_count: int
    steps: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        run_id: str,
        as_of: datetime,
        error: BaseException,
        checks: Iterable[CheckResult] = (),
        steps: Iterable[str] = (),
    ) -> Notice:
        """The notice of a run that ended with `error`; of the error only its kind is told.

        Args:
            run_id: the run.
            as_of: its "now", naive UTC.
            error: what ended it.
            checks: its checks, of which those that stopped it are named.
            steps: names of the steps that failed.
        """
        failed = stopping(checks)
        named = tuple((check.name, check.observed) for check in failed[:NAMED])
        return cls(run_id, as_of, type(error).__name__, named, len(failed), tuple(steps))

    @property
    def subject(self) -> str:
        """The subject of an email."""
        return f"Regulars: run {self.run_id} failed"

    def to_json(self) -> dict[str, Any]:
        """What a webhook receives."""
        return {
            "event": "run_failed",
            "product": "regulars",
            "run_id": self.run_id,
            "as_of": f"{self.as_of.isoformat()}Z",
            "error": self.error,
            "failed_steps": list(self.steps),
            "published": "unchanged",
            "failed_check_count": self.failed_count,
            "failed_checks": [{"name": name, "observed": value} for name, value in self.failed],
        }

    def to_text(self) -> str:
        """What an email says."""
        lines = [
            f"Run {self.run_id} as of {self.as_of.isoformat()}Z failed ({self.error}).",
            f"Failed steps: {', '.join(self.steps) or 'none'}",
            "The published file is unchanged.",
            "",
            f"Failed checks: {self.failed_count}",
            *(f"- {name}: {_number(value)}" for name, value in self.failed),
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class PublishedAgainNotice:
    """That a run published after others had failed; `first_run_id` and `since` are of the notice
    that said so first.
    """

    run_id: str
    as_of: datetime
    first_run_id: str
    since: datetime

    @property
    def subject(self) -> str:
        """The subject of an email."""
        return f"Regulars: run {self.run_id} published again"

    def to_json(self) -> dict[str, Any]:
        """What a webhook receives."""
        return {
            "event": "run_succeeded",
            "product": "regulars",
            "run_id": self.run_id,
            "as_of": f"{self.as_of.isoformat()}Z",
            "first_failed_run_id": self.first_run_id,
            "failing_since": f"{self.since.isoformat()}Z",
        }

    def to_text(self) -> str:
        """What an email says."""
        return (
            f"Run {self.run_id} as of {self.as_of.isoformat()}Z published."
            f" Runs had failed since {self.first_run_id} ({self.since.isoformat()}Z).\n"
        )


@dataclass(frozen=True)
class DegradedNotice:
    """What is degraded since the last such notice, and what is not any more."""

    run_id: str
    as_of: datetime
    begun: tuple[Degradation, ...]
    over: tuple[KnownDegradation, ...]

    @property
    def subject(self) -> str:
        """The subject of an email."""
        state = "is degraded" if self.begun else "is no longer degraded"
        return f"Regulars: run {self.run_id} {state}"

    def to_json(self) -> dict[str, Any]:
        """What a webhook receives."""
        return {
            "event": "run_degraded" if self.begun else "run_recovered",
            "product": "regulars",
            "run_id": self.run_id,
            "as_of": f"{self.as_of.isoformat()}Z",
            "degraded": [
                {"kind": e.kind, "subject": e.subject, "count": e.count, "sentence": e.sentence}
                for e in self.begun
            ],
            "over": [
                {"kind": e.kind, "subject": e.subject, "sentence": over_sentence(e)}
                for e in self.over
            ],
        }

    def to_text(self) -> str:
        """What an email says."""
        lines = [
            f"Run {self.run_id} as of {self.as_of.isoformat()}Z went on.",
            *(f"- {each.sentence}" for each in self.begun),
            *(f"- {over_sentence(each)}" for each in self.over),
            "",
            "`regulars doctor` says what is degraded now.",
        ]
        return "\n".join(lines) + "\n"


def send_notice(settings: Settings, notice: CanBeSent) -> dict[str, str]:
    """Send a notice by every way the settings name; never raises.

    Returns:
        By way (`webhook`, `email`): `sent`, or in a word why not.
    """
    ways = {}
    chosen = settings.notify
    if chosen.webhook_url_env:
        ways["webhook"] = _attempt(lambda: _post(os.environ[chosen.webhook_url_env], notice))
    if chosen.email_to:
        ways["email"] = _attempt(lambda: _mail(chosen, notice))
    return ways


class RefusedError(Exception):
    """The webhook answered, and not with a yes."""


def _post(url: str, notice: CanBeSent) -> None:
    guard = GuardedTransport(allow_private=os.environ.get(ALLOW_PRIVATE) == "1")
    with httpx.Client(timeout=SECONDS, transport=guard, trust_env=False) as client:
        response = client.post(url, json=notice.to_json())
    if not response.is_success:
        raise RefusedError(f"status_{response.status_code}")


def _mail(chosen: Notify, notice: CanBeSent) -> None:
    message = EmailMessage()
    message["Subject"] = notice.subject
    message["From"] = chosen.email_from
    message["To"] = chosen.email_to
    message.set_content(notice.to_text())
    with smtplib.SMTP(chosen.smtp_host, chosen.smtp_port, timeout=SECONDS) as server:
        server.send_message(message)


def _attempt(send: Any) -> str:
    try:
        send()
    except (AddressError, RefusedError) as error:
        return str(error)
    except KeyError:
        return "variable_not_set"
    except Exception as error:
        return type(error).__name__
    return SENT


def _number(value: float | None) -> str:
    return "could not be counted" if value is None else f"{value:,.10g}"
