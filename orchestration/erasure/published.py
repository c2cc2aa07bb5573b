"""The published file and its Parquet copies without one person.

Belongs here: which published rows go, and the rename that puts the new file in the old one's place.
Does not belong here: publishing a run (`published`); the next run builds every table anew.

Orders and their lines stay, without their customer: the shop's totals rest on them. Every other row
that names the person goes. Where another row's text names them, that text is empty. What is looked
for in a column follows from its class: a login may be one of our own words, so words and keys are
never touched, labels and other identifiers only where an address or a full number is in them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pyarrow as pa

from ingestion.duckdb import connect, literal, name
from orchestration.erasure.texts import Texts
from orchestration.home.layout import OWNER_ONLY, Home
from orchestration.home.whole_file import fsync
from orchestration.ops.tombstones import Erasable
from orchestration.published.candidate import table_facts
from orchestration.published.files import remove, remove_database
from orchestration.published.swap import PARTIAL, clear_half_built, versions_dir
from orchestration.published.text_classes import Classes, read_classes

STAYING = ("marts.fct_orders", "marts.fct_order_lines")
# What of those says whose they were, beside the customer.
_EMPTIED = frozenset(
    {"customer_id", "customer_order_number", "landing_site", "referring_site", "discount_code"}
)
_PAIRS = (
    ("identifier_type", "identifier_value"),
    ("identifier_a_type", "identifier_a_value"),
    ("identifier_b_type", "identifier_b_value"),
)
# Classes of texts that are our own words, or say nothing: a forgotten login may be one of them.
_OUR_OWN = frozenset({"word", "key", "secret", "position", "birthday"})
# In these an address or a full number is told, in every other class and in a column without one
# whatever can be told within a text.
_WITH_ADDRESSES = frozenset({"label", "identifier"})
# Columns that hold identifiers of one type or say of which; SQL of the type.
_TYPED = {
    **{kind: literal(kind) for kind in ("email", "phone", "loyalty_id")},
    **{"device_id": literal("device"), "login_id": literal("login"), "address": "address_type"},
}


def rewrite_published(home: Home, subject: Erasable) -> dict[str, int]:
    """Write the published file and its copies anew without the person; rows taken, by table."""
    remove_database(home.candidate)
    clear_half_built(home)
    if not home.published.exists():
        return {}
    beside = home.published.with_name(f"{home.published.name}{PARTIAL}")
    remove_database(beside)
    with connect() as connection:
        connection.execute(f"attach {literal(home.published)} as old (read_only)")
        connection.execute(f"attach {literal(beside)} as new")
        connection.execute("copy from database old to new (schema)")
        _register(connection, subject)
        texts, classes = Texts.of(subject), read_classes()
        taken = {
            f"{schema}.{table}": rows
            for schema, table in _tables(connection)
            if (rows := _copy(connection, schema, table, texts, classes))
        }
        _describe_anew(connection)
        connection.execute("checkpoint new")
        version = home.published_dir.resolve()
        copies = _copies(connection, home, version, texts)
        connection.execute("detach old")
        connection.execute("detach new")
    beside.chmod(OWNER_ONLY)
    fsync(beside)
    beside.replace(home.published)
    Path(f"{home.published}.wal").unlink(missing_ok=True)
    fsync(home.root)
    _replace_copies(home, version, copies)
    return taken


def _register(connection: duckdb.DuckDBPyConnection, subject: Erasable) -> None:
    connection.register("subject_ids", pa.table({"id": pa.array(subject.ids, pa.string())}))
    kinds, values = zip(*subject.keys, strict=True) if subject.keys else ((), ())
    columns = {"kind": pa.array(kinds, pa.string()), "value": pa.array(values, pa.string())}
    connection.register("subject_keys", pa.table(columns))


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'old'"
        " order by all"
    ).fetchall()
    return [(str(schema), str(table)) for schema, table in rows]


def _copy(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, texts: Texts, classes: Classes
) -> int:
    """Copy a table's rows but for the person's; how many went or lost their person."""
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() where database_name = 'old'"
        " and schema_name = ? and table_name = ? order by column_index",
        [schema, table],
    ).fetchall()
    names = [column for column, _ in columns]
    theirs = _whose(columns)
    stays = f"{schema}.{table}" in STAYING
    held = classes.get(table, {})
    named = {
        column: _naming(column, held.get(column, ""), texts, names)
        for column, kind in columns
        if kind == "VARCHAR"
    }
    kept = [_kept(column, named.get(column, ""), theirs, stays=stays) for column in names]
    old, new = name("old", schema, table), name("new", schema, table)
    rest = "" if stays else f" where not coalesce({theirs}, false)"
    connection.execute(
        f"insert into {new} ({', '.join(map(name, names))}) select {', '.join(kept)} from {old}"
        + rest
    )
    row = connection.execute(f"select count(*) from {old} where {theirs}").fetchone()
    return int(row[0]) if row else 0


def _whose(columns: list[tuple[str, str]]) -> str:
    """Which rows name the person: by an id in any column, or by an identifier with its type."""
    ids, keys = "select id from subject_ids", "select (kind, value) from subject_keys"
    texts = [column for column, kind in columns if kind == "VARCHAR"]
    parts = [f"{name(column)} in ({ids})" for column in texts]
    parts += [
        f"({name(kind)}, {name(value)}) in ({keys})"
        for kind, value in _PAIRS
        if {kind, value} <= set(texts)
    ]
    return "(" + (" or ".join(f"coalesce({part}, false)" for part in parts) or "false") + ")"


def _kept(column: str, named: str, theirs: str, *, stays: bool) -> str:
    """SQL for a column of a row that stays."""
    quoted = name(column)
    empty = theirs if stays and column in _EMPTIED else named
    return f"case when {empty} then null else {quoted} end as {quoted}" if empty else quoted


def _naming(column: str, text_class: str, texts: Texts, names: list[str]) -> str:
    """SQL: whether a text of somebody else's row names the person; empty where it never does."""
    if text_class in _OUR_OWN:
        return ""
    parts, kind = [], _TYPED.get(column, "")
    sought = texts.addresses if text_class in _WITH_ADDRESSES else texts
    if sought.values:
        parts.append(f"regexp_matches({name(column)}, {literal(sought.pattern)})")
    if text_class == "identifier" and kind and (kind in names or kind.startswith("'")):
        parts.append(f"({kind}, {name(column)}) in (select (kind, value) from subject_keys)")
    return " or ".join(parts)


def _describe_anew(connection: duckdb.DuckDBPyConnection) -> None:
    """What the file says of its own tables is said of those it has now; its build stays named."""
    for schema, table in _tables(connection):
        if schema == "ops" and table in ("build", "build_tables"):
            continue
        facts = table_facts(connection, schema, table, "new")
        connection.execute(
            "update new.ops.build_tables set row_count = ?, digest = ? where table_name = ?",
            [facts.rows, facts.digest, facts.full_name],
        )


def _copies(
    connection: duckdb.DuckDBPyConnection, home: Home, version: Path, texts: Texts
) -> Path | None:
    """The Parquet copies of the new file, in a folder aside; None where there are none."""
    if not version.is_dir() or version.parent != versions_dir(home).resolve():
        return None
    partial = version.with_name(f"{version.name}{PARTIAL}")
    remove(partial)
    partial.mkdir(mode=0o700)
    for path in sorted(version.iterdir()):
        schema, _, table = path.stem.partition(".")
        copy = partial / path.name
        if path.suffix == ".parquet":
            connection.execute(
                f"copy {name('new', schema, table)} to {literal(copy)} (format parquet,"
                " compression zstd)"
            )
            copy.chmod(OWNER_ONLY)
        elif path.is_file() and not texts.are_in_file(path):
            shutil.copy2(path, copy)  # the report, where it shows nothing of the person
    return partial


def _replace_copies(home: Home, version: Path, copies: Path | None) -> None:
    """The new copies in the place of the old, and nothing of earlier versions."""
    if copies is not None:
        remove(version)
        copies.rename(version)
    folder = versions_dir(home)
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.resolve() != version:
            remove(path)
