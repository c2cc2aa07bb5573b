"""A backup brings back what nothing else can, and refuses what is not whole (RELIABILITY O7)."""

from __future__ import annotations

import errno
import io
import json
import os
import shlex
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from rich.console import Console
from sqlalchemy import func, select

from ingestion.config import CONFIG_NAME
from ingestion.errors import BusyError, DiskFullError, RegularsError, UsageError
from ingestion.settings_file import load_settings
from orchestration.activation.gate import Identifier, Policy, Reason, decide, load_states
from orchestration.backup import archive, stores
from orchestration.backup.archive import DamagedBackupError, Manifest
from orchestration.backup.facts import TableFacts
from orchestration.backup.keys import PASSPHRASE, WrongKeyError
from orchestration.backup.stores import make_backup, restore_backup, try_restore
from orchestration.commands.backup import contents, next_steps, print_restore, print_trial
from orchestration.commands.ops import print_accept_restore
from orchestration.home.kind import claim, read_mark
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.continuity import what_is_wrong
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.runs import Run, start_run
from orchestration.ops.store import URL_VARIABLE, Store, StoreError, open_store, to_micros
from orchestration.ops.unread_sources import (
    ACCEPTED_RESTORE,
    SPEAK_OF_PERMISSION,
    accept_restore,
    begin_reading,
    check_refusals_known,
    finish_reading,
    finish_restoring,
    forget_read,
    waits_since_restore,
    what_is_unread,
)
from orchestration.run.run import clear_up

NOW = datetime(2026, 6, 1, 12)
WORDS = "five words that nobody else knows"
POLICY = Policy("email", "marketing")
CANARY = "canary-4711@example.com"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A shop's home with rows in raw, a permission and a run."""
    home = Home(tmp_path / "home")
    claim(home, "shop")
    with duckdb.connect(str(home.raw)) as connection:
        connection.execute("create schema raw_web")
        connection.execute("create table raw_web.events as select range as n from range(5000)")
    with open_store(home) as store:
        start_run(store, Run("run1", NOW, "test"), started_at=NOW)
        said(store, "granted", NOW - timedelta(days=9))
    return home


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Where a key file is made."""
    return tmp_path / "backup.key"


def said(store: Store, status: str, at: datetime, address: str = CANARY) -> None:
    """What the person of an address said."""
    event = ConsentEvent("email", address, "email", "marketing", status, at, "form", "v1")
    record_consents(store, [event], recorded_at=at)


def allowed(home: Home, address: str = CANARY) -> bool:
    """Whether the gate lets the address through."""
    person = Identifier("email", address)
    with open_store(home) as store, store.read() as connection:
        states = load_states(connection, [person.key], POLICY, to_micros(NOW))
    return decide([person], states, POLICY).allowed


def test_a_restored_home_holds_what_was_kept(home: Home, key: Path, tmp_path: Path) -> None:
    settings = tmp_path / "regulars.toml"
    settings.write_text("[shop]\n")
    kept = make_backup(home, tmp_path / "b.age", key_file=key, settings=settings, at=NOW)
    assert set(kept.manifest.files) == {"ops.sqlite", "raw.duckdb", "home.json", "regulars.toml"}
    assert kept.path.stat().st_size == kept.size
    other = Home(tmp_path / "other")
    manifest = restore_backup(kept.path, other, key_file=key)
    assert manifest.made_at == NOW.isoformat()
    assert read_mark(other) == read_mark(home)
    assert (other.root / "regulars.toml").read_text() == "[shop]\n"
    with duckdb.connect(str(other.raw), read_only=True) as connection:
        assert connection.execute("select sum(n) from raw_web.events").fetchone() == (12_497_500,)
    assert allowed(other)
    assert tables(home) == tables(other)


def test_receipts_of_the_forgotten_and_open_requests_are_kept(
    home: Home, key: Path, tmp_path: Path
) -> None:
    kept = {
        "erasures/39ea.json": "{}",
        "inbox/requests/shopify/2026-06-01/1-a.json": '{"topic": "customers/redact"}',
    }
    others = ["inbox/email/sendgrid/2026-06-01/2-b.json", "inbox/requests/shopify/.3-c.json"]
    for name in (*kept, *others):
        (home.root / name).parent.mkdir(parents=True, exist_ok=True)
        (home.root / name).write_text(kept.get(name, "[]"))
    for only_ops in (False, True):
        target = tmp_path / f"{only_ops}.age"
        made = make_backup(home, target, key_file=key, at=NOW, only_ops=only_ops)
        assert {name for name in made.manifest.files if "/" in name} == set(kept)
        other = Home(tmp_path / f"other {only_ops}")
        restore_backup(target, other, key_file=key)
        assert {name: (other.root / name).read_text() for name in kept} == kept
    listed = ["home.json", "ops.sqlite", "erasures/ (1 file)", "inbox/ (1 file)"]
    assert list(contents(made.manifest)) == listed


def tables(home: Home) -> dict[str, int]:
    """Rows of every table of the store but the marks that a restore makes."""
    with open_store(home) as store, store.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in schema.metadata.tables.values()
            if table is not schema.unread_sources
        }


def marked(store: Store) -> list[str]:
    """The sources that wait since a restore."""
    return [source for source in SPEAK_OF_PERMISSION if waits_since_restore(store, source)]


def read_to_its_end(store: Store, source: str, *, was_there: bool) -> None:
    """What a run does with a source."""
    begin_reading(store, source, "run2")
    finish_reading(store, source)
    if was_there:
        finish_restoring(store, source)
    with store.write() as connection:
        forget_read(connection)


def test_nothing_is_sent_until_every_source_of_the_backup_was_read_again(
    home: Home, key: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(home.raw)) as connection:
        connection.execute("create schema raw_email")
        connection.execute("create table raw_email.quarantine as select 'x' as quarantine_id")
        connection.execute("create schema raw_consents")
        connection.execute("create table raw_consents.consents (n integer)")
        connection.execute("create table raw_consents._files as select 'x' as path")
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    other = Home(tmp_path / "other")
    restore_backup(kept.path, other, key_file=key)
    with open_store(other) as store:
        assert marked(store) == ["email", "web"]
        with pytest.raises(
            RegularsError, match=r"backup of 2026-06-01T12:00:00 UTC.*email and web"
        ):
            check_refusals_known(store)
        read_to_its_end(store, "web", was_there=True)
        read_to_its_end(store, "email", was_there=False)
        assert "nothing was read since of email, so" in what_is_unread(store)
        finish_restoring(store, "email")
        assert what_is_unread(store), "its facts are not recorded yet"
        read_to_its_end(store, "email", was_there=True)
        check_refusals_known(store)


def test_without_a_raw_store_every_source_is_to_be_read(
    home: Home, key: Path, tmp_path: Path
) -> None:
    home.raw.unlink()
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    other = Home(tmp_path / "other")
    restore_backup(kept.path, other, key_file=key)
    with open_store(other) as store:
        assert set(marked(store)) == set(SPEAK_OF_PERMISSION)
        assert {"web", "consents", "klaviyo", "shopify", "email"} <= set(SPEAK_OF_PERMISSION)


def test_a_backup_of_a_restored_home_keeps_the_older_moment(
    home: Home, key: Path, tmp_path: Path
) -> None:
    first = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    restore_backup(first.path, Home(tmp_path / "other"), key_file=key)
    with open_store(Home(tmp_path / "other")) as store:
        finish_restoring(store, "web")  # read, and the backup comes before its facts are recorded
    second = make_backup(
        Home(tmp_path / "other"), tmp_path / "c.age", key_file=key, at=NOW + timedelta(days=1)
    )
    restore_backup(second.path, Home(tmp_path / "third"), key_file=key)
    with open_store(Home(tmp_path / "third")) as store:
        with store.write() as connection:
            forget_read(connection)
        assert "a backup of 2026-06-01T12:00:00 UTC" in what_is_unread(store)


def test_after_a_restore_the_settings_of_then_are_named_to_the_next_run(
    home: Home, key: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "regulars.toml"
    settings.write_text('[shop]\nname = "Then"\n')
    make_backup(home, tmp_path / "b.age", key_file=key, settings=settings, at=NOW)
    other, told = Home(tmp_path / "the other"), io.StringIO()
    print_restore(tmp_path / "b.age", other, key, [], Console(file=told, width=1_000))
    variable, command = told.getvalue().splitlines()[-1].removeprefix("Next: ").split(" regulars ")
    assert command == f"run --home '{other.root}' --input FOLDER"
    name, _, value = variable.partition("=")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(name, *shlex.split(value))
        assert load_settings().shop.name == "Then"


def test_a_restored_pretend_shop_has_its_own_settings_and_input(tmp_path: Path) -> None:
    manifest = Manifest(NOW.isoformat(), "1", "demo", {CONFIG_NAME: {}})
    lines = list(next_steps(Home(tmp_path), manifest))
    assert lines[0] == f"Next: regulars run --home {tmp_path}"


KILLED = """
import os, sys
from datetime import datetime
from pathlib import Path
from orchestration.backup import archive, stores
from orchestration.home.layout import Home

def die(*_):
    os.kill(os.getpid(), 9)

archive.pyrage.encrypt_io = die
stores._check_stores = die
what, home, backup, key = sys.argv[1:]
if what == "backup":
    stores.make_backup(Home(Path(home)), Path(backup), key_file=Path(key), at=datetime(2026, 6, 1))
stores.restore_backup(Path(backup), Home(Path(home)), key_file=Path(key))
"""


def killed(*arguments: object) -> None:
    """A backup or a restore that is killed while plain stores lie on the disk."""
    command = [sys.executable, "-c", KILLED, *map(str, arguments)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


def test_what_a_killed_backup_or_restore_left_is_taken_away(
    home: Home, key: Path, tmp_path: Path
) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    killed("backup", home.root, tmp_path / "c.age", key)
    killed("restore", tmp_path / "other", kept.path, key)
    killed("backup", home.root, tmp_path / "c.age", key)
    assert len(list(home.root.glob(".backup-*/ops.sqlite"))) == 1, "the first went with the second"
    assert len(list(tmp_path.glob(".regulars-restoring-*/ops.sqlite"))) == 0, "so did the restore's"
    killed("restore", tmp_path / "other", kept.path, key)
    said: list[str] = []
    with open_store(home) as store:
        clear_up(home, store, said.append)
    assert not [*home.root.glob(".backup-*"), *tmp_path.glob(".regulars-restoring-*")]
    assert any("killed backup or restore" in line for line in said)
    make_backup(home, tmp_path / "c.age", key_file=key, at=NOW)
    restore_backup(kept.path, Home(tmp_path / "other"), key_file=key)


def test_a_home_that_cannot_be_put_in_place_is_one_sentence(
    home: Home, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    other = tmp_path / "other"
    other.mkdir()

    def busy(_: Path) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rmdir", busy)
        with pytest.raises(UsageError, match="cannot be made"):
            restore_backup(kept.path, Home(other), key_file=key)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "is_mount", lambda path: path == other)
        with pytest.raises(UsageError, match="where a disk is mounted"):
            restore_backup(kept.path, Home(other), key_file=key)
    assert list(other.iterdir()) == [] and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "full",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        sqlite3.OperationalError("database or disk is full"),
    ],
)
def test_a_full_disk_says_what_became_of_the_backup(
    home: Home, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: Exception
) -> None:
    def fill(*_: object) -> None:
        raise full

    monkeypatch.setattr(stores, "copy_sqlite", fill)
    with pytest.raises(DiskFullError) as told:
        make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    assert told.value.hint == "Make room and try again; no backup was written."
    monkeypatch.undo()
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    monkeypatch.setattr(archive, "private_file", fill)
    if isinstance(full, OSError):
        with pytest.raises(DiskFullError, match="disk that holds") as told:
            restore_backup(kept.path, Home(tmp_path / "other"), key_file=key)
        assert "no home was made" in told.value.hint
        assert not (tmp_path / "other").exists()


def test_a_home_may_be_called_anything(home: Home, key: Path, tmp_path: Path) -> None:
    odd = Home(tmp_path / "a %41?b#c d")
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    restore_backup(kept.path, odd, key_file=key)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a %41?b#c d", "b.age", "backup.key", "home",
    ]  # fmt: skip
    assert what_is_wrong(odd) == ""
    with open_store(odd) as store:
        assert marked(store) == ["web"]
    again = make_backup(odd, tmp_path / "c.age", key_file=key, at=NOW)
    assert "ops.sqlite" in again.manifest.files


def test_a_person_may_answer_for_sources_that_are_gone(
    home: Home, key: Path, tmp_path: Path
) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    other = Home(tmp_path / "other")
    restore_backup(kept.path, other, key_file=key)
    with open_store(other) as store:
        for person, reason in ((" ", "gone"), ("Ada", " ")):
            with pytest.raises(UsageError, match="who says so and why"):
                accept_restore(store, person=person, reason=reason, at=NOW)
        begin_reading(store, "email", "run2")
    told = io.StringIO()
    print_accept_restore(other, "Ada", "it is gone", Console(file=told, width=200))
    assert "may be missing of: web." in told.getvalue()
    with pytest.raises(UsageError, match="There is no home"):
        print_accept_restore(Home(tmp_path / "nowhere"), "Ada", "it is gone", Console(file=told))
    assert not (tmp_path / "nowhere").exists()
    with open_store(other) as store:
        assert what_is_unread(store).startswith("The run run2 stopped"), "that is another matter"
        with store.read() as connection:
            (row,) = connection.execute(
                select(schema.meta.c.value).where(schema.meta.c.key.startswith(ACCEPTED_RESTORE))
            )
        said = json.loads(row.value)
        assert said.pop("at")
        assert said == {
            "by": "Ada", "reason": "it is gone", "made_at": NOW.isoformat(), "sources": ["web"],
        }  # fmt: skip
        with pytest.raises(UsageError, match="nothing to accept"):
            accept_restore(store, person="Ada", reason="again", at=NOW)


def test_neither_the_file_nor_its_name_tells_of_anybody(
    home: Home, key: Path, tmp_path: Path
) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    content = kept.path.read_bytes()
    assert CANARY.encode() not in content and b"raw_web" not in content
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["b.age", "backup.key", "home"]  # noqa: PTH208
    assert not list(home.root.glob(".backup-*"))


def test_a_passphrase_does_instead_of_a_key_file(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE, WORDS)
    kept = make_backup(home, tmp_path / "b.age", at=NOW)
    restore_backup(kept.path, Home(tmp_path / "other"))
    assert allowed(Home(tmp_path / "other"))
    monkeypatch.setenv(PASSPHRASE, "other words than those")
    with pytest.raises(WrongKeyError, match="another passphrase"):
        restore_backup(kept.path, Home(tmp_path / "third"))
    monkeypatch.delenv(PASSPHRASE)
    with pytest.raises(UsageError, match="made with a passphrase") as told:
        restore_backup(kept.path, Home(tmp_path / "third"))
    assert PASSPHRASE in told.value.hint
    assert not (tmp_path / "third").exists()
    assert not list(tmp_path.glob(".*"))


def test_without_a_key_nothing_is_written(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no key for it"):
        make_backup(home, tmp_path / "b.age", at=NOW)
    assert not (tmp_path / "b.age").exists()


def test_a_short_passphrase_is_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, refusal in (("short", "shorter than 12"), (" " * 20, "no key for it")):
        monkeypatch.setenv(PASSPHRASE, words)
        with pytest.raises(UsageError, match=refusal):
            make_backup(home, tmp_path / "b.age", at=NOW)
    monkeypatch.setenv(PASSPHRASE, "short" + " " * 20)
    with pytest.raises(UsageError, match="shorter than 12"):
        make_backup(home, tmp_path / "b.age", at=NOW)


def test_another_key_opens_nothing(home: Home, key: Path, tmp_path: Path) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    make_backup(home, tmp_path / "c.age", key_file=tmp_path / "other.key", at=NOW)
    with pytest.raises(WrongKeyError, match="for another key"):
        restore_backup(kept.path, Home(tmp_path / "other"), key_file=tmp_path / "other.key")
    with pytest.raises(UsageError, match="made with a key file"):
        restore_backup(kept.path, Home(tmp_path / "other"))
    (tmp_path / "no.key").write_text("hello")
    with pytest.raises(UsageError, match="is no key file"):
        restore_backup(kept.path, Home(tmp_path / "other"), key_file=tmp_path / "no.key")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_cut_backup_makes_no_home(home: Home, key: Path, tmp_path: Path, share: float) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    content = kept.path.read_bytes()
    # A tar ends in blocks of zeros, which hold nothing
    whole = content.rstrip(b"\0")
    kept.path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DamagedBackupError):
        restore_backup(kept.path, Home(tmp_path / "other"), key_file=key)
    assert not (tmp_path / "other").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("place", [530, 700, 2_000, 5_000])
def test_an_altered_backup_makes_no_home(home: Home, key: Path, tmp_path: Path, place: int) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    content = bytearray(kept.path.read_bytes())
    content[place] ^= 1
    kept.path.write_bytes(content)
    with pytest.raises((DamagedBackupError, WrongKeyError)):
        restore_backup(kept.path, Home(tmp_path / "other"), key_file=key)
    assert not (tmp_path / "other").exists()


def test_a_newer_versions_backup_is_refused(
    home: Home, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_backup(home, tmp_path / "a.age", key_file=key, at=NOW)
    monkeypatch.setattr(archive.Manifest, "__init__", _of_a_later_format(archive.Manifest.__init__))
    with pytest.raises(DamagedBackupError, match="newer version of Regulars"):
        make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    assert not (tmp_path / "b.age").exists()


def _of_a_later_format(init):  # type: ignore[no-untyped-def]
    def later(self, *facts, **more) -> None:  # type: ignore[no-untyped-def]
        init(self, *facts, **{**more, "format": archive.FORMAT + 1})

    return later


def test_a_store_of_a_newer_version_is_refused(home: Home, key: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home.ops)) as connection, connection:
        connection.execute(f"update {schema.VERSION_TABLE} set version_num = '9999'")
    with pytest.raises(StoreError):
        make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    assert not (tmp_path / "b.age").exists()


def test_no_home_is_written_over(home: Home, key: Path, tmp_path: Path) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    with pytest.raises(UsageError, match="is not empty"):
        restore_backup(kept.path, home, key_file=key)
    with pytest.raises(UsageError, match="is there already"):
        make_backup(home, kept.path, key_file=key, at=NOW)
    empty = tmp_path / "empty"
    empty.mkdir()
    restore_backup(kept.path, Home(empty), key_file=key)
    assert allowed(Home(empty))


def test_an_empty_home_has_nothing_to_keep(key: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to keep"):
        make_backup(Home(tmp_path / "nothing"), tmp_path / "b.age", key_file=key, at=NOW)
    assert not key.exists()


def test_a_folder_that_is_not_there_is_one_sentence(home: Home, key: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        make_backup(home, tmp_path / "nowhere" / "b.age", key_file=key, at=NOW)
    with pytest.raises(UsageError, match="There is no backup"):
        restore_backup(tmp_path / "b.age", Home(tmp_path / "other"), key_file=key)


def test_while_raw_is_written_a_backup_waits_and_then_refuses(
    home: Home, key: Path, tmp_path: Path
) -> None:
    log = Path(f"{home.raw}.wal")
    log.write_bytes(b"x")
    with pytest.raises(BusyError, match="is reading its sources"):
        make_backup(home, tmp_path / "b.age", key_file=key, at=NOW, wait_seconds=0.1)
    assert not (tmp_path / "b.age").exists()
    assert not key.exists(), "a key that was made for nothing does not stay"
    threading.Timer(0.8, log.unlink).start()
    assert make_backup(home, tmp_path / "b.age", key_file=key, at=NOW).size


def test_permissions_that_arrive_meanwhile_are_in_it_or_not_and_never_half(
    home: Home, key: Path, tmp_path: Path
) -> None:
    """Somebody says yes and no again and again while the store is copied."""
    stop = threading.Event()

    def talk() -> None:
        with open_store(home) as store:
            for number in range(10_000):
                if stop.is_set():
                    return
                address = f"{number}@example.com"
                with store.write() as connection:
                    rows = [
                        {
                            "consent_event_id": f"{number}-{status}",
                            "identifier_type": "email", "identifier_value": address,
                            "channel": "email", "purpose": "marketing", "status": status,
                            "occurred_at": to_micros(NOW), "source": "form",
                            "lawful_basis": "consent", "recorded_at": to_micros(NOW),
                        }
                        for status in ("granted", "revoked")
                    ]  # fmt: skip
                    connection.execute(schema.consent_events.insert(), rows)

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        for number in range(3):
            kept = make_backup(home, tmp_path / f"{number}.age", key_file=key, at=NOW)
            other = Home(tmp_path / f"other{number}")
            restore_backup(kept.path, other, key_file=key)
            with open_store(other) as store, store.read() as connection:
                events = schema.consent_events.c
                halves = connection.execute(
                    select(events.identifier_value)
                    .where(events.identifier_value != CANARY)
                    .group_by(events.identifier_value)
                    .having(func.count() != 2)
                ).all()
            assert halves == []
    finally:
        stop.set()
        talker.join()


def test_a_refusal_after_the_backup_counts_once_it_is_read_again(
    home: Home, key: Path, tmp_path: Path
) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    other = Home(tmp_path / "other")
    restore_backup(kept.path, other, key_file=key)
    with open_store(other) as store:
        said(store, "revoked", NOW)
    person = Identifier("email", CANARY)
    with open_store(other) as store, store.read() as connection:
        states = load_states(connection, [person.key], POLICY, to_micros(NOW))
    assert decide([person], states, POLICY).reason is Reason.REVOKED


def test_the_file_can_be_opened_without_regulars(home: Home, key: Path, tmp_path: Path) -> None:
    """As docs/backup.md says: tar, age, zstd, tar."""
    import pyrage
    import zstandard

    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    secret = next(line for line in key.read_text().splitlines() if line.startswith("AGE-"))
    with tarfile.open(kept.path) as outer:
        assert outer.getnames() == ["stores.tar.zst.age"]
        sealed = outer.extractfile("stores.tar.zst.age")
        assert sealed is not None
        plain = pyrage.decrypt(sealed.read(), [pyrage.x25519.Identity.from_str(secret)])
    with (
        zstandard.ZstdDecompressor().stream_reader(io.BytesIO(plain)) as packed,
        tarfile.open(fileobj=packed, mode="r|") as inner,
    ):
        assert [member.name for member in inner] == [
            "manifest.json", "home.json", "ops.sqlite", "raw.duckdb",
        ]  # fmt: skip


def test_a_trial_compares_every_table_and_leaves_nothing(
    home: Home, key: Path, tmp_path: Path
) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    before = sorted(home.root.rglob("*"))
    tried = try_restore(kept.path, home, key_file=key)
    assert tried.made_at == NOW.isoformat()
    assert tried.tables == len(kept.manifest.tables) > 5
    assert tried.rows >= 5_000 + 1
    assert sorted(home.root.rglob("*")) == before
    with open_store(home) as store:
        assert not marked(store), "the home itself was not restored"
    told = io.StringIO()
    print_trial(kept.path, home, key, Console(file=told, width=300))
    assert "It can be restored: the home as of 2026-06-01T12:00:00 UTC" in told.getvalue()


def test_a_backup_whose_tables_differ_is_no_backup(
    home: Home, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    facts = stores.facts_of

    def other(home: Home) -> dict[str, TableFacts]:
        return {**facts(home), "raw.duckdb/raw_web.events": TableFacts(4_999, "0")}

    monkeypatch.setattr(stores, "facts_of", other)
    with pytest.raises(DamagedBackupError, match=r"raw_web\.events"):
        try_restore(kept.path, home, key_file=key)
    with pytest.raises(DamagedBackupError, match=r"raw_web\.events"):
        restore_backup(kept.path, Home(tmp_path / "other"), key_file=key)
    assert not (tmp_path / "other").exists() and not list(home.root.glob(".backup-*"))


def test_without_room_for_it_neither_a_backup_nor_a_trial_begins(
    home: Home, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))
    with pytest.raises(RegularsError, match="a backup safely needs") as told:
        make_backup(home, tmp_path / "c.age", key_file=key, at=NOW)
    assert told.value.hint == "Free some space and try again; no backup was written."
    with pytest.raises(RegularsError, match="trying a backup safely needs") as told:
        try_restore(kept.path, home, key_file=key)
    assert told.value.hint == "Free some space and try again; nothing was changed."


def test_a_trial_never_marks_a_store_elsewhere(
    home: Home, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Home(tmp_path / "elsewhere")
    with open_store(elsewhere) as store:
        start_run(store, Run("run1", NOW, "test"), started_at=NOW)
    monkeypatch.setenv(URL_VARIABLE, f"sqlite:///{elsewhere.ops}")
    kept = make_backup(home, tmp_path / "b.age", key_file=key, at=NOW)
    assert "ops.sqlite" not in kept.manifest.files
    try_restore(kept.path, home, key_file=key)
    monkeypatch.delenv(URL_VARIABLE)
    with open_store(elsewhere) as store:
        assert not marked(store)
