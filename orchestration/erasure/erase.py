"""One erasure from its tombstones to its receipt, in steps that a kill cannot tear.

Belongs here: the order of the steps and the receipt. Does not belong here: what each step does to
its store.

Whose rows are to go stands in the store beside the request until the last step, so whoever takes
the home's lock next, another `forget` or a run, goes on where a killed one stopped. Every step may
be repeated. The operational store comes last: it knows who is meant.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ingestion.forgetting.hidden import DIGEST, RUN
from ingestion.forgetting.raw_rows import gone_runs, gone_texts, take_out
from orchestration.erasure.elsewhere import Answers, Ask, is_open
from orchestration.erasure.files import (
    compact,
    erase_from_delivered,
    erase_from_files,
    left_as_they_are,
)
from orchestration.erasure.inbox import erase_from_inbox
from orchestration.erasure.ops_rows import erase_from_ops, forgotten_in_ops, waiting
from orchestration.erasure.other_case import with_other_case
from orchestration.erasure.published import rewrite_published
from orchestration.home.layout import Home
from orchestration.home.whole_file import whole_file
from orchestration.ops import tombstones
from orchestration.ops.store import Store
from orchestration.ops.tombstones import Erasable, Erasure, Key
from orchestration.published.reader import open_published

# In the order in which they are reached; tests kill the process at each.
STEPS = ("raw", "published", "files", "ops", "compacted", "receipt", "finished")

_SLOW_CLOCK = 60.0  # seconds by which a file's time may be behind

Reached = Callable[[str], None]


def strip_arrivals(home: Home, store: Store, country: str) -> dict[str, int]:
    """Take out whatever arrived of people who are forgotten; how much, by table.

    Sources, webhooks and people at the command line may say something of them again. Only to be
    called under the home's lock, before anything reads what arrived.
    """
    with store.read() as connection:
        if not tombstones.has_tombstones(connection):
            return {}
        since = tombstones.inbox_searched_at(connection)
    began = time.time()
    done = Counter(_strip_raw(home, store, country, rewrite=False))
    if count := _strip_inbox(home, store, country, since=since):
        done["inbox"] = count
    with store.write() as connection:
        done += Counter(erase_from_ops(connection, forgotten_in_ops(connection)))
        tombstones.note_inbox_searched(connection, began - _SLOW_CLOCK)
    if done:
        _compact(home, store)
    return dict(done)


def _strip_raw(home: Home, store: Store, country: str, *, rewrite: bool) -> dict[str, int]:
    with store.read() as connection:

        def gone(keys: Collection[Key]) -> set[Key]:
            return tombstones.forgotten_among(connection, keys)

        return dict(take_out(home.raw, gone, country, rewrite=rewrite))


def _strip_inbox(home: Home, store: Store, country: str, *, since: float = 0.0) -> int:
    with store.read() as connection:

        def among(keys: Collection[Key]) -> set[Key]:
            return tombstones.forgotten_among(connection, keys)

        def gone(texts: Iterable[str]) -> set[str]:
            unique_texts = set(texts)
            runs = {text: set(re.findall(RUN, text)) for text in unique_texts}
            hiding = gone_runs(set().union(*runs.values()) if runs else (), among, country)
            return gone_texts(unique_texts, among, country) | {
                text for text, numbers in runs.items() if numbers & hiding
            }

        return erase_from_inbox(home.inbox, gone, since=since)


def _ask_nobody(_subject: Erasable, before: Answers) -> Answers:
    return before


def finish_erasures(
    home: Home,
    store: Store,
    *,
    country: str,
    location: str,
    at: datetime,
    ask: Ask = _ask_nobody,
) -> int:
    """Carry out every erasure that a kill or a held lock left open; how many are done now.

    Only to be called under the home's lock. Destinations that still have somebody hear it from the
    next sync.
    """
    with store.read() as connection:
        erasures = tombstones.open_erasures(connection)
    for erasure in erasures:
        carry_out(home, store, erasure, country=country, location=location, at=at, ask=ask)
    with store.read() as connection:
        left = {each.erasure_id for each in tombstones.open_erasures(connection)}
    return sum(each.erasure_id not in left for each in erasures)


def take_over_tombstones(
    connection: Connection, rows: Sequence[Mapping[str, Any]], at: datetime
) -> int:
    """Take over tombstones of another copy of this home; how many requests they are of.

    The gate refuses these people from then on. What the home has of them is one open erasure, which
    `finish_erasures` or a command carries out.
    """
    ids = tombstones.carry_over(connection, rows)
    for erasure_id in ids[1:]:
        tombstones.finish(connection, erasure_id, at)
    if ids:
        tombstones.take_up(connection, ids[0], forgotten_in_ops(connection))
    return len(ids)


def carry_out(
    home: Home,
    store: Store,
    erasure: Erasure,
    *,
    country: str,
    location: str,
    at: datetime,
    ask: Ask = _ask_nobody,
    reached: Reached = lambda _step: None,
) -> Mapping[str, Any]:
    """Erase one person who asked; returns the receipt. Only under the home's lock.

    Args:
        home: the shop's home.
        store: its operational store.
        erasure: the request.
        country: by which phone numbers are read that say none.
        location: of the shop's input files, which stay as they are.
        at: the moment it is done, naive UTC.
        ask: asks destinations to erase the person, given what they answered before.
        reached: told the name of each step of `STEPS` once it is done.
    """
    subject = erasure.subject or Erasable((), ())
    stores = dict(erasure.receipt.get("stores", {}))
    answers = erasure.receipt.get("erased_by", {})
    if subject.keys:
        answers = ask(subject, answers)
    # Ids alone are left where only a destination has to be told yet.
    is_whole = bool(subject.keys or not subject.ids)
    if is_whole:
        subject = _as_of_now(home, store, erasure, subject)
        _add(stores, "raw.duckdb", _strip_raw(home, store, country, rewrite=True))
        reached("raw")
        _add(stores, "published.duckdb", rewrite_published(home, subject))
        reached("published")
        bodies = _strip_inbox(home, store, country)
        files = {**erase_from_files(home, subject), **({"inbox": bodies} if bodies else {})}
        _add(stores, "files", files)
        reached("files")
    else:
        _add(stores, "files", {"delivered": erase_from_delivered(home, subject)})
    with store.write() as connection:
        changed = Counter(erase_from_ops(connection, subject))
        # What only another case of an identifier of theirs names
        changed += Counter(erase_from_ops(connection, forgotten_in_ops(connection)))
        _add(stores, "ops.sqlite", changed)
        left = waiting(connection, subject.ids)
        receipt = _receipt(connection, erasure, stores, left, answers, home, location, at)
        tombstones.note_receipt(connection, erasure.erasure_id, receipt)
        # Ids are needed only while a destination has to be told to remove the person, identifiers
        # while one has to be asked to erase them.
        rest = subject if is_open(answers) else Erasable(tuple(sorted({p[2] for p in left})), ())
        is_done = not left and not is_open(answers)
        tombstones.keep_subject(connection, erasure.erasure_id, None if is_done else rest)
    reached("ops")
    if is_whole or changed:
        _compact(home, store)
    reached("compacted")
    _write_receipt(home, receipt)
    reached("receipt")
    if is_done:
        with store.write() as connection:
            tombstones.finish(connection, erasure.erasure_id, at)
    reached("finished")
    return receipt


def _as_of_now(home: Home, store: Store, erasure: Erasure, subject: Erasable) -> Erasable:
    """The person with what a run may have learnt of them since they asked."""
    if not home.published.exists() or not subject.ids:
        return subject
    with open_published(home) as connection:
        rows = connection.execute(
            "select identifier_type, identifier_value from marts.bridge_customer_identifiers"
            " where list_contains($1, customer_id) and not is_shared order by all",
            [list(subject.ids)],
        ).fetchall()
        keys = tuple(sorted({*subject.keys, *((row[0], row[1]) for row in rows)}))
        now = with_other_case(connection, Erasable(subject.ids, keys))
    if now != subject:
        with store.write() as ops:
            tombstones.request(ops, now, reason=erasure.reason, at=erasure.requested_at)
    return now


def _add(stores: dict[str, Any], store: str, counts: Mapping[str, int]) -> None:
    """Counts of this time beside those of a time before that was killed."""
    known = dict(stores.get(store, {}))
    for name, count in counts.items():
        known[name] = known.get(name, 0) + count
    stores[store] = known


def _receipt(
    connection: Connection,
    erasure: Erasure,
    stores: Mapping[str, Any],
    left: set[tuple[str, str, str]],
    answers: Answers,
    home: Home,
    location: str,
    at: datetime,
) -> dict[str, Any]:
    hashes = tombstones.hashes_of(connection, erasure.erasure_id)
    identifiers = [{"type": kind, "hash": digest} for digest, kind in hashes]
    return {
        "erasure_id": erasure.erasure_id,
        "requested_at": erasure.requested_at.isoformat(),
        "done_at": at.isoformat(),
        "reason": erasure.reason,
        "salt": tombstones.Hasher(connection).mark,
        "identifiers": [each for each in identifiers if each["type"] != DIGEST],
        "digests": [each for each in identifiers if each["type"] == DIGEST],
        "stores": stores,
        "destinations": dict(erasure.receipt.get("destinations", {})),
        "erased_by": answers,
        "still_to_be_told": sorted({f"{holding[0]}: {holding[1]}" for holding in left}),
        "not_rewritten": left_as_they_are(home, location),
    }


def _compact(home: Home, store: Store) -> None:
    """Write the store anew, so that nothing stays in free pages or in the log."""
    if store.engine.dialect.name != "sqlite":
        return
    store.close()  # idle connections would keep the log from being folded in
    with closing(sqlite3.connect(home.ops, timeout=30, isolation_level=None)) as file:
        file.execute("pragma secure_delete = on")
        compact(file)


def _write_receipt(home: Home, receipt: Mapping[str, Any]) -> None:
    home.erasures.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole_file(home.erasures / f"{receipt['erasure_id']}.json") as stream:
        stream.write(json.dumps(receipt, indent=1, sort_keys=True).encode())
