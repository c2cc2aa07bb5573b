"""Stores of every earlier version open, a newer one is refused, and a killed migration is none."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from ingestion.errors import BusyError, DiskFullError
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops import migrations, schema
from orchestration.ops.store import StoreError, open_store

pytestmark = pytest.mark.slow

VERSIONS = sorted((Path(__file__).parent / "versions").glob("v*.sql"))
# Opens the store and is killed as the given statement of the migration is about to run, or, at -1,
# when all have run and nothing is committed.
KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from orchestration.home.layout import Home
from orchestration.ops import migrations
from orchestration.ops.store import open_store

left, upgrade = int(sys.argv[2]), migrations.upgrade

def counted(connection):
    @event.listens_for(connection, "before_cursor_execute")
    def before(*_):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
    upgrade(connection)
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

migrations.upgrade = counted
open_store(Home(Path(sys.argv[1])))
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "shop").create()


def put(home: Home, version: Path) -> None:
    """A store as the version wrote it."""
    with closing(sqlite3.connect(home.ops)) as file:
        file.executescript(version.read_text("utf-8"))
        file.execute("pragma journal_mode = wal")


def facts(path: Path) -> list[list[tuple[object, ...]]]:
    """What the store holds of people and runs, in the columns that every version has."""
    questions = (
        "select consent_event_id, identifier_value, status, occurred_at from consent_events",
        "select suppression_id, identifier_value, reason from suppressions",
        "select identifier_value, customer_id from identity_registry",
        "select run_id, source, rows_received from run_sources",
        "select count(*) from outbox",
    )
    with closing(sqlite3.connect(path)) as file:
        return [sorted(file.execute(question).fetchall()) for question in questions]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.stem)
def test_every_earlier_version_opens_with_all_that_it_holds(home: Home, version: Path) -> None:
    put(home, version)
    before = facts(home.ops)
    with open_store(home) as store, store.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.REVISION
    assert facts(home.ops) == before
    assert before[0], "the file holds something"


def test_a_new_store_has_the_declared_tables(home: Home) -> None:
    with open_store(home) as store, store.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, schema.metadata) == []
    assert not home.ops_before_migration.exists(), "there was nothing to keep"


def test_the_declared_revision_is_the_latest_file() -> None:
    assert migrations.steps().get_current_head() == schema.REVISION


def test_the_store_is_copied_before_it_is_changed(home: Home) -> None:
    put(home, VERSIONS[0])
    before = facts(home.ops)
    open_store(home).close()
    assert facts(home.ops_before_migration) == before
    assert home.ops_before_migration.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(home.ops_before_migration)) as copy:
        tables = {name for (name,) in copy.execute("select name from sqlite_master")}
    assert schema.VERSION_TABLE not in tables


def test_a_disk_that_fills_up_while_it_is_copied_is_told_and_the_copy_goes(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(home, VERSIONS[0])

    class Full(sqlite3.Connection):
        def backup(self, *_: object, **__: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

    # What SQLAlchemy opens copies nothing.
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Full))
    with pytest.raises(DiskFullError):
        open_store(home).close()
    assert not list(home.root.glob("*.partial"))


def test_an_opened_store_is_not_migrated_again(home: Home) -> None:
    put(home, VERSIONS[-1])
    open_store(home).close()
    home.ops_before_migration.unlink()
    open_store(home).close()
    assert not home.ops_before_migration.exists()


REVISIONS = [step.revision for step in reversed(list(migrations.steps().walk_revisions()))]


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_store_of_every_revision_gets_what_it_lacks(home: Home, revision: str) -> None:
    put(home, VERSIONS[-1])
    upgraded_to(home, revision)
    before = facts(home.ops)
    with open_store(home) as store, store.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.REVISION
    assert facts(home.ops) == before
    assert home.ops_before_migration.exists()


def upgraded_to(home: Home, revision: str) -> None:
    """Make the store one of this revision, as the code of its time did."""
    engine = create_engine(f"sqlite:///{home.ops}")
    with engine.begin() as connection:
        migrations.upgrade(connection, to=revision)
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE}
        )
        assert context.get_current_revision() == revision
    engine.dispose()


def test_a_newer_store_is_refused_and_left_as_it_is(home: Home) -> None:
    open_store(home).close()
    with closing(sqlite3.connect(home.ops)) as file:
        file.execute(f"update {schema.VERSION_TABLE} set version_num = '9999'")
        file.commit()
    with pytest.raises(StoreError, match="revision 9999; this code knows up to"):
        open_store(home)


def test_a_version_before_migrations_refuses_the_store(home: Home) -> None:
    """It looks into `meta` and knows versions up to 5."""
    put(home, VERSIONS[-1])
    open_store(home).close()
    with closing(sqlite3.connect(home.ops)) as file:
        (told,) = file.execute("select value from meta where key = 'schema_version'").fetchone()
    assert int(told) > 5


def test_nothing_is_changed_while_another_process_works_in_the_home(home: Home) -> None:
    put(home, VERSIONS[0])
    code = (
        "import sys, pathlib; from orchestration.home import lock\n"
        "with lock.hold(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(home.lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("orchestration.ops.store.MIGRATION_SECONDS", 0.3)
            with pytest.raises(BusyError):
                open_store(home)
    finally:
        holder.communicate()
    assert not lock.is_busy(home.lock)
    open_store(home).close()


@pytest.mark.parametrize("point", [0, 1, 4, 9, 13, 18, 25, 31, 37, -1])
def test_a_migration_that_is_killed_leaves_the_store_as_it_was(home: Home, point: int) -> None:
    put(home, VERSIONS[0])
    before = facts(home.ops)
    command = [sys.executable, "-c", KILLED, str(home.root), str(point)]
    killed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    with closing(sqlite3.connect(home.ops)) as file:
        tables = {name for (name,) in file.execute("select name from sqlite_master")}
    assert not {schema.VERSION_TABLE, "unread_sources"} & tables
    assert facts(home.ops) == before
    with open_store(home) as store, store.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE}
        )
        assert compare_metadata(context, schema.metadata) == []
    assert facts(home.ops) == before
