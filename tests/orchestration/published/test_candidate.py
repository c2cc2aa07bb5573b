"""The candidate holds the public tables, the same for the same input."""

import errno

import duckdb
import pytest

from ingestion.errors import RegularsError
from orchestration.published import files
from orchestration.published.candidate import build_candidate, describe_candidate


def test_it_holds_the_public_tables_and_nothing_else(home, run):
    candidate = build_candidate(home, run)
    assert {table.full_name for table in candidate.tables} == {
        "marts.dim_customers",
        "marts.v",
        "segments.seg_vip",
        "ops.runs",
    }
    with duckdb.connect(str(home.candidate), read_only=True) as con:
        assert con.execute("select * from ops.build").fetchall() == [
            (candidate.build_id, run.run_id, run.as_of)
        ]
        assert con.execute("select count(*) from duckdb_views() where not internal").fetchone() == (
            0,
        )
        tables = con.execute("select count(*) from ops.build_tables").fetchone()
    assert tables == (4,)
    assert candidate.rows("marts.dim_customers") == 200
    assert candidate.rows("marts.nothing") == 0


def test_comments_come_along(home, run):
    build_candidate(home, run)
    with duckdb.connect(str(home.candidate), read_only=True) as con:
        assert con.execute(
            "select comment from duckdb_tables() where table_name = 'dim_customers'"
        ).fetchone() == ("One row per person's profile.",)
        assert con.execute(
            "select comment from duckdb_columns() where table_name = 'dim_customers'"
            " and column_name = 'customer_id'"
        ).fetchone() == ("The resolved id.",)


def test_a_view_is_published_as_the_rows_it_shows(home, run):
    with duckdb.connect(str(home.warehouse)) as warehouse:
        warehouse.execute("create schema intermediate")
        warehouse.execute("create table intermediate.hidden as select 2 as a union all select 1")
        warehouse.execute("create view marts.shown as select a from warehouse.intermediate.hidden")
        warehouse.execute("comment on view marts.shown is 'One row per number.'")
        warehouse.execute("comment on column marts.shown.a is 'The number.'")
    candidate = build_candidate(home, run)
    assert candidate.rows("marts.shown") == 2
    with duckdb.connect(str(home.candidate), read_only=True) as con:
        assert con.execute("from marts.shown").fetchall() == [(1,), (2,)]
        assert con.execute(
            "select t.comment, c.comment from duckdb_tables() as t join duckdb_columns() as c"
            " using (table_name) where table_name = 'shown'"
        ).fetchone() == ("One row per number.", "The number.")
        assert con.execute("select count(*) from duckdb_views() where not internal").fetchone() == (
            0,
        )


def test_only_the_owner_may_read_it(home, run):
    build_candidate(home, run)
    assert home.candidate.stat().st_mode & 0o777 == 0o600


def test_equal_input_gives_equal_ids_and_row_order(home, run_named, warehouse_writer):
    first = build_candidate(home, run_named("one"))
    with duckdb.connect(str(home.candidate), read_only=True) as con:
        rows = con.execute("from marts.dim_customers").fetchall()
    warehouse_writer(home.warehouse, 0, descending=True)
    second = build_candidate(home, run_named("two"))
    with duckdb.connect(str(home.candidate), read_only=True) as con:
        assert con.execute("from marts.dim_customers").fetchall() == rows
    assert (first.build_id, first.tables) == (second.build_id, second.tables)
    assert first.run_id != second.run_id


@pytest.mark.parametrize(
    "change",
    [
        "update marts.dim_customers set number = 1 where customer_id = 'c7'",
        "insert into marts.dim_customers select * from marts.dim_customers limit 1",
        "alter table segments.seg_vip rename column number to numbers",
        "drop table segments.seg_vip",
    ],
)
def test_any_change_of_content_gives_another_id(home, run, change):
    before = build_candidate(home, run).build_id
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute(change)
    assert build_candidate(home, run).build_id != before


def test_the_facts_can_be_read_back_from_the_file(home, run):
    candidate = build_candidate(home, run)
    assert describe_candidate(home.candidate) == candidate


def test_no_warehouse_is_a_sentence(home, run):
    home.warehouse.unlink()
    with pytest.raises(RegularsError, match="no warehouse"):
        build_candidate(home, run)


def test_too_little_disk_is_refused_before_anything_is_written(home, run, monkeypatch):
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _path: type("U", (), {"free": 10}))
    with pytest.raises(RegularsError, match="MB free"):
        build_candidate(home, run)
    assert not home.candidate.exists()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        duckdb.IOException("IO Error: Could not write all bytes to file: No space left on device"),
    ],
)
def test_a_full_disk_is_a_sentence(tmp_path, error):
    with pytest.raises(RegularsError, match="is full"), files.disk_errors_explained(tmp_path):
        raise error


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(ValueError, match="other"), files.disk_errors_explained(tmp_path):
        raise ValueError("other")
