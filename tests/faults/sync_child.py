"""The process that is killed: one sync to a destination, started warm by a fork server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ingestion import config
from orchestration.activation.people import Target
from orchestration.activation.sync import sync
from orchestration.destinations import open_destination
from orchestration.destinations.base import Destination
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from tests.faults.receiver import Once, Unreliable
from tests.orchestration.activation.shop import NOW, TARGET


def run_sync(
    root: str,
    kind: str,
    options: Mapping[str, Any],
    environment: Mapping[str, str],
    seed: int,
    fault_rate: float,
    target: Target = TARGET,
    at_seconds: int = 0,
) -> None:
    """Sync once. `once` is the destination where nothing may be sent twice."""
    os.environ.update(environment)
    home = Home(Path(root))
    settings = config.Destination(kind=kind, options=dict(options))
    destination: Any = (
        Once(**options) if kind == "once" else open_destination(target.destination, settings, home)
    )
    if kind != "once":
        # Nothing waits here, so calls would be recorded ahead of the clock of the next process
        destination.limits = replace(destination.limits, rates=())
    with open_store(home) as store:
        sync(
            store,
            home,
            target,
            _failing(destination, seed, fault_rate),
            at=NOW + timedelta(seconds=at_seconds),
            wait=lambda _: None,
        )


def _failing(destination: Destination, seed: int, fault_rate: float) -> Any:
    return Unreliable(destination, seed, fault_rate) if fault_rate else destination
