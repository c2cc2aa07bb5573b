"""The process that is killed: one sync against the receiver, started warm by a fork server."""

from __future__ import annotations

from pathlib import Path

from orchestration.activation.sync import sync
from orchestration.destinations.base import Idempotency
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from tests.faults.receiver import HttpDestination
from tests.orchestration.activation.shop import NOW, TARGET


def run_sync(root: str, url: str, idempotency: str, batch_size: int) -> None:
    """Sync once."""
    home = Home(Path(root))
    destination = HttpDestination(url, Idempotency(idempotency), batch_size)
    with open_store(home) as store:
        sync(store, home, TARGET, destination, at=NOW, wait=lambda _: None)
