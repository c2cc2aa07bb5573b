"""`regulars forget`: somebody asks to be forgotten.

Belongs here: the question, and the receipt at the terminal. Does not belong here: the order of what
is done (`activation/forgetting`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from ingestion.config import Settings
from ingestion.errors import UsageError
from ingestion.settings_file import load_settings
from orchestration.activation.forgetting import (
    Receipt,
    are_open,
    carry_out_all,
    request_erasure,
)
from orchestration.erasure.elsewhere import in_words
from orchestration.erasure.erase import take_over_tombstones
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops import tombstones
from orchestration.ops.commands import Command, recorded
from orchestration.ops.continuity import check_continuity
from orchestration.ops.store import Store, open_store
from orchestration.ops.tombstones import Key
from orchestration.run.run import clock
from orchestration.who.explain import NotFoundError, candidates_of, split_kind
from orchestration.who.subject import Subject, count_rows, find_subject

WAIT_SECONDS = 12 * 3_600.0  # a run is over by then; the gate refuses from the first moment


def print_forget(
    home: Home,
    who: str,
    out: Console,
    *,
    reason: str,
    confirmed: bool,
    confirm: Callable[[str], bool],
    in_advance: bool = False,
    by: str = "unnamed",
) -> None:
    """Ask, write the tombstones, erase, and say what was done.

    Raises:
        UsageError: nobody can be asked, and `--yes` was not given.
        NotFoundError: nobody is known by it, and nobody was forgotten by it.
        BusyError: a run holds the home for longer than anybody waits.
    """
    settings = load_settings()
    check_continuity(home)
    with open_store(home) as store:
        before = _forgotten_before(store, who, settings)
        try:
            subject = find_subject(home, who)
        except NotFoundError:
            if before is not None:
                _say_it_was_done(home, store, before, settings, out)
            elif in_advance:
                with recorded(home, Command("forget", by), clock):
                    keys = _identifiers(who, settings)
                    _forget_in_advance(home, store, keys, reason, settings, out)
            else:
                raise
            return
        if not confirmed and not _agreed(home, subject, confirm):
            out.print("Nothing was erased.")
            return
        with recorded(home, Command("forget", by), clock):
            _forget(home, store, subject, reason, settings, out)


def _forget(
    home: Home, store: Store, subject: Subject, reason: str, settings: Settings, out: Console
) -> None:
    asked = request_erasure(home, store, subject.ids, subject.keys, reason)
    out.print("From now on the gate refuses this person, on every channel.")
    receipts = _finish_all(home, store, settings, out)
    for receipt in receipts:
        _print_receipt(home, receipt, out)
    if not receipts:
        out.print(f"A run has erased them meanwhile; its receipt lies in {home.erasures}.")
    if asked.apart:
        out.print(
            f"{len(asked.apart)} of the identifiers are somebody else's in another case, who stays."
        )
    shared = subject.identifier_count - len(subject.keys)
    if shared:
        out.print(
            f"{shared} of the person's identifiers are shared with others (a household, a"
            " shared device): they are nobody's alone and stay."
        )


def _forgotten_before(store: Store, who: str, settings: Settings) -> str | None:
    """The day on which what was asked for was forgotten before."""
    with store.read() as connection:
        at = tombstones.forgotten_at(connection, _identifiers(who, settings))
    return None if at is None else f"{at:%Y-%m-%d}"


def _identifiers(who: str, settings: Settings) -> list[Key]:
    """What was asked for, as it is compared; an address is an address and nothing else."""
    kind, value = split_kind(who.strip())
    if kind is None and "@" in value:
        kind = "email"
    nodes = candidates_of(kind, value, settings.shop.default_country)
    return [(node.type, node.value) for node in nodes]


def _forget_in_advance(
    home: Home, store: Store, keys: list[Key], reason: str, settings: Settings, out: Console
) -> None:
    """Refuse identifiers that nobody is known by yet.

    Raises:
        UsageError: the value may be of several kinds.
    """
    if len(keys) != 1:
        raise UsageError(
            "Of which kind it is has to be said where nobody is known by it.",
            "Write the kind before it, for example `login:VALUE`.",
        )
    request_erasure(home, store, (), keys, reason)
    out.print("Nobody is known by it; it is refused from now on, whatever arrives.")
    for receipt in _finish_all(home, store, settings, out):
        _print_receipt(home, receipt, out)


def print_carried_over(home: Home, path: Path, out: Console) -> None:
    """Take over who was forgotten since the backup that this home was restored from.

    Raises:
        UsageError: there is no receipt there, or it is another home's.
    """
    paths = sorted(path.glob("*.json")) if path.is_dir() else [path]
    receipts = [_receipt_in(each) for each in paths]
    if not receipts:
        raise UsageError(f"There is no receipt in {path}.", "They lie in erasures/ of a home.")
    settings = load_settings()
    with open_store(home) as store:
        with store.write() as connection:
            rows = [row for each in receipts for row in tombstones.tombstones_in(connection, each)]
            take_over_tombstones(connection, rows, clock())
        out.print(f"Taken over: {len(receipts)} receipts; the gate refuses these people.")
        for receipt in _finish_all(home, store, settings, out):
            _print_receipt(home, receipt, out)


def _receipt_in(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read as a receipt.", "They lie in erasures/ of a home."
        ) from error
    return content if isinstance(content, dict) else {}


def _say_it_was_done(home: Home, store: Store, day: str, settings: Settings, out: Console) -> None:
    receipts = _finish_all(home, store, settings, out)
    for receipt in receipts:
        _print_receipt(home, receipt, out)
    if not receipts:
        out.print(f"This was forgotten on {day}; nothing of it is known here any more.")


def _agreed(home: Home, subject: Subject, confirm: Callable[[str], bool]) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            "Somebody is forgotten only when somebody says yes.",
            "Say so with --yes where nobody can be asked.",
        )
    rows = count_rows(home, subject)
    return confirm(
        f"Forget customer {subject.customer_id[:8]}…: {len(subject.keys)} identifiers,"
        f" {sum(rows.values()):,} rows of {len(rows)} tables? It cannot be undone"
    )


def _finish_all(home: Home, store: Store, settings: Settings, out: Console) -> list[Receipt]:
    """Carry out what is not done yet, this request and any that was stopped before."""
    if are_open(store) and lock.is_busy(home.lock):
        out.print("A run is working in this home; erasing begins when it has ended ...")
    return carry_out_all(home, store, settings, WAIT_SECONDS)


def _print_receipt(home: Home, receipt: Receipt, out: Console) -> None:
    """What was done, for a person; the file has the same for a program."""
    out.print(f"Forgotten: {len(receipt['identifiers'])} identifiers.")
    for store, counts in receipt["stores"].items():
        of = "files" if store == "files" else f"rows of {len(counts)} tables"
        out.print(f"  {store}: {sum(counts.values()):,} {of}")
    for destination, answer in receipt["destinations"].items():
        out.print(f"  {destination}: {answer}")
    for destination, answer in in_words(receipt["erased_by"]):
        out.print(f"  {destination} {answer}.")
    for destination in receipt["still_to_be_told"]:
        out.print(
            f"  {destination} still has to be told; `regulars sync` does, and the next run"
            " completes it."
        )
    out.print("Not rewritten, and refused when they are loaded or restored again:")
    for each in receipt["not_rewritten"]:
        out.print(f"  {each}")
    out.print(f"Receipt: {home.erasures / (receipt['erasure_id'] + '.json')}")
