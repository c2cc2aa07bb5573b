"""Backups that are made by themselves: what stays in the folder, what is tried and told."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from sqlalchemy import func, select

from ingestion.config import Backups, Settings
from ingestion.errors import RegularsError, UsageError
from orchestration.backup import scheduled
from orchestration.backup.archive import DamagedBackupError
from orchestration.backup.keys import KEY_FILE, key_of_environment, new_key
from orchestration.backup.scheduled import back_up, backups_in, last_trial, newest, try_and_note
from orchestration.backup.stores import restore_backup
from orchestration.defs import backup as defs
from orchestration.defs.backup_jobs import jobs_of, schedules_of
from orchestration.health.backups import backups
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.host.launch import failure_of
from orchestration.ops import schema
from orchestration.ops.permission.consents import revoke_consent
from orchestration.ops.runs import Run, start_run
from orchestration.ops.store import URL_VARIABLE, open_store
from orchestration.run import console

NOW = datetime(2026, 6, 3, 12)  # a Wednesday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A shop's home with a row in both stores; the key file is named.

    A passphrase costs two seconds of CPU for each backup that is made or read.
    """
    home = Home(tmp_path / "data")
    claim(home, "shop")
    with duckdb.connect(str(home.raw)) as connection:
        connection.execute("create schema raw_web; create table raw_web.events as select 1 as n")
    with open_store(home) as store:
        start_run(store, Run("run1", NOW, "test"), started_at=NOW)
    new_key(tmp_path / "key")
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "key"))
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "backups"
    made.mkdir()
    return made


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(backup=Backups(folder=str(folder), keep_daily=2, keep_weekly=2))


@pytest.mark.faults
def test_what_the_rule_does_not_keep_goes_and_nothing_else(
    home: Home, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    others = [
        folder / "other-whole-20200101T000000Z.age",
        folder / "data-whole-20200101T000000Z.age.txt",
        folder / "data-whole-yesterday.age",
    ]
    for path in others:
        path.write_text("somebody's")
    (folder / "data-whole-20200101T000000Z.age.part").write_text("of a killed one")
    config = tmp_path / "regulars.toml"
    for back in (9 * DAY, 2 * DAY, DAY + HOUR, DAY, HOUR):
        back_up(home, settings, "whole", config=config, at=NOW - back)
        back_up(home, settings, "ops", config=config, at=NOW - back)
    kept = {"20260525T120000Z", "20260602T120000Z", "20260603T110000Z"}
    whole = {path.name for path in folder.glob("data-whole-2026*")}
    assert whole == {f"data-whole-{moment}.age" for moment in kept}
    assert backups_in(folder, home, "whole").keys() == {NOW - 9 * DAY, NOW - DAY, NOW - HOUR}
    of_hours = {NOW - back for back in (9 * DAY, 2 * DAY, DAY + HOUR, DAY, HOUR)}
    assert backups_in(folder, home, "ops").keys() == of_hours
    assert all(path.exists() for path in others)
    assert not list(folder.glob("*.part"))


def test_the_operational_stores_own_backup_makes_a_home_that_reads_all_again(
    home: Home, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    with open_store(home) as store:
        revoke_consent(
            store, identifier_type="email", identifier_value="a@example.com", channel="email",
            purpose="*", source="desk", at=NOW, default_country="GB",
        )  # fmt: skip
    made = back_up(home, settings, "ops", config=tmp_path / "regulars.toml", at=NOW)
    assert set(made.manifest.files) == {"ops.sqlite", "home.json"}
    other = Home(tmp_path / "other")
    restore_backup(made.path, other, key_file=key_of_environment())
    assert not other.raw.exists()
    with open_store(other) as store, store.read() as connection:
        said = select(func.count()).select_from(schema.consent_events)
        assert connection.execute(said).scalar_one() == 1


def test_the_folder_is_on_another_place_than_the_home(home: Home, tmp_path: Path) -> None:
    inside = Settings(backup=Backups(folder=str(home.root / "backups")))
    with pytest.raises(UsageError, match="lies in the home"):
        back_up(home, inside, "whole", config=tmp_path, at=NOW)
    missing = Settings(backup=Backups(folder=str(tmp_path / "not mounted")))
    with pytest.raises(UsageError, match="There is no folder"):
        back_up(home, missing, "whole", config=tmp_path, at=NOW)


def test_a_store_elsewhere_has_no_backup_of_its_own(
    home: Home, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, f"sqlite:///{home.ops}")
    with pytest.raises(UsageError, match="lies elsewhere"):
        back_up(home, settings, "ops", config=tmp_path, at=NOW)
    assert [asset.key.path[-1] for asset in defs.assets_of(settings)] == ["backup", "trial"]


def test_a_key_file_that_the_environment_names_is_never_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert key_of_environment() is None
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "key"))
    with pytest.raises(UsageError, match=KEY_FILE):
        key_of_environment()
    assert not (tmp_path / "key").exists()
    (tmp_path / "key").write_text("AGE-")
    assert key_of_environment() == tmp_path / "key"


def test_a_trial_is_noted_and_so_is_one_that_fails(
    home: Home, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no backup in"):
        newest(home, settings)
    made = back_up(home, settings, "whole", config=tmp_path, at=NOW)
    assert newest(home, settings) == made.path
    tried = try_and_note(made.path, home, key_file=key_of_environment(), at=NOW + HOUR)
    with open_store(home) as store:
        noted = last_trial(store)
    assert noted is not None
    assert (noted.at, noted.rows, noted.problem) == ((NOW + HOUR).isoformat(), tried.rows, "")
    made.path.write_bytes(made.path.read_bytes()[:5_000])
    with pytest.raises(DamagedBackupError):
        try_and_note(made.path, home, key_file=key_of_environment(), at=NOW + 2 * HOUR)
    with open_store(home) as store:
        noted = last_trial(store)
    assert noted is not None and "no whole backup" in noted.problem


def found(home: Home, settings: Settings, now: datetime) -> list[tuple[str, str]]:
    return [(check.status, check.sentence) for check in backups(home, settings, now)]


@pytest.mark.faults
def test_doctor_tells_the_age_of_the_newest_backup_and_of_the_last_trial(
    home: Home, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    assert found(home, Settings(), NOW) == [], "off"
    assert [status for status, _ in found(home, settings, NOW)] == ["warning", "warning"]
    made = back_up(home, settings, "whole", config=tmp_path, at=NOW)
    back_up(home, settings, "ops", config=tmp_path, at=NOW + 4 * HOUR)
    try_and_note(made.path, home, key_file=key_of_environment(), at=NOW + HOUR)
    (first, second) = found(home, settings, NOW + 5 * HOUR)
    assert first == (
        "ok",
        "The newest backup, of 1 that are kept, is 5 h old; of the operational store alone:"
        " 1 h old.",
    )  # fmt: skip
    assert second[0] == "ok" and second[1].startswith("A backup was tried 4 h ago: ")
    later = found(home, settings, NOW + 3 * DAY)
    assert [status for status, _ in later] == ["warning", "warning"]
    made.path.write_bytes(b"")
    with pytest.raises(RegularsError):
        try_and_note(made.path, home, key_file=key_of_environment(), at=NOW + 2 * HOUR)
    assert found(home, settings, NOW + 5 * HOUR)[1][0] == "failed"
    folder.rename(tmp_path / "unmounted")
    assert [status for status, _ in found(home, settings, NOW)] == ["failed"]


@pytest.fixture
def steps(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> dict[str, dg.AssetsDefinition]:
    """The steps by name, in the home, with notices caught."""
    monkeypatch.setenv("REGULARS_HOME", str(home.root))
    monkeypatch.setattr(defs, "load_settings", lambda: settings)
    return {asset.key.path[-1]: asset for asset in defs.assets_of(settings)}


def test_the_steps_make_and_try_backups_and_tell_counts_alone(
    home: Home, settings: Settings, folder: Path, steps: dict[str, dg.AssetsDefinition]
) -> None:
    back_up(home, settings, "whole", config=folder / "no.toml", at=NOW)
    with console.listening([].append):
        done = dg.materialize([steps["ops"], steps["trial"]])
    for name, kinds in (("ops", {"bytes", "rows"}), ("trial", {"tables", "rows"})):
        (event,) = done.asset_materializations_for_node(f"backup__{name}")
        told = {key: value.value for key, value in event.metadata.items()}
        assert told.keys() == kinds and all(isinstance(count, int) for count in told.values())
    assert len(backups_in(folder, home, "ops")) == 1


def test_a_trial_that_fails_is_a_failed_step_and_a_notice(
    home: Home,
    settings: Settings,
    folder: Path,
    steps: dict[str, dg.AssetsDefinition],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notices = []
    monkeypatch.setattr(defs, "send_notice", lambda _, notice: notices.append(notice))
    made = back_up(home, settings, "whole", config=folder / "no.toml", at=NOW)
    made.path.write_bytes(made.path.read_bytes()[:5_000])
    with dg.DagsterInstance.ephemeral() as instance, console.listening([].append):
        done = dg.materialize([steps["trial"]], instance=instance, raise_on_error=False)
        assert "no whole backup" in failure_of(instance, done.run_id).message
    assert [(notice.error, notice.steps) for notice in notices] == [
        ("DamagedBackupError", ("backup/trial",))
    ]


class FakeRun:
    """What the step of a run asks of it."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self.home, self.settings, self.said = home, settings, list[str]()

    def say(self, line: str) -> None:
        self.said.append(line)


def after_a_run(step: dg.AssetsDefinition, run: FakeRun) -> dict[str, object]:
    """Materialize the step of a run; what it told Dagster."""
    resource = type("Resource", (), {"current": run})()
    with dg.DagsterInstance.ephemeral() as instance, console.listening([].append):
        done = dg.materialize([step], resources={"run": resource}, instance=instance)
    (event,) = done.asset_materializations_for_node("publish__backup")
    return {key: value.value for key, value in event.metadata.items()}


def test_a_run_is_backed_up_and_goes_on_where_that_cannot_be(
    home: Home,
    settings: Settings,
    folder: Path,
    steps: dict[str, dg.AssetsDefinition],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notices = []
    monkeypatch.setattr(defs, "send_notice", lambda _, notice: notices.append(notice))
    run = FakeRun(home, settings)
    told = after_a_run(steps["backup"], run)
    (path,) = backups_in(folder, home, "whole").values()
    assert told == {"bytes": path.stat().st_size, "rows": told["rows"]}
    assert run.said == [f"Backed up: {path}"] and notices == []
    folder.rename(folder.with_name("unmounted"))
    assert "There is no folder" in str(after_a_run(steps["backup"], run)["problem"])
    assert run.said[-1].startswith("No backup was made. There is no folder")
    assert [notice.steps for notice in notices] == [("publish/backup",)]


def test_without_a_folder_there_is_nothing_of_it(settings: Settings) -> None:
    assert defs.assets_of(Settings()) == []
    assert jobs_of([]) == [] and schedules_of([], Settings()) == []
    jobs = jobs_of(defs.assets_of(settings))
    assert [job.name for job in jobs] == ["backup_ops", "try_backup"]
    schedules = schedules_of(jobs, settings)
    assert [(each.job_name, each.cron_schedule) for each in schedules] == [
        ("backup_ops", "45 * * * *"), ("try_backup", "30 3 * * *"),
    ]  # fmt: skip
    assert all(each.default_status.value == "RUNNING" for each in schedules)


@pytest.mark.faults
def test_two_homes_with_one_folder_do_not_count_each_other(
    home: Home, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    made = back_up(home, settings, "whole", config=tmp_path, at=NOW)
    other = Home(tmp_path / "data-whole")
    restore_backup(made.path, other, key_file=key_of_environment())
    for back in range(5):
        back_up(other, settings, "whole", config=tmp_path, at=NOW + back * DAY)
    assert list(backups_in(folder, home, "whole")) == [NOW]
    assert made.path.exists()
    assert scheduled.rule_of(settings, "ops").hourly == 24
