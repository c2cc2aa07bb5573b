"""The copy for analysts: nothing personal in any byte of it, and no way out of it (SEC4, X6)."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from ingestion.duckdb import name
from ingestion.errors import RegularsError, UsageError
from orchestration.home.layout import Home
from orchestration.published.masked import masked_copy
from orchestration.published.reader import QueryResult, query_file
from orchestration.published.text_classes import read_classes
from tests.traces import traces

KEY = "k" * 32
SAFE = ("label", "word", "key")
# What stands in a text column of each class that may not leave as it is.
PLANTED = {
    "identifier": "canary{n}@mail.example",
    "name": "Canary{n}name",
    "address": "Canary{n}street",
    "free_text": "Canary{n}note",
    "json": '{{"told": "Canary{n}json"}}',
    "url": "https://www.host{n}.example/Canary{n}path?mail=canary{n}@mail.example",
    "visitor_text": "Canary{n}tag",
    "secret": "Canary{n}secret",
    "": "Canary{n}unclassed",
}


def schema_of(table: str) -> str:
    return "segments" if table.startswith("seg_") else "marts"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, list[str]]:
    """Each published table with a canary in each of its columns, and what was planted."""
    home, planted, n = Home(tmp_path_factory.mktemp("masked") / "home").create(), [], 1000
    with duckdb.connect(str(home.published)) as file:
        for schema in ("marts", "segments", "activity", "ops"):
            file.execute(f"create schema {schema}")
        for table, columns in read_classes().items():
            told = []
            for column, text_class in {**columns, "new_text": ""}.items():
                n += 1
                if text_class == "birthday":
                    told.append(f"date '1987-06-{n % 28 + 1}' as {name(column)}")
                    continue
                if text_class == "position":
                    told.append(f"3 as {name(column)}")
                    continue
                value = PLANTED.get(text_class, f"word {n}").format(n=n)
                told.append(f"'{value}' as {name(column)}")
                if text_class not in SAFE:
                    planted.append(value)
            told += ["12.5 as amount", "['Canary list'] as many", "'Canary blob'::blob as bytes"]
            file.execute(
                f"create table {name(schema_of(table), table)} as select {', '.join(told)}"
            )
        file.execute("""
            create table marts.leaks (label text);
            insert into marts.customer_traits (trait, value, evidence_kind, sensitivity) values
                ('partner_of_canary', 'Canary9001', 'stated', 'personal'),
                ('birthday', '12-28 Canary9002', 'stated', 'personal'),
                ('interest_topic', 'canary9003@mail.example', 'inferred', 'none'),
                ('bought_brand', 'Fernhill', 'observed', 'none'),
                ('birth_year', '1958', 'stated', 'personal');
            insert into marts.fct_web_sessions (utm_source, utm_campaign, utm_medium) values
                ('canary9004@mail.example', '+44 20 7946 9005', 'canary9006%40mail.example');
            insert into marts.fct_web_sessions (landing_page_url, referrer) values
                ('https://canary9007:pass@www.shop.example/x', 'mailto:canary9008@mail.example');
        """)
    planted += [f"anary{number}" for number in range(9001, 9009)]
    return home, [value.removeprefix("C") for value in planted] + [
        *("20 7946 9005", "Canary ", "1987-06-"),
    ]


@pytest.mark.faults
def test_nothing_personal_is_in_any_byte(shop: tuple[Home, list[str]]) -> None:
    home, planted = shop
    assert len(planted) > 150
    masked_copy(home, KEY)
    left = traces(home.root, planted, skip=(home.published.name,))
    assert left == []
    assert traces(home.root, planted[:1]) != []  # the search sees what is there
    assert home.masked.stat().st_mode & 0o777 == 0o600


def test_what_the_shop_wrote_stays_and_identifiers_join(shop: tuple[Home, list[str]]) -> None:
    copy = masked_copy(shop[0], KEY)
    rows = query_file(copy, "select trait, value from marts.customer_traits order by all").rows
    assert ("bought_brand", "Fernhill") in rows
    assert ("birth_year", "1958") in rows
    assert Counter(rows)[None, None] == 4  # an interest too that no shop wrote
    (row,) = query_file(
        copy, "select birthday, amount, many from marts.customer_contact_details"
    ).rows
    assert (str(row[0]), float(row[1]), row[2]) == ("1987-01-01", 12.5, None)
    hosts = query_file(copy, "select landing_page_url from marts.fct_web_sessions").rows
    assert {host for (host,) in hosts if host} < {f"www.host{n}.example" for n in range(2000)}
    labels = query_file(copy, "select label from marts.dim_segments").rows
    assert str(labels[0][0]).startswith("word ")


def test_equal_values_have_equal_hashes_under_one_key_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with duckdb.connect(str(home.published)) as file:
        file.execute(
            "create schema marts;"
            "create table marts.dim_customers as"
            " select 'a@b.example' as email, 'c1' as customer_id;"
            "create table marts.bridge_customer_identifiers as"
            " select 'c1' as customer_id, 'a@b.example' as identifier_value"
        )
    query = (
        "select email, email = identifier_value from marts.dim_customers"
        " join marts.bridge_customer_identifiers using (customer_id)"
    )
    first = query_file(masked_copy(home, KEY), query).rows
    assert first[0][1] is True
    again = query_file(masked_copy(home, KEY), query).rows
    assert again == first
    other = query_file(masked_copy(home, "another"), query).rows
    assert other[0][0] != first[0][0]


@pytest.mark.parametrize(
    "text",
    [
        *("07700–900123", "07700 / 900 123", "٠٧٧٠٠٩٠٠١٢٣", "２０１６１４９", "12 34 56 78"),
        *("0161\u200b496\u20110018", "0.7.7.0.0.9.0", "ann＠mail.example", "ann&#64;mail.example"),
        *("ann%40mail.example", "ann (at) mail.example", "1 2026-01-01 07700 900123"),
    ],
)
@pytest.mark.parametrize("column", ["label", "word", "utm_source"])
def test_no_address_and_no_number_to_call_stays(tmp_path: Path, text: str, column: str) -> None:
    assert kept(tmp_path, column, text) is None


def kept(folder: Path, column: str, text: str) -> str | None:
    """What the copy has of a text: of a label, of a word of a list, of a browser's text."""
    home = Home(folder)
    with duckdb.connect(str(home.published)) as file:
        file.execute(
            "create schema marts; create table marts.fct_spend as select 'Spring 24' as campaign;"
            "create table marts.dim_segments (label text, channel text);"
            "create table marts.fct_web_sessions (utm_source text)"
        )
        file.execute("insert into marts.dim_segments values (?, ?)", [text, text])
        file.execute("insert into marts.fct_web_sessions values (?)", [text])
    table = "fct_web_sessions" if column.startswith("utm") else "dim_segments"
    named = "channel" if column == "word" else column
    return str_or_none(query_file(masked_copy(home, KEY), f"select {named} from marts.{table}"))


def str_or_none(result: QueryResult) -> str | None:
    ((value,),) = result.rows
    return value if value is None else str(value)


@pytest.mark.parametrize(
    ("text", "stays"),
    [("Anna Smith", False), ("google", True), ("spring 24", True), ("CPC", True), ("12", False)],
)
def test_of_a_browsers_text_stays_what_the_shop_wrote(
    tmp_path: Path, text: str, stays: bool
) -> None:
    assert kept(tmp_path, "utm_source", text) == (text if stays else None)


def test_a_day_in_a_label_is_no_number_to_call(tmp_path: Path) -> None:
    text = "Gifts 2026-11-27, size 42, 43, 44, 45"
    assert kept(tmp_path, "label", text) == text


def test_counting_up_order_numbers_finds_no_interaction(tmp_path: Path) -> None:
    home, orders = Home(tmp_path), range(5_500_000, 5_500_200)
    with duckdb.connect(str(home.published)) as file:
        file.execute(
            "create schema marts;"
            "create table marts.fct_interactions (interaction_id bigint, parent_id bigint);"
            "create table marts.fct_orders (order_id text, customer_order_number bigint);"
            "create table marts.recent_interactions (event_id bigint, page_key bigint)"
        )
        for order in orders:
            file.execute(
                "insert into marts.fct_interactions values (?, ?)", [interaction(order), order]
            )
        file.execute(
            "insert into marts.fct_orders values ('5500001', 1);"
            "insert into marts.recent_interactions values (5500001, 5500001)"
        )
    copy = masked_copy(home, KEY)
    rows = query_file(copy, "select interaction_id, parent_id from marts.fct_interactions").rows
    assert len({hashed for hashed, _ in rows}) == len(orders)
    told = {str(hashed) for hashed, _ in rows}
    assert told.isdisjoint(str(guess) for order in orders for guess in (order, interaction(order)))
    assert {parent for _, parent in rows} == {None}  # no class, and its name says what it is
    joined = "select customer_order_number, page_key from marts.fct_orders join"
    assert query_file(copy, f"{joined} marts.recent_interactions on order_id = event_id").rows == [
        (1, None)
    ]


def interaction(order: int) -> int:
    """The key that `key_number` gives an order's interaction."""
    content = f"order_placed|shopify|{order}".encode()
    return int(hashlib.md5(content, usedforsecurity=False).hexdigest()[:15], 16)


def test_the_copy_is_made_again_where_another_file_is_published(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for number in (1, 2):
        home.published.unlink(missing_ok=True)
        with duckdb.connect(str(home.published)) as file:
            file.execute(f"create schema marts; create table marts.t as select {number} as n")
        assert query_file(masked_copy(home, KEY), "select n from marts.t").rows == [(number,)]
    made = home.masked.stat().st_mtime_ns
    masked_copy(home, KEY)
    assert home.masked.stat().st_mtime_ns == made
    home.masked.write_bytes(b"cut")
    assert query_file(masked_copy(home, KEY), "select n from marts.t").rows == [(2,)]
    assert [path.name for path in home.root.iterdir() if "masking" in path.name] == []


def test_nothing_published_is_said(tmp_path: Path) -> None:
    with pytest.raises(RegularsError, match="Nothing is published"):
        masked_copy(Home(tmp_path), KEY)


# ruff: noqa: E501 - statements as somebody would type them
ESCAPES = """
select * from read_csv('{secret}')
select * from read_csv_auto('{secret}')
select * from read_text('{secret}')
select * from read_blob('{secret}')
select * from read_json('{secret}')
select * from read_json_objects('{secret}')
select * from read_ndjson('{secret}')
select * from read_ndjson_objects('{secret}')
select * from read_parquet('{secret}')
select * from parquet_scan('{secret}')
select * from parquet_metadata('{secret}')
select * from parquet_schema('{secret}')
select * from parquet_file_metadata('{secret}')
select * from sniff_csv('{secret}')
select * from glob('{folder}/*')
from '{secret}'
from '{folder}/*.csv'
select * from '{published}'
from "{published}"
from read_duckdb('{published}')
select * from query('select * from read_text(''{secret}'')')
select * from query_table('{secret}')
select * from sqlite_scan('{ops}', 'consent_events')
select * from sqlite_attach('{ops}')
select * from postgres_scan('host=x', 'public', 't')
select * from mysql_query('x', 'select 1')
select * from read_xlsx('{secret}')
select * from st_read('{secret}')
select * from iceberg_scan('{folder}')
select * from delta_scan('{folder}')
select * from read_csv('https://example.com/x.csv')
select * from read_parquet('s3://bucket/x.parquet')
select * from read_text('http://127.0.0.1:1/x')
attach '{published}' as p
attach '{published}' as p (read_only)
attach '{ops}' as o (type sqlite)
attach ':memory:' as m
detach masked
use marts
copy (select 1) to '{written}'
copy marts.dim_customers from '{secret}'
copy (select 1) to '{written}' (format parquet)
copy from database masked to p
export database '{folder}/export'
import database '{folder}/export'
install httpfs
install httpfs from community
force install sqlite
load httpfs
load '{secret}'
set enable_external_access = true
set lock_configuration = false
set allow_unsigned_extensions = true
set temp_directory = '{folder}'
set log_query_path = '{written}'
set python_enable_replacements = true
set global enable_external_access = true
reset lock_configuration
pragma enable_profiling
pragma profile_output = '{written}'
create table marts.own as select 1
create temp table own as select 1
create view marts.own as select * from read_text('{secret}')
create macro own() as table select * from read_text('{secret}')
create secret s (type s3, key_id 'x', secret 'y')
insert into ops.masked values ('x')
update ops.masked set origin = 'x'
delete from ops.masked
drop table marts.dim_customers
vacuum
checkpoint
call pragma_version()
prepare q as select * from read_text('{secret}')
execute q
select 1; select * from read_text('{secret}')
explain analyze copy (select 1) to '{written}'
explain analyze insert into ops.masked values ('x')
with t as (select * from read_text('{secret}')) select * from t
select (select content from read_text('{secret}'))
select * from (describe select * from read_csv('{secret}'))
select getenv('HOME')
select * from json_execute_serialized_sql(json_serialize_sql('select * from read_text(''{secret}'')'))
select * from json_execute_serialized_sql(json_serialize_sql('select content from read_blob(''{secret}'')'))
from planted
select * from planted
select * from query_table('planted')
select * from write_log('x', level := 'error', scope := 'y')
select * from enable_logging(storage := 'file', storage_path := '{folder}')
select * from duckdb_secrets()
select * from enable_profiling(format := 'json', save_location := '{written}')
select E'\'', * from Enable_Logging /* ' */ () where 'x' = 'x'
select * from system.main."enable_logging" -- '
select * from query('select * from enable_' || 'logging()')
select * from arrow_scan(1, 2, 3)
select * from pandas_scan(1)
select * from python_map_function(1)
select * from checkpoint()
select * from seq_scan('customers')
select * from load_aws_credentials()
select * from read_text(getvariable('x'))
select * from sql_auto_complete('{secret}')
summarize select * from read_csv('{secret}')
pivot read_csv('{secret}') on column0
""".strip().splitlines()
# What stands between a function's name and its parenthesis, which DuckDB takes for nothing.
BLANKS = {
    **{
        f"U+{ord(blank):04X}": blank for blank in "\u00a0\u2007\u200b\u202f\u205f\u2060\u3000\ufeff"
    },
    "comment to CR": "--x\r",
    "comment to LF": "--x\n",
    "nested comment": "/*a/*b*/c*/",
    "tab": "\t",
}
HIDDEN = (
    "select * from query{blank}('select 42')",
    "explain analyze select * from enable_logging{blank}('QueryLog')",
    "describe select * from json_execute_serialized_sql{blank}(json_serialize_sql('select 42'))",
    "with t as (select (select count(*) from Truncate_DuckDB_Logs{blank}()) as n) select n from t",
    "select * from enable_profiling{blank}(format := 'json', save_location := '{{written}}')",
)
ESCAPES += [each.format(blank=blank) for each in HIDDEN for blank in BLANKS.values()]
ESCAPES += ["select 'x'.write_log()", "select list_transform([1], n -> write_log('x'))"]


@pytest.fixture(scope="module")
def copied(shop: tuple[Home, list[str]]) -> Path:
    """The copy, looked for once."""
    return masked_copy(shop[0], KEY)


@pytest.mark.parametrize("attempt", ESCAPES)
def test_no_attempt_leads_out_of_the_copy(
    shop: tuple[Home, list[str]], copied: Path, tmp_path: Path, attempt: str
) -> None:
    home, planted_values = shop
    secret, written = tmp_path / "secret.csv", tmp_path / "written"
    secret.write_text("column0\nsecret content\n")
    planted = [planted_values]  # a variable here is no table there
    before = (copied.read_bytes(), entries(tmp_path), entries(home.root))
    paths = {"secret": secret, "written": written, "folder": tmp_path}
    statement = attempt.format(**paths, published=home.published, ops=home.ops)
    with pytest.raises((UsageError, RegularsError)):
        query_file(copied, statement)
    assert planted
    assert (copied.read_bytes(), entries(tmp_path), entries(home.root)) == before


def entries(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def test_there_are_a_hundred_attempts_and_more() -> None:
    assert len(set(ESCAPES)) >= 160


@pytest.mark.parametrize(
    "question",
    [
        "select 'query(' as query, '\u200b' as blank",
        "select seq_scan from (select 1 as seq_scan) -- checkpoint()",
        f"select {'(' * 400}1{')' * 400}",
    ],
)
def test_a_function_that_is_only_named_is_no_call(
    shop: tuple[Home, list[str]], question: str
) -> None:
    assert query_file(masked_copy(shop[0], KEY), question).rows


@pytest.mark.parametrize(
    "question",
    [
        "select * from information_schema.tables",
        "select * from information_schema.columns",
        "select sql from duckdb_tables()",
        "select * from duckdb_views()",
        "pragma database_list",
        "select * from duckdb_logs()",
        "select * from duckdb_temporary_files()",
        "select * from duckdb_settings()",
        "select * from duckdb_databases()",
        "select * from pragma_storage_info('marts.dim_customers')",
        "summarize marts.dim_customers",
        "select * from duckdb_columns()",
    ],
)
def test_what_the_catalogue_tells_is_nobodys(shop: tuple[Home, list[str]], question: str) -> None:
    home, planted = shop
    told = str(query_file(masked_copy(home, KEY), question).rows)
    assert [value for value in planted if value in told] == []
    assert KEY not in told
