"""Dagster's run history on SQLite, without a connection and a wait for the disk at every event.

Belongs here: how this home keeps Dagster's events and what steps print; named in dagster.yaml, so
command line, UI and schedules keep them alike. Does not belong here: the operational store, which
is precious and keeps waiting for the disk.

Dagster's own SQLite storage makes an engine, a connection and a commit to disk per event; a run
plans over five hundred, and half of a small run was that. Here each file keeps one connection. In
WAL mode `synchronous = NORMAL` cannot damage the file, it may only lose the last events of a run
when the machine loses power.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.local_compute_log_manager import (
    IO_TYPE_EXTENSION,
    LocalComputeLogManager,
)
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from dagster._utils import ensure_file
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine

from orchestration.host import terminal
from orchestration.host.failures import in_words

NOT_PUBLISHED = (
    "Nothing was published: this selection does not reach publish/published. What was"
    " published before, if anything, stays as it is. To publish, materialize what you changed with"
    " everything downstream, or run the job `refresh`."
)
BACKUP = "backup"  # the steps of backups that are no part of a run
KEPT_FILES = 8  # the index and the newest runs; the UI looks into many
BUSY_SECONDS = 30


class EventLog(SqliteEventLogStorage):
    """Dagster's event log; an open connection is used again."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Keep the events of each run in a file of its own under `base_dir`, and an index."""
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.pop(shard, None)
        if engine is None:
            engine = create_engine(
                self.conn_string_for_shard(shard), connect_args={"timeout": BUSY_SECONDS}
            )
            event.listen(engine, "connect", _do_not_wait_for_the_disk)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
        self._engines[shard] = engine
        while len(self._engines) > KEPT_FILES:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; asked at each event of a check, and one there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def store_event(self, event: EventLogEntry) -> None:
        """Keep an event, and tell `regulars dev` of a run's beginning and end.

        The event of a failure says first what failed, why and what to do.
        """
        explained = self._explained(event)
        super().store_event(explained)
        terminal.tell(explained)

    def _explained(self, event: EventLogEntry) -> EventLogEntry:
        inner = event.dagster_event
        if inner is None:
            return event
        words = self._why_it_failed(inner, event.run_id)
        if inner.event_type == DagsterEventType.RUN_SUCCESS and not self._published(event.run_id):
            words = NOT_PUBLISHED
        if not words:
            return event
        message = f"{words} ({inner.message})" if inner.message else words
        return event._replace(user_message=message, dagster_event=inner._replace(message=message))

    def _why_it_failed(self, event: DagsterEvent, run_id: str) -> str:
        """What failed, why and what to do, of a failed step or run; empty for other events."""
        if event.event_type == DagsterEventType.STEP_FAILURE:
            return in_words([event])
        # The failure of a killed run is reported by the next one, with a message and no data.
        if event.event_type != DagsterEventType.RUN_FAILURE or event.event_specific_data is None:
            return ""
        failed_step = event.job_failure_data.first_step_failure_event
        if failed_step:
            return in_words([failed_step])
        engine = self.get_records_for_run(run_id, of_type=DagsterEventType.ENGINE_EVENT).records
        events = [record.event_log_entry.dagster_event for record in engine]
        return in_words([*filter(None, events), event])

    def _published(self, run_id: str) -> bool:
        """Whether the run reached the published file, or has no such step at all."""
        done = self.get_records_for_run(
            run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION, limit=10_000
        ).records
        keys = {
            record.asset_key.path[-1]
            for record in done
            if record.asset_key and record.asset_key.path[0] != BACKUP
        }
        return not keys or "published" in keys

    def _let_go(self) -> None:
        self._tables.clear()
        while self._engines:
            self._engines.popitem()[1].dispose()

    def wipe(self) -> None:
        """Delete all events."""
        self._let_go()
        super().wipe()

    def dispose(self) -> None:
        """Close the files; SQLite then folds its logs into them."""
        self._let_go()
        super().dispose()


class History(DagsterSqliteStorage):
    """Runs, events and schedules under one folder, as Dagster lays them out."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Open or make the files under `base_dir`."""
        super().__init__(base_dir, inst_data)
        self._event_log_storage = EventLog(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> History:
        """What dagster.yaml asks for: `base_dir`, the folder."""
        return cls.from_local(config_value["base_dir"], inst_data)


class StepOutput(LocalComputeLogManager):
    """What steps print, in files; not copied to the terminal as well.

    Dagster's own copies it with two `tail` and two Python processes a step, which Ctrl-C reaches
    too: they end with a traceback on the terminal.
    """

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> StepOutput:
        """What dagster.yaml asks for: `base_dir`, the folder of Dagster."""
        return cls(str(Path(config_value["base_dir"]) / "storage"), inst_data=inst_data)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        """Let both streams of the block go to its two files."""
        paths = [
            self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[kind])
            for kind in (ComputeIOType.STDOUT, ComputeIOType.STDERR)
        ]
        for path in paths:
            ensure_file(path)
        with redirect_to_file(sys.stdout, paths[0]), redirect_to_file(sys.stderr, paths[1]):
            yield CapturedLogContext(log_key)
        Path(self.get_captured_local_path(log_key, "complete")).touch()


def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    connection.execute("pragma synchronous = normal")
