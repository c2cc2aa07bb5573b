"""Trying a message out on people of the shop, through the destination that would send it.

Belongs here: who may get one (`[messages] test_recipients` and nobody else), and the note of it.
Does not belong here: the message (`sample`), customers, and the ledger, which knows of no trial.

Data flow: templates, a member with masked names -> test recipients; `test_messages.jsonl`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from ingestion.config import Settings
from ingestion.errors import RegularsError, UsageError
from orchestration.activation.delivery import masked_address
from orchestration.activation.sample import Shown
from orchestration.destinations import check_destinations, open_destination
from orchestration.destinations.base import (
    Destination,
    Outcome,
    RetryLaterError,
    SendsMessages,
    as_code,
    own_words,
)
from orchestration.home.layout import OWNER_ONLY, Home
from orchestration.home.lock import hold


@dataclass(frozen=True)
class Tried:
    """What became of a message that was tried out on one recipient, whose address is masked."""

    file: str
    destination: str
    recipient: str
    status: str
    reason: str


def try_out(
    home: Home, settings: Settings, shown: Sequence[Shown], to: str, *, at: datetime
) -> list[Tried]:
    """Send each message that is shown to the shop's test recipients of its channel.

    Args:
        home: notes what was sent.
        settings: name the recipients and destinations.
        shown: the messages, with masked names.
        to: one of the recipients; all where empty.
        at: now, naive UTC.

    Raises:
        UsageError: `to` is no test recipient, there is none, or no destination sends them.
        RegularsError: a destination took no message.
    """
    check_destinations(settings, home)
    recipients = _recipients(settings, to)
    tried = []
    with hold(home.sending_lock):
        for each in shown:
            if each.written.message is None:
                continue
            for name, destination in _senders(home, settings, each.channel):
                for recipient in recipients:
                    if _is_for(recipient, each.channel):
                        done = _send(destination, name, recipient, each)
                        _note(home, done, at)
                        tried.append(done)
    if not tried:
        raise UsageError(
            "No test recipient could get any of it.",
            "Add one of the channel to [messages] test_recipients (phone numbers begin with +), a"
            " template, and a destination that sends it.",
        )
    return tried


def _recipients(settings: Settings, to: str) -> tuple[str, ...]:
    known = settings.messages.test_recipients
    if to and to not in known:
        raise UsageError(
            "That is no test recipient; nothing was sent.",
            "Only who stands in [messages] test_recipients gets a message that is tried out.",
        )
    return (to,) if to else known


def _senders(home: Home, settings: Settings, channel: str) -> Iterator[tuple[str, SendsMessages]]:
    for name, chosen in sorted(settings.destinations.items()):
        if chosen.enabled:
            destination: Destination = open_destination(name, chosen, home)
            if isinstance(destination, SendsMessages) and channel in destination.channels:
                yield name, destination


def _is_for(recipient: str, channel: str) -> bool:
    return recipient.startswith("+") is (channel == "sms")


def _send(destination: SendsMessages, name: str, recipient: str, shown: Shown) -> Tried:
    key = uuid4().hex
    try:
        with own_words(name):
            outcome = destination.try_out(recipient, shown.written.message, key)
    except RetryLaterError as error:
        outcome = Outcome(key, "retry", error.reason)
    masked = masked_address({"to": recipient}, ["to"])
    return Tried(shown.file, name, masked, outcome.status, as_code(outcome.reason or "sent"))


def _note(home: Home, done: Tried, at: datetime) -> None:
    line = {
        "at": f"{at.isoformat(timespec='seconds')}Z",
        "template": done.file,
        "destination": done.destination,
        "recipient": done.recipient,
        "status": done.status,
        "reason": done.reason,
    }
    try:
        file = os.open(home.test_messages, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY)
        with os.fdopen(file, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
    except OSError as error:
        raise RegularsError(
            f"A message was tried out, and {home.test_messages.name} cannot be written"
            f" ({error.strerror}).",
            "Make room or rights in the home.",
        ) from error
