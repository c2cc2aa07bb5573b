"""What each engine finds before it builds; neither takes the other's tables for its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from ingestion.config import Engine, Settings
from ingestion.errors import RegularsError, UsageError
from orchestration import cli
from orchestration.defs.dbt_command import InstalledDbt, command_of
from orchestration.health.doctor import diagnose
from orchestration.home.layout import Home
from orchestration.run import engines
from orchestration.run.dbt import DBT_PROJECT, dbt_executable
from orchestration.spark import dbt_program, readiness
from orchestration.spark.store import spark_store

SPARK = Settings(engine=Engine(name="spark"))
MANIFEST = {
    "nodes": {"model.a": {"checksum": {"checksum": "1"}, "config": {}, "description": ""}},
    "macros": {"macro.a": {"macro_sql": "select 1"}},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with raw rows, and dbt replaced by what builds one table."""
    home = Home(tmp_path / "home").create()
    with duckdb.connect(str(home.raw)) as con:
        con.execute("create schema raw_web; create table raw_web.events as select 1 as id")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(MANIFEST))
    monkeypatch.setattr(engines, "manifest_path", lambda *_: manifest)

    def run_dbt(home: Home, _settings: Settings, *_words: str, **how: Any) -> None:
        with duckdb.connect(how["environment"]["REGULARS_RAW"], read_only=True) as con:
            assert con.execute("select count(*) from raw_web.events").fetchone() == (0,)
        with duckdb.connect(str(home.warehouse)) as con:
            con.execute("create schema marts; create table marts.t (id bigint)")

    monkeypatch.setattr(engines, "run_dbt", run_dbt)
    return home


def tables_of(path: Path) -> list[str]:
    with duckdb.connect(str(path), read_only=True) as con:
        return [row[0] for row in con.execute("select table_name from duckdb_tables()").fetchall()]


def keep(home: Home) -> None:
    """Leave a sign in the warehouse, which is gone when it is built anew."""
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute("create table sign as select 1 as id")


def test_a_warehouse_of_spark_stays_while_nothing_it_is_made_of_changes(home: Home) -> None:
    engines.make_ready(home, SPARK, "r1")
    assert tables_of(home.warehouse) == ["t"]
    keep(home)
    engines.make_ready(home, SPARK, "r2")
    assert tables_of(home.warehouse) == ["sign", "t"]
    engines.make_ready(home, SPARK, "r3", anew=True)
    assert tables_of(home.warehouse) == ["t"]


@pytest.mark.parametrize("change", ["column", "macro", "setting"])
def test_it_is_built_anew_where_that_changes(home: Home, tmp_path: Path, change: str) -> None:
    engines.make_ready(home, SPARK, "r1")
    keep(home)
    settings = SPARK
    if change == "column":
        with duckdb.connect(str(home.raw)) as con:
            con.execute("alter table raw_web.events add column name text")
    elif change == "macro":
        changed = MANIFEST | {"macros": {"macro.a": {"macro_sql": "select 2"}}}
        (tmp_path / "manifest.json").write_text(json.dumps(changed))
    else:
        settings = SPARK.model_copy(update={"models": {"sunset_days": 9}})
    engines.make_ready(home, settings, "r2")
    assert tables_of(home.warehouse) == ["t"]


def test_neither_engine_goes_on_from_the_other_s_tables(home: Home) -> None:
    sentences: list[str] = []
    keep(home)
    engines.make_ready(home, Settings(), "r1", say=sentences.append)
    assert (tables_of(home.warehouse), sentences) == (["sign"], [])
    engines.make_ready(home, SPARK, "r2", say=sentences.append)
    assert tables_of(home.warehouse) == ["t"]
    engines.make_ready(home, Settings(), "r3", say=sentences.append)
    assert not home.warehouse.exists()
    assert sentences == ["  Spark built the models before; DuckDB builds all of them anew."]
    engines.make_ready(home, Settings(), "r4", say=sentences.append)
    assert len(sentences) == 1


def test_empty_tables_that_were_not_whole_are_made_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engines.run_dbt

    def killed(*words: Any, **how: Any) -> None:
        whole(*words, **how)
        raise KeyboardInterrupt

    monkeypatch.setattr(engines, "run_dbt", killed)
    with pytest.raises(KeyboardInterrupt):
        engines.make_ready(home, SPARK, "r1")
    monkeypatch.setattr(engines, "run_dbt", whole)
    engines.make_ready(home, SPARK, "r2")
    assert tables_of(home.warehouse) == ["t"]
    assert [path.name for path in home.root.glob(".shells-*")] == []


def test_a_full_disk_is_one_sentence(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(engines, "copy_for_spark", full)
    with pytest.raises(RegularsError, match=r"The disk that holds .*spark is full"):
        engines.make_ready(home, SPARK, "r1")


def test_dbt_is_ours_around_spark_where_spark_builds(home: Home) -> None:
    dbt = InstalledDbt(
        project_dir=str(DBT_PROJECT),
        profiles_dir=str(DBT_PROJECT),
        dbt_executable=dbt_executable(),
    )
    assert command_of(dbt, home, Settings()) is dbt
    engine = Engine(name="spark", master="spark://spark.example:7077", memory="800MB")
    ours = command_of(dbt, home, Settings(engine=engine))
    assert [ours.dbt_executable, *ours.global_config_flags] == [
        sys.executable,
        *("-m", "orchestration.spark.dbt_program"),
        f"--spark-catalogue={home.root}/spark",
        "--spark-master=spark://spark.example:7077",
        "--spark-memory=800m",
    ]


def test_what_no_model_is_to_blame_for_is_told_as_it_is(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGULARS_HOME", str(home.root))
    called: list[object] = []

    def call(*words: object) -> int:
        called.extend(words)
        raise readiness.other_version("spark://a:1", "3.5.1", "4.3.0")

    monkeypatch.setattr(dbt_program, "_call", call)
    words = dbt_program.words_of(spark_store(home, SPARK.engine), SPARK.engine)[2:]
    assert dbt_program.main([*words, "build", "--select", "a"]) == 2
    assert called == [spark_store(home, SPARK.engine), "local[*]", "4g", ["build", "--select", "a"]]
    with pytest.raises(RegularsError, match=r"is of Spark 3\.5\.1"):
        engines.raise_what_spark_said(home)
    monkeypatch.setattr(dbt_program, "_call", lambda *_: 0)
    assert dbt_program.main([*words, "build"]) == 0
    engines.raise_what_spark_said(home)


@pytest.mark.parametrize(
    "section",
    [
        {"name": "hive"},
        {"master": "yarn"},
        {"master": "spark://host"},
        {"master": "local[0]"},
        {"memory": "4"},
        {"memory": ""},
        {"catalogue": "spark"},
    ],
)
def test_an_engine_that_cannot_be_is_refused(section: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Engine.model_validate(section)


def test_the_command_line_chooses_over_the_settings() -> None:
    assert SPARK.built_by("").engine.name == "spark"
    assert SPARK.built_by("duckdb").engine == Engine()
    assert Settings().built_by("spark") == SPARK


def test_a_run_without_java_ends_before_anything_is_loaded(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(readiness.shutil, "which", lambda _name: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    home.published.write_bytes(b"what stands")
    words = ["regulars", "run", "--engine", "spark", "--home", str(home.root)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as left:
        cli.main()
    output = capsys.readouterr()
    assert left.value.code == 1
    assert "Spark needs Java 17 or later" in output.err + output.out
    assert home.published.read_bytes() == b"what stands"
    assert not home.ops.exists()


def test_an_unknown_engine_is_a_wrong_word(home: Home) -> None:
    with pytest.raises(UsageError, match="no engine `hive`"):
        cli._check_first(home, "", begin_anew=False, engine="hive")


def test_the_doctor_names_what_spark_lacks(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness.shutil, "which", lambda _name: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    checks = {check.name: check for check in diagnose(home, SPARK)}
    assert checks["spark java"].status == "failed"
    assert "apt-get install openjdk-17" in checks["spark java"].hint
    assert checks["spark catalogue"].status == "ok"
    assert "engine" not in checks
    [engine] = [check for check in diagnose(home, Settings()) if check.name == "engine"]
    assert (engine.status, engine.sentence) == ("ok", "DuckDB builds the models.")
