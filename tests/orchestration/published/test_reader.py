"""The published file is opened locked, and only questions are answered."""

import os

import duckdb
import pytest

from ingestion.errors import RegularsError, UsageError
from orchestration.published.audit import record_audit
from orchestration.published.candidate import build_candidate
from orchestration.published.reader import open_published, query_published
from orchestration.published.swap import publish


@pytest.fixture
def published(home, log, run, checks):
    candidate = build_candidate(home, run)
    record_audit(log, candidate, checks)
    publish(home, log, candidate)
    return home


def test_nothing_published_yet_is_a_sentence(home):
    with pytest.raises(RegularsError, match=r"`regulars run --input"), open_published(home):
        pass


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from marts.dim_customers",
        "from marts.dim_customers limit 1",
        "with a as (select 1) from a",
        "describe marts.dim_customers",
        "show all tables",
        "summarize marts.dim_customers",
        "explain select 1",
        "values (1)",
        "-- a comment\nselect ';'",
    ],
)
def test_questions_are_answered(published, sql):
    assert query_published(published, sql).rows


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "select 1; select 2",
        "insert into marts.dim_customers select * from marts.dim_customers",
        "update marts.dim_customers set number = 1",
        "delete from marts.dim_customers",
        "drop table marts.dim_customers",
        "create table x as select 1",
        "copy marts.dim_customers to 'out.csv'",
        "export database 'out'",
        "attach 'other.duckdb'",
        "install httpfs",
        "load icu",
        "set threads = 1",
        "pragma memory_limit='8GB'",
        "reset memory_limit",
        "call pragma_version()",
        "checkpoint",
        "begin",
        "prepare x as select 1",
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd.csv'",
        "select * from glob('/etc/*')",
        "select * from parquet_metadata('/etc/passwd')",
        "select * from sniff_csv('/etc/passwd')",
        "explain analyze copy (select 1) to 'out.csv'",
        "selec 1",
        "select * from home",
        "select * from published",
        "select nothing from marts.dim_customers",
    ],
)
def test_anything_else_is_refused(published, sql, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    with pytest.raises(UsageError):
        query_published(published, sql)
    assert set(tmp_path.iterdir()) == before


def test_a_long_query_is_stopped(published):
    with pytest.raises(RegularsError, match="stopped after"):
        query_published(
            published,
            "select count(*) from range(10000000) a, range(10000000) b"
            " where hash(a.range) % 7 < hash(b.range) % 11",
            timeout_seconds=0.3,
        )


def test_a_greedy_query_is_stopped(published):
    with pytest.raises(RegularsError):
        query_published(
            published, "select list(range::varchar || repeat('x', 1000)) from range(5000000)"
        )


def test_rows_beyond_the_limit_are_left_off_and_said(published):
    result = query_published(published, "from marts.dim_customers", max_rows=10)
    assert (len(result.rows), result.truncated) == (10, True)
    assert result.columns == ("customer_id", "number", "list")


def test_two_may_read_at_once_and_both_are_locked(published):
    with open_published(published) as one, open_published(published) as other:
        for connection in (one, other):
            assert connection.execute("select count(*) from marts.dim_customers").fetchone()
            with pytest.raises(duckdb.Error):
                connection.execute("set threads = 1")
            with pytest.raises(duckdb.PermissionException):
                connection.execute("select * from read_text('/etc/passwd')")


@pytest.mark.parametrize("kept", [0, 10, 4096, 200_000])
def test_a_cut_file_is_a_sentence(published, kept):
    os.truncate(published.published, kept)
    with pytest.raises(RegularsError, match="is damaged and cannot be read") as caught:
        query_published(published, "select count(*) from marts.dim_customers")
    assert "Move it away" in caught.value.hint
    with pytest.raises(RegularsError, match="is damaged"), open_published(published):
        pass
