"""One run: its facts, its lock, its row in ops, and the clearing up after the dead.

Belongs here: what every step of a run shares. Does not belong here: the steps themselves and
Dagster (orchestration/defs wraps this as a resource).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Literal

from ingestion.config import REPOSITORY, Settings
from ingestion.errors import UsageError
from orchestration import lock
from orchestration.home import Home
from orchestration.ops.store import OpsStore, open_store
from orchestration.publishing.publish import clear_half_built

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunRequest:
    """What a person or schedule asked for.

    `as_of` is naive UTC. `send` lets configured destinations receive; without it a run only plans.
    """

    as_of: datetime
    input: str = ""
    full_refresh: bool = False
    send: bool = False


@dataclass
class Run:
    """A run under way; handed to every step."""

    request: RunRequest
    home: Home
    settings: Settings
    store: OpsStore
    run_id: str
    code_version: str
    say: Say
    notes: dict[str, object] = field(default_factory=dict)

    @property
    def as_of(self) -> datetime:
        """The run's "now", naive UTC."""
        return self.request.as_of

    @property
    def input(self) -> str:
        """The input folder or URL: asked for, else the settings' one, else empty."""
        return self.request.input or self.settings.input


@contextmanager
def open_run(
    home: Home,
    settings: Settings,
    request: RunRequest,
    *,
    say: Say = lambda _text: None,
    wait_seconds: float = 0.0,
) -> Iterator[Run]:
    """Take the lock, clear up after the dead, and keep the run's row in ops true to its end.

    Raises:
        BusyError: another run holds the home after `wait_seconds`.
    """
    home.create()
    with lock.hold(home.lock, wait_seconds), open_store(home) as store:
        heal(home, store, say)
        run_id = store.start_run(request.as_of, code_version())
        run = Run(request, home, settings, store, run_id, code_version(), say)
        outcome: Literal["succeeded", "failed"] = "failed"
        try:
            yield run
            outcome = "succeeded" if run.notes.get("finished") else "failed"
        finally:
            store.finish_run(run_id, outcome)


def heal(home: Home, store: OpsStore, say: Say) -> None:
    """Clear up after runs that died: files half built, rows still "running", a commit not made.

    Only to be called under the lock, when nothing else can be at work in this home.
    """
    clear_half_built(home)
    dead = store.fail_dead_runs()
    if dead:
        say(f"{dead} earlier run(s) ended without a word; their rows are now marked failed.")
    if store.commit_published(home.published):
        say("The last published file was not yet recorded in ops; it is now.")


@cache
def code_version() -> str:
    """The package's version and, in a git checkout, the commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return f"{version('regulars')}+{commit}" if commit else version("regulars")


def parse_as_of(text: str) -> datetime:
    """A point in time as naive UTC: `2026-07-01` or `2026-07-01T12:00:00Z`.

    Raises:
        UsageError: it is not a date or time, or lies outside 1990-2100.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"`{text}` is not a date or time.", "Write it like 2026-07-01 or 2026-07-01T12:00:00Z."
        ) from error
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    if not 1990 <= moment.year <= 2100:
        raise UsageError(f"`{text}` lies outside 1990-2100.", "Give a date within those years.")
    return moment
