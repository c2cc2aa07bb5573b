"""Tombstones: who asked to be forgotten, known again by a keyed hash and by nothing else.

Belongs here: the hash of an identifier, writing tombstones, asking for them, and how far an erasure
has come. Does not belong here: finding a person (`who`), what the gate makes of a tombstone
(`activation.gate`), erasing (`erasure`).

The hash is HMAC-SHA256 over type and matching form; its key is the home's own salt, which stands in
`meta` from the store's first day, so backups made since carry it. Without the salt nobody can try
addresses against the hashes. The usual unkeyed hashes of an address or a phone number have
tombstones of their own, as identifiers of the type `digest`. So has, for all its cases, an
identifier that people type, such as a login, unless another case is known to be somebody else's.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from ingestion.errors import RegularsError, UsageError
from ingestion.forgetting.hidden import DIGEST, digests
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import (
    from_micros,
    has_store,
    insert_new,
    open_store,
    to_micros,
    upsert,
)

SALT = "tombstone_salt"
_INBOX = "inbox_searched_at"
# How the value of a fact begins that is kept under a hash; no model reads such a row.
FORGOTTEN = "forgotten:"
# Identifiers that a person may write in another case on another day.
TYPED_BY_PEOPLE = frozenset({"login", "publisher_login", "loyalty_id", "orders_customer_id"})
Key = tuple[str, str]


@dataclass(frozen=True)
class Erasable:
    """Whose rows are to be erased: all ids the person had, and the identifiers that are theirs.

    `apart`: those of the identifiers that are somebody else's in another case.
    """

    ids: tuple[str, ...]
    keys: tuple[Key, ...]
    apart: tuple[Key, ...] = ()

    def to_json(self) -> str:
        """As the store keeps it until they are erased."""
        return json.dumps({"ids": self.ids, "keys": self.keys, "apart": self.apart})

    @classmethod
    def from_json(cls, text: str) -> Erasable:
        """The reverse of `to_json`."""
        content = json.loads(text)
        keys, apart = (
            tuple((kind, value) for kind, value in content.get(name, ()))
            for name in ("keys", "apart")
        )
        return cls(tuple(content["ids"]), keys, apart)


@dataclass(frozen=True)
class Erasure:
    """One request to be forgotten, and how far it has come."""

    erasure_id: str
    requested_at: datetime
    reason: str
    subject: Erasable | None
    receipt: Mapping[str, Any]
    finished_at: datetime | None


class Hasher:
    """Hashes identifiers with the home's salt, which nobody else gets to see."""

    def __init__(self, connection: Connection) -> None:
        """Read the salt of the store."""
        query = select(schema.meta.c.value).where(schema.meta.c.key == SALT)
        self._salt = bytes.fromhex(connection.execute(query).scalar_one())

    def identifier(self, key: Key) -> str:
        """The hash of an identifier: its type and its matching form."""
        return self._of("identifier", *key)

    def identifiers(self, key: Key) -> set[str]:
        """The hashes by which an identifier is known again: its own, and that of all its cases."""
        return {self.identifier(key), *self.any_case(key)}

    def any_case(self, key: Key) -> set[str]:
        """The hash of all cases of an identifier that people type; none of another."""
        kind, value = key
        return {self._of("any case", kind, value.casefold())} if kind in TYPED_BY_PEOPLE else set()

    def customer(self, customer_id: str) -> str:
        """What stands in the ledger in the place of a person's id."""
        return f"forgotten-{self._of('customer', customer_id)[:32]}"

    def other(self, value: str) -> str:
        """What stands in the place of a digest or a receipt that was made of personal data."""
        return self._of("other", value)[:32]

    @property
    def mark(self) -> str:
        """Tells one salt from another without saying which it is."""
        return self._of("mark")[:12]

    def _of(self, *parts: str) -> str:
        return hmac.new(self._salt, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def masking_key(home: Home) -> str:
    """What identifiers of a masked copy are hashed with: the home's own, and no tombstone's.

    Raises:
        RegularsError: the home has no store; looking at a copy must not make one.
    """
    if not has_store(home):
        raise RegularsError(
            "The home has no operational store, whose key masks identifiers.",
            "`regulars doctor` says how to get it back.",
        )
    with open_store(home) as store, store.read() as connection:
        return Hasher(connection).other("masked copy")


def has_tombstones(connection: Connection) -> bool:
    """Whether anybody was ever forgotten here."""
    query = select(schema.tombstones.c.identifier_hash).limit(1)
    return connection.execute(query).first() is not None


def forgotten_among(connection: Connection, keys: Iterable[Key]) -> set[Key]:
    """Those of the identifiers that somebody asked to forget."""
    hashes: set[str] = set(
        connection.execute(select(schema.tombstones.c.identifier_hash)).scalars()
    )
    if not hashes:
        return set()
    hasher = Hasher(connection)
    return {key for key in keys if hasher.identifiers(key) & hashes}


def forgotten_at(connection: Connection, keys: Iterable[Key]) -> datetime | None:
    """When the first of these identifiers was asked to be forgotten; None where none was."""
    hasher = Hasher(connection)
    hashes = sorted(set().union(*map(hasher.identifiers, keys)))
    table = schema.tombstones.c
    query = select(func.min(table.requested_at)).where(table.identifier_hash.in_(hashes))
    at = connection.execute(query).scalar()
    return None if at is None else from_micros(at)


def request(connection: Connection, subject: Erasable, *, reason: str, at: datetime) -> str:
    """Write the tombstones and the request; returns its id. From the commit on the gate refuses.

    Asking again for the same person takes the same request up again.
    """
    hasher = Hasher(connection)
    hashes = {hasher.identifier(key): key[0] for key in subject.keys}
    hidden = {(DIGEST, digest) for key in subject.keys for digest in digests(*key)}
    hashes |= {hasher.identifier(key): DIGEST for key in hidden}
    open_ = [key for key in subject.keys if key not in subject.apart]
    hashes |= dict.fromkeys(set().union(*map(hasher.any_case, open_)), DIGEST)
    moment = to_micros(at)
    table, known = schema.erasures, schema.tombstones.c
    query = select(func.min(known.erasure_id)).where(known.identifier_hash.in_(list(hashes)))
    erasure_id = connection.execute(query).scalar()
    if erasure_id is None:
        erasure_id = hasher.other("\x1f".join([at.isoformat(), *sorted(hashes)]))
        row = {"erasure_id": erasure_id, "requested_at": moment, "reason": reason}
        insert_new(connection, table, [row])
    take_up(connection, str(erasure_id), subject)
    insert_new(
        connection,
        schema.tombstones,
        [
            {
                "identifier_hash": digest,
                "identifier_type": kind,
                "requested_at": moment,
                "reason": reason,
                "erasure_id": erasure_id,
            }
            for digest, kind in sorted(hashes.items())
        ],
    )
    return str(erasure_id)


def tombstones_in(connection: Connection, receipt: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The tombstones of a receipt that another copy of this home wrote.

    Raises:
        UsageError: it is no receipt, or of a home with another salt.
    """
    try:
        erasure_id, mark = str(receipt["erasure_id"]), receipt["salt"]
        at = to_micros(datetime.fromisoformat(receipt["requested_at"]))
        entries = [*receipt["identifiers"], *receipt.get("digests", ())]
        hashes = {str(each["hash"]): str(each["type"]) for each in entries}
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "That is no receipt of `regulars forget`.", "They lie in erasures/ of a home."
        ) from error
    if mark != Hasher(connection).mark:
        raise UsageError(
            "This receipt was written with another home's salt, so its hashes mean nobody here.",
            "Forget the people here by name: `regulars forget WHO`.",
        )
    shared = {"requested_at": at, "reason": str(receipt.get("reason", ""))}
    return [
        {"identifier_hash": digest, "identifier_type": kind, "erasure_id": erasure_id, **shared}
        for digest, kind in sorted(hashes.items())
    ]


def all_tombstones(connection: Connection) -> list[Mapping[str, Any]]:
    """Every tombstone of the store."""
    query = select(schema.tombstones).order_by(schema.tombstones.c.identifier_hash)
    return [dict(row) for row in connection.execute(query).mappings()]


def carry_over(connection: Connection, tombstones: Iterable[Mapping[str, Any]]) -> list[str]:
    """Take over tombstones of another copy of this home; the ids of their erasures, in order."""
    rows = list(tombstones)
    erasures = {
        row["erasure_id"]: {key: row[key] for key in ("erasure_id", "requested_at", "reason")}
        for row in rows
    }
    insert_new(connection, schema.erasures, erasures.values())
    insert_new(connection, schema.tombstones, rows)
    return list(erasures)


def open_erasures(connection: Connection) -> list[Erasure]:
    """Requests that are not carried out to their end, the oldest first."""
    table = schema.erasures
    query = select(table).where(table.c.finished_at.is_(None))
    rows = connection.execute(query.order_by(table.c.requested_at, table.c.erasure_id)).mappings()
    return [_erasure(row) for row in rows]


def note_receipt(connection: Connection, erasure_id: str, receipt: Mapping[str, Any]) -> None:
    """Keep what was done so far."""
    table = schema.erasures
    connection.execute(
        update(table)
        .where(table.c.erasure_id == erasure_id)
        .values(receipt=json.dumps(receipt, sort_keys=True))
    )


def take_up(connection: Connection, erasure_id: str, subject: Erasable) -> None:
    """Open a request, again or for the first time, for these rows to be erased."""
    table = schema.erasures
    connection.execute(
        update(table)
        .where(table.c.erasure_id == erasure_id)
        .values(subject=subject.to_json(), finished_at=None)
    )


def keep_subject(connection: Connection, erasure_id: str, subject: Erasable | None) -> None:
    """Replace whose rows are still to be erased; None where none are."""
    table = schema.erasures
    text = subject.to_json() if subject else None
    connection.execute(update(table).where(table.c.erasure_id == erasure_id).values(subject=text))


def finish(connection: Connection, erasure_id: str, at: datetime) -> None:
    """The erasure is done to its end."""
    table = schema.erasures
    connection.execute(
        update(table)
        .where(table.c.erasure_id == erasure_id)
        .values(subject=None, finished_at=to_micros(at))
    )


def hashes_of(connection: Connection, erasure_id: str) -> list[tuple[str, str]]:
    """Hash and type of every identifier of a request, in the order of type and hash."""
    table = schema.tombstones.c
    query = select(table.identifier_hash, table.identifier_type)
    rows = connection.execute(query.where(table.erasure_id == erasure_id))
    return sorted(((row[0], row[1]) for row in rows), key=lambda pair: (pair[1], pair[0]))


def inbox_searched_at(connection: Connection) -> float:
    """Since when bodies of webhooks are not looked through for forgotten people; 0 at first."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == _INBOX)
    return float(connection.execute(query).scalar() or 0)


def note_inbox_searched(connection: Connection, at: float) -> None:
    """What was there before this moment is looked through."""
    upsert(connection, schema.meta, [{"key": _INBOX, "value": repr(at)}])


def _erasure(row: Mapping[Any, Any]) -> Erasure:
    return Erasure(
        row["erasure_id"],
        from_micros(row["requested_at"]),
        row["reason"],
        Erasable.from_json(row["subject"]) if row["subject"] else None,
        json.loads(row["receipt"] or "{}"),
        None if row["finished_at"] is None else from_micros(row["finished_at"]),
    )
