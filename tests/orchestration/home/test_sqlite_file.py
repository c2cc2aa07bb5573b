"""A SQLite file is looked into by its own name, whatever that is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orchestration.home.sqlite_file import read_only_sqlite

ODD = "a %41?b#c d"


@pytest.mark.parametrize("name", [ODD, "plain", "é", "a?mode=rwc", "\udcff"])
def test_what_stands_in_the_file_is_read_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(sqlite3.OperationalError), read_only_sqlite(path):
        pass
    assert list(tmp_path.iterdir()) == []
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table t as select 7 as n")
    with read_only_sqlite(path) as connection:
        assert connection.execute("select n from t").fetchall() == [(7,)]
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("drop table t")
    assert list(tmp_path.iterdir()) == [path]
