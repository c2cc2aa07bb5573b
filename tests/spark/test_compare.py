"""What the comparison of the engines' tables sees, without Spark: its files are written here."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.spark.compare import NOT_BUILT, Difference, compare, compare_published

COLUMNS = (
    "select 1::bigint as id, 'a' as word, 2.50::decimal(18, 4) as money, 0.1 + 0.2e0 as share,"
    " timestamp '2026-03-29 01:30:00' as moment union all"
    " select 2, null, null, null, null"
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("", []),
        ("id::integer as id", []),
        ("money::decimal(38, 6) as money", []),
        ("moment at time zone 'UTC' as moment", []),
        ("share * (1 + 1e-12) as share", []),
        ("share * (1 + 1e-8) as share", ["share: 1 fractions are others"]),
        ("coalesce(share, 0) as share", ["share: 1 fractions are others"]),
        ("coalesce(word, 'a') as word", ["word: 1 values are others"]),
        ("money + 0.0001 as money", ["money: 1 values are others"]),
        ("moment::date as moment", ["moment: TIMESTAMP is DATE", "moment: 1 values are others"]),
    ],
)
def test_a_difference_is_named_by_its_column(tmp_path: Path, change: str, words: list[str]) -> None:
    of_duckdb, of_spark = tmp_path / "w.duckdb", tmp_path / "marts.db/t"
    of_spark.mkdir(parents=True)
    with duckdb.connect(str(of_duckdb)) as con:
        con.execute(f"set timezone = 'UTC'; create schema marts; create table marts.t as {COLUMNS}")
        changed = f"* replace ({change})" if change else "*"
        con.execute(f"copy (select {changed} from marts.t) to '{of_spark}/part.parquet'")
    assert compare(of_duckdb, [tmp_path], ["marts"]) == (
        [],
        [Difference("marts.t", NOT_BUILT)],
    )
    (of_spark / "_SUCCESS").touch()
    equal, differences = compare(of_duckdb, [tmp_path], ["marts"])
    assert [each.what.replace('"', "") for each in differences] == words
    assert equal == ([] if words else ["marts.t"])


def test_two_published_files_are_compared_with_their_views(tmp_path: Path) -> None:
    one, other = tmp_path / "one.duckdb", tmp_path / "other.duckdb"
    for file, ids in ((one, "(1), (2)"), (other, "(1), (3)")):
        with duckdb.connect(str(file)) as con:
            con.execute("create schema marts; create table marts.same as select 1 as id")
            con.execute(f"create table marts.t as from (values {ids}) as t (id)")
            con.execute("create view marts.v as select id from marts.t")
    with duckdb.connect(str(other)) as con:
        con.execute("create table marts.more as select 1 as id")
    assert compare_published(one, one) == (["marts.same", "marts.t", "marts.v"], [])
    equal, differences = compare_published(one, other)
    assert equal == ["marts.same"]
    assert [(each.table, each.what.replace('"', "")) for each in differences] == [
        ("marts.more", "in one of the files only"),
        ("marts.t", "id: 1 values are others"),
        ("marts.v", "id: 1 values are others"),
    ]
