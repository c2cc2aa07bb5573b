"""Tables on their way to Spark and back, without Spark: its files are written here."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.spark.bring_back import bring_back
from orchestration.spark.catalogue import forget_models
from orchestration.spark.raw_tables import copy_for_spark
from orchestration.spark.store import SparkStore

OURS = (
    "id bigint, version ubigint, total hugeint, money decimal(38, 4), moment timestamp, day date,"
    " tags varchar[], share double"
)
THEIRS = (
    "select 1::integer as id, -1::bigint as version, 7::decimal(38, 0) as total,"
    " 2.5::decimal(28, 4) as money, timestamptz '2026-03-29 01:30:00+00' as moment,"
    " date '2026-03-29' as day, ['a', 'б'] as tags, 0.1::double as share"
)


def spark_wrote(store: SparkStore, table: str, query: str) -> None:
    folder = store.tables / f"marts.db/{table}"
    folder.mkdir(parents=True)
    with duckdb.connect() as con:
        con.execute(f"set timezone = 'UTC'; copy ({query}) to '{folder}/part-0.parquet'")
    (folder / "_SUCCESS").touch()


@pytest.fixture
def store(tmp_path: Path) -> SparkStore:
    return SparkStore(tmp_path / "spark").create()


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(f"create schema marts; create table marts.t ({OURS})")
        con.execute("comment on column marts.t.id is 'The id.'")
        con.execute("create table marts.other as select 1 as id")
        con.execute("insert into marts.t (id) values (9); create view marts.v as from marts.t")
    return path


def rows(warehouse: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return con.execute(query).fetchall()


def test_rows_come_back_in_duckdbs_own_types(warehouse: Path, store: SparkStore) -> None:
    before = rows(warehouse, "describe marts.t")
    spark_wrote(store, "t", THEIRS)
    assert bring_back(warehouse, store, {"t", "v"}) == 1
    assert rows(warehouse, "describe marts.t") == before
    assert rows(
        warehouse,
        "select version, total, money::text, moment::text, day::text, tags, share from marts.v",
    ) == [
        (2**64 - 1, 7, "2.5000", "2026-03-29 01:30:00", "2026-03-29", ["a", "б"], 0.1)
    ]  # fmt: skip
    of_t = "select comment from duckdb_columns() where table_name = 't' and column_name = 'id'"
    assert rows(warehouse, of_t) == [("The id.",)]


def test_no_rows_are_rows_too(warehouse: Path, store: SparkStore) -> None:
    spark_wrote(store, "t", f"from ({THEIRS}) limit 0")
    bring_back(warehouse, store, {"t"})
    assert rows(warehouse, "select count(*) from marts.t") == [(0,)]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (None, "Spark did not build marts.t."),
        ("select 1 as id, 2 as surplus", "has other columns than DuckDB's: day, moment"),
    ],
)
def test_all_tables_come_back_or_none(
    warehouse: Path, store: SparkStore, other: str | None, words: str
) -> None:
    spark_wrote(store, "other", "select 5 as id")
    if other:
        spark_wrote(store, "t", other)
    with pytest.raises(RegularsError, match=words):
        bring_back(warehouse, store, {"t", "other"})
    assert rows(warehouse, "from marts.other") == [(1,)]


def test_what_is_built_anew_is_forgotten_with_its_parts(store: SparkStore) -> None:
    names = ("int_a", "int_a__cte", "int_a__whole", "int_b", "int_ab")
    for name in names:
        spark_wrote(store, name, "select 1 as id")
    forget_models(store, {"int_a"}, {"int_a", "int_a__whole", "int_b", "int_ab"})
    assert {path.name for path in store.tables.glob("*.db/*")} == {
        "int_a__whole",
        "int_b",
        "int_ab",
    }


def test_raw_is_copied_once_in_a_run_and_ops_for_each_call(
    tmp_path: Path, store: SparkStore
) -> None:
    home = Home(tmp_path).create()

    def load(statement: str) -> None:
        with duckdb.connect(str(home.raw)) as con:
            con.execute(statement)

    def copied(table: str) -> int:
        (row,) = duckdb.sql(f"select count(*) from '{store.read}/{table}/*.parquet'").fetchall()
        return int(row[0])

    load("create schema raw_web; create table raw_web._events as select 1 as id")
    duckdb.sql("select 1 as id").write_parquet(str(home.ops_export / "runs.parquet"))
    copy_for_spark(home, store, "r1")
    load("insert into raw_web._events values (2)")
    duckdb.sql("from range(3)").write_parquet(str(home.ops_export / "runs.parquet"))
    copy_for_spark(home, store, "r1")
    assert (copied("raw_web/_events"), copied("ops_export/runs")) == (1, 3)
    load("drop table raw_web._events; create table raw_web.visits as from range(5)")
    (home.ops_export / "runs.parquet").unlink()
    copy_for_spark(home, store, "r2")
    assert copied("raw_web/visits") == 5
    assert {path.name for path in store.read.glob("*/*")} == {"visits"}


def test_what_spark_keeps_of_people_goes_with_them(tmp_path: Path, store: SparkStore) -> None:
    spark_wrote(store, "t", THEIRS)
    (store.read / "raw_web").mkdir()
    store.views.write_text("[]")
    removed = [SparkStore(tmp_path / name).remove() for name in ("spark", "none")]
    assert removed == [1, 0]
    assert not any(store.root.iterdir())
