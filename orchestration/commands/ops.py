"""`regulars ops`: what a person says about the operational store.

Belongs here: words for the terminal. Does not belong here: when a store is lost (ops/continuity).
"""

from __future__ import annotations

from rich.console import Console

from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops.continuity import begin_anew
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
