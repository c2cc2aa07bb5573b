"""Dagster's run history on SQLite, without a connection and a wait for the disk at every event.

Belongs here: how this home keeps Dagster's events; named in dagster.yaml, so command line, UI and
schedules keep them alike. Does not belong here: the operational store, which is precious and keeps
waiting for the disk.

Dagster's own SQLite storage makes an engine, a connection and a commit to disk per event; a run
plans over five hundred, and half of a small run was that. Here each file keeps one connection. In
WAL mode `synchronous = NORMAL` cannot damage the file, it may only lose the last events of a run
when the machine loses power.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine

KEPT_FILES = 8  # the index and the newest runs; the UI looks into many
BUSY_SECONDS = 30


class EventLog(SqliteEventLogStorage):
    """Dagster's event log; an open connection is used again."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Keep the events of each run in a file of its own under `base_dir`, and an index."""
        self._engines: OrderedDict[str, Engine] = OrderedDict()
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

    def _let_go(self) -> None:
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


def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    connection.execute("pragma synchronous = normal")
