"""The state of what lies in a home: its folder, its stores, the last run, what was published.

Belongs here: findings about files and about what they say of runs and deliveries, without changing
any of them. Does not belong here: the installation, settings and APIs (doctor).
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import duckdb
from sqlalchemy import func, select

from ingestion.config import Settings
from ingestion.duckdb import connect
from ingestion.errors import CheckFailedError, tells_of_a_lock
from ingestion.quarantine import waiting_rows
from orchestration.activation.ledger import OpenIntent, broken_laws, open_intents
from orchestration.destinations.base import as_code
from orchestration.home.inbox import REQUESTS, waiting
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.adoption import HINT as ADOPT
from orchestration.ops.adoption import own_home, what_is_copied
from orchestration.ops.continuity import what_is_wrong
from orchestration.ops.permission.unknown_words import NOBODY, UNREAD_FILE, noted
from orchestration.ops.permission.untold import told_count, untold_refusals
from orchestration.ops.store import Store, from_micros, has_store, open_store
from orchestration.ops.tombstones import open_erasures
from orchestration.ops.unread_sources import HINT, what_is_unread
from orchestration.published.audit import AuditRecord, failure
from orchestration.published.checks import stopping
from orchestration.published.reader import open_published, read_build
from orchestration.report.complaints import read_complaints
from orchestration.report.figures import read_thresholds
from orchestration.run.degraded_notices import what_is_degraded
from orchestration.words.codes import basis

Status = Literal["ok", "warning", "failed"]

STALE_AFTER = timedelta(days=2)
SPARE_COPIES = 3  # a run needs room for the warehouse, the candidate and raw's growth (O2)
FIRST_RUN_BYTES = 1_000_000_000
# States of an outbox row that has not come to its end (orchestration/activation/outbox.py).
OPEN_STATES = {
    "pending": "waiting",
    "sending": "on the way",
    "accepted": "accepted, not yet applied",
    "unknown": "perhaps arrived; not repeated by itself",
    "dead": "refused by the destination",
}
UNTOLD = {
    "waiting": "has not been told of",
    "accepted": "was told of and does not show",
    "left": "was not told of",
}
UNTOLD_LIMIT = timedelta(days=1)
UNTOLD_HINT = (
    "Each sync tries again; until then it may go on sending by itself (docs/permission.md)."
)
SENDING = "sending"
# Of these, the ones that wait for somebody: what is the matter, and what to do.
WAITING = {
    SENDING: (
        "were on the way when a sync was killed.",
        "`regulars sync {segment} {destination}` sends them again where that is safe.",
    ),
    "unknown": (
        "may have arrived or not; nobody gets them twice, so they wait.",
        "See in {destination} whether it has them (`regulars explain ID` says who), then"
        " `regulars sync --resolve KEY arrived` or `lost`: {rows}; together {batches}.",
    ),
    "dead": (
        "were refused: {reasons}.",
        "Mend what {destination} says of them, then `regulars sync {segment} {destination}`.",
    ),
}
SHOWN = 5  # rows or batches named in one line
SHOWN_WORDS = 20
DEGRADED_HINTS = {
    "quarantine": "See them with `regulars quarantine list`, and mend the input.",
    "no_rows": "Look whether it is still written or answers: `regulars doctor --connect`.",
    "dead_letters": "`regulars doctor` says why they were refused (`intents`), and what to do.",
    "destination_down": "See if it answers (`regulars doctor --connect`), then `regulars sync`.",
}
# Somebody who asked has a month (GDPR article 12).
ERASURE_WARNING_DAYS, ERASURE_FAILURE_DAYS = 7, 21


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, how it is, and what to do when it is not well."""

    name: str
    status: Status
    sentence: str
    hint: str = ""


def folder(home: Home) -> Iterator[Check]:
    """Whether a run may write where the home is or will be."""
    nearest = _nearest_existing(home.root)
    if not os.access(nearest, os.W_OK | os.X_OK):
        hint = "Give yourself the right to write there, or use another --home."
        yield Check("home", "failed", f"{nearest} is not writable.", hint)
    elif not home.root.exists():
        hint = "`regulars demo` or `regulars run --input DIR` makes it."
        yield Check("home", "warning", f"{home.root} does not exist yet.", hint)
    else:
        yield Check("home", "ok", f"{home.root} is writable.")


def disk(home: Home) -> Iterator[Check]:
    """Whether there is room for a run."""
    free = shutil.disk_usage(_nearest_existing(home.root)).free
    files = (home.raw, home.warehouse, home.published, home.ops)
    largest = max((file.stat().st_size for file in files if file.exists()), default=0)
    needed = max(SPARE_COPIES * largest, FIRST_RUN_BYTES)
    sentence = f"{_gigabytes(free)} free; a run may need {_gigabytes(needed)}."
    if free >= needed:
        yield Check("disk", "ok", sentence)
    else:
        status: Status = "failed" if free < max(largest, FIRST_RUN_BYTES // 10) else "warning"
        yield Check("disk", status, sentence, "Make room; a full disk stops a run half-way.")


def modes(home: Home) -> Iterator[Check]:
    """The home is its owner's only; what lies in it should be so by itself too."""
    if not home.root.exists():
        return
    if _open_to_others(home.root):
        hint = f"Run `chmod -R go-rwx {home.root}`."
        yield Check("file modes", "failed", "Other users can look into the home.", hint)
        return
    paths = (home.raw, home.warehouse, home.published, home.ops, home.published_dir, home.dlt)
    loose = [path.name for path in paths if path.exists() and _open_to_others(path)]
    if loose:
        hint = f"Run `chmod -R go-rwx {home.root}`, so that a copy stays private too."
        yield Check("file modes", "warning", f"Readable for others: {', '.join(loose)}.", hint)
    else:
        yield Check("file modes", "ok", "Only the owner can read the stores.")


def stores(home: Home, busy: bool) -> Iterator[Check]:
    """Whether every store that is there opens, and the precious one is there."""
    for path in (home.raw, home.warehouse, home.published):
        if busy and path != home.published:
            continue
        if path.exists():
            yield _opens(path)
    if busy:
        yield Check("stores", "ok", "A run is at work; raw and warehouse are left alone.")
    problem = what_is_wrong(home)
    if problem:
        hint = (
            "Restore it from a backup: it holds consent and what was sent. If there is none,"
            " `regulars ops begin-anew`."
        )
        yield Check("ops", "failed", problem, hint)
    elif has_store(home):
        yield Check("ops", "ok", "The operational store opens, is sound, and knows this home.")
        yield from _location(home)


def _location(home: Home) -> Iterator[Check]:
    """Whether the home lies where its store says; else it is a copy."""
    with open_store(home) as store:
        own, copied = own_home(store), what_is_copied(store, home)
    if copied:
        yield Check("place", "failed", f"{copied} Nothing is planned or sent.", ADOPT)
    elif own:
        yield Check("place", "ok", f"This is the home {own.home_id}, in its own place.")


def _opens(path: Path) -> Check:
    name = path.stem
    try:
        with connect(path, read_only=True) as connection:
            connection.execute("select count(*) from duckdb_tables()")
    except duckdb.IOException as error:
        if tells_of_a_lock(str(error)):
            hint = "Close the program that has it open; nothing else may open this file."
            return Check(name, "failed", f"{path.name} is held by another process.", hint)
        return Check(name, "failed", f"{path.name} cannot be opened.", _remedy(path))
    except duckdb.Error:
        return Check(name, "failed", f"{path.name} is damaged.", _remedy(path))
    return Check(name, "ok", f"{path.name} opens.")


def _remedy(path: Path) -> str:
    if path.stem == "raw":
        return "Restore it from a backup, or move it away and run again with all input."
    return "Delete it; the next `regulars run` makes it anew."


def last_run(home: Home, now: datetime, busy: bool) -> Iterator[Check]:
    """How the last run ended, and when it began."""
    if not has_store(home):
        yield Check("last run", "warning", "Nothing has run here yet.")
        return
    with open_store(home) as store:
        last = _newest_run(store)
        reason = _why_stopped(store, last["run_id"]) if last else None
    if last is None:
        yield Check("last run", "warning", "Nothing has run here yet.")
        return
    old = age(now - from_micros(last["started_at"]))
    sentence = f"The last run {last['status']}; it began {old} ago."
    if last["status"] == "failed":
        hint = "Run again; `regulars dev` shows at which step it failed."
        if reason:
            sentence, hint = f"{sentence} {reason.message}", reason.hint
        yield Check("last run", "failed", sentence, hint)
    elif last["status"] == "unpublished":
        sentence = f"The last run published nothing and was not asked to; it began {old} ago."
        yield Check("last run", "ok", sentence)
    elif last["status"] == "running" and not busy:
        hint = "The next run marks it failed and clears up after it."
        yield Check("last run", "warning", "The last run was killed.", hint)
    else:
        yield Check("last run", "ok", sentence)


def published(home: Home, now: datetime) -> Iterator[Check]:
    """What is published, how old it is, and whether ops knows it."""
    if not home.published.exists():
        hint = "Run `regulars demo` or `regulars run --input DIR`."
        yield Check("published", "warning", "Nothing is published yet.", hint)
        return
    _, run_id, as_of = read_build(home.published)
    sentence = f"Published as of {as_of:%Y-%m-%d %H:%M} UTC."
    if is_demo(home):
        yield Check("published", "ok", f"{sentence} Each run moves the pretend shop on a day.")
    elif now - as_of > STALE_AFTER:
        hint = "Run again, or set `daily = true` under [schedule] in regulars.toml."
        yield Check("published", "warning", f"{sentence} That is {age(now - as_of)} old.", hint)
    else:
        yield Check("published", "ok", sentence)
    yield from _rhythm(home)
    if has_store(home):
        with open_store(home) as store:
            yield from _manifest(store, run_id)


def _rhythm(home: Home) -> Iterator[Check]:
    """What loyal, overdue and recent mean in the published file."""
    with open_published(home) as connection:
        thresholds = read_thresholds(connection)
    sentences = [
        f"{', '.join(f'{each.name} {each.value}' for each in thresholds if each.basis == code)}:"
        f" {basis(code, thresholds[0].repeat_count, thresholds[0].repeat_buyer_count)}."
        for code in sorted({each.basis for each in thresholds})
    ]
    if sentences:
        yield Check("thresholds", "ok", " ".join(sentences))


def _manifest(store: Store, published_run: str) -> Iterator[Check]:
    """The published file's run against the last one that succeeded: a lost commit shows here."""
    last = _newest_run(store, status="succeeded")
    if last is None:
        hint = "The next run records it; if ops.sqlite was lost, restore a backup first."
        yield Check("manifest", "warning", "ops does not know the published run.", hint)
    elif last["run_id"] != published_run:
        hint = "Run again; if a file was restored by hand, restore both from one backup."
        yield Check("manifest", "failed", "The published file is not of the last run.", hint)
    else:
        yield Check("manifest", "ok", "The published file is of the last run that succeeded.")


def _newest_run(store: Store, status: str | None = None) -> Mapping[str, Any] | None:
    runs = schema.runs
    query = select(runs).order_by(runs.c.started_at.desc(), runs.c.run_id).limit(1)
    if status:
        query = query.where(runs.c.status == status)
    with store.read() as connection:
        row = connection.execute(query).mappings().first()
        return dict(row) if row else None


def _why_stopped(store: Store, run_id: str) -> CheckFailedError | None:
    """The checks that stopped a run, as it said them; None where none did."""
    audits = schema.audits
    query = (
        select(audits.c.record)
        .where(audits.c.run_id == run_id)
        .order_by(audits.c.recorded_at.desc(), audits.c.digest)
    )
    with store.read() as connection:
        content = connection.execute(query.limit(1)).scalar_one_or_none()
    if content is None:
        return None
    failed = stopping(AuditRecord.from_json(json.loads(content)).checks)
    return failure(failed) if failed else None


def quarantine(home: Home, busy: bool) -> Iterator[Check]:
    """How many rows wait in quarantine, by source."""
    if busy or not home.raw.exists():
        return
    counts: Counter[str] = Counter()
    for source, _, _, rows in waiting_rows(home.raw):
        counts[source] += rows
    if counts:
        sentence = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
        hint = "See them with `regulars quarantine list`; mend and replay them, or dismiss them."
        yield Check("quarantine", "warning", f"Rows that could not be used: {sentence}.", hint)
    else:
        yield Check("quarantine", "ok", "No row is in quarantine.")


def outbox(home: Home) -> Iterator[Check]:
    """What was meant to reach a destination and has not; a removal weighs more than the rest."""
    if not has_store(home):
        return
    rows = schema.outbox.c
    query = select(rows.state, rows.operation, func.count()).group_by(rows.state, rows.operation)
    with open_store(home) as store, store.read() as connection:
        counts = {(state, what): int(n) for state, what, n in connection.execute(query).tuples()}
    waiting = {key: n for key, n in counts.items() if key[0] in OPEN_STATES}
    accepted = sum(n for (state, _), n in waiting.items() if state == "accepted")
    if accepted == sum(waiting.values()):
        sentence = "Everything queued has arrived or was rightly held."
        if accepted:
            sentence = f"{sentence[:-1]}, or was accepted and is applied later ({accepted:,})."
        yield Check("outbox", "ok", sentence)
        return
    listed = ", ".join(
        f"{n:,} {what} ({OPEN_STATES[state]})" for (state, what), n in sorted(waiting.items())
    )
    removals = any(what == "removed" for _, what in waiting)
    hint = "`regulars sync` tries again." + (" A removal must not wait." if removals else "")
    yield Check("outbox", "warning", f"Not arrived: {listed}.", hint)


def unknown_words(home: Home) -> Iterator[Check]:
    """Words about permission that nobody has told us, and refusals that cannot be read."""
    if not has_store(home):
        return
    with open_store(home) as store:
        waiting = noted(store)
    for each in waiting[:SHOWN_WORDS]:
        name = "permission"
        count = f"{each.row_count:,} statement{'s' if each.row_count > 1 else ''}"
        if each.said_in == UNREAD_FILE:
            sentence = f"The refusals in {each.word} are unknown: it cannot be read."
            yield Check(name, "warning", sentence, "Have it written again.")
        elif each.said_in == NOBODY:
            sentence = f"Refusals from {each.word} that name nobody: {count}."
            hint = "They bear no address, number or id that can be read: mend them and run again."
            yield Check(name, "warning", sentence, hint)
        else:
            sentence = f"{each.said_in} says `{each.word}` in {count}: counts as {each.counts_as}."
            hint = "Say what it means in dbt_project/seeds/status_words.csv, then run."
            yield Check(name, "warning", sentence, hint)
    if len(waiting) > SHOWN_WORDS:
        sentence = f"And {len(waiting) - SHOWN_WORDS:,} more such words."
        yield Check("permission", "warning", sentence)
    if not waiting:
        yield Check("permission", "ok", "Every word about permission is known.")


def complaints(home: Home) -> Iterator[Check]:
    """Whether too many of the shop's emails are reported as spam."""
    if not home.published.exists():
        return
    with open_published(home) as connection:
        domains = read_complaints(connection)
    for domain in domains:
        yield Check("complaints", "warning", domain.sentence, domain.hint)
    if not domains:
        yield Check("complaints", "ok", "Few emails of the last days were reported as spam.")


def unread_sources(home: Home, busy: bool) -> Iterator[Check]:
    """Whether a run stopped before it had read all refusals; a run at work is reading them."""
    if busy or not has_store(home):
        return
    with open_store(home) as store:
        problem = what_is_unread(store)
    if problem:
        yield Check("permission", "failed", f"{problem} Nothing is sent.", HINT)


def intents(home: Home, busy: bool) -> Iterator[Check]:
    """Rows that wait for somebody, by segment and destination: each pair with what to do."""
    if not has_store(home):
        return
    with open_store(home) as store:
        rows = open_intents(store, [state for state in WAITING if not (busy and state == SENDING)])
    waiting: dict[tuple[str, str, str], list[OpenIntent]] = defaultdict(list)
    for row in rows:
        waiting[row.state, row.segment, row.destination].append(row)
    for (state, segment, destination), intents in sorted(waiting.items()):
        sentence, hint = WAITING[state]
        named = [f"{intent.key} ({intent.customer_id})" for intent in intents]
        batches = sorted({intent.batch_key for intent in intents})
        yield Check(
            "intents",
            "warning",
            f"{len(intents):,} of `{segment}` to `{destination}` "
            + sentence.format(reasons=_reasons(intents)),
            hint.format(
                segment=segment,
                destination=destination,
                rows=_first(named),
                batches=_first(batches),
            ),
        )


def untold(home: Home, now: datetime) -> Iterator[Check]:
    """Refusals that a destination is to be told of and does not know of yet."""
    if not has_store(home):
        return
    with open_store(home) as store:
        waiting, told_refusals = untold_refusals(store), told_count(store)
    if told_refusals and not waiting:
        sentence = f"Destinations that can be told know of every refusal ({told_refusals:,} told)."
        yield Check("refusals", "ok", sentence)
    for each in waiting:
        is_late = each.state == "waiting" and now - each.since > UNTOLD_LIMIT
        yield Check(
            "refusals",
            "failed" if is_late else "warning",
            f"Refusals by {each.channel} that `{each.destination}` {UNTOLD[each.state]}:"
            f" {each.count:,}, since {each.since:%Y-%m-%d} ({each.answer}).",
            UNTOLD_HINT,
        )


def erasures(home: Home, now: datetime) -> Iterator[Check]:
    """Whether somebody asked to be forgotten and is not yet, and for how long."""
    if not has_store(home):
        return
    with open_store(home) as store, store.read() as connection:
        waiting_ones = open_erasures(connection)
    if not waiting_ones:
        yield Check("erasures", "ok", "Whoever asked to be forgotten is.")
        return
    days = (now - waiting_ones[0].requested_at).days
    status: Status = "ok"
    if days >= ERASURE_WARNING_DAYS:
        status = "failed" if days >= ERASURE_FAILURE_DAYS else "warning"
    since = f"{waiting_ones[0].requested_at:%Y-%m-%d}"
    hint = "`regulars sync` tells destinations that still have them; the next run completes it."
    sentence = f"Requests to be forgotten not completed: {len(waiting_ones):,}, since {since}."
    yield Check("erasures", status, sentence, hint)


def _reasons(intents: Sequence[OpenIntent]) -> str:
    """Why, most often first: short codes of destinations, such as too_large."""
    errors = (intent.last_error for intent in intents)  # an earlier version kept words too
    counts = Counter(as_code(reason) if reason else "no reason given" for reason in errors)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return _first([f"{reason} ({count:,})" for reason, count in ordered])


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def laws(home: Home) -> Iterator[Check]:
    """Whether everything that was queued for a destination is accounted for."""
    if not has_store(home):
        return
    with open_store(home) as store:
        broken = broken_laws(store)
    if broken:
        sentence = f"What was sent does not add up: {'; '.join(broken)}."
        hint = "Send nothing until it is clear why; restore ops from a backup, or report this."
        yield Check("ledger", "failed", sentence, hint)
    else:
        yield Check("ledger", "ok", "Every queued row has one outcome, every sent row one entry.")


def degraded(home: Home, settings: Settings, now: datetime) -> Iterator[Check]:
    """What is degraded while runs go on; in the pretend shop's home by its own clock."""
    if not has_store(home):
        return
    if is_demo(home) and home.published.exists():
        now = read_build(home.published)[2]
    with open_store(home) as store:
        current = what_is_degraded(store, settings, at=now, as_of=now)
    for each in current:
        yield Check("degraded", "warning", each.sentence, DEGRADED_HINTS[each.kind])
    if not current:
        yield Check("degraded", "ok", "Rows come in and go out as usual.")


def inbox(home: Home) -> Iterator[Check]:
    """What came by webhooks and is read by no run."""
    for (kept, sender), count in sorted(waiting(home.inbox).items()):
        folder = home.inbox / kept / sender
        if kept == REQUESTS:
            sentence = f"Requests to erase or hand over personal data in {folder}: {count:,}."
            hint = "Read them and act (docs/webhooks.md says how), then delete each file."
            yield Check("inbox", "warning", sentence, hint)
        else:
            sentence = f"Bodies in {folder} that are kept and read by no source: {count:,}."
            yield Check("inbox", "ok", sentence)


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


def age(span: timedelta) -> str:
    """How long ago something was, in whole hours or days."""
    hours = max(int(span.total_seconds() // 3600), 0)
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"
