"""The sql destination on SQLite and on PostgreSQL: newest wins, whole batches, drift is told."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingestion.errors import RegularsError, UsageError
from orchestration.destinations import sql
from orchestration.destinations.audience_tables import MEMBERS, DriftError
from orchestration.destinations.base import Audience, Batch, Identifiers, RetryLaterError, Row
from orchestration.destinations.sql import SqlDestination, create
from orchestration.home.layout import Home
from tests.orchestration.destinations.postgres import postgres

pytestmark = pytest.mark.slow

NOW = datetime(2026, 6, 1, 12, 0, 0, 123_456)
COLUMNS = ("customer_id", "email", "first_name", "segment", "reason", "context")
SECRET = "pass-that-nobody-may-see"
VARIABLE = "AUDIENCES_URL"


def _row(number: int, operation: str = "added", version: int = 1, **more: Any) -> Row:
    customer = f"c{number}"
    payload = {"customer_id": customer, "email": f"{customer}@example.com", "first_name": "Zoë"}
    payload |= {"segment": "vip", "reason": "because", "context": "{}"} | more
    return Row(f"{customer}-{version}", customer, version, operation, payload)  # type: ignore[arg-type]


def _batch(
    *rows: Row, columns: tuple[str, ...] = COLUMNS, at: datetime = NOW, **more: Any
) -> Batch:
    return Batch("run00001", more.get("segment", "vip"), 1, at, columns, rows)


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    with postgres() as folder:
        yield folder


class Database:
    """One database of its own, looked into without the destination."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        with self.engine.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []

    def members(self, columns: str = "customer_id, first_name") -> list[tuple[Any, ...]]:
        return self.execute(f"select {columns} from {MEMBERS} order by segment, customer_id")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Database:
    if request.param == "sqlite":
        (tmp_path / "audiences.db").touch()
        url = f"sqlite:///{tmp_path / 'audiences.db'}"
    else:
        folder = request.getfixturevalue("server")
        url = new_database(folder, f"t{abs(hash(tmp_path))}")
    monkeypatch.setenv(VARIABLE, url)
    return Database(url)


def new_database(folder: Path, name: str, user: str = "postgres") -> str:
    import psycopg

    with closing(psycopg.connect(host=str(folder), user="postgres", autocommit=True)) as connection:
        connection.execute(f"create database {name}")
    return f"postgresql+psycopg://{user}:{SECRET}@/{name}?host={folder}"


@pytest.fixture
def crm(database: Database) -> SqlDestination:
    return _crm()


def _crm(**options: Any) -> SqlDestination:
    return create("crm", {"url_env": VARIABLE} | options, Home(Path("nowhere")))


def test_what_a_reader_finds(crm: SqlDestination, database: Database) -> None:
    crm.deliver(_batch(_row(1), _row(2, first_name=None), _row(3, first_name=7, reason=["a", "é"])))
    crm.deliver(_batch(_row(2, "removed", 2)))
    columns = "destination, segment, version, email, first_name, reason, sync_started_at"
    rows = database.members(columns)
    assert [row[:-1] for row in rows] == [
        ("crm", "vip", 1, "c1@example.com", "Zoë", "because"),
        ("crm", "vip", 1, "c3@example.com", "7", '["a","é"]'),
    ]
    assert str(rows[0][-1]) == "2026-06-01 12:00:00.123456"


def test_nothing_personal_is_left_of_who_was_removed(
    crm: SqlDestination, database: Database
) -> None:
    crm.deliver(_batch(_row(1)))
    crm.deliver(_batch(_row(1, "removed", 2)))
    assert database.members() == []
    (left,) = database.execute(f"select * from {MEMBERS}_versions")
    assert left[:3] == ("crm", "vip", "c1")
    assert "c1@example.com" not in str(left)


def test_another_table_and_schema(crm: SqlDestination, database: Database) -> None:
    schema = "main" if database.url.startswith("sqlite") else "public"
    _crm(table=f"{schema}.people").deliver(_batch(_row(1)))
    assert database.execute("select customer_id from people") == [("c1",)]


def test_a_new_field_gets_a_column(crm: SqlDestination, database: Database) -> None:
    crm.deliver(_batch(_row(1)))
    crm.deliver(_batch(_row(2, tier="gold"), columns=(*COLUMNS, "tier"), segment="loyal"))
    crm.deliver(_batch(_row(3)))
    assert database.members("customer_id, tier") == [("c2", "gold"), ("c1", None), ("c3", None)]


def test_a_renamed_column_is_told_and_nothing_is_written(
    crm: SqlDestination, database: Database
) -> None:
    crm.deliver(_batch(_row(1)))
    database.execute(f"alter table {MEMBERS} rename column first_name to given_name")
    with pytest.raises(DriftError, match="has no column 'first_name' any more") as caught:
        crm.deliver(_batch(_row(2)))
    assert "Give it its name back" in caught.value.hint
    assert database.members("customer_id, given_name") == [("c1", "Zoë")]
    database.execute(f"delete from {MEMBERS}_columns where column_name = 'first_name'")
    crm.deliver(_batch(_row(2)))
    assert database.members("customer_id, first_name") == [("c1", None), ("c2", "Zoë")]


def test_a_table_that_others_made_is_left_alone(crm: SqlDestination, database: Database) -> None:
    database.execute(f"create table {MEMBERS} (id integer, email text)")
    with pytest.raises(DriftError, match="Regulars did not make it so"):
        crm.deliver(_batch(_row(1)))
    assert database.execute(f"select * from {MEMBERS}") == []


def test_a_column_of_another_type_is_told(crm: SqlDestination, database: Database) -> None:
    crm.deliver(_batch(_row(1)))
    database.execute(f"alter table {MEMBERS} drop column reason")
    database.execute(f"alter table {MEMBERS} add column reason integer")
    with pytest.raises(DriftError, match=r"'reason' .* is no text"):
        crm.deliver(_batch(_row(2)))


def test_columns_of_others_stay_if_they_may_be_empty(
    crm: SqlDestination, database: Database
) -> None:
    crm.deliver(_batch(_row(1)))
    database.execute(f"alter table {MEMBERS} add column note text")
    database.execute(f"alter table {MEMBERS} add column kind text not null default 'x'")
    database.execute(f"update {MEMBERS} set note = 'called'")
    crm.deliver(_batch(_row(1, "updated", 2), _row(2)))
    expected = [("c1", 2, "called", "x"), ("c2", 1, None, "x")]
    assert database.members("customer_id, version, note, kind") == expected
    if not database.url.startswith("sqlite"):  # which adds no such column
        database.execute(f"alter table {MEMBERS} alter column kind drop default")
        with pytest.raises(DriftError, match=r"'kind' .* must be filled"):
            crm.deliver(_batch(_row(3)))


def test_a_trait_with_a_name_of_ours_is_told(crm: SqlDestination) -> None:
    with pytest.raises(RegularsError, match=r"'version' .* is ours"):
        crm.deliver(_batch(_row(1), columns=(*COLUMNS, "version")))


def test_after_a_restore_versions_begin_again_and_the_later_sync_counts(
    crm: SqlDestination, database: Database
) -> None:
    crm.deliver(_batch(_row(1, version=9), _row(2, version=9)))
    later = NOW + timedelta(microseconds=1)
    crm.deliver(_batch(_row(1, "removed", 4), _row(2, "updated", 4, first_name="Bo"), at=later))
    assert database.members() == [("c2", "Bo")]
    crm.deliver(_batch(_row(1, version=9)))
    assert database.members() == [("c2", "Bo")]


def test_of_two_rows_of_one_person_the_newer_counts(
    crm: SqlDestination, database: Database
) -> None:
    outcomes = crm.deliver(_batch(_row(1, "updated", 3, first_name="Bo"), _row(1, "removed", 2)))
    assert [o.status for o in outcomes] == ["delivered", "delivered"]
    assert database.members() == [("c1", "Bo")]


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_that_no_database_takes_rejects_its_row_alone(
    crm: SqlDestination, database: Database, text: str
) -> None:
    outcomes = crm.deliver(_batch(_row(1, first_name=text), _row(2)))
    assert [(o.status, o.reason) for o in outcomes] == [
        ("rejected", "unstorable_text"),
        ("delivered", ""),
    ]
    assert database.members() == [("c2", "Zoë")]
    removal = crm.deliver(_batch(_row(2, "removed", 2, first_name=text)))
    assert [o.status for o in removal] == ["delivered"]
    assert database.members() == []


def test_a_batch_that_breaks_off_has_changed_nothing(
    crm: SqlDestination, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.deliver(_batch(_row(1), _row(2)))
    before = database.members(), database.execute(f"select * from {MEMBERS}_versions")

    def broken(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(SqlDestination, "_people", broken)  # after versions and removals
        crm.deliver(_batch(_row(1, "removed", 2), _row(2, "updated", 2, first_name="Bo"), _row(3)))
    assert (database.members(), database.execute(f"select * from {MEMBERS}_versions")) == before


def test_finishing_deletes_whoever_is_no_member_of_that_segment(
    crm: SqlDestination, database: Database
) -> None:
    crm.finish(Audience("run00001", "vip", NOW, COLUMNS, []))  # before there is a table
    crm.deliver(_batch(*(_row(number) for number in range(1_200))))
    crm.deliver(_batch(_row(1), segment="loyal"))
    other = create("other", {"url_env": VARIABLE}, Home(Path("nowhere")))
    other.deliver(_batch(_row(1)))
    members = (_row(number).payload for number in range(5))
    crm.finish(Audience("run00001", "vip", NOW, COLUMNS, members))
    assert crm.members_of("vip") == {"c0", "c1", "c2", "c3", "c4"}
    assert crm.members_of("loyal") == {"c1"}
    assert other.members_of("vip") == {"c1"}


def test_what_somebody_deleted_is_put_back_and_what_was_removed_is_not(
    crm: SqlDestination, database: Database
) -> None:
    crm.deliver(_batch(*(_row(number) for number in range(4))))
    crm.deliver(_batch(_row(1, "removed", 2)))  # whose answer was lost: we still count them
    database.execute(f"delete from {MEMBERS} where customer_id = 'c2'")
    everybody = [_row(number).payload for number in range(5)]  # c4 has not arrived yet
    crm.finish(Audience("run00002", "vip", NOW + timedelta(days=1), COLUMNS, everybody))
    rows = database.members("customer_id, version, first_name, sync_started_at")
    assert [row[:3] for row in rows] == [(who, 1, "Zoë") for who in ("c0", "c2", "c3")]
    assert len({row[3] for row in rows}) == 1


def test_a_row_whose_answer_was_lost_comes_back_after_it_was_cleared_away(
    crm: SqlDestination, database: Database
) -> None:
    """It arrived, nobody knew, and the end of the sync deleted it as nobody's."""
    crm.deliver(_batch(_row(1)))
    crm.finish(Audience("run00001", "vip", NOW, COLUMNS, []))
    assert database.members() == []
    crm.deliver(_batch(_row(1)))
    assert database.members() == [("c1", "Zoë")]


def test_an_erasure_leaves_nothing_of_a_person(crm: SqlDestination, database: Database) -> None:
    who = Identifiers("one", {"email": ("c1@example.com", "other@example.com"), "phone": ("+1",)})
    nobody = Identifiers("two", {"email": ("nobody@example.com",), "login": ("c2",)})
    gone = Identifiers("three", {"customer_id": ("c3",)})
    assert [o.status for o in crm.erase([who])] == ["delivered"]  # before there is a table
    crm.deliver(_batch(_row(1), _row(2), _row(3)))
    crm.deliver(_batch(_row(1), _row(8, email="other@example.com"), segment="loyal"))
    crm.deliver(_batch(_row(3, "removed", 2)))
    other = create("other", {"url_env": VARIABLE}, Home(Path("nowhere")))
    other.deliver(_batch(_row(1)))
    outcomes = crm.erase([who, nobody, gone])
    assert [(o.key, o.status) for o in outcomes] == [
        ("one", "delivered"),
        ("two", "delivered"),
        ("three", "delivered"),
    ]
    left = "select destination, customer_id from {} order by destination"
    for table in (MEMBERS, f"{MEMBERS}_versions"):
        assert database.execute(left.format(table)) == [("crm", "c2"), ("other", "c1")]


def test_what_it_holds_is_nothing_before_the_first_delivery(crm: SqlDestination) -> None:
    assert crm.members_of("vip") == ()


@pytest.mark.parametrize("seed", range(2))
def test_whatever_the_order_the_newest_of_each_person_stands(
    crm: SqlDestination, database: Database, seed: int
) -> None:
    """Adds, updates and removals of few people, repeated and out of order."""
    dice = random.Random(seed)
    intents = {
        (person, version): _row(
            person, dice.choice(["added", "updated", "removed"]), version, first_name=f"v{version}"
        )
        for person in range(4)
        for version in range(1, 7)
    }
    arrivals = list(intents.values()) * 2
    dice.shuffle(arrivals)
    while arrivals:
        part = [arrivals.pop() for _ in range(min(len(arrivals), dice.randint(1, 5)))]
        crm.deliver(_batch(*part))
    newest = [intents[person, 6] for person in range(4)]
    assert database.members() == [
        (row.customer_id, "v6") for row in newest if row.operation != "removed"
    ]


def test_of_two_senders_at_once_the_later_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older batch has read the versions when a newer one comes, and writes after that."""
    _crm().deliver(_batch(_row(1)))
    has_read, may_write = threading.Event(), threading.Event()
    known = SqlDestination._known

    def slow(sender: SqlDestination, *arguments: Any, **more: Any) -> Any:
        found = known(sender, *arguments, **more)
        if threading.current_thread().name == "older":
            has_read.set()
            may_write.wait(5)
        return found

    monkeypatch.setattr(SqlDestination, "_known", slow)

    def send(version: int) -> None:
        _crm().deliver(_batch(_row(1, "updated", version, first_name=f"v{version}")))

    older = threading.Thread(target=send, args=(2,), name="older")
    newer = threading.Thread(target=send, args=(3,), name="newer")
    older.start()
    assert has_read.wait(5)
    newer.start()
    newer.join(0.3)
    is_waiting = newer.is_alive()
    may_write.set()
    older.join(10)
    newer.join(10)
    assert is_waiting
    assert database.members("version, first_name") == [(3, "v3")]


def _refusal(destination: SqlDestination) -> RegularsError:
    with pytest.raises(RegularsError) as caught:
        destination.deliver(_batch(_row(1)))
    for secret in (SECRET, "example.com", "c1", "regulars-pg"):
        assert secret not in str(caught.value)
    return caught.value


def test_a_locked_table_is_later(
    crm: SqlDestination, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.deliver(_batch(_row(1)))
    monkeypatch.setitem(sql._CONNECT_ARGS, "sqlite", {"timeout": 0.1})
    monkeypatch.setattr(sql, "_PATIENCE", ("set local lock_timeout = '100ms'",))
    with database.engine.connect() as other:
        if database.url.startswith("sqlite"):
            other.exec_driver_sql("begin immediate")
        else:
            other.exec_driver_sql(f"select * from {MEMBERS}_versions for update")
        with pytest.raises(RetryLaterError) as caught:
            _crm().deliver(_batch(_row(1, "removed", 2)))
    assert caught.value.reason == "database_unavailable"
    assert database.members() == [("c1", "Zoë")]


def test_rows_that_the_database_refuses_are_told_without_a_value(
    crm: SqlDestination, database: Database
) -> None:
    crm.deliver(_batch(_row(2)))
    database.execute(f"create unique index once on {MEMBERS} (segment)")
    assert _refusal(crm).message.endswith("(conflict).")
    database.execute("drop index once")
    if not database.url.startswith("sqlite"):
        database.execute(f"alter table {MEMBERS} add check (email not like 'c1%%')")
        error = _refusal(crm)
        assert "did not take the rows (CheckViolation)" in error.message
        assert "stay queued" in error.hint
    assert database.members() == [("c2", "Zoë")]


def test_a_user_without_rights_is_told(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database(server, f"r{abs(hash(tmp_path))}")
    Database(url).execute("create role reader login")
    monkeypatch.setenv(VARIABLE, url.replace("postgres:", "reader:", 1))
    error = _refusal(_crm())
    assert "did not take the rows (InsufficientPrivilege)" in error.message
    assert VARIABLE in error.hint


@pytest.mark.parametrize(
    "database_name, user", [("postgres", "nobody_known"), ("nowhere", "postgres")]
)
def test_a_refused_login_is_told(
    server: Path, monkeypatch: pytest.MonkeyPatch, database_name: str, user: str
) -> None:
    url = f"postgresql+psycopg://{user}:{SECRET}@/{database_name}?host={server}"
    monkeypatch.setenv(VARIABLE, url)
    error = _refusal(_crm())
    assert "refused the login" in error.message
    assert "stay queued" in error.hint


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("", UsageError, f"{VARIABLE} is not set"),
        (f"my {SECRET}", UsageError, f"{VARIABLE} holds no SQLAlchemy URL"),
        (f"nosuch://u:{SECRET}@h/d", UsageError, "driver that is not installed"),
        (f"mysql+pymysql://u:{SECRET}@h/d", UsageError, "driver that is not installed (pymysql)"),
        (f"sqlite:////nowhere/{SECRET}.db", RegularsError, "is a file that is not there"),
        (f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/d", RetryLaterError, "database_unavailable"),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, url: str, kind: type[RegularsError], said: str
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    error = _refusal(_crm())
    assert isinstance(error, kind)
    assert said in str(error)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({}, "url_env"),
        ({"url_env": VARIABLE, "table": "people; drop table x"}, "table"),
        ({"url_env": VARIABLE, "table": "a.b.c"}, "table"),
        ({"url_env": VARIABLE, "batch_size": 0}, "batch_size"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=f"destinations.crm.options.{what} is wrong"):
        create("crm", options, Home(Path("nowhere")))


def test_a_file_below_the_home_stays_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path}/home/a.db")
    assert _crm().stays_in(tmp_path / "home")
    assert not _crm().stays_in(tmp_path / "other")
    monkeypatch.setenv(VARIABLE, "postgresql+psycopg://u@127.0.0.1/d")
    assert not _crm().stays_in(tmp_path)


def test_the_preview_names_table_and_variable() -> None:
    said = "rows of `vip` in regulars_audience_members of the database in AUDIENCES_URL"
    assert _crm().preview("vip") == said
