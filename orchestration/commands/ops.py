"""`regulars ops`: what a person says about the operational store.

Belongs here: words for the terminal. Does not belong here: when a store is lost (ops/continuity).
"""

from __future__ import annotations

from rich.console import Console

from ingestion.errors import UsageError
from orchestration.home import lock
from orchestration.home.kind import read_mark
from orchestration.home.layout import Home
from orchestration.home.place import place_of
from orchestration.ops.adoption import adopt, in_words
from orchestration.ops.continuity import begin_anew, check_continuity
from orchestration.ops.store import open_store
from orchestration.ops.unread_sources import accept_restore
from orchestration.run.run import clock


def print_begin_anew(home: Home, person: str, reason: str, out: Console) -> None:
    """Begin the store anew and say what only a backup would bring back."""
    with lock.hold(home.lock):
        lost = begin_anew(home, person=person, reason=reason, at=clock())
    out.print(f"The operational store of {home.root} begins anew. Only a backup brings back:")
    for each in lost:
        out.print(f"  {each}")
    out.print(
        "Opt-outs that the sources tell are read again by the next `regulars run`; record the ones"
        " given by hand with `regulars consent revoke` before anything is sent."
    )


def print_accept_restore(home: Home, person: str, reason: str, out: Console) -> None:
    """Take the sources that nobody can read any more as they are, and say what that means.

    Raises:
        UsageError: there is no home, no source waits since a restore, or nobody answers for it.
    """
    if read_mark(home) is None:
        raise UsageError(f"There is no home in {home.root}.", "Give the restored one with --home.")
    check_continuity(home, begins_run=True)
    with lock.hold(home.lock), open_store(home) as store:
        sources = accept_restore(store, person=person, reason=reason, at=clock())
    out.print(
        f"Recorded. Refusals that came after the backup may be missing of: {', '.join(sources)}."
    )
    out.print(
        "Record those you know of with `regulars consent revoke` before anything is sent; then"
        " `regulars sync` sends."
    )


def print_adopt(home: Home, person: str, reason: str, out: Console) -> None:
    """Let a copied home plan and send from now on, and say what that means for the other.

    Raises:
        UsageError: there is no home, it is no copy, or nobody answers for it.
    """
    if read_mark(home) is None:
        raise UsageError(f"There is no home in {home.root}.", "Give the copied one with --home.")
    check_continuity(home, begins_run=True)
    with lock.hold(home.lock), lock.hold(home.sending_lock), open_store(home) as store:
        before, adopted = adopt(store, home, person=person, reason=reason, at=clock())
    out.print(f"Adopted: {home.root} plans and sends from now on, as the home {adopted.home_id}.")
    out.print(
        f"It was a copy of {in_words(before, place_of(home))}, which must not send any more: stop"
        " its schedules and put it away. Neither knows what the other sends from now on, nor what"
        " came there since the copy: opt-outs that were recorded by hand (`regulars consent export`"
        " there) and who was forgotten (`regulars forget --from` its receipts). Take those over"
        " before anything is sent; then `regulars sync` sends."
    )
    out.print(
        f'Where a destination\'s settings have home = "{before.home_id}", write'
        f' home = "{adopted.home_id}" there.'
    )
