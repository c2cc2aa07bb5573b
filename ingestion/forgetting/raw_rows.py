"""Finding and taking out the raw rows of people who are forgotten.

Belongs here: the search through the raw store, quarantine included, and the new file that deleted
bytes do not reach. Does not belong here: what is declared of a table (`whose`), who is forgotten.

Deleting a row leaves its bytes in the file, so the file is written anew afterwards. That it has to
be is noted in the same transaction as the deletions: a kill in between is made up for by the next
call.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from ingestion.duckdb import connect, has_table, literal, name
from ingestion.forgetting.documents import without_person
from ingestion.forgetting.forms import is_plain, keyed
from ingestion.forgetting.hidden import DIGEST, RUN, decoded, digests_in
from ingestion.forgetting.mentions import (
    DIALLED,
    HAS_MENTION,
    MENTION,
    decoded_link,
    is_figure,
    meanings,
    unwrapped,
)
from ingestion.forgetting.whose import PERSONAL, SCOPED, PersonalTable
from ingestion.functions.identifiers import match_identifier, phone_readings
from ingestion.landing.fields import BOOKKEEPING
from ingestion.landing.raw_tables import QUARANTINE_TABLE, STOPPED_TABLE
from ingestion.vocabulary import IDENTIFIER_TYPES

Key = tuple[str, str]
Forgotten = Callable[[Collection[Key]], set[Key]]

# In the raw store while it holds bytes of rows that were deleted.
PENDING = "_to_be_rewritten"
_RUNS = 100_000  # that are looked at together
_WORDS = re.compile(r"[\"\t,;|\r\n]+")
_DIALLED = re.compile(rf"(?<![0-9A-Za-z_+.-])(?:{DIALLED})\b")
_SPLIT = re.compile(f"({_WORDS.pattern})")
_TYPES = tuple(kind for kind in IDENTIFIER_TYPES if kind not in ("email", "phone"))


def take_out(
    raw: Path, is_forgotten: Forgotten, country: str, *, rewrite: bool = False
) -> Counter[str]:
    """Take every row of forgotten people out of the raw store; how many of which table.

    Args:
        raw: the raw store; nothing else may have it open.
        is_forgotten: which of these identifiers are somebody's who is forgotten.
        country: by which phone numbers are read that say none.
        rewrite: write the file anew even where no row was found.
    """
    if not raw.exists():
        return Counter()
    with connect(raw) as connection:
        connection.execute("set timezone = 'UTC'")
        tables = _tables(connection)
        counts = Counter[str]()
        connection.execute("begin")
        for schema, table in tables:
            personal = PERSONAL.get((schema.removeprefix("raw_"), table))
            if personal:
                counts += _owned(connection, schema, table, personal, is_forgotten, country)
            if table in (QUARANTINE_TABLE, STOPPED_TABLE):
                counts += _held(connection, schema, table, is_forgotten, country)
            elif not table.startswith("_"):
                counts += _mentioned(connection, schema, table, is_forgotten, country)
        if counts:
            connection.execute(f"create table if not exists main.{PENDING} (since varchar)")
        connection.execute("commit")
        pending = has_table(connection, "main", PENDING)
    if rewrite or pending:
        rewrite_database(raw, drop=f"main.{PENDING}")
    return counts


def rewrite_database(path: Path, *, drop: str = "") -> None:
    """Write a DuckDB file anew with what it holds and without what it held.

    The new file takes the old one's place by one rename; its log goes with it.
    """
    beside = path.with_name(f"{path.name}.rewritten")
    for left in (beside, Path(f"{beside}.wal")):
        left.unlink(missing_ok=True)
    with connect() as connection:
        connection.execute(f"attach {literal(path)} as old")
        connection.execute("checkpoint old")
        connection.execute(f"attach {literal(beside)} as new")
        connection.execute("copy from database old to new")
        if drop:
            connection.execute(f"drop table if exists new.{drop}")
        connection.execute("checkpoint new")
        connection.execute("detach old")
        connection.execute("detach new")
    beside.chmod(0o600)
    _to_disk(beside)
    beside.replace(path)
    Path(f"{path}.wal").unlink(missing_ok=True)
    _to_disk(path.parent)


def candidates(kind: str, value: str, *countries: str | None) -> set[Key]:
    """The identifiers that a text may be, as they are compared."""
    if kind == "phone":
        written = dict.fromkeys((value, unwrapped(value)))
        return {(kind, number) for form in written for number in phone_readings(form, *countries)}
    form = match_identifier(kind, value, None)
    if kind == "email" and not form:
        form = match_identifier(kind, unwrapped(value), None)
    return {(kind, form)} if form else set()


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where schema_name like 'raw!_%'"
        " escape '!' and schema_name not like '%!_staging' escape '!' order by all"
    ).fetchall()
    return [(str(schema), str(table)) for schema, table in rows]


def _columns(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    rows = connection.execute(
        "select column_name, data_type from duckdb_columns()"
        " where schema_name = ? and table_name = ? order by column_index",
        [schema, table],
    ).fetchall()
    return dict(rows)


def _owned(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    personal: PersonalTable,
    is_forgotten: Forgotten,
    country: str,
) -> Counter[str]:
    """Rows that name a forgotten identifier: gone, or without their person."""
    there = _columns(connection, schema, table)
    relation = name(schema, table)
    # What an older version loaded was of one shop, and is so until a run adds the column.
    scope = "" if "id_scope" in there else SCOPED
    places = [(literal(kind), value.removeprefix(scope)) for kind, value in personal.identifiers]
    places += list(personal.typed)
    parts = [
        f"select _row_id, {kind} as kind, {value} as value, {personal.country} as country"
        f" from {relation}"
        for kind, value in places
        if _says(connection, relation, f"{kind}, {value}, {personal.country}")
    ]
    if not parts or "_row_id" not in there:
        return Counter()
    connection.execute(
        "create or replace temp table named as select _row_id, lower(trim(kind)) as kind,"
        f" trim(value) as value, trim(country) as country from ({' union all '.join(parts)})"
        " where nullif(trim(value), '') is not null"
    )
    written = connection.execute("select distinct kind, value, country from named").fetchall()
    possible = {row: candidates(row[0], row[1], row[2], country) for row in written}
    gone = is_forgotten({key for keys in possible.values() for key in keys})
    hits = [row for row, keys in possible.items() if keys & gone]
    if not hits:
        return Counter()
    _register(connection, "hits", ("kind", "value", "country"), hits)
    connection.execute(
        "create or replace temp table theirs as select distinct _row_id from named join hits"
        " on named.kind = hits.kind and named.value = hits.value"
        " and named.country is not distinct from hits.country"
    )
    if personal.together:
        connection.execute(
            f"insert into theirs select _row_id from {relation} where {personal.together} in ("
            f"select {personal.together} from {relation} where _row_id in (from theirs))"
            " and _row_id not in (from theirs)"
        )
    label = f"{schema}.{table}"
    if not personal.stays:
        return Counter(
            {label: _count(connection, f"delete from {relation} where _row_id in (from theirs)")}
        )
    emptied = [column for column in personal.emptied if column in there]
    done = 0
    if emptied:
        is_filled = " or ".join(f"{column} is not null" for column in emptied)
        nulls = ", ".join(f"{column} = null" for column in emptied)
        done = _count(
            connection,
            f"update {relation} set {nulls} where ({is_filled}) and _row_id in (from theirs)",
        )
    if personal.document:
        gone_texts = {value for _, value, _ in hits}
        done = _emptied_documents(connection, relation, personal.document, gone_texts)
    return Counter({f"{label} (kept without the person)": done} if done else {})


def _emptied_documents(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, gone: set[str]
) -> int:
    rows = connection.execute(
        f"select _row_id, {column} from {relation} where _row_id in (from theirs)"
    ).fetchall()
    changed = [
        (row_id, after)
        for row_id, text in rows
        if (after := without_person(text, gone.__contains__)) != text
    ]
    return _put(connection, relation, column, changed)


def _mentioned(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    is_forgotten: Forgotten,
    country: str,
) -> Counter[str]:
    """Other people's rows in which a forgotten address or number stands: there it is left empty."""
    there = _columns(connection, schema, table)
    keeping = {column for column, _ in BOOKKEEPING} | {"_dlt_load_id"}
    relation, done = name(schema, table), 0
    if "_row_id" not in there:
        return Counter()
    for column, kind in there.items():
        if kind != "VARCHAR" or column in keeping:
            continue
        quoted = name(column)
        texts = connection.execute(
            f"select distinct unnest(regexp_extract_all({quoted}, {literal(MENTION)}))"
            f" from {relation} where regexp_matches({quoted}, {literal(HAS_MENTION)})"
        ).fetchall()
        gone = _gone_mentions({text for (text,) in texts}, is_forgotten, country)
        gone |= _dialled(connection, relation, quoted, is_forgotten, country)
        gone |= _hiding(connection, relation, quoted, is_forgotten, country)
        if not gone:
            continue
        _register(connection, "gone", ("text",), [(text,) for text in gone])
        rows = connection.execute(
            f"select _row_id, {quoted} from {relation} where exists ("
            f"select 1 from gone where contains({quoted}, gone.text))"
        ).fetchall()
        changed = [(row_id, left) for row_id, text in rows if (left := _blank(text, gone)) != text]
        done += _put(connection, relation, column, changed)
    return Counter({f"{schema}.{table} (mentions emptied)": done} if done else {})


def _dialled(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    is_forgotten: Forgotten,
    country: str,
) -> set[str]:
    """Forgotten phone numbers with signs in them, or as they are dialled in the shop's country."""
    pattern = literal(rf"(?:^|[^0-9A-Za-z_+.-])({DIALLED})\b")
    texts = connection.execute(
        f"select distinct unnest(regexp_extract_all({column}, {pattern}, 1)) from {relation}"
    )
    gone: set[str] = set()
    while some := texts.fetchmany(_RUNS):
        possible = {
            text: candidates("phone", text, country) for (text,) in some if not is_figure(text)
        }
        keys = is_forgotten({key for keys in possible.values() for key in keys})
        gone |= {text for text, meant in possible.items() if meant & keys}
    return gone


def _hiding(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    is_forgotten: Forgotten,
    country: str,
) -> set[str]:
    """Runs of characters that are a forgotten identifier's hash or base64; ids alone are left out.

    What stands alone in a column and is somebody's is an identifier of theirs.
    """
    texts = connection.execute(
        f"select distinct unnest(regexp_extract_all({column}, {literal(RUN)})) from {relation}"
        f" where length({column}) > 16 and not regexp_full_match({column}, '[0-9A-Za-z_-]*')"
    )
    gone: set[str] = set()
    while some := texts.fetchmany(_RUNS):
        gone |= gone_runs((run for (run,) in some), is_forgotten, country)
    return gone


def gone_runs(runs: Iterable[str], is_forgotten: Forgotten, country: str) -> set[str]:
    """Those of the runs that hide somebody who is forgotten."""
    possible = {run: keys for run in runs if (keys := _hidden(run, country))}
    gone = is_forgotten({key for keys in possible.values() for key in keys}) if possible else set()
    return {run for run, keys in possible.items() if keys & gone}


def _hidden(run: str, country: str) -> set[Key]:
    keys = {(DIGEST, digest) for digest in digests_in(run)}
    for text in decoded(run):
        for mention in re.findall(MENTION, text):
            keys |= _mentions(mention, country)
    return keys


def _held(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    is_forgotten: Forgotten,
    country: str,
) -> Counter[str]:
    """Rows put aside: one row's text goes whole; of a whole file's text only what names them."""
    relation = name(schema, table)
    rows = connection.execute(
        f"select quarantine_id, line, raw_text from {relation} where raw_text is not null"
    ).fetchall()
    words = {row[0]: _words(row[2]) for row in rows}
    runs = {row[0]: set(re.findall(RUN, row[2])) for row in rows}
    texts = set().union(*words.values())
    gone = gone_texts(texts, is_forgotten, country) | _gone_mentions(texts, is_forgotten, country)
    hiding = gone_runs(set().union(*runs.values()), is_forgotten, country)
    named = {row[0]: words[row[0]] & gone | runs[row[0]] & hiding for row in rows}
    theirs = [row for row in rows if named[row[0]]]
    if not theirs:
        return Counter()
    _register(connection, "gone_rows", ("id",), [(row[0],) for row in theirs if row[1]])
    done = _count(
        connection, f"delete from {relation} where quarantine_id in (select id from gone_rows)"
    )
    # A plain word stands in a whole file for other things too, as in the refusals of others.
    whole = [
        (row[0], _blank(row[2], {each for each in named[row[0]] if not is_plain(each)} | hiding))
        for row in theirs
        if not row[1]
    ]
    done += _put(connection, relation, "raw_text", whole, key="quarantine_id")
    return Counter({f"{schema}.{table}": done})


def _words(text: str) -> set[str]:
    """What a text that has no usable form says of people, piece by piece."""
    pieces = {piece.strip() for piece in _WORDS.split(text)}
    candidates = {piece for piece in pieces if not is_plain(piece)}
    return candidates | keyed(text) | set(re.findall(MENTION, text)) | set(_DIALLED.findall(text))


def gone_texts(texts: Iterable[str], is_forgotten: Forgotten, country: str) -> set[str]:
    """Those of the texts that are, as a whole, an identifier of somebody who is forgotten."""
    return _meaning_them(
        {text: _any_kind((text, decoded_link(text)), country) for text in texts}, is_forgotten
    )


def _gone_mentions(texts: Iterable[str], is_forgotten: Forgotten, country: str) -> set[str]:
    """Those of what the pattern of mentions found that name somebody who is forgotten."""
    return _meaning_them({text: _mentions(text, country) for text in texts}, is_forgotten)


def _meaning_them(possible: Mapping[str, set[Key]], is_forgotten: Forgotten) -> set[str]:
    gone = is_forgotten({key for keys in possible.values() for key in keys})
    return {text for text, keys in possible.items() if keys & gone}


def _mentions(text: str, country: str) -> set[Key]:
    is_one = re.fullmatch(MENTION, text) is not None
    return _any_kind((text, *meanings(text)), country) if is_one else set()


def _any_kind(written: Iterable[str], country: str) -> set[Key]:
    forms = set(written)
    if any("@" in form for form in forms):
        kinds = ("email", "login")
        return {key for form in forms for kind in kinds for key in candidates(kind, form)}
    keys = {key for kind in _TYPES for form in forms for key in candidates(kind, form)}
    return keys | {key for form in forms for key in candidates("phone", form, country)}


def _blank(text: str, gone: Collection[str]) -> str:
    """The text without these pieces, each as a whole: an address may be a part of another."""
    for pattern in (MENTION, RUN, _DIALLED):
        text = re.sub(pattern, lambda match: "" if match[0] in gone else match[0], text)
    return "".join("" if part.strip() in gone else part for part in _SPLIT.split(text))


def _says(connection: duckdb.DuckDBPyConnection, relation: str, expressions: str) -> bool:
    """Whether the table has the columns; one that an older version wrote may lack some."""
    try:
        connection.execute(f"select {expressions} from {relation} limit 0")
    except duckdb.BinderException:
        return False
    return True


def _put(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    rows: Collection[tuple[str, str]],
    key: str = "_row_id",
) -> int:
    if not rows:
        return 0
    _register(connection, "put", ("id", "text"), rows)
    return _count(
        connection,
        f"update {relation} as kept set {name(column)} = put.text from put where kept.{key} = id",
    )


def _register(
    connection: duckdb.DuckDBPyConnection,
    view: str,
    columns: tuple[str, ...],
    rows: Collection[tuple[str | None, ...]],
) -> None:
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [pa.array(list(each), pa.string()) for each in values]
    connection.register(view, pa.table(dict(zip(columns, arrays, strict=True))))


def _count(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
