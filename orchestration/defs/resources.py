"""The resources every step shares: the run (lock, ops store, facts) and the dbt command.

Belongs here: wrapping orchestration/run and dagster-dbt. Does not belong here: what a run is.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource
from packaging.version import Version
from pydantic import Field, PrivateAttr

from ingestion.errors import UsageError
from ingestion.settings_file import load_settings
from orchestration.activation.authority import refuse_other_input
from orchestration.defs.errors import opening_a_run
from orchestration.destinations import check_destinations
from orchestration.health.raw_store import require_raw
from orchestration.home.kind import (
    claim,
    is_demo,
    own_input,
    refuse_input,
    take_settings,
)
from orchestration.home.layout import Home
from orchestration.home.workers import mark_process, release_dead_runs
from orchestration.ops.run_context import NAME as RUN_CONTEXT
from orchestration.ops.run_context import last_context
from orchestration.ops.runs import rows_received
from orchestration.quality.dbt_record import record_of
from orchestration.run import console
from orchestration.run.dbt import DBT_PROJECT, check_settings, dbt_executable
from orchestration.run.pretend_clock import asked_moment, next_moment, shop_moment
from orchestration.run.pretend_sources import pretend_sources
from orchestration.run.run import Run, RunRequest, Send, open_run, parse_as_of
from orchestration.run.something_to_read import require_input

QUEUE_SECONDS = 6 * 3600.0
PUBLISHED = dg.AssetKey(["publish", "published"])


class RunResource(dg.ConfigurableResource[Any]):
    """One run's facts, from the launch pad, a schedule or the command line.

    `as_of` empty means now; `input` empty means the settings' input; `send` is `no` (plan only),
    `scheduled` (destinations whose settings say so) or `yes` (every enabled destination; from a
    terminal only). In the pretend shop's home a run reads the pretend shop, whose clock moves on by
    a day. A run started in the UI or by a schedule waits for the lock; the command line does not.
    """

    as_of: str = Field(
        "", description='The run\'s "now" in UTC, such as 2026-07-01T12:00:00Z; empty: the clock.'
    )
    input: str = Field(
        "", description="Leave empty: a run from Dagster reads the `input` of regulars.toml."
    )
    full_refresh: bool = Field(
        False, description="Build every model anew from raw; ids are kept. Takes longer."
    )
    send: Send = Field(
        "no",
        description="`no` only plans; `scheduled` delivers to destinations whose settings say"
        " `send = true`. `yes` is for the command line and means `scheduled` here.",
    )
    _run: Run | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["RunResource"]:
        """Hold the home for the whole run."""
        with opening_a_run(context), self._opened(context):
            yield self

    @contextmanager
    def _opened(self, context: dg.InitResourceContext) -> Iterator[None]:
        home = Home.locate()
        take_settings(home)
        settings = load_settings()
        check_settings(settings)
        check_destinations(settings, home)
        mark_process(context.instance, context.run)
        _tag(context, {"started_by": _starter(context)})
        refuse_input(home, self.input)
        demo = is_demo(home)
        if not demo:
            refuse_other_input(self.input, settings.input, at_terminal=console.attached())
        require_raw(home, begin_anew=self.full_refresh)
        require_input(home, settings, self.input)
        claim(home, "demo" if demo else "shop")
        input_location = own_input(home) if demo else self.input

        def request() -> RunRequest:
            planned = _planned(context)
            last = last_context(home.ops_export) if _is_part(home, planned) else None
            moment = self._moment(
                home if demo else None,
                last.as_of if last else None,
                publishes=not planned or PUBLISHED in planned,
            )
            return RunRequest(moment, input_location, self.full_refresh, self.send)

        wait = 0.0 if console.attached() else QUEUE_SECONDS
        with (
            open_run(home, settings, request, say=console.say, wait_seconds=wait) as run,
            pretend_sources(home, settings, console.say, run.as_of)
            if demo
            else nullcontext(settings) as run_settings,
        ):
            run.settings = run_settings
            release_dead_runs(context.instance, context.run)
            _tag(context, {"as_of": _short(run.as_of)})
            self._run = run
            try:
                yield
            finally:
                run.failed_steps += _failed_steps(context)
                published = "yes" if run.is_published else "no"
                rows = f"{rows_received(run.store, run.run_id)}"
                _tag(context, {"rows": rows, "published": published})

    @property
    def current(self) -> Run:
        """The open run.

        Raises:
            RuntimeError: used outside an execution, which Dagster does not do.
        """
        if self._run is None:
            raise RuntimeError("the run resource is only usable while a run executes")
        return self._run

    def _moment(self, demo: Home | None, goes_on: datetime | None, *, publishes: bool) -> datetime:
        """What was asked for, else the pretend shop's in its home, else the clock's.

        The pretend shop's is the next day for a run that may publish it, else where it stands.

        Models of two moments do not belong together: only a run that builds them all sets a new
        one, and a part of them is built as of the last.
        """
        asked = parse_as_of(self.as_of) if self.as_of else None
        if goes_on is None and demo is not None:
            if asked:
                return asked_moment(demo, asked)
            return next_moment(demo) if publishes else shop_moment(demo)
        if goes_on is None:
            return asked or datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        if asked not in (None, goes_on):
            raise UsageError(
                f"The other tables are as of {goes_on:%Y-%m-%dT%H:%M:%SZ}, and a part of them"
                " cannot be of another moment.",
                "Leave `as_of` empty, or run the job `refresh`.",
            )
        return goes_on


class InstalledDbt(DbtCliResource):
    """dbt as requirements.lock installed it, asked neither for its version nor for an adapter.

    dagster-dbt starts `dbt --version` before every command (three CPU seconds) and opens an adapter
    beside it, which only fetches column metadata that we take from the candidate.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:  # noqa: ARG002
        return None


def _planned(context: dg.InitResourceContext) -> frozenset[dg.AssetKey]:
    """The assets that this run makes: all of them, a selection, or what is left of a failed run."""
    plan = context.run.execution_plan_snapshot_id if context.run else None
    if plan is None or context.instance is None:
        return frozenset()
    snapshot = context.instance.get_execution_plan_snapshot(plan)
    wanted = set(snapshot.step_keys_to_execute)
    keys = (key for step in snapshot.steps if step.key in wanted for key in step.entity_keys)
    return frozenset(key for key in keys if isinstance(key, dg.AssetKey))


def _is_part(home: Home, planned: frozenset[dg.AssetKey]) -> bool:
    """Whether the run works on tables, and others stay as an earlier run left them."""
    works = any(len(key.path) == 1 or key.path[0] in ("ops", "publish") for key in planned)
    names = {key.path[-1] for key in planned}
    is_whole = names >= record_of(home).tables and RUN_CONTEXT in names
    return works and not is_whole


def _starter(context: dg.InitResourceContext) -> str:
    """Who started the run: the command line, a schedule, a sensor, or somebody in the UI."""
    if console.attached():
        return "cli"
    tags = context.run.tags if context.run else {}
    known = {"dagster/schedule_name": "schedule", "dagster/sensor_name": "sensor"}
    return next((starter for tag, starter in known.items() if tag in tags), "ui")


def _tag(context: dg.InitResourceContext, tags: dict[str, str]) -> None:
    """Write facts of our run to Dagster's, to be seen and searched in its list of runs."""
    if context.instance is not None and context.run is not None:
        named = {f"regulars/{name}": value for name, value in tags.items()}
        context.instance.add_run_tags(context.run.run_id, named)


def _short(moment: datetime) -> str:
    """A moment as the list of runs has place for: without seconds where there are none."""
    return f"{moment.isoformat(timespec='seconds').removesuffix(':00')}Z"


def _failed_steps(context: dg.InitResourceContext) -> list[str]:
    """The steps of this run that failed, for the notice."""
    if context.instance is None or context.run_id is None:
        return []
    failures = context.instance.all_logs(context.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [event.dagster_event.step_key or "" for event in failures if event.dagster_event]


def resources() -> dict[str, Any]:
    """All resources by the names the assets ask for."""
    return {
        "run": RunResource.configure_at_launch(),
        # Fixed: a run's configuration could otherwise name another program to start as dbt.
        "dbt": dg.ResourceDefinition.hardcoded_resource(
            InstalledDbt(
                project_dir=str(DBT_PROJECT),
                profiles_dir=str(DBT_PROJECT),
                dbt_executable=dbt_executable(),
            )
        ),
    }
