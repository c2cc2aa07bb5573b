"""The SQL that reads a batch of text as a table: text per column, types, first problem, row id.

Belongs here: composing `fields.py`'s expressions for the two forms of a batch (JSON documents,
header and columns). Does not belong here: running it (`steps.py`), counting.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from ingestion.duckdb import literal, name
from ingestion.landing.batch import CHUNK, RawBatch
from ingestion.landing.fields import (
    Column,
    TableSpec,
    content_id,
    cut_columns,
    cut_name,
    cut_short,
    day_columns,
    emptied_name,
    json_path,
    left_empty,
    possible_moment,
    problems,
    shop_expression,
    stored_expression,
    text_name,
    two_days,
    two_days_name,
    typed_expression,
    unreadable,
)
from ingestion.landing.numbers import NumberForm

# DuckDB accepts NaN, Infinity and trailing commas in JSON; other engines do not, so we do not.
SUSPICIOUS = r"(?i)[:,\[]\s*-?(nan|inf)|,\s*[}\]]"
LOOKED_AT = 10_000
STRINGS = r'"(\\.|[^"\\])*"'


def judged_rows(spec: TableSpec, batch: RawBatch) -> str:
    """The query over `CHUNK` that gives typed columns, `_problem` and `_row_id`.

    Beside them stands a flag per optional column (`emptied_name`) that says that its value could
    not be read and was left empty.
    """
    spec = replace(spec, columns=tuple(_with_form(column, batch) for column in spec.columns))
    texts = _json_texts(spec) if batch.is_json else _column_texts(spec, batch.header or ())
    form = f"{_json_form(spec)} as _form" if batch.is_json else "null as _raw, null as _form"
    typed = ", ".join(
        f"{typed_expression(column)} as {name(column.name)}" for column in spec.columns
    )
    derived = "".join(f", {sql} as {name(added)}" for added, _, sql in spec.derived)
    stored = ", ".join(stored_expression(spec, kept) for kept, _ in spec.stored_columns)
    checks = unreadable(spec, batch.is_json)
    flags = "".join(f", {check} as {emptied_name(field)}" for field, check in checks.items())
    optional = [column for column in spec.columns if column.name in checks]
    emptied = ", ".join(f"{left_empty(c)} as {name(c.name)}" for c in optional)
    replaced = f"* replace ({emptied})" if emptied else "*"
    emptied_names = "".join(f", {emptied_name(field)}" for field in checks)
    cut = "".join(f", {cut_short(c)} as {cut_name(c.name)}" for c in cut_columns(spec))
    undecided = "".join(f", {two_days(c)} as {two_days_name(c.name)}" for c in day_columns(spec))
    extract = _json_extraction(spec) if batch.is_json else ""
    return f"""
        with formed as (select *, {form} from {CHUNK}),
        parsed as (select *{extract} from formed),
        texts as (select _file, _line, _raw, _form, {texts} from parsed),
        typed as (select *, {typed} from texts),
        flagged as (select *{flags} from typed),
        usable as (select {replaced}, {shop_expression(spec)} as _shop from flagged),
        judged as (
            select *{derived},
                case when _form is not null then [_form, ''] else {problems(spec, batch.is_json)}
                end as _problem,
                {content_id(spec)} as _row_id
            from usable
        )
        select {stored}, _file, _line, _row_id, _problem{emptied_names}{cut}{undecided} from judged
    """


def _with_form(column: Column, batch: RawBatch) -> Column:
    """The column with the way its numbers and days are written in this batch."""
    default: NumberForm = "json" if batch.is_json else "own"
    return replace(
        column,
        number_form=dict(batch.forms).get(column.name) or column.number_form or default,
        day_order=dict(batch.day_orders).get(column.name) or column.day_order,
    )


def _json_form(spec: TableSpec) -> str:
    """SQL for what is wrong with a document as such."""
    # Which of two statuses holds nobody can say.
    repeated = f"when {_has_repeated_key(spec)} then 'duplicate_key'" if spec.may_refuse else ""
    bare = f"regexp_replace(_raw, {literal(STRINGS)}, '\"\"', 'g')"
    return f"""
        case when not json_valid(_raw) then 'bad_json'
        when regexp_matches(_raw, {literal(SUSPICIOUS)})
            and regexp_matches({bare}, {literal(SUSPICIOUS)}) then 'bad_json'
        when not starts_with(ltrim(_raw), '{{') then 'not_an_object'
        when contains(_raw, '\\u0000') and regexp_matches(_raw, '(^|[^\\\\])(\\\\\\\\)*\\\\u0000')
            then 'nul_character'
        {repeated}
        end
    """


def _has_repeated_key(spec: TableSpec) -> str:
    """SQL: whether a declared key stands in the document twice, however it is spelt."""
    names = ", ".join(literal(normal(key)) for key in sorted(_top_level(spec)))
    plain = "lambda key: regexp_replace(lower(key), '[\\s_.-]', '', 'g')"
    own = f"list_filter(list_transform(json_keys(_raw), {plain}), lambda key: key in ({names}))"
    return f"len({own}) > len(list_distinct({own}))"


def _json_extraction(spec: TableSpec) -> str:
    """Two lists per document, of texts and of JSON values: it is parsed twice, not per column."""
    texts, jsons = _paths(spec)
    lists = ""
    if texts:
        lists += (
            f", case when _form is null then json_extract_string(_raw, {_list(texts)}) end as _v"
        )
    if jsons:
        lists += f", case when _form is null then json_extract(_raw, {_list(jsons)}) end as _j"
    return lists


def _paths(spec: TableSpec) -> tuple[list[str], list[str]]:
    texts: dict[str, None] = {}
    jsons: dict[str, None] = {}
    for column in spec.columns:
        chosen = jsons if column.type == "json" else texts
        chosen.update(dict.fromkeys(column.paths))
    return list(texts), list(jsons)


def _list(paths: list[str]) -> str:
    return "[" + ", ".join(literal(json_path(path)) for path in paths) + "]"


def _json_texts(spec: TableSpec) -> str:
    texts, jsons = _paths(spec)
    parts = []
    for column in spec.columns:
        if column.type == "json":
            expressions = [
                f"nullif(_j[{jsons.index(path) + 1}]::varchar, 'null')" for path in column.paths
            ]
        else:
            expressions = [f"nullif(_v[{texts.index(path) + 1}], '')" for path in column.paths]
        parts.append(_text(column, expressions))
    if spec.attributes:
        forget = ", ".join(f'"{key}": null' for key in sorted(_top_level(spec)))
        unknown = f"json_merge_patch(_raw, {literal('{' + forget + '}')})::varchar"
        kept = f"case when _form is null then nullif({unknown}, '{{}}') end"
        parts.append(f"{kept} as {name(spec.attributes)}")
    return ", ".join(parts)


def _column_texts(spec: TableSpec, header: tuple[str, ...]) -> str:
    parts = []
    for column in spec.columns:
        expressions = [f"nullif(c{index}, '')" for index in column_indexes(spec, column, header)]
        parts.append(_text(column, expressions))
    if spec.attributes:
        known = known_indexes(spec, header)
        unknown = [index for index in range(len(header)) if index not in known]
        pairs = ", ".join(f"{literal(header[i])}, nullif(c{i}, '')" for i in unknown)
        patch = f"json_merge_patch('{{}}', json_object({pairs}))::varchar"
        kept = f"nullif({patch}, '{{}}')" if unknown else "null::varchar"
        parts.append(f"{kept} as {name(spec.attributes)}")
    return ", ".join(parts)


def _text(column: Column, expressions: list[str]) -> str:
    if column.constant:
        text = literal(column.constant)
    elif not expressions:
        text = "null::varchar"
    else:
        if column.first_readable and len(expressions) > 1:
            possible = [
                f"case when {possible_moment(column, one)} then {one} end" for one in expressions
            ]
            expressions = possible + expressions
        text = expressions[0] if len(expressions) == 1 else f"coalesce({', '.join(expressions)})"
        text = column.transform.replace("{v}", text)
    if column.fallback:
        text = f"coalesce(nullif(trim({text}), ''), {literal(column.fallback)})"
    return f"{text} as {text_name(column)}"


@lru_cache(maxsize=65_536)
def normal(name: str) -> str:
    """A header name without case and punctuation: `Order ID` and `order_id` are one."""
    return re.sub(r"[\s_\-.]", "", name).lower()


def column_indexes(spec: TableSpec, column: Column, header: tuple[str, ...]) -> list[int]:
    """Where a column's values stand in a header, the first source first, then its aliases.

    Names are the same but for case, blanks and punctuation; a mapping's are exact where they are
    there so. A header that stands twice counts twice.
    """
    indexes: list[int] = []
    for path in column.paths:
        exact = [index for index, name in enumerate(header) if name == path]
        alike = [index for index, name in enumerate(header) if normal(name) == normal(path)]
        indexes += [i for i in (exact if exact and spec.is_mapped else alike) if i not in indexes]
    if not indexes:
        names = {normal(alias) for alias in column.aliases}
        indexes = [index for index, name in enumerate(header) if normal(name) in names][:1]
    return indexes


def known_indexes(spec: TableSpec, header: tuple[str, ...]) -> set[int]:
    """Which columns of a header feed some column."""
    return {i for column in spec.columns for i in column_indexes(spec, column, header)}


def _top_level(spec: TableSpec) -> set[str]:
    return {path.split(".")[0] for column in spec.columns for path in column.paths}


def unknown_columns(connection: Any, spec: TableSpec, batch: RawBatch) -> set[str]:
    """Names in the batch that no declared column reads (and no attributes column keeps)."""
    if spec.attributes:
        return set()
    if batch.header is not None:
        indexes = known_indexes(spec, batch.header)
        return {name for index, name in enumerate(batch.header) if index not in indexes}
    known = _top_level(spec)
    if "$" in known:
        return set()
    # The first rows say it: an export names its fields alike.
    rows = connection.execute(
        "select distinct unnest(json_keys(case when json_valid(_raw) then _raw end)) "
        f"from (from {CHUNK} limit {LOOKED_AT})"
    ).fetchall()
    return {name for (name,) in rows} - known
