"""Text of which only a verdict is kept: what was written is gone before a row is judged.

A column with `reduced` says in SQL what is kept of its text. The verdict takes the text's place in
the batch, so neither the raw table nor quarantine ever holds the text. A record without a usable
form does not say which of its words are the text: there only what cannot be free text is kept.
Where another column says that the text is of a kind that may be kept (`reduced_unless`), it stays.

Belongs here: putting verdicts in place. Does not belong here: any verdict itself (`replies.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from ingestion.duckdb import connect, let, literal, name
from ingestion.landing.batch import CHUNK, RawBatch
from ingestion.landing.fields import Column, TableSpec, json_path
from ingestion.landing.judging import column_indexes

_CELL_ENDS = r"[,;\t|]"
# Ids, addresses, numbers and moments: no blank in it, but a sign or digit that words do not have.
_NO_WORDS = r'^\s*"?([^\s"]*[0-9@_/:][^\s"]*|[0-9:.TZ/+-]+ [0-9:.TZ/+ -]+)"?\s*$'


def is_reduced(spec: TableSpec) -> bool:
    """Whether some column of the table keeps a verdict only."""
    return bool(_columns(spec))


def reduced_rows(spec: TableSpec, batch: RawBatch) -> str:
    """The query over `CHUNK` for the same rows with verdicts in place of texts."""
    if batch.is_json:
        document = "_raw"
        for column in _columns(spec):
            for path in column.paths:
                document = _in_document(column, path, document)
        return f"select * replace ({document} as _raw) from {CHUNK}"
    places = {
        index: column
        for column in _columns(spec)
        for index in column_indexes(spec, column, batch.header or ())
    }
    replaced = ", ".join(
        f"{_kept_or(_says_keep(spec, column, batch), cell, _verdict(column, cell))} as {cell}"
        for cell, column in ((name(f"c{index}"), column) for index, column in places.items())
    )
    return f"select * {f'replace ({replaced})' if replaced else ''} from {CHUNK}"


def reduced_text(spec: TableSpec, text: str) -> str:
    """SQL: a record without a usable form, or a whole file, without its free text.

    Args:
        spec: the table it was meant for.
        text: SQL for the record as written.
    """
    document = text
    for column in _columns(spec):
        for path in column.paths:
            document = _in_broken_document(column, path, document)
    words = {w for c in spec.columns for w in (*c.paths, *c.allowed)}
    listed = ", ".join(literal(word) for word in sorted(words))
    (first, *_) = _columns(spec)
    cell = (
        f"case when regexp_matches(cell, {literal(_NO_WORDS)}) "
        f"or lower(trim(cell, ' \"')) in ({listed}) then cell "
        f"else {_verdict(first, 'cell')} end"
    )
    cells = f"regexp_split_to_array(line, {literal(_CELL_ENDS)})"
    # One file has one separator, so a line that is kept gets the same as the others.
    kept = _line_keeps(first, cells)
    cell = _kept_or(kept, "cell", cell)
    line = f"array_to_string(list_transform({cells}, lambda cell: {cell}), ',')"
    lines = f"list_transform(string_split({text}, chr(10)), lambda line: {line})"
    is_json = f"regexp_matches({text}, '^\\s*[{{\\[]')"
    reduced = f"case when {is_json} then {document} else array_to_string({lines}, chr(10)) end"
    return f"case when {_document_keeps(first, text)} then {text} else {reduced} end"


def reduced_documents(spec: TableSpec, documents: Sequence[str]) -> list[str]:
    """JSON documents with verdicts in place of texts, for what is kept before any row is judged."""
    if not is_reduced(spec) or not documents:
        return list(documents)
    batch = RawBatch(pa.table({"_raw": pa.array(documents, pa.large_string())}))
    with connect() as session:
        session.register(CHUNK, batch.table)
        return [str(row[0]) for row in session.execute(reduced_rows(spec, batch)).fetchall()]


def _columns(spec: TableSpec) -> list[Column]:
    return [column for column in spec.columns if column.reduced]


def _verdict(column: Column, text: str) -> str:
    return f"({column.reduced.replace('{v}', text)})"


def _kept_or(keeps: str, text: str, verdict: str) -> str:
    return f"case when {keeps} then {text} else {verdict} end"


def _words(column: Column) -> str:
    return ", ".join(literal(word) for word in column.reduced_unless[1])


def _says_keep(spec: TableSpec, column: Column, batch: RawBatch) -> str:
    """SQL: whether the row's own word says that its text may be kept."""
    by, words = column.reduced_unless
    deciding = [each for each in spec.columns if each.name == by and words]
    places = [i for each in deciding for i in column_indexes(spec, each, batch.header or ())]
    conditions = [f"lower(trim({name(f'c{index}')})) in ({_words(column)})" for index in places]
    return f"coalesce({' and '.join(conditions)}, false)" if conditions else "false"


def _document_keeps(column: Column, text: str) -> str:
    """SQL: whether whatever the text of one document or more says of kinds lets all be kept."""
    by, words = column.reduced_unless
    if not words:
        return "false"
    named = rf'"{by}"\s*:'
    allowed = rf'(?i){named}\s*"\s*({"|".join(words)})\s*"'
    count = "len(regexp_extract_all({text}, {pattern}))"
    every = count.format(text=text, pattern=literal(rf"(?i){named}"))
    plain = count.format(text=text, pattern=literal(allowed))
    return f"({every} > 0 and {every} = {plain})"


def _line_keeps(column: Column, cells: str) -> str:
    """SQL: whether a cell of the line has a word that lets its text be kept."""
    if not column.reduced_unless[1]:
        return "false"
    plain = f"list_transform({cells}, lambda word: lower(trim(word, ' \"')))"
    return f"list_has_any({plain}, [{_words(column)}])"


def _in_document(column: Column, path: str, document: str) -> str:
    """SQL: the document with the verdict at the path, whether or not it is sound."""
    text = f"json_extract_string(d, {literal(json_path(path))})"
    patched = (
        f"json_merge_patch(d, json_object({literal(path)}, {_verdict(column, text)}))::varchar"
    )
    is_sound = "json_valid(d) and starts_with(ltrim(d), '{')"
    broken = _in_broken_document(column, path, "d")
    whole = (
        f"case when not contains(d, {literal(path)}) or {_document_keeps(column, 'd')} then d "
        f"when {is_sound} then case when {text} is null then d else {patched} end "
        f"else {broken} end"
    )
    return let("d", document, whole)


def _in_broken_document(column: Column, path: str, document: str) -> str:
    """SQL: a text that is no document, with the verdict on what follows the field's name.

    Where that is no text and no number, nobody knows where it ends: what follows is left out.
    """
    field = literal(rf'"{path}"\s*:\s*')
    value = r"""regexp_extract(part, '^("(\\.|[^"\\])*("|$)|[^",{\[}\]]+)')"""
    rest = f"case when {value} = '' then '' else substr(part, length({value}) + 1) end"
    written = f"'\"{path}\":\"' || {_verdict(column, value)} || '\"' || {rest}"
    parts = f"regexp_split_to_array({document}, {field})"
    replaced = f"list_transform({parts}[2:], lambda part: {written})"
    return f"{parts}[1] || coalesce(array_to_string({replaced}, ''), '')"
