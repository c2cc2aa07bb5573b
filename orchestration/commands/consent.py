"""`regulars consent grant` and `revoke`: what was recorded, and what follows from it at once.

Belongs here: words for the terminal. Does not belong here: recording
(orchestration/activation/delivery.py) and what facts amount to (gate.py).
"""

from __future__ import annotations

from datetime import datetime

from rich.console import Console

from ingestion.vocabulary import CLEARABLE, EVERY
from orchestration.activation.delivery import record_consent, why_not_permitted
from orchestration.home.layout import Home
from orchestration.words.codes import REASONS


def print_grant(
    home: Home,
    out: Console,
    *,
    identifier_type: str,
    identifier: str,
    channel: str,
    purpose: str,
    source: str,
    wording: str,
    proof: str,
    occurred_at: datetime,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    """Record a permission, and say whether it counts now. Times are naive UTC."""
    receipt = record_consent(
        home,
        status="granted",
        identifier_type=identifier_type,
        identifier=identifier,
        channel=channel,
        purpose=purpose,
        source=source,
        occurred_at=occurred_at,
        wording=wording,
        proof=proof,
        expires_at=expires_at,
    )
    out.print(f"Recorded. Receipt {receipt}.")
    if occurred_at > now:
        out.print(f"It is of {occurred_at:%Y-%m-%d %H:%M} UTC and counts from then on.")
        return
    reason = why_not_permitted(home, identifier_type, identifier, channel, purpose, at=now)
    if reason is not None:
        later = (
            " An opt-in undoes that where it is of a later second." if reason in CLEARABLE else ""
        )
        out.print(f"It does not count: {REASONS[reason]}.{later}")


def print_revocation(
    home: Home,
    out: Console,
    *,
    identifier_type: str,
    identifier: str,
    channel: str,
    purpose: str,
    source: str,
    occurred_at: datetime,
) -> None:
    """Record a refusal, and say what it ends and what it leaves."""
    receipt = record_consent(
        home,
        status="revoked",
        identifier_type=identifier_type,
        identifier=identifier,
        channel=channel,
        purpose=purpose,
        source=source,
        occurred_at=occurred_at,
    )
    out.print(f"Recorded. Receipt {receipt}. {ended_by(channel, purpose)}")


def ended_by(channel: str, purpose: str) -> str:
    """What a refusal on a channel (or `*`) for a purpose (or `*`) ends, and what it leaves."""
    where = "on any channel" if channel == EVERY else f"on the channel {channel}"
    if purpose == EVERY:
        ends = f"Nothing more is sent {where} for any purpose, mails about their orders included"
    else:
        ends = f"Nothing more is sent {where} for {purpose}"
    left = [
        *(["other channels"] if channel != EVERY else []),
        *(["other purposes"] if purpose != EVERY else []),
    ]
    stays = f"; {' and '.join(left)} stay as they are" if left else ""
    return f"{ends}{stays}. Removals follow with `regulars sync`."
