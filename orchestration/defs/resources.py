"""The resource that every step shares: the run, with its lock, the ops store and its facts.

Belongs here: wrapping orchestration/run. Does not belong here: what a run is, and dbt
(dbt_command.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr

from orchestration.defs import run_facts
from orchestration.defs.errors import opening_a_run
from orchestration.defs.keys import PUBLISHED
from orchestration.health.opening import open_home
from orchestration.home.workers import mark_process, release_dead_runs
from orchestration.run import console
from orchestration.run.moment import moment_of
from orchestration.run.pretend_sources import pretend_sources
from orchestration.run.run import Engine, Run, RunRequest, Send, open_run, parse_as_of

QUEUE_SECONDS = 6 * 3600.0


class RunResource(dg.ConfigurableResource[Any]):
    """One run's facts, from the launch pad, a schedule or the command line.

    In the pretend shop's home a run reads the pretend shop, whose clock moves on by a day. A run
    started in the UI or by a schedule waits for the lock; the command line does not.
    """

    as_of: str = Field(
        "", description='The run\'s "now" in UTC, such as 2026-07-01T12:00:00Z; empty: the clock.'
    )
    input: str = Field("", description="Leave empty: a run here reads `input` of regulars.toml.")
    full_refresh: bool = Field(
        False, description="Build every model anew from raw; ids are kept. Takes longer."
    )
    send: Send = Field(
        "no",
        description="`no` only plans; `scheduled` delivers to destinations whose settings say"
        " `send = true`. `yes` is for the command line and means `scheduled` here.",
    )
    engine: Engine = Field("", description="DuckDB or Spark; empty: as the file of settings says.")
    _run: Run | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["RunResource"]:
        """Hold the home for the whole run."""
        with opening_a_run(context), self._opened(context):
            yield self

    @contextmanager
    def _opened(self, context: dg.InitResourceContext) -> Iterator[None]:
        mark_process(context.instance, context.run)
        run_facts.tag_starter(context)
        home, settings, demo, location = open_home(
            self.input, self.engine, begin_anew=self.full_refresh, at_terminal=console.attached()
        )

        def request() -> RunRequest:
            planned = run_facts.planned_assets(context)
            moment = moment_of(
                parse_as_of(self.as_of) if self.as_of else None,
                home if demo else None,
                run_facts.moment_of_the_others(home, planned),
                publishes=not planned or PUBLISHED in planned,
            )
            return RunRequest(moment, location, self.full_refresh, self.send, self.engine)

        wait = 0.0 if console.attached() else QUEUE_SECONDS
        with (
            open_run(home, settings, request, say=console.say, wait_seconds=wait) as run,
            pretend_sources(home, settings, console.say, run.as_of)
            if demo
            else nullcontext(settings) as run_settings,
        ):
            run.settings = run_settings
            release_dead_runs(context.instance, context.run)
            run_facts.tag_moment(context, run)
            self._run = run
            try:
                yield
            finally:
                run.failed_steps += run_facts.failed_steps(context)
                run_facts.tag_outcome(context, run)

    @property
    def current(self) -> Run:
        """The open run.

        Raises:
            RuntimeError: used outside an execution, which Dagster does not do.
        """
        if self._run is None:
            raise RuntimeError("the run resource is only usable while a run executes")
        return self._run
