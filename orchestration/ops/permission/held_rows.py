"""Rows in quarantine, read as well as they can be: a refusal counts however bad the rest of it is.

Belongs here: making a document of a held text, whole files that were refused included, and giving
the documents to the statements of `fact_queries` as tables of the source's own shape. Does not
belong here: what a statement means, and opt-ins: nothing that was held permits anything.

Data flow: `raw_<source>.quarantine` -> `held."<schema>.<table>"` (in memory) -> `consent_facts`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from ingestion.files.csv_records import delimiter_of, is_headless, without_sep_line
from ingestion.files.folder import KEPT_LIMIT, TEXTS, form_of, shop_of
from ingestion.functions.identifiers import match_email
from ingestion.landing.batch import CHUNK
from ingestion.landing.fields import FIRST_DAY, LAST_DAY, TableSpec
from ingestion.landing.json_keys import Pairs, declared_keys, readings
from ingestion.landing.judging import judged_rows, normal
from ingestion.quarantine import held_batches
from ingestion.registry import SOURCES
from orchestration.ops.permission.meanings import DAMAGED
from orchestration.ops.permission.spoken_names import file_reason
from orchestration.ops.permission.status_words import REFUSALS, Meaning, StatusWords

# Sources whose every row is about permission: one that says nothing readable still counts as a no.
_ABOUT_PERMISSION = ("consents", "email")
# Sources with refusals among their rows: one that is no document counts where it has such a word.
_MAY_REFUSE = (*_ABOUT_PERMISSION, "contacts", "messages", "feedback")
_WORD_FIELDS = {
    "consents": "status",
    "email": "event",
    "messages": "event",
    "feedback": "answer",
}
_ADDRESS_FIELDS = {
    "consents": "identifier_value",
    "messages": "identifier_value",
    "feedback": "identifier_value",
    "email": "email",
    "contacts": "email",
}
_BY_TYPE = ("consents", "messages", "feedback")  # whose rows name a person by type and value
_ADDRESS = re.compile(r"[^\s\"'<>()\[\]{},;:|=\\]+@[^\s\"'<>()\[\]{},;:|=\\]+")
_NUMBER = re.compile(r"(?<![\w+])\+?[0-9][0-9 ()./-]{7,20}[0-9](?!\w)")
_CELL = re.compile(r"[,;\t|{}\[\]:\"\n]+")
_BYTE = re.compile(r"(?<!\\)\\x([0-9a-f]{2})")
_MOST_CUTS = 50
_LONGEST = 1_000_000  # characters of a broken document that is still mended
# Of these, what comes before the damage is read, and what comes after it is unknown.
_DAMAGED_FILES = ("truncated_archive", "unreadable_file")


@dataclass(frozen=True)
class Held:
    """A row in quarantine."""

    file: str
    line: int
    text: str
    reason: str = ""


@dataclass(frozen=True)
class Spoken:
    """A refusal found in a text that is no document: whose, and what was said."""

    identifier_type: str
    raw_value: str
    channel: str
    reason: str
    said_in: str | None
    source: str


@dataclass(frozen=True)
class HeldRows:
    """What the held rows came to: tables to ask, refusals found in texts, files not read at all."""

    tables: dict[str, str]
    spoken: list[Spoken]
    unread_files: list[tuple[str, str]]


def read_held_rows(
    connection: duckdb.DuckDBPyConnection,
    tables: set[str],
    words: StatusWords,
    shops: tuple[tuple[str, str], ...] = (),
) -> HeldRows:
    """Make tables of the held rows of new loads, for the raw `tables` that statements ask.

    Args:
        connection: with `raw` attached and `new_loads` registered.
        tables: raw tables by name, such as `raw_email.events`.
        words: what words mean.
        shops: which further shop a file is of, by a pattern of its path.
    """
    connection.execute("create schema held")
    made: dict[str, str] = {}
    spoken: list[Spoken] = []
    unread: list[tuple[str, str]] = []
    for table in sorted(tables):
        source, name = table.removeprefix("raw_").split(".")
        spec = next((spec for spec in SOURCES[source].tables if spec.name == name), None)
        rows = _held(connection, source, name) if spec else []
        if not spec or not rows:
            continue
        documents: list[Held] = []
        for row in rows:
            of_row: list[Spoken] = []
            for each in _lines(row) if row.line == 0 else [row]:
                texts = _documents(spec, source, each, words)
                documents += texts
                if not any(_says(source, json.loads(text.text)) for text in texts):
                    of_row += _spoken(source, each, words)
            spoken += of_row
            if row.line == 0 and _is_unread(row, of_row):
                unread.append((source, row.file))
        made[table] = f'held."{table}"'
        _fill(connection, made[table], spec, documents, shops)
    return HeldRows(made, spoken, unread)


def found_addresses(text: str) -> list[str]:
    """The email addresses in a text, in their matching form."""
    plain = unicodedata.normalize("NFKC", text)
    matched = (match_email(part.strip(".")) for part in _ADDRESS.findall(plain))
    return sorted({address for address in matched if address})


def _is_unread(row: Held, spoken: list[Spoken]) -> bool:
    """Whether refusals in a file that was refused whole may be unknown still."""
    is_cut = len(row.text.encode("utf-8", "replace")) >= KEPT_LIMIT // 2  # UTF-16 is kept as less
    is_silent_note = _is_text(row.file) and not spoken
    return not row.text or row.reason in _DAMAGED_FILES or is_cut or is_silent_note


def _is_text(file: str) -> bool:
    return file.lower().endswith(TEXTS)


def _held(connection: duckdb.DuckDBPyConnection, source: str, table: str) -> list[Held]:
    quarantine = f"raw_{source}.quarantine"
    rows = connection.execute(
        f"""
        select file, line, coalesce(raw_text, ''), coalesce(reason, '') from raw.{quarantine}
        where table_name = ? and _dlt_load_id in (
            select load_id from new_loads where source_table = '{quarantine}')
        order by file, line, quarantine_id
        """,
        [table],
    ).fetchall()
    return [Held(*row) for row in rows]


def _lines(row: Held) -> Iterator[Held]:
    """The rows of a file that was refused whole, as far as its text was kept."""
    text = row.text
    if form_of(row.file)[0] != "csv" and not _is_text(row.file):
        lines = _elements(text) if text.lstrip().startswith("[") else text.splitlines()
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield Held(row.file, number, line.strip())
        return
    rest, separator = without_sep_line(text.encode("utf-8", "replace"))
    text = rest.decode() if separator else text
    delimiter = separator or delimiter_of(text.split("\n", 1)[0])
    reader = csv.reader(io.StringIO(text.replace("\0", "")), delimiter=delimiter)
    # What has no header is a row from its first line on.
    first = tuple(text.split("\n", 1)[0].split(delimiter))
    bare = _is_text(row.file) or is_headless(first)
    try:
        header = [] if bare else next(reader, [])
        for number, values in enumerate(reader, 1 if bare else 2):
            is_row = header and len(values) == len(header)
            cells = _cells(header, values) if is_row else delimiter.join(values)
            yield Held(row.file, number, cells)
    except csv.Error:
        for number, line in enumerate(text.splitlines(), 1):
            if bare or number > 1:
                yield Held(row.file, number, line)


def _cells(header: list[str], values: list[str]) -> str:
    """A row as a document, in which a header that stands twice does so too."""
    pairs = (
        f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in zip(header, values, strict=True)
    )
    return "{" + ", ".join(pairs) + "}"


def _elements(text: str) -> Iterator[str]:
    """The elements of an array, as far as it goes, and then what is left of it."""
    decoder, position = json.JSONDecoder(), text.index("[") + 1
    while position < len(text):
        if text[position] in " \t\r\n,]":
            position += 1
            continue
        try:
            _, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            yield text[position:]
            return
        yield text[position:end]
        position = end


def _documents(spec: TableSpec, source: str, row: Held, words: StatusWords) -> list[Held]:
    """The row as documents that can be read, each naming somebody where the text names anybody."""
    parsed = _parsed(row.text)
    elements = parsed if isinstance(parsed, list) else [parsed]
    documents = []
    declared = declared_keys(spec)
    for element in elements:
        for reading in readings(element, declared) if isinstance(element, dict) else ():
            is_columns = form_of(row.file)[0] in ("csv", "parquet")
            for each in _named(source, _with_status(source, reading, words), row):
                written = {k: _cell(v) for k, v in each.items()} if is_columns else each
                documents.append(Held(row.file, row.line, _written(written)))
    return documents


def _named(source: str, document: dict[str, Any], row: Held) -> list[dict[str, Any]]:
    """The document; with the address from elsewhere in the row where its own field has none."""
    field = _ADDRESS_FIELDS.get(source)
    if field is None:
        return [document]
    names = {normal(str(key)): key for key in document}
    if any(str(document[key] or "").strip() for key in _own_fields(source, names)):
        return [document]
    addresses = found_addresses(row.text)
    if not addresses:
        return [document]
    extra = {names.get("identifiertype", "identifier_type"): "email"} if source in _BY_TYPE else {}
    return [
        {**document, names.get(normal(field), field): address, **extra} for address in addresses
    ]


def _with_status(source: str, document: dict[str, Any], words: StatusWords) -> dict[str, Any]:
    """A row of the consent log; without a status, with what the rest of it says in its place, so
    that its own channel and purpose are ended and no others."""
    if source != "consents" or _says(source, document):
        return document
    written = {name: value for name, value in document.items() if value is not None}
    word, _ = _refusing_word(source, _written(written), words)
    field = next((name for name in document if normal(str(name)) == "status"), "status")
    return {**document, field: word} if word else document


def _says(source: str, document: dict[str, Any]) -> bool:
    """Whether the document says what this source's rows are about, in the field that does."""
    field = _WORD_FIELDS.get(source)
    values = (value for name, value in document.items() if normal(str(name)) == field)
    return field is None or any(str(value or "").strip() for value in values)


def _own_fields(source: str, names: dict[str, str]) -> list[str]:
    if source in _BY_TYPE:
        # Without its type a value says nothing of whose it is.
        wanted = ["identifiervalue"] if "identifiertype" in names else []
    else:
        wanted = ["email"]
        if source == "contacts":
            wanted += ["phone", "loyaltyid", "customerref"]
    return [names[name] for name in wanted if name in names]


def _parsed(text: str) -> Any:
    """The document in a text: as it is, with its broken bytes spelt, or cut short and closed."""
    for attempt in (text, _BYTE.sub(r"\\u00\1", text)):
        try:
            return json.loads(attempt, parse_constant=lambda _: None, object_pairs_hook=Pairs)
        except (ValueError, RecursionError):
            continue
    return _closed(_BYTE.sub(r"\\u00\1", text)) if text.lstrip().startswith("{") else None


def _closed(text: str) -> Any:
    """The document that a text cut short, or broken at its end, begins."""
    for _ in range(_MOST_CUTS if len(text) <= _LONGEST else 0):
        tail = _closing(text)
        if tail is None:
            return None
        for attempt in (text + tail, text.rstrip(" ,:") + tail.lstrip('"')):
            try:
                return json.loads(attempt, parse_constant=lambda _: None, object_pairs_hook=Pairs)
            except (ValueError, RecursionError):
                continue
        cut = text.rfind(",")
        if cut <= 0:
            return None
        text = text[:cut]
    return None


def _closing(text: str) -> str | None:
    """What a document needs to end well; None where it is no document, or too deep for one."""
    stack: list[str] = []
    in_string = escaped = False
    for letter in text:
        if in_string:
            in_string = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            in_string = True
        elif letter in "{[":
            stack.append("}" if letter == "{" else "]")
        elif letter in "}]" and stack:
            stack.pop()
    if len(stack) > _MOST_CUTS:
        return None
    return ('"' if in_string else "") + "".join(reversed(stack))


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, str | dict | list) else str(value)


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, default=str).replace("\\u0000", "")


def _refusing_word(source: str, text: str, words: StatusWords) -> tuple[str, Meaning | None]:
    """The word for no among the cells of a text, with its meaning; of a source that is about
    permission alone, one that says nothing readable is a damaged no. Empty where there is none."""
    cells = [cell for cell in _CELL.split(text) if cell.strip()]
    meanings = [words.meaning(cell) for cell in cells]
    for cell, meaning in zip(cells, meanings, strict=True):
        if meaning in REFUSALS:
            return cell.strip(), meaning
    no = (None, Meaning.NO, *REFUSALS)
    is_plain = any(meaning not in no for meaning in meanings)
    return ("", None) if source not in _ABOUT_PERMISSION or is_plain else (DAMAGED, None)


def _spoken(source: str, row: Held, words: StatusWords) -> list[Spoken]:
    """Refusals in a text that is no document, such as a line with a field too many.

    A file whose name says that who is in it wants no more says so of each line without a word.
    """
    text = row.text
    word, refusal = _refusing_word(source, text, words)
    named = "" if refusal else file_reason(row.file)
    if source not in _MAY_REFUSE or not (word or named):
        return []
    people = [("email", address) for address in found_addresses(text)]
    people = people or [("phone", number) for number in _NUMBER.findall(text)]
    if not people and not (_is_text(row.file) and not refusal):  # a title, a blank line
        people = [("email", "")]
    channel = "*" if source in _BY_TYPE else "email"
    reason = str(refusal) if refusal else named or word
    said_in = None if refusal or named else f"list:{source}"
    return [
        Spoken(kind, value, channel if kind == "email" else "*", reason, said_in, source)
        for kind, value in people
    ]


def _fill(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    spec: TableSpec,
    documents: list[Held],
    shops: tuple[tuple[str, str], ...],
) -> None:
    """A table of the source's own shape; what cannot be read is NULL in it."""
    names = [name for name, _ in spec.stored_columns]
    columns = ", ".join(f'"{name}"' for name in (*names, "_file"))
    rows = [("", spec.name, each.file, each.line, each.text) for each in documents]
    rows.sort(key=lambda row: (form_of(row[2])[0], row[2], row[3]))
    shape = ("", spec.name, "shape.jsonl", 1, "{}")  # one empty document, taken out again below
    of_shops = {shop_of(row[2], shops) for row in rows} | {""}
    begin = f"create table {table} as"
    for shop in sorted(of_shops):
        chosen = [row for row in rows if shop_of(row[2], shops) == shop]
        own = replace(spec, shop=shop)
        for batch in held_batches(chosen if shop else [shape, *chosen]):
            connection.register(CHUNK, batch.table)
            connection.execute(f"{begin} select {columns} from ({judged_rows(own, batch)})")
            begin = f"insert into {table}"
    connection.unregister(CHUNK)
    connection.execute(f"delete from {table} where _file = 'shape.jsonl'")
    times = [name for name, kind in spec.stored_columns if kind == "timestamp"]
    # A moment outside of all time is no moment; an old one would let a later opt-in undo the no.
    for name in times:
        connection.execute(
            f'update {table} set "{name}" = null'
            f" where \"{name}\" < date '{FIRST_DAY}' or \"{name}\" >= date '{LAST_DAY}'"
        )
