"""One run: its facts, its lock, its row in ops, and the clearing up after killed runs.

Belongs here: what every step of a run shares. Does not belong here: the steps themselves and
Dagster (orchestration/defs wraps this as a resource).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from typing import Any, Literal

from sqlalchemy import func, select

from ingestion.config import REPOSITORY, Settings
from ingestion.errors import RegularsError, UsageError
from ingestion.input_folder import open_input, said_of_input, shop_patterns, with_inbox
from ingestion.pipelines import RunContext
from ingestion.quarantine import waiting_rows
from orchestration.erasure.elsewhere import ask_to_erase
from orchestration.erasure.erase import finish_erasures, strip_arrivals
from orchestration.home import lock
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home
from orchestration.home.memory import clear_spill
from orchestration.home.retention import delete_old_exports
from orchestration.home.scratch import sweep_home
from orchestration.home.workers import free_stores
from orchestration.ops import runs, schema
from orchestration.ops.adoption import check_own_home, record_home, what_is_copied
from orchestration.ops.commit import heal
from orchestration.ops.continuity import check_continuity
from orchestration.ops.export import export_ops
from orchestration.ops.permission.consent_facts import FactCounts, record_consent_facts
from orchestration.ops.run_context import last_context
from orchestration.ops.store import Store, open_store
from orchestration.ops.unread_sources import has_unrecorded
from orchestration.published.audit import failure
from orchestration.published.candidate import Candidate, describe_candidate
from orchestration.published.checks import CheckResult, stopping
from orchestration.published.swap import clear_half_built
from orchestration.run.degraded_notices import tell_what_is_degraded
from orchestration.run.failure_notices import tell_of_failure, tell_of_success
from orchestration.run.notify import Notice

Say = Callable[[str], None]
Send = Literal["no", "scheduled", "yes"]
Engine = Literal["", "duckdb", "spark"]


@dataclass(frozen=True)
class RunRequest:
    """What a person or schedule asked for.

    `as_of` is naive UTC. `send` says who may receive: `no` one (the run only plans), the
    destinations whose settings say so (`scheduled`), or every enabled destination (`yes`);
    activation/authority decides. `engine` builds the models; empty: what the settings name.
    """

    as_of: datetime
    input: str = ""
    full_refresh: bool = False
    send: Send = "no"
    engine: str = ""


@dataclass
class Run:
    """A run under way; handed to every step."""

    request: RunRequest
    home: Home
    settings: Settings
    store: Store
    facts: runs.Run
    say: Say
    candidate: Candidate | None = None
    checks: list[CheckResult] = field(default_factory=list)
    failed_steps: list[str] = field(default_factory=list)
    is_published: bool = False
    shared: dict[str, Any] = field(default_factory=dict)  # what a step reads for those after it
    _ingest: RunContext | None = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.facts.run_id

    @property
    def as_of(self) -> datetime:
        """The run's "now", naive UTC."""
        return self.request.as_of

    @property
    def input(self) -> str:
        """The input folder or URL: asked for, else the settings' one, else empty."""
        return self.request.input or self.settings.input

    def candidate_to_judge(self) -> Candidate:
        """This run's candidate, else the one that an earlier run built and did not publish.

        Raises:
            RegularsError: there is none.
        """
        if self.candidate is None and self.home.candidate.exists():
            self.candidate = describe_candidate(self.home.candidate)
        if self.candidate is None:
            raise RegularsError(
                "There is no candidate to judge or publish.",
                "Materialize publish/candidate with everything downstream, or run `refresh`.",
            )
        return self.candidate

    def ingest_context(self) -> RunContext:
        """What the sources need to know of this run."""
        if self._ingest is None:
            folder = open_input(self.input, self.settings) if self.input else None
            for sentence in said_of_input(folder, self.settings) if folder else ():
                self.say(f"  {sentence}")
            folder = with_inbox(folder, self.home.inbox, self.settings)
            self._ingest = RunContext(
                self.home.raw, self.home.dlt, self.run_id, self.as_of, self.settings, folder
            )
        return self._ingest

    def record_permission(self) -> FactCounts:
        """Append what the sources say about permission to ops, once what arrived of people who are
        forgotten is out of raw again."""
        again = strip_arrivals(self.home, self.store, self.settings.shop.default_country)
        if again:
            self.say(
                f"  forgotten: {sum(again.values()):,} rows of people who asked to be forgotten"
                " arrived and were taken out"
            )
        return record_consent_facts(
            self.store,
            self.home.raw,
            as_of=self.as_of,
            default_country=self.settings.shop.default_country,
            rescan=self.request.full_refresh,
            sms_refusal_ends_everything=self.settings.permission.sms_refusal_ends_everything,
            shops=shop_patterns(self.settings),
        )

    def rows_in_quarantine(self) -> list[tuple[str, str, str, int]]:
        """Source, table, reason and number of the rows that wait in quarantine."""
        return waiting_rows(self.home.raw)

    def export_for_models(self) -> None:
        """Write what ops knows once more in a run that begins with the models.

        Ids may have been committed since it was written.

        Raises:
            RegularsError: it was never written in this home.
        """
        context = last_context(self.home.ops_export)
        if context is None:
            raise RegularsError(
                "No model can be built yet: ops/run_context, which says as of when, is missing.",
                "Materialize it and what the model is made of too, or run the job `refresh` once.",
            )
        if context.run_id != self.run_id:
            export_ops(self.store, self.home.ops_export, self.facts)


@contextmanager
def open_run(
    home: Home,
    settings: Settings,
    request: RunRequest | Callable[[], RunRequest],
    *,
    say: Say = lambda _text: None,
    wait_seconds: float = 0.0,
) -> Iterator[Run]:
    """Take the lock, clear up after killed runs, and keep the run's row in ops true to its end.

    What a run is asked for may follow from the run before it: a function is asked under the lock.

    A run that published is marked succeeded by the commit that follows the swap; whatever else
    happens, its row is closed here: as failed, or as unpublished where a selection of steps did
    what it was asked and does not reach the published file.

    Raises:
        BusyError: another run holds the home after `wait_seconds`.
        StoreError: the operational store is lost, damaged or not this home's.
        RegularsError: everything is to be sent, and this is a copied home.
    """
    home.create()
    with lock.hold(home.lock, wait_seconds), _own_store(home) as store:
        clear_up(home, store, say)
        delete_old_exports(home, days=settings.privacy.subject_export_days, at=clock())
        if finish_erasures(
            home,
            store,
            country=settings.shop.default_country,
            location=settings.input,
            at=clock(),
            ask=partial(ask_to_erase, home, settings),
        ):
            say("Somebody asked to be forgotten and was not erased yet; they are now.")
        request = request() if callable(request) else request
        if request.send == "yes":
            check_own_home(store, home)
        record_home(store, home)
        if copied := what_is_copied(store, home):
            say(f"{copied} Nothing is planned or sent.")
        run_id = next_run_id(store, request.as_of)
        facts = runs.Run(run_id, request.as_of, code_version())
        runs.start_run(store, facts, started_at=clock())
        run = Run(request, home, settings, store, facts, say)
        whole = False
        try:
            yield run
            whole = True
        finally:
            _record_what_was_read(run)
            failed = not whole or run.failed_steps or stopping(run.checks)
            status = runs.FAILED if failed else runs.UNPUBLISHED
            runs.finish_run(store, run_id, status, finished_at=clock())
            _tell_how_it_ended(run)
            _tell_what_is_degraded(run)


@contextmanager
def _own_store(home: Home) -> Iterator[Store]:
    """The store, once it is sure to be this home's."""
    check_continuity(home, begins_run=True)
    with open_store(home) as store:
        yield store


def _record_what_was_read(run: Run) -> None:
    """Refusals in what a run read before it stopped count at once, not with the next run."""
    try:
        if has_unrecorded(run.store):
            facts = run.record_permission()
            run.say(f"  permission: {facts.consents + facts.suppressions:,} new facts")
    except Exception as error:
        # The run's own failure is the one to tell; what is not recorded stops all sending. The kind
        # of error only: its text may carry a value.
        run.say(f"  permission: what was read could not be recorded ({type(error).__name__})")


def _tell_how_it_ended(run: Run) -> None:
    """Send a notice where runs begin to fail or publish again; never in the run's way."""
    status = runs.run_status(run.store, run.run_id)
    try:
        if status == runs.FAILED:
            stopped = stopping(run.checks)
            problem = failure(stopped) if stopped else RegularsError("failed")
            notice = Notice.of(run.run_id, run.as_of, problem, run.checks, run.failed_steps)
            tell_of_failure(run.store, run.settings, notice, at=clock(), say=run.say)
        elif status == runs.SUCCEEDED:
            tell_of_success(
                run.store, run.settings, run_id=run.run_id, as_of=run.as_of, say=run.say
            )
    except Exception as error:
        # The kind of error only: its text may carry a value.
        run.say(f"How the run ended could not be told ({type(error).__name__}).")


def _tell_what_is_degraded(run: Run) -> None:
    """Send a notice where something began or ceased to be degraded; never in the run's way."""
    at = run.as_of if is_demo(run.home) else clock()  # the pretend shop's deliveries have its clock
    try:
        tell_what_is_degraded(
            run.store, run.settings, run_id=run.run_id, at=at, as_of=run.as_of, say=run.say
        )
    except Exception as error:
        # The kind of error only: its text may carry a value.
        run.say(f"What is degraded could not be told ({type(error).__name__}).")


def clear_up(home: Home, store: Store, say: Say) -> None:
    """Clear up after killed runs: files half built, a commit not made, rows still "running".

    Only to be called under the lock, when nothing else can be at work in this home.
    """
    if free_stores(home):
        say("A killed run's dbt was still at work; it was ended.")
    clear_half_built(home)
    clear_spill(home)
    if sweep_home(home):
        say("A killed backup or restore had left copies of stores; they are taken away.")
    if home.raw.exists() and not _count_runs(store):
        say(
            "The operational store is begun anew. Customer ids are rebuilt from raw: equal, but for"
            " those of people who were merged or split."
        )
    if heal(store, home, at=clock()):
        say("The last published file was not yet recorded in ops; it is now.")
    killed = runs.fail_killed_runs(store, at=clock())
    if killed:
        say(f"{len(killed)} earlier run(s) were killed; their rows are now marked failed.")


def next_run_id(store: Store, as_of: datetime) -> str:
    """`20260701T000000Z-0003`: the moment and the number of the run in this home.

    Readable, unique in a home, and the same when the same things are done in a new home, so that
    published tables can be compared byte by byte.
    """
    return f"{as_of:%Y%m%dT%H%M%SZ}-{_count_runs(store) + 1:04d}"


def _count_runs(store: Store) -> int:
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(schema.runs)).scalar_one()


def clock() -> datetime:
    """The wall clock in naive UTC, for the book-keeping of runs only; never for data."""
    return datetime.now(UTC).replace(tzinfo=None)


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
