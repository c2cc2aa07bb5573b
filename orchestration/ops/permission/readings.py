"""Whose a statement is: the identifiers that what a source wrote may mean.

Belongs here: every reading of an address, a national number, or an id of a kind nobody named. Does
not belong here: the matching form of one identifier (`ingestion.functions`) or what was said.

An opt-in counts for the one identifier it names. A refusal counts for each reading that stands in
the data: a number without its country code is one of the record's country, of the shop's and of
every country that records come from, because a wrong guess would miss the number it is about.
"""

from __future__ import annotations

import csv
import itertools
import re
import unicodedata
from functools import cache
from urllib.parse import unquote

import duckdb
import phonenumbers
import pyarrow as pa

from ingestion.config import REPOSITORY
from ingestion.functions.identifiers import match_identifier, phone_readings
from ingestion.vocabulary import IDENTIFIER_TYPES
from orchestration.ops.permission.held_rows import found_addresses
from orchestration.ops.permission.status_words import folded

_COUNTRY_NAMES = REPOSITORY / "dbt_project" / "seeds" / "country_names.csv"
_TYPES = {
    **{folded(name): name for name in IDENTIFIER_TYPES},
    **dict.fromkeys(("mail", "emailaddress", "adresse", "correo"), "email"),
    **dict.fromkeys(("mobile", "mobilephone", "telephone", "tel", "sms", "msisdn"), "phone"),
    **dict.fromkeys(("phonenumber", "mobilenumber", "cell", "telefon", "telefono"), "phone"),
}
# Whose kind nobody named: ids that a person may have written down, not those of devices and cards.
_IDS = ("login", "loyalty_id", "shopify_customer_id", "klaviyo_profile_id", "orders_customer_id")
# Where countries stand: columns, and codes within documents.
_COUNTRY_COLUMNS = (("raw_contacts", "contacts"), ("raw_orders", "order_lines"))
_COUNTRY_DOCUMENTS = ("raw_orders.orders", "raw_shopify.orders", "raw_shopify.customers")

# 00 begins a number abroad in many countries; a refusal may be written so where it does not
_EXIT_CODE = re.compile(r"^00(?=[1-9])")
_EXTENSION = re.compile(r"[ ,;]*(ext[.=]?|extension|x|#) *[0-9]+$", re.IGNORECASE)
_AT = re.compile(r" *[(\[{] *at *[)\]}] *", re.IGNORECASE)

Match = tuple[str, str]
PAGE = 50_000
MATCHED = pa.schema(
    [
        ("said_type", pa.string()),
        ("raw_value", pa.string()),
        ("country", pa.string()),
        ("is_refusal", pa.bool_()),
        ("identifier_type", pa.string()),
        ("identifier_value", pa.string()),
    ]
)


def readings(
    kind: str | None,
    value: str | None,
    country: str | None,
    default_country: str,
    countries: tuple[str, ...] = (),
    *,
    every: bool,
) -> list[Match]:
    """The identifiers meant, as (type, matching form); none where nobody can be made out.

    Args:
        kind: the identifier's type as written.
        value: the identifier as written.
        country: the country on the same record, if it has one.
        default_country: the shop's.
        countries: those that records of this shop come from.
        every: every reading rather than the one that is meant: for refusals.
    """
    known = _TYPES.get(folded(kind or ""), "")
    if known != kind and not every:
        known = kind or ""
    exact = match_identifier(known, value, default_country)
    if not every:
        return [(known, exact)] if exact else []
    text = value or ""
    if known == "phone":
        return _numbers(text, country, default_country, countries) or _addresses(text)
    if exact:
        # The apostrophe before a text may be a spreadsheet's
        bare = match_identifier(known, exact.lstrip("'"), default_country)
        return [(known, exact)] + ([(known, bare)] if bare and bare != exact else [])
    addresses = _addresses(text)
    if not addresses and known in ("", "email"):
        addresses = _numbers(text, country, default_country, countries)
    if not addresses and not known:
        tried = ((each, match_identifier(each, text, default_country)) for each in _IDS)
        addresses = [(each, matched) for each, matched in tried if matched]
    return addresses


def match_statements(
    connection: duckdb.DuckDBPyConnection, default_country: str, countries: tuple[str, ...]
) -> tuple[int, dict[str, int]]:
    """Bring identifiers into matching form, once per distinct value; count what has none.

    An opt-in and a question are for the one identifier they name; a refusal for every reading of
    what it names. Returns how many statements had no use, and refusals that name nobody, by source.
    """
    is_refusal = {"consents": "status <> 'granted'", "suppressions": "true", "requests": "false"}
    _match(connection, default_country, countries)
    for name, refuses in is_refusal.items():
        connection.execute(
            f"""
            create temp table {name} as
            select said.* exclude (raw_value, identifier_type, country, said_in),
                matched.identifier_type, matched.identifier_value
            from said_{name} as said
            left join matched on said.identifier_type is not distinct from matched.said_type
                and said.raw_value is not distinct from matched.raw_value
                and said.country is not distinct from matched.country
                and ({refuses}) = matched.is_refusal
            """
        )
    nobody: dict[str, int] = {}
    for name, refuses in is_refusal.items():
        rows = connection.execute(
            f"select split_part(coalesce(source, 'unknown'), ' (', 1), count(*) from {name}"
            f" where {refuses} and identifier_value is null group by all order by all"
        ).fetchall()
        for source, count in rows:
            nobody[source] = nobody.get(source, 0) + count
    dropped = 0
    for name, usable in (
        # An opt-in and a question need a time and a source; an opt-out counts without either.
        ("consents", "status <> 'granted' or (occurred_at is not null and source is not null)"),
        ("suppressions", "true"),
        ("requests", "occurred_at is not null and source is not null"),
    ):
        rule = f"identifier_value is not null and channel is not null and ({usable})"
        row = connection.execute(f"delete from {name} where not coalesce({rule}, false)").fetchone()
        dropped += int(row[0]) if row else 0
    return dropped, nobody


def _match(
    connection: duckdb.DuckDBPyConnection, default_country: str, countries: tuple[str, ...]
) -> None:
    """Leaves `matched`: the readings of each distinct identifier that a statement names.

    A page at a time: Python holds no more of them, however many people there are.
    """
    connection.execute(
        "create temp table named as"
        " select distinct identifier_type, raw_value, country, status <> 'granted' as is_refusal"
        " from said_consents union"
        " select identifier_type, raw_value, country, true from said_suppressions union"
        " select identifier_type, raw_value, country, false from said_requests"
    )
    connection.execute(
        "create temp table matched (said_type varchar, raw_value varchar, country varchar,"
        " is_refusal boolean, identifier_type varchar, identifier_value varchar)"
    )
    names = MATCHED.names
    for start in itertools.count(0, PAGE):
        page = connection.execute(
            "select * from named where rowid >= ? and rowid < ?", [start, start + PAGE]
        ).fetchall()
        if not page:
            break
        matched = [
            (kind, value, country, refuses, *reading)
            for kind, value, country, refuses in page
            for reading in readings(kind, value, country, default_country, countries, every=refuses)
        ]
        rows = [dict(zip(names, each, strict=True)) for each in matched]
        connection.register("matched_page", pa.Table.from_pylist(rows, schema=MATCHED))
        connection.execute("insert into matched select * from matched_page")
        connection.unregister("matched_page")
    connection.execute("drop table named")


def seen_countries(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Countries that records of new loads come from, as codes a phone number can be read by."""
    values: set[str] = set()
    for schema, table in _COUNTRY_COLUMNS:
        if _has(connection, schema, table, "country"):
            rows = connection.execute(f"select distinct country from raw.{schema}.{table}")
            values |= {str(row[0]) for row in rows.fetchall() if row[0]}
    for name in _COUNTRY_DOCUMENTS:
        schema, table = name.split(".")
        if _has(connection, schema, table, "payload"):
            rows = connection.execute(
                f"""
                select distinct unnest(regexp_extract_all(
                    payload, '"country_?[cC]ode(?:V2)?"\\s*:\\s*"([A-Za-z]{{2}})"', 1))
                from raw.{name} where _dlt_load_id in (
                    select load_id from new_loads where source_table = '{name}')
                """
            )
            values |= {str(row[0]) for row in rows.fetchall() if row[0]}
    return {code for code in map(country_code, values) if code}


def country_code(text: str | None) -> str:
    """The two-letter code of a country written as code or name; empty where it is neither."""
    code = _country_names().get(folded(text or ""), "")
    return code if code in phonenumbers.SUPPORTED_REGIONS else ""


def _numbers(
    text: str, country: str | None, default_country: str, countries: tuple[str, ...]
) -> list[Match]:
    places = dict.fromkeys((country_code(country) or default_country, default_country, *countries))
    plain = _EXTENSION.sub("", unicodedata.normalize("NFKC", text).strip())
    spellings = dict.fromkeys((text, plain, _EXIT_CODE.sub("+", plain)))
    numbers = (number for each in spellings for number in phone_readings(each, *places))
    return [("phone", number) for number in dict.fromkeys(numbers)]


def _addresses(text: str) -> list[Match]:
    written = _AT.sub("@", unquote(text).split("?")[0])  # as in links and against robots
    return [("email", address) for address in found_addresses(text) or found_addresses(written)]


def _has(connection: duckdb.DuckDBPyConnection, schema: str, table: str, column: str) -> bool:
    rows = connection.execute(
        "select 1 from duckdb_columns() where database_name = 'raw' and schema_name = ?"
        " and table_name = ? and column_name = ?",
        [schema, table, column],
    )
    return rows.fetchone() is not None


@cache
def _country_names() -> dict[str, str]:
    rows = csv.DictReader(_COUNTRY_NAMES.read_text("utf-8").splitlines())
    return {folded(row["country_name"]): row["country_code"] for row in rows}
