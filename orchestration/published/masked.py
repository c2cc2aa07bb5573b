"""A copy of the published file for analysts: every table, and nothing that says who somebody is.

Belongs here: what becomes of each class of text, and making the copy. Does not belong here: which
column has which class (`text_classes`), asking the copy (`reader`).

What becomes of a class:
    identifier      its hash under a key of the home's, of a number too: equal values stay equal, so
                    tables join
    birthday        the first day of its year
    url             the host alone
    label, word     as they are, but for a text that has an address or a long number in it: NULL
    key             as it is, but for a text that has an address in it: NULL
    visitor_text    as it is where the shop wrote the same (`known_words`), else NULL: anybody can
                    send what a browser sends
    position        as it is
    all else        NULL; so is a text column that has no class, a number without one whose name
                    says that it identifies, and whatever is neither text, number, truth nor time

Other numbers and times stay, so the copy is about people still, under other names: it belongs to
those who may work with it, and is readable by its owner alone.

Data flow: published.duckdb -> masked.duckdb.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import duckdb

from ingestion.duckdb import connect, literal, name
from orchestration.home.layout import OWNER_ONLY, Home
from orchestration.home.scratch import MASKING, scratch_folder, sweep
from orchestration.home.whole_file import fsync
from orchestration.published.candidate import SCHEMAS
from orchestration.published.files import disk_errors_explained, require_free_disk
from orchestration.published.known_words import is_known, make_known_words
from orchestration.published.reader import not_published
from orchestration.published.text_classes import IDENTIFYING, Classes, read_classes
from orchestration.words.masks import AT, DIGITS

_LENGTH = 32  # of a hash: 128 bits
_ADDRESS = f"(?i){AT}"
_NUMBER = rf"\p{{Nd}}{{{DIGITS},}}"
_BETWEEN = r"[^\p{L}\p{N},;]"  # of the digits of a number
_DATE = r"\b(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])\b"
_HOST = r"^[a-z]+://([^/?#@:]+)(?::[0-9]+)?(?:[/?#]|$)"
_PLAIN = (
    *("BIGINT", "HUGEINT", "UBIGINT", "INTEGER", "SMALLINT", "TINYINT", "DOUBLE", "FLOAT"),
    *("BOOLEAN", "DATE", "TIMESTAMP", "TIME", "DECIMAL"),
)
# The values of traits are of many kinds; these are words of the shop's own goods and of its list.
_TRAITS = (
    "evidence_kind in ('observed', 'inferred') and sensitivity = 'none'"
    " and (trait in ('bought_category', 'bought_brand', 'bought_colour', 'store', 'device_kind',"
    " 'country') or trait in ('viewed_category', 'interest_category', 'interest_topic')"
    f" and {is_known('value')})"
    " or trait = 'birth_year' and regexp_full_match(value, '[0-9]{4}')"
)
_KEPT_WHERE = {("customer_traits", "trait"): _TRAITS, ("customer_traits", "value"): _TRAITS}


def masked_copy(home: Home, key: str) -> Path:
    """The copy of what is published now; made where there is none, or one of another file.

    Args:
        home: the shop's home.
        key: what identifiers are hashed with; the same key, the same hashes.

    Raises:
        RegularsError: nothing is published yet, or the copy cannot be made.
    """
    if not home.published.exists():
        raise not_published(home)
    sweep(home.root, MASKING)
    classes = read_classes()
    origin = _origin(home.published, key, classes)
    if not _is_of(home.masked, origin):
        require_free_disk(home.root, (home.published,))
        with disk_errors_explained(home.root), scratch_folder(home.root, MASKING) as folder:
            _make(home.published, folder / home.masked.name, key, classes, origin)
            (folder / home.masked.name).replace(home.masked)
    return home.masked


def _origin(published: Path, key: str, classes: Classes) -> str:
    """Tells one file, key and set of classes from another."""
    facts = published.stat()
    content = [facts.st_mtime_ns, facts.st_size, facts.st_ino, key, classes]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _is_of(masked: Path, origin: str) -> bool:
    """Whether the copy is there, whole and of this origin."""
    if not masked.exists():
        return False
    try:
        with connect(masked, read_only=True) as connection:
            row = connection.execute("select origin from ops.masked").fetchone()
            return row is not None and row[0] == origin
    except duckdb.Error:
        return False


def _make(published: Path, path: Path, key: str, classes: Classes, origin: str) -> None:
    with connect(path) as connection:
        path.chmod(OWNER_ONLY)
        connection.execute(f"attach {literal(published)} as published (read_only)")
        tables = connection.execute(
            "select schema_name, table_name, comment from duckdb_tables()"
            " where database_name = 'published' and schema_name in ? order by all",
            [list(SCHEMAS)],
        ).fetchall()
        make_known_words(connection)
        for schema, table, description in tables:
            connection.execute(f"create schema if not exists {name(schema)}")
            _copy(connection, schema, table, description, key, classes.get(table, {}))
        connection.execute("create schema if not exists ops")
        connection.execute("create table ops.masked as select ? as origin", [origin])
        connection.execute("detach published")
        connection.execute("checkpoint")
    fsync(path)


def _copy(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    description: str | None,
    key: str,
    classes: Mapping[str, str],
) -> None:
    """One table with its descriptions, in an order that says nothing of the one it was in."""
    columns = connection.execute(
        "select column_name, data_type, comment from duckdb_columns()"
        " where database_name = 'published' and schema_name = ? and table_name = ?"
        " order by column_index",
        [schema, table],
    ).fetchall()
    parts = [
        f"{_masked(table, column, kind, classes.get(column, ''), key)} as {name(column)}"
        for column, kind, _ in columns
    ]
    connection.execute(
        f"create table {name(schema, table)} as select * from (select {', '.join(parts)}"
        f" from published.{name(schema, table)}) row_ order by #1, hash(row_)"
    )
    connection.execute(f"comment on table {name(schema, table)} is {literal(description or '')}")
    for column, _, comment in columns:
        if comment:
            column_name = name(schema, table, column)
            connection.execute(f"comment on column {column_name} is {literal(comment)}")


def _masked(table: str, column: str, kind: str, text_class: str, key: str) -> str:
    """SQL of a column as the copy has it."""
    value = name(column)
    kept = _KEPT_WHERE.get((table, column))
    if kind == "VARCHAR" and kept:
        return f"case when {kept} then {_guarded(value, _ADDRESS, _NUMBER)} end"
    if kind != "VARCHAR":
        return _masked_number(column, kind, text_class, key)
    return {
        "identifier": _hash(value, key),
        "url": f"nullif(regexp_extract({value}, {literal(_HOST)}, 1), '')",
        "label": _guarded(value, _ADDRESS, _NUMBER),
        "word": _guarded(value, _ADDRESS, _NUMBER),
        "key": _guarded(value, _ADDRESS),
        "visitor_text": f"case when {is_known(value)} then {_guarded(value, _ADDRESS)} end",
    }.get(text_class, "null::varchar")


def _masked_number(column: str, kind: str, text_class: str, key: str) -> str:
    """SQL of a column that holds no text; an id of digits alone has the hash of the same text."""
    value = name(column)
    if text_class == "birthday":
        return f"date_trunc('year', {value})::date" if kind == "DATE" else f"null::{kind}"
    if not kind.startswith(_PLAIN) or "[" in kind:
        return "null::varchar"
    if text_class == "identifier":
        return _hash(f"{value}::varchar", key)
    identifies = IDENTIFYING.search(column) and text_class not in ("position", "key")
    return f"null::{kind}" if identifies else value


def _hash(value: str, key: str) -> str:
    """The key stands on both ends, so that nobody can lengthen what was hashed."""
    secret = literal(key)
    return f"left(sha256({secret} || {value} || {secret}), {_LENGTH})"


def _guarded(value: str, *patterns: str) -> str:
    """NULL where one of these stands in it; a day as 2026-11-27 is no number to call."""
    dateless = f"regexp_replace({value}, {literal(_DATE)}, 'x', 'g')"
    digits = f"regexp_replace({dateless}, {literal(_BETWEEN)}, '', 'g')"
    condition = " or ".join(
        f"regexp_matches({digits if pattern == _NUMBER else value}, {literal(pattern)})"
        for pattern in patterns
    )
    return f"case when not ({condition}) then {value} end"
