"""A shop's own database as a source: its rows go the way of the folders' files (S12)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingestion import check as checking
from ingestion.config import Quarantine, Settings
from ingestion.errors import RegularsError, SourceError, UsageError
from ingestion.registry import databases, reads_a_shop
from ingestion.settings_file import load_settings
from ingestion.sources.sql import tables
from ingestion.sources.sql.settings import SqlSettings
from orchestration.commands.check import check
from orchestration.words.plain_text import PlainConsole

VARIABLE = "ERP_DATABASE_URL"
COLUMNS = {
    "order_id": "invoice",
    "line_id": "id",
    "ordered_at": "sold_on",
    "sku": "article",
    "quantity": "pieces",
    "unit_price": "price",
    "email": "mail",
}
SALES = {
    "table": "sales",
    "folder": "orders",
    "columns": COLUMNS,
    "constants": {"currency": "GBP"},
    "cursor": "changed_at",
}
MAKE_SALES = """
create table sales (
    id integer primary key, invoice text, sold_on datetime, article text, pieces numeric,
    price numeric(10, 2), mail text, changed_at timestamp, secret text
)
"""
LOADED = (
    "select order_id, line_id, quantity::double, unit_price::double from raw_orders.order_lines"
)


def sale(number: int, changed: str | None = "2026-06-01 10:00:00", **more: Any) -> dict[str, Any]:
    """A good line of an invoice."""
    row = {
        "id": number,
        "invoice": f"I{number}",
        "sold_on": "2026-05-01 09:30:00",
        "article": "tea",
        "pieces": 2,
        "price": 12.5,
        "mail": f"p{number}@example.com",
        "changed_at": changed,
        "secret": "pin 4711",
    }
    return row | more


class Erp:
    """A SQLite database and the settings that read it."""

    def __init__(self, shop: Any, file: Path) -> None:
        """Its one table is empty."""
        self.shop, self.file = shop, file
        self.execute(MAKE_SALES)
        self.configure()

    def configure(self, **changes: Any) -> None:
        """Change the table's settings; None takes a key out."""
        table = {key: value for key, value in {**SALES, **changes}.items() if value is not None}
        section = SqlSettings.model_validate({"erp": {"url_env": VARIABLE, "tables": {"t": table}}})
        self.shop.settings = self.shop.settings.with_sections({"sql": section})

    def execute(self, statement: str, *values: Any) -> None:
        with sqlite3.connect(self.file) as connection:
            connection.execute(statement, values)
        connection.close()

    def add(self, *rows: dict[str, Any], table: str = "sales") -> None:
        for row in rows:
            marks = ", ".join("?" for _ in row)
            self.execute(f"insert into {table} ({', '.join(row)}) values ({marks})", *row.values())

    def run(self, source: str = "orders", table: str = "order_lines") -> tuple[int, int, int, int]:
        count = self.shop.run(source)[table]
        return (count.received, count.loaded, count.quarantined, count.duplicate)

    def loaded(self) -> list[tuple[Any, ...]]:
        return list(self.shop.query(f"{LOADED} order by line_id, _dlt_load_id"))


@pytest.fixture
def erp(shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Erp:
    file = tmp_path / "erp.db"
    monkeypatch.setenv(VARIABLE, f"sqlite:///{file}")
    return Erp(shop, file)


def refusal(call: Callable[[], Any], kind: type[RegularsError]) -> str:
    """The sentence of a refusal, which never quotes a value, a row or the URL."""
    with pytest.raises(kind) as caught:
        call()
    text = f"{caught.value.message} {caught.value.hint}"
    assert "\n" not in text
    assert "sqlite:///" not in text.replace("sqlite:////folder/file.db", "")
    assert "4711" not in text
    return text


def test_rows_go_the_way_of_the_folders_files(erp: Erp) -> None:
    erp.add(sale(1), sale(2, price="12,50", pieces=1.0), sale(3, invoice=None))
    assert erp.run() == (3, 2, 1, 0)
    assert erp.loaded() == [("I1", "1", 2.0, 12.5), ("I2", "2", 1.0, 12.5)]
    assert erp.shop.query(
        "select distinct _file, ordered_at::varchar, currency from raw_orders.order_lines"
    ) == [("sql:erp/t", "2026-05-01 09:30:00", "GBP")]
    assert erp.shop.query("select file, reason, field from raw_orders.quarantine") == [
        ("sql:erp/t", "missing_value", "order_id")
    ]


def test_only_mapped_columns_are_asked_for(erp: Erp) -> None:
    erp.add(sale(1, invoice=None), sale(2))
    erp.run()
    held = erp.shop.query("select raw_text from raw_orders.quarantine")
    assert len(held) == 1
    assert "4711" not in held[0][0]


def test_a_second_run_loads_what_is_new_and_a_corrected_row_again(erp: Erp) -> None:
    erp.add(sale(1), sale(2))
    assert erp.run() == (2, 2, 0, 0)
    assert erp.run() == (2, 0, 0, 2)
    erp.add(sale(3, "2026-06-20 00:00:00"))
    erp.execute("update sales set pieces = 5, changed_at = '2026-06-20 08:00:00' where id = 1")
    assert erp.run() == (3, 2, 0, 1)
    assert erp.loaded() == [
        ("I1", "1", 2.0, 12.5), ("I1", "1", 5.0, 12.5), ("I2", "2", 2.0, 12.5),
        ("I3", "3", 2.0, 12.5),
    ]  # fmt: skip
    # What is older than the lateness before the newest row is not asked for again
    assert erp.run() == (2, 0, 0, 2)


def test_a_row_committed_late_is_loaded(erp: Erp) -> None:
    erp.add(sale(1, "2026-06-20 10:00:00"))
    erp.run()
    erp.add(sale(2, "2026-06-18 10:00:00"), sale(3, "2026-06-17 00:00:00"))
    assert erp.run() == (3, 2, 0, 1)
    # Later than the settings say that rows may be
    erp.add(sale(4, "2026-06-16 23:59:59"))
    assert erp.run() == (3, 0, 0, 3)
    erp.configure(lateness_hours=96)
    assert erp.run() == (4, 1, 0, 3)


def test_rows_without_a_time_and_of_the_future_hide_nothing(erp: Erp) -> None:
    erp.add(sale(1, None), sale(2, "2027-01-01 00:00:00"), sale(3, "no time"))
    assert erp.run() == (3, 3, 0, 0)
    erp.add(sale(4, "2026-06-02 00:00:00"), sale(5, None))
    assert erp.run() == (5, 2, 0, 3)


def test_an_empty_table_and_one_without_a_cursor(erp: Erp) -> None:
    assert erp.run() == (0, 0, 0, 0)
    erp.configure(cursor=None)
    erp.add(sale(1, "2026-06-01 10:00:00"))
    assert erp.run() == (1, 1, 0, 0)
    erp.add(sale(2, "2020-01-01 00:00:00"))
    assert erp.run() == (2, 1, 0, 1)


def test_a_changed_mapping_reads_all_again(erp: Erp) -> None:
    erp.add(sale(1, "2020-01-01 00:00:00"), sale(2))
    erp.run()
    erp.configure(columns={**COLUMNS, "product_name": "article"})
    assert erp.run() == (2, 2, 0, 0)
    assert erp.shop.query("select count(*) from raw_orders.order_lines where product_name = 'tea'")


def test_a_row_that_stays_bad_is_put_aside_once_wherever_it_stands(erp: Erp) -> None:
    erp.configure(cursor=None)
    erp.add(sale(5, sold_on="last spring"), sale(6))
    assert erp.run() == (2, 1, 1, 0)
    erp.add(sale(1))
    assert erp.run() == (3, 1, 0, 2)
    erp.execute("update sales set sold_on = '2026-05-02' where id = 5")
    assert erp.run() == (3, 1, 0, 2)


def test_one_bad_row_of_a_days_pull_stops_nothing_and_a_first_pull_of_bad_rows_does(
    erp: Erp,
) -> None:
    erp.shop.settings = erp.shop.settings.model_copy(update={"quarantine": Quarantine()})
    erp.add(sale(1, sold_on="?"))
    assert "sql:erp/t" in refusal(erp.run, SourceError)
    erp.execute("update sales set sold_on = '2026-05-02'")
    erp.add(sale(2))
    assert erp.run() == (2, 2, 0, 0)
    erp.add(sale(3, "2026-06-20 10:00:00", sold_on="?"))
    assert erp.run() == (3, 0, 1, 2)
    assert erp.run() == (1, 0, 0, 1)


def test_a_stopped_pull_is_asked_for_again(erp: Erp) -> None:
    erp.add(sale(1))
    erp.run()
    erp.shop.settings = erp.shop.settings.model_copy(
        update={"quarantine": Quarantine(max_rows=0, max_share=0.1)}
    )
    erp.add(sale(2, "2026-06-25 00:00:00"), sale(3, "2026-06-26 00:00:00", sold_on="?"))
    refusal(erp.run, SourceError)
    erp.execute("update sales set sold_on = '2026-05-02' where id = 3")
    assert erp.run() == (3, 2, 0, 1)


def test_lists_are_mapped_in_the_words_of_their_files(erp: Erp) -> None:
    erp.execute("create table people (mail text, permit text, at text, shoe integer)")
    permits = {
        "table": "people",
        "folder": "consents",
        "columns": {"identifier_value": "mail", "status": "permit", "occurred_at": "at"},
        "constants": {
            "identifier_type": "email",
            "channel": "email",
            "purpose": "marketing",
            "source": "till",
        },
        "words": {"status": {"J": "granted", "N": "denied"}},
        "timezone": "Europe/Amsterdam",
        "cursor": None,
    }
    erp.configure(**permits)
    erp.add(
        {"mail": "a@example.com", "permit": "J", "at": "2026-05-01 10:00:00", "shoe": 40},
        {"mail": "b@example.com", "permit": "N", "at": "2026-05-01 10:00:00", "shoe": 41},
        table="people",
    )
    assert erp.run("consents", "consents") == (2, 2, 0, 0)
    assert erp.shop.query(
        "select identifier_value, status, occurred_at::varchar, source from raw_consents.consents"
        " order by all"
    ) == [
        ("a@example.com", "granted", "2026-05-01 08:00:00", "till"),
        ("b@example.com", "denied", "2026-05-01 08:00:00", "till"),
    ]


def test_further_columns_become_traits_where_they_are_named(erp: Erp) -> None:
    erp.execute("create table people (mail text, seen timestamp, shoe integer, iban text)")
    erp.configure(
        table="people", folder="contacts", cursor="seen", traits=["shoe"],
        columns={"email": "mail"}, constants={"source": "till"},
    )  # fmt: skip
    erp.add(
        {"mail": "a@example.com", "seen": "2026-05-01", "shoe": 40, "iban": "x"}, table="people"
    )
    assert erp.run("contacts", "contacts") == (1, 1, 0, 0)
    assert erp.shop.query("select email, source, attributes from raw_contacts.contacts") == [
        ("a@example.com", "till", '{"shoe":"40"}')
    ]


def test_files_and_a_database_feed_one_folder(erp: Erp, make: Any) -> None:
    erp.shop.write("orders/a.jsonl", make.lines(make.order(9)))
    erp.add(sale(1))
    assert erp.run() == (1, 1, 0, 0)
    assert erp.shop.query("select order_id from raw_orders.orders") == [("9",)]
    assert erp.run() == (1, 0, 0, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"table": "sails"}, "`sources.sql.erp.tables.t.table` is 'sails'"),
        (
            {"columns": {**COLUMNS, "sku": "artikel"}},
            "`sources.sql.erp.tables.t.columns.sku` names the column 'artikel', which sales does"
            " not have. It has: id, invoice, sold_on,",
        ),
        ({"cursor": "moved_at"}, "`sources.sql.erp.tables.t.cursor` names the column 'moved_at'"),
        (
            {"cursor": "article"},
            "`sources.sql.erp.tables.t.cursor` names 'article', which is TEXT and no date or time",
        ),
    ],
)
def test_what_the_database_does_not_have_is_named(
    erp: Erp, changes: dict[str, Any], said: str
) -> None:
    erp.add(sale(1))
    erp.configure(**changes)
    assert said in refusal(erp.run, UsageError)
    (finding,) = tables.check(databases(erp.shop.settings))
    assert (finding.status, said in f"{finding.sentence} {finding.hint}") == ("failed", True)


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("", UsageError, f"the environment variable {VARIABLE} is not set"),
        ("my database 4711", UsageError, f"{VARIABLE} holds no SQLAlchemy URL"),
        ("nosuch://u:4711@h/d", UsageError, "needs a database driver that is not installed"),
        ("mysql+pymysql://u:4711@127.0.0.1:1/d", UsageError, "not installed (pymysql"),
        ("postgresql+psycopg://u:4711@127.0.0.1:1/d", SourceError, f"{VARIABLE} did not answer"),
        ("sqlite:////nowhere/4711.db", SourceError, "is a file that is not there"),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_sentence(
    erp: Erp, monkeypatch: pytest.MonkeyPatch, url: str, kind: type[RegularsError], said: str
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    assert said in refusal(erp.run, kind)


def test_a_file_that_is_no_database_does_not_answer(erp: Erp) -> None:
    erp.file.write_bytes(b"4711" * 1000)
    text = refusal(erp.run, SourceError)
    assert f"The database of {VARIABLE} did not answer" in text
    assert "(DatabaseError)" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"folder": "web"}, "`sources.sql.erp.tables.t.folder` is 'web', which no table can feed"),
        ({"folder": "identity_rules"}, "which no table can feed. Write one of: consents,"),
        (
            {"columns": {**COLUMNS, "prize": "price"}},
            "`sources.sql.erp.tables.t.columns.prize` is no column of orders/. Write one of:",
        ),
        (
            {"columns": {k: v for k, v in COLUMNS.items() if k not in ("line_id", "ordered_at")}},
            "does not say where ordered_at, line_id stands",
        ),
        ({"traits": ["secret"]}, "orders/ is not about people"),
    ],
)
def test_a_mapping_that_cannot_be_is_told_before_any_work(
    erp: Erp, changes: dict[str, Any], said: str
) -> None:
    erp.configure(**changes)
    assert said in refusal(lambda: databases(erp.shop.settings), UsageError)


def test_a_check_looks_at_tables_as_at_files_and_keeps_nothing(
    erp: Erp, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    erp.add(sale(1), sale(2), sale(3, sold_on="last spring"), sale(4, "2031-01-01"))
    check("", erp.shop.settings, PlainConsole(soft_wrap=True, markup=False), as_json=False)
    said = capsys.readouterr().out
    for sentence in (
        "sql:erp/t\n  taken for: orders/order_lines by [sources.sql.erp.tables.t]\n",
        "orders/order_lines: 4 rows, 1 would be put aside; 2026-05-01 to 2026-05-01; GBP",
        "1 wrong_type in ordered_at: first at sql:erp/t:3, like xxxx xxxxxx",
        "used: invoice, id, sold_on, article, pieces, price, mail, changed_at",
        "not used: secret",
        "0 files, 1 table of databases, 4 rows, 1 would be put aside.",
    ):
        assert sentence in said
    assert not erp.shop.raw.exists()
    monkeypatch.setattr(checking, "LOOKED_AT", 2)
    check("", erp.shop.settings, PlainConsole(soft_wrap=True, markup=False), as_json=False)
    assert "tables.t], its first 2 rows" in capsys.readouterr().out
    erp.configure(table="sails")
    check("", erp.shop.settings, PlainConsole(soft_wrap=True, markup=False), as_json=False)
    assert (
        "A run would stop: `sources.sql.erp.tables.t.table` is 'sails'" in capsys.readouterr().out
    )


SETTINGS = """
[sources.sql.erp]
url_env = "ERP_DATABASE_URL"
[sources.sql.erp.tables.sales]
table = "sales"
folder = "{folder}"
columns = {{identifier_value = "mail", status = "permit", occurred_at = "at"}}
constants = {{identifier_type = "email", channel = "email", purpose = "marketing"}}
"""


def test_the_settings_file_says_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "regulars.toml"
    file.write_text(SETTINGS.format(folder="consents"))
    settings = load_settings(file)
    assert databases(settings).on()["erp"].tables["sales"].lateness_hours == 72
    assert reads_a_shop(settings)
    assert not reads_a_shop(Settings())
    file.write_text(SETTINGS.format(folder="consent"))
    assert "`sources.sql.erp.tables.sales.folder` is 'consent'" in refusal(
        lambda: load_settings(file), UsageError
    )
    file.write_text(SETTINGS.format(folder="consents") + "colums = 1\n")
    assert "unknown setting `sources.sql" in refusal(lambda: load_settings(file), UsageError)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "true"), (7, "7"), (1e16, "10000000000000000"), (0.1, "0.1"),
        (Decimal("1E+3"), "1000"), (Decimal("12.50"), "12.50"), (date(2026, 5, 1), "2026-05-01"),
        (datetime(2026, 5, 1, 9, tzinfo=UTC), "2026-05-01T09:00:00+00:00"),
        (timedelta(minutes=2), "120.0"), (b"caf\xc3\xa9", "café"), ({"a": [1]}, '{"a": [1]}'),
        (float("nan"), "NaN"), ("  as it is ", "  as it is "),
    ],
)  # fmt: skip
def test_a_drivers_value_is_written_as_a_file_would(value: Any, text: str) -> None:
    assert tables.as_text(value) == text
