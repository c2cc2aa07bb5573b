"""The process that is killed: one pulse, which ends itself as by `kill -9` at a step."""

from __future__ import annotations

import os
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestration.activation import settlement, sync
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from tests.orchestration.activation.pulse.shop import PulseShop

# Each as the module that calls it and the name by which it does
STEPS: dict[str, tuple[Any, str]] = {
    "before the plan is queued": (sync, "_begin"),
    "before a batch is delivered": (sync, "_deliver_claimed"),
    "after a batch was delivered": (settlement, "settle"),
    "before the audience is closed": (sync, "_finish"),
}


def run_pulse(root: str, folder: str, step: str, at: datetime) -> None:
    """A pulse that is killed when it comes to a step."""
    setattr(*STEPS[step], _killed)
    home = Home(Path(root))
    with open_store(home) as store:
        PulseShop(home, store, Path(folder)).pulse(at=at)


def _killed(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
