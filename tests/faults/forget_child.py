"""The process that is killed: one person is forgotten, started warm by a fork server."""

from __future__ import annotations

from pathlib import Path

from orchestration.activation.removal import tell_destinations
from orchestration.erasure.erase import finish_erasures
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from orchestration.ops.tombstones import request
from tests.orchestration.erasure.planted import NOW, settings, subject


def run_forget(root: str, number: int) -> None:
    """Forget one person as the command does."""
    home = Home(Path(root))
    with open_store(home) as store:
        with store.write() as connection:
            request(connection, subject(number), reason="asked", at=NOW)
        with lock.hold(home.lock):
            ids = subject(number).ids
            tell_destinations(store, home, settings(), ids, at=NOW, wait=lambda _: None)
            finish_erasures(home, store, country="GB", location="", at=NOW)


def run_finish(root: str) -> None:
    """What the next run does before anything else."""
    home = Home(Path(root))
    with open_store(home) as store, lock.hold(home.lock):
        finish_erasures(home, store, country="GB", location="", at=NOW)
