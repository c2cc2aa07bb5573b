"""Text of which only a verdict is kept: what was written is gone before a row is judged.

A column with `reduced` says in SQL what is kept of its text. The verdict takes the text's place in
the batch, so neither the raw table nor quarantine ever holds the text. A record without a usable
form does not say which of its words are the text: there only what cannot be free text is kept.

Belongs here: putting verdicts in place. Does not belong here: any verdict itself (`sources/`).
"""

from __future__ import annotations

from ingestion.duckdb import let, literal, name
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
        f"{_verdict(column, name(f'c{index}'))} as {name(f'c{index}')}"
        for index, column in places.items()
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
    line = f"array_to_string(list_transform({cells}, lambda cell: {cell}), ',')"
    lines = f"list_transform(string_split({text}, chr(10)), lambda line: {line})"
    is_json = f"regexp_matches({text}, '^\\s*[{{\\[]')"
    return f"case when {is_json} then {document} else array_to_string({lines}, chr(10)) end"


def _columns(spec: TableSpec) -> list[Column]:
    return [column for column in spec.columns if column.reduced]


def _verdict(column: Column, text: str) -> str:
    return f"({column.reduced.replace('{v}', text)})"


def _in_document(column: Column, path: str, document: str) -> str:
    """SQL: the document with the verdict at the path, whether or not it is sound."""
    text = f"json_extract_string(d, {literal(json_path(path))})"
    patched = (
        f"json_merge_patch(d, json_object({literal(path)}, {_verdict(column, text)}))::varchar"
    )
    is_sound = "json_valid(d) and starts_with(ltrim(d), '{')"
    broken = _in_broken_document(column, path, "d")
    whole = (
        f"case when not contains(d, {literal(path)}) then d "
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
