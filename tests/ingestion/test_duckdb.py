"""Every DuckDB session keeps to the memory of the settings; the rest of it goes to one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import memory
from ingestion.__main__ import main
from ingestion.duckdb import connect
from ingestion.errors import UsageError
from ingestion.functions.dbt_plugin import Plugin
from ingestion.memory import MEMORY_VARIABLE, bound, memory_limit
from ingestion.pipelines import pipeline_for
from ingestion.settings_file import load_settings
from ingestion.settings_place import memory_limit as limit_of_the_settings

LIMIT = "300MB"
MIB_OF_THE_LIMIT = "286.1 MiB"
# Five million texts take some 300 MB.
WIDE = "create or replace temp table t as select md5(range::varchar) as v from range(5_000_000)"


@pytest.fixture
def spill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, with the limit in force for this test alone."""
    folder = tmp_path / "spill"
    folder.mkdir()
    monkeypatch.setenv(MEMORY_VARIABLE, "")
    monkeypatch.setattr(memory._spill, "folder", None)
    bound(LIMIT, lambda: folder)
    return folder


def _setting(connection: Any, name: str) -> str:
    return str(connection.execute(f"select current_setting('{name}')").fetchone()[0])


@pytest.mark.parametrize(
    ("own", "limit"),
    [("", MIB_OF_THE_LIMIT), ("2GB", MIB_OF_THE_LIMIT), ("200MB", "190.7 MiB")],
)
@pytest.mark.parametrize("kind", ["in memory", "written", "read"])
def test_a_session_has_the_lesser_of_its_own_limit_and_the_settings(
    tmp_path: Path, spill: Path, kind: str, own: str, limit: str
) -> None:
    path = None if kind == "in memory" else tmp_path / "store.duckdb"
    if path:
        connect(path).close()
    with connect(path, read_only=kind == "read", at_most=own) as connection:
        assert _setting(connection, "memory_limit") == limit
        folder = Path(_setting(connection, "temp_directory"))
    assert folder.parent == (tmp_path if kind == "written" else spill)


def test_dbt_and_dlt_keep_to_it_too(tmp_path: Path, spill: Path) -> None:
    with duckdb.connect() as connection:
        Plugin("ours", {}).configure_connection(connection)
        assert _setting(connection, "memory_limit") == MIB_OF_THE_LIMIT
    pipeline = pipeline_for("web", tmp_path / "dlt", tmp_path / "raw.duckdb")
    with pipeline.sql_client() as client:
        rows = client.execute_sql("select current_setting('memory_limit')")
    assert rows == [(MIB_OF_THE_LIMIT,)]


def test_what_does_not_fit_is_in_the_folder_until_the_session_ends(spill: Path) -> None:
    bound("100MB", lambda: spill)
    with connect() as one, connect() as other:
        for connection in (one, other):
            connection.execute(WIDE)
        assert len(list(spill.iterdir())) == 2
        for connection in (one, other):
            rows = connection.execute("select count(*), sum(length(v)) from t").fetchone()
            assert rows == (5_000_000, 5_000_000 * 32)
    assert list(spill.iterdir()) == []


def test_without_a_folder_nothing_is_put_where_the_command_was_started(spill: Path) -> None:
    bound("100MB", lambda: None)
    with connect() as connection, pytest.raises(duckdb.OutOfMemoryException):
        connection.execute(WIDE)


def test_what_does_not_fit_at_all_is_a_sentence_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], spill: Path
) -> None:
    settings = tmp_path / "regulars.toml"
    settings.write_text('[engine]\nmemory_limit = "1MB"\n', "utf-8")
    monkeypatch.setenv("REGULARS_CONFIG", str(settings))
    rates = tmp_path / "input" / "rates"
    rates.mkdir(parents=True)
    (rates / "a.csv").write_text("date,currency,rate\n2026-01-01,EUR,0.85\n", "utf-8")
    options = ["--input", str(tmp_path / "input"), "--out", str(tmp_path), "--as-of", "2026-07-01"]
    assert main(["rates", *options]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith(
        "rates: there is not enough memory.\nRaise memory_limit under [engine]"
    )
    assert not list(tmp_path.glob(".spill-*"))
    settings.write_text("", "utf-8")
    assert main(["rates", *options]) == 0


@pytest.mark.parametrize("value", ['"much"', '"0GB"', '"4 GB"', '"1.5GB"', "4"])
def test_a_limit_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    settings = tmp_path / "regulars.toml"
    settings.write_text(f"[engine]\nmemory_limit = {value}\n", "utf-8")
    with pytest.raises(UsageError, match=r"engine\.memory_limit"):
        load_settings(settings)
    monkeypatch.setenv("REGULARS_CONFIG", str(settings))
    assert limit_of_the_settings() == ""


def test_without_a_setting_there_is_no_limit_but_a_steps_own(spill: Path) -> None:
    bound("", lambda: spill)
    assert (memory_limit(), memory_limit("2GB")) == ("", "2GB")
    assert load_settings().engine.memory_limit == ""
