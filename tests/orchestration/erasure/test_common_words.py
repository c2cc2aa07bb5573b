"""A login or a device may be one of our own words: forgetting it changes nothing of anybody else.

A `userId` comes from a browser. All words of the vocabulary and those of planted rows are forgotten
at once, as each type that a browser can say, and every row, file and body is compared.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from enum import EnumMeta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import vocabulary
from ingestion.forgetting.forms import is_unmistakable
from orchestration.erasure import published
from orchestration.erasure.erase import carry_out
from orchestration.erasure.files import erase_from_delivered
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from orchestration.ops.tombstones import Erasable, Key, open_erasures, request
from tests.orchestration.erasure.planted import NOW, customer, keys_of, plant

pytestmark = pytest.mark.faults

# What rows of others say beside the lists of the vocabulary.
WORDS = ("global", "granted", "device", "marketing", "unsubscribe", "newsletter", "identify")
KINDS = ("login", "device", "loyalty_id", "publisher_login", "orders_customer_id")


def words() -> list[str]:
    found = set(WORDS)
    for value in vars(vocabulary).values():
        if isinstance(value, tuple | frozenset | EnumMeta):
            found |= {str(word) for word in value if isinstance(word, str)}
    assert len(found) > 100
    return sorted(found)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = plant(tmp_path / "home", 2)
    with duckdb.connect(str(home.published)) as file:
        file.execute(
            "create or replace table marts.contactability as select * from (values"
            " ('c9', 'email', 'marketing', 'granted', 'email', 'somebody@example.org'))"
            " t(customer_id, channel, purpose, reason, address_type, address)"
        )
        file.execute(
            "create or replace table activity.fct_holdouts as select 'c9' as customer_id,"
            " 'global' as holdout, true as is_held_out"
        )
        file.execute(
            "insert into marts.rpt_free_text values ('c9', 'a marketing newsletter of the device')"
        )
        for word in words():
            file.execute(
                "insert into marts.bridge_customer_identifiers (customer_id,"
                " identifier_type, identifier_value, is_shared) values ('c9', 'email', ?, false)",
                [f"{word}@example.org"],
            )
    with duckdb.connect(str(home.raw)) as raw:
        for number, word in enumerate(words()):
            raw.execute(
                "insert into raw_web.events (_row_id, event, user_id, properties)"
                " values (?, ?, 'somebody-else', ?)",
                [f"w{number}", word, f'{{"kind":"{word}"}}'],
            )
            raw.execute(
                "insert into raw_web.quarantine (quarantine_id, table_name, line, raw_text)"
                " values (?, 'events', 4, ?)",
                [f"w{number}", f'{{"type":"{word}", "x'],
            )
        everything = "\n".join(f'{word};"{word}",{word}' for word in words())
        raw.execute(
            "insert into raw_web.quarantine (quarantine_id, table_name, line, raw_text)"
            " values ('words', 'events', 0, ?)",
            [everything],
        )
    refusal = {"email": "s@example.org", "event": "unsubscribe", "purposes": list(words())}
    inbox = home.inbox / "email" / "sendgrid" / "120000000000-ab.json"
    inbox.parent.mkdir(parents=True)
    inbox.write_text(json.dumps([refusal]))
    inbox.with_name("120000000001-ab.json").write_text(json.dumps([refusal])[:-3])
    row = {"customer_id": "c9", "email": "s@example.org", "purpose": "marketing", "n": "12345678"}
    folder = home.delivered / "file" / "words"
    folder.mkdir(parents=True)
    (folder / "audience.jsonl").write_text(
        "".join(
            json.dumps({**row, "reason": f"said {word}", "segment": word}) + "\n"
            for word in words()
        )
    )
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(
        [[*row, "segment"], *([*row.values(), word] for word in words())]
    )
    (folder / "audience.csv").write_bytes(stream.getvalue().encode())
    (home.root / "notes.txt").write_text(" ".join(words()))
    with closing(sqlite3.connect(home.dagster / "events.db")) as file:
        file.executemany("insert into event_logs values (99, ?)", [(word,) for word in words()])
        file.commit()
    return home


def contents(home: Home) -> dict[str, Any]:
    """Every row and text of the home but for who is forgotten."""
    return dict(_contents(home))


def _contents(home: Home) -> Iterator[tuple[str, Any]]:
    for path in (home.raw, home.published):
        with duckdb.connect(str(path), read_only=True) as file:
            tables = file.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            for schema, table in tables:
                if table != "build_tables":
                    query = f'select t::varchar from "{schema}"."{table}" t order by 1'
                    yield f"{path.name} {schema}.{table}", file.execute(query).fetchall()
    for path in (home.ops, home.dagster / "events.db"):
        with closing(sqlite3.connect(path)) as store:
            names = store.execute("select name from sqlite_master where type = 'table'").fetchall()
            for (table,) in names:
                if table not in ("tombstones", "erasures", "meta"):
                    rows = store.execute(f'select * from "{table}"').fetchall()
                    yield f"{path.name} {table}", sorted(map(str, rows))
    for folder in (home.delivered, home.inbox, home.root / "notes.txt"):
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(home.root)), path.read_bytes()


def forget(home: Home, keys: list[Key]) -> None:
    with open_store(home) as store:
        with store.write() as connection:
            request(connection, Erasable((), tuple(keys)), reason="asked", at=NOW)
            (erasure,) = open_erasures(connection)
        carry_out(home, store, erasure, country="GB", location="", at=NOW)


def test_forgetting_our_own_words_changes_nothing_of_anybody_else(home: Home) -> None:
    before = contents(home)
    forget(home, [(kind, word) for kind in KINDS for word in words()])
    after = contents(home)
    assert [place for place in before if before[place] != after.get(place)] == []
    assert set(after) == set(before)


def test_the_rows_of_somebody_whose_login_is_a_word_go(home: Home) -> None:
    with duckdb.connect(str(home.raw)) as raw:
        raw.execute("insert into raw_web.events (_row_id, user_id) values ('own', 'marketing')")
        raw.execute(
            "insert into raw_web.quarantine (quarantine_id, table_name, line, raw_text)"
            """ values ('own', 'events', 9, '{"userId": "marketing", "x')"""
        )
    body = home.inbox / "web" / "segment" / "120000000002-ab.json"
    body.parent.mkdir(parents=True)
    body.write_text('{"userId": "marketing", "type": "page"}')
    with duckdb.connect(str(home.published)) as file:
        file.execute(
            "create table marts.fct_web_sessions as select 'marketing' as login_id,"
            " 'marketing' as device_id, 'marketing' as utm_medium"
        )
    forget(home, [("login", "marketing")])
    assert not body.exists()
    with duckdb.connect(str(home.raw), read_only=True) as raw:
        for table in ("events where _row_id = 'own'", "quarantine where quarantine_id = 'own'"):
            assert raw.execute(f"from raw_web.{table}").fetchall() == []
    with duckdb.connect(str(home.published), read_only=True) as file:
        sessions = file.execute("from marts.fct_web_sessions").fetchall()
    assert sessions == [(None, "marketing", "marketing")]


def test_a_delivered_row_of_another_that_mentions_the_person_stays(home: Home) -> None:
    address = dict(keys_of(1))["email"]
    audience = home.delivered / "file" / "vip" / "audience.csv"
    audience.write_text(
        f'"customer_id","email","context"\r\n"{customer(1)}","{address}","x"\r\n'
        f'"c9","s@example.org","told {address}!"\r\n"c8","\'{address}","x"\r\n'
    )
    erase_from_delivered(home, Erasable((customer(1),), keys_of(1)))
    assert audience.read_text() == (
        '"customer_id","email","context"\n"c9","s@example.org","told forgotten!"\n'
    )


@pytest.mark.parametrize("value", ["ann@example.com", "+447700900123", "10000287", "01HARB000001"])
def test_an_address_a_number_and_a_long_id_are_unmistakable(value: str) -> None:
    assert is_unmistakable(value)


def test_a_word_never_is() -> None:
    assert [word for word in words() if is_unmistakable(word)] == []


@pytest.mark.parametrize("text_class", vocabulary.TEXT_CLASSES)
def test_an_address_goes_from_every_class_of_text_that_is_not_our_own(
    home: Home, text_class: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that comes later is looked through too, until somebody says that it is our own."""
    address = dict(keys_of(1))["email"]
    with duckdb.connect(str(home.published)) as file:
        file.execute(
            "create table marts.told as select 'somebody-else' as customer_id, ? as said",
            [f"for {address}"],
        )
    monkeypatch.setattr(published, "read_classes", lambda: {"told": {"said": text_class}})
    published.rewrite_published(home, Erasable((), keys_of(1)))
    with duckdb.connect(str(home.published), read_only=True) as file:
        ((said,),) = file.execute("select said from marts.told").fetchall()
    assert (said is not None) is (text_class in ("word", "key", "secret", "position", "birthday"))
