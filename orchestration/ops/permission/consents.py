"""Writing permission facts, and the commands `consent grant` and `consent revoke`.

Belongs here: appending consent events and suppressions, idempotently by id. Does not belong here:
reading them out of sources (`consent_facts`) or deciding from them (`orchestration.activation`).

Facts are only ever added. An opt-out is undone by a newer, evidenced opt-in beside it, never by
changing or removing a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ingestion.errors import UsageError
from ingestion.functions.identifiers import match_identifier
from ingestion.vocabulary import CHANNELS, EVERY, PURPOSES
from orchestration.ops import schema
from orchestration.ops.store import Store, insert_new, to_micros
from orchestration.ops.tombstones import forgotten_at

STATUSES = ("granted", "denied", "revoked")
LAWFUL_BASES = ("consent", "soft_opt_in", "contract")


@dataclass(frozen=True)
class ConsentEvent:
    """One statement about permission for an identifier, a channel and a purpose."""

    identifier_type: str
    identifier_value: str
    channel: str
    purpose: str
    status: str
    occurred_at: datetime
    source: str
    wording_version: str | None = None
    expires_at: datetime | None = None
    proof: str | None = None
    lawful_basis: str = "consent"
    level: str | None = None

    @property
    def consent_event_id(self) -> str:
        """The receipt: the same statement always has the same one, and had it before there were
        levels."""
        statement = {k: v for k, v in asdict(self).items() if k != "level" or v is not None}
        return receipt_id("consent", *(str(value) for value in statement.values()))


def receipt_id(*parts: str) -> str:
    """A short id that depends on nothing but the fact itself."""
    return hashlib.md5("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()


def record_consents(store: Store, events: Iterable[ConsentEvent], *, recorded_at: datetime) -> int:
    """Append consent events; returns how many were new."""
    recorded = to_micros(recorded_at)
    rows = [
        {
            "consent_event_id": event.consent_event_id,
            **asdict(event),
            "occurred_at": to_micros(event.occurred_at),
            "expires_at": None if event.expires_at is None else to_micros(event.expires_at),
            "recorded_at": recorded,
        }
        for event in events
    ]
    with store.write() as connection:
        return append_facts(connection, rows, ())[0]


def append_facts(
    connection: Connection,
    consents: Iterable[Mapping[str, Any]],
    suppressions: Iterable[Mapping[str, Any]],
) -> tuple[int, int]:
    """Append rows of both tables inside the caller's transaction; returns the new ones of each."""
    return (
        insert_new(connection, schema.consent_events, consents),
        insert_new(connection, schema.suppressions, suppressions),
    )


def grant_consent(
    store: Store,
    *,
    identifier_type: str,
    identifier_value: str,
    channel: str,
    purpose: str,
    source: str,
    wording_version: str,
    at: datetime,
    default_country: str,
    expires_at: datetime | None = None,
    proof: str | None = None,
    lawful_basis: str = "consent",
) -> str:
    """Record an opt-in with its evidence and return its receipt id.

    Raises:
        UsageError: a value is not one we know, the evidence is missing, or the person asked to be
            forgotten.
    """
    if not source.strip() or not wording_version.strip():
        raise UsageError(
            "An opt-in needs its source and the version of the wording the person saw.",
            "Name both; without them it could not undo an earlier opt-out.",
        )
    if expires_at is not None and expires_at <= at:
        raise UsageError("The opt-in would expire before it begins.", "Give a later expiry.")
    _known("lawful basis", lawful_basis, LAWFUL_BASES)
    matched = _matching(identifier_type, identifier_value, default_country)
    with store.read() as connection:
        forgotten = forgotten_at(connection, [(identifier_type, matched)])
    if forgotten is not None:
        raise UsageError(
            f"This identifier was forgotten on {forgotten:%Y-%m-%d}; the gate refuses it for ever.",
            "Nothing is recorded. Whoever comes back is somebody with another identifier.",
        )
    event = ConsentEvent(
        identifier_type=identifier_type,
        identifier_value=matched,
        channel=_known("channel", channel, CHANNELS),
        purpose=_known("purpose", purpose, PURPOSES),
        status="granted",
        occurred_at=at,
        source=source.strip(),
        wording_version=wording_version.strip(),
        expires_at=expires_at,
        proof=proof,
        lawful_basis=lawful_basis,
    )
    record_consents(store, [event], recorded_at=at)
    return event.consent_event_id


def revoke_consent(
    store: Store,
    *,
    identifier_type: str,
    identifier_value: str,
    channel: str,
    purpose: str,
    source: str,
    at: datetime,
    default_country: str,
) -> str:
    """Record an opt-out and return its receipt id. `*` as channel or purpose means every one."""
    event = ConsentEvent(
        identifier_type=identifier_type,
        identifier_value=_matching(identifier_type, identifier_value, default_country),
        channel=_known("channel", channel, (*CHANNELS, EVERY)),
        purpose=_known("purpose", purpose, (*PURPOSES, EVERY)),
        status="revoked",
        occurred_at=at,
        source=source.strip() or "unknown",
    )
    record_consents(store, [event], recorded_at=at)
    return event.consent_event_id


def _known(what: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UsageError(f"Unknown {what} {value[:20]!r}.", f"Use one of {', '.join(known)}.")
    return value


def _matching(identifier_type: str, value: str, default_country: str) -> str:
    matched = match_identifier(identifier_type, value, default_country)
    if matched is None:
        other = next(
            (k for k in ("email", "phone") if match_identifier(k, value, default_country)), ""
        )
        if other:
            raise UsageError(
                f"That is not a usable {identifier_type[:30]}, but it reads as a {other}.",
                f"Add `--type {other}` if it is one.",
            )
        raise UsageError(
            f"That is not a usable {identifier_type[:30]}.",
            "Check it for typing errors; a phone needs its area code.",
        )
    return matched
