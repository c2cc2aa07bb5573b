"""What in a piece of SQL Spark would refuse, or take for something else than DuckDB does.

The SQL is read with sqlglot's grammar of Spark, which accepts the names of any function, so a list
says which ones Spark has; and a few rules find what both engines accept and understand differently.

Belongs here: the rules and the list. Does not belong here: how the SQL is had (compile.py), and
which faults are known (exceptions.csv).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

# Functions of Spark 4 that mean there what they mean here, or stand in a `spark__` macro alone.
# Whoever adds one has looked it up in Spark's reference.
_FUNCTIONS = """
    abs aggregate array array_join array_size array_sort assert_true bool_and bool_or cast ceil
    coalesce collect_list collect_set concat_ws conv count date date_add date_format date_trunc
    datediff decimal dense_rank explode first_value floor from_json from_utc_timestamp get
    get_json_object greatest hour inline lag lead least length levenshtein listagg ln lower lpad
    make_date map max max_by md5 min min_by month named_struct nullif nvl2 percent_rank
    percentile_cont percentile_disc position power rank regexp_extract regexp_extract_all
    regexp_replace replace round row_number slice sort_array split split_part sqrt struct substr
    sum timestamp_micros to_date to_json to_timestamp to_unix_timestamp transform translate trim
    try_cast unix_micros upper var_samp xxhash64 year
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
# Words that may stand before a bracket and call nothing
_NO_FUNCTIONS = """
    and as by else except exists filter from group having in join not on or over select then union
    using values when where with
"""
NO_FUNCTIONS = frozenset(_NO_FUNCTIONS.split())
# Types that Spark does not have, or not without a length
_TYPES = """
    blob hugeint int1 int2 int4 int8 json real text time timestamptz ubigint uhugeint uinteger
    usmallint utinyint uuid varchar
"""
TYPES = frozenset(_TYPES.split())
# Nodes of the grammar that DuckDB has alone, or understands in another way
ANOTHER_MEANING: dict[type[exp.Expression], str] = {
    exp.Bracket: "brackets: an index counts from 0 on Spark and a list is made by array()",
    exp.BitwiseXor: "power: ^ is a bitwise xor on Spark",
    exp.Glob: "glob: no operator of Spark's",
    exp.SimilarTo: "similar to: no operator of Spark's",
    exp.Collate: "collate: the names of collations are other ones on Spark",
    exp.JSONExtract: "arrow: -> reads no JSON on Spark",
    exp.TableSample: "sample: rows by chance are others on every engine",
}
# What a bracket after it is an index of; after anything else it begins a list
INDEXED = (TokenType.VAR, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.IDENTIFIER)
# Two words in a row that only DuckDB's grammar has; sqlglot's grammar of Spark takes them too
ONLY_DUCKDB = {
    ("*", "*"): "power: Spark calls it power()",
    (",", "from"): "comma: the last column has none on Spark",
    ("asof", "join"): "asof: no join of Spark's",
    ("at", "time"): "at time zone: no operator of Spark's",
    ("between", "symmetric"): "symmetric: no bounds of Spark's",
    ("positional", "join"): "positional: no join of Spark's",
    ("timestamp", "with"): "type: timestamp with time zone",
}
# What Spark's literals take a backslash for; before anything else it vanishes
ESCAPED = re.compile(r"\\(?:[\\'\"])")


def faults(sql: str) -> list[str]:
    """What is wrong with the SQL on Spark, each once, in order; nothing if it is sound."""
    try:
        tokens = sqlglot.tokenize(sql, read="spark")
        statements = sqlglot.parse(sql, read="spark")
    except SqlglotError as error:
        return [f"grammar: {str(error).splitlines()[0]}"]
    found = {*_words(tokens), *_literals(sql, tokens)}
    for statement in statements:
        found |= set(_shapes(statement)) if statement else set()
    return sorted(found)


def _words(tokens: list[Token]) -> Iterator[str]:
    """Functions and types that Spark does not have."""
    for before, after in pairwise(tokens):
        name = before.text.lower()
        if fault := ONLY_DUCKDB.get((name, after.text.lower())):
            yield fault
        calls = after.text == "(" and before.token_type is not TokenType.STRING
        if calls and re.fullmatch(r"[a-z_]\w*", name) and name not in FUNCTIONS | NO_FUNCTIONS:
            yield f"function: {name}"
        if after.token_type is TokenType.L_BRACKET and before.token_type not in INDEXED:
            yield ANOTHER_MEANING[exp.Bracket]
        if before.text == "*" and after.text.lower() == "exclude":
            yield "exclude: the star's clause is called except on Spark"
    for before, kind, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        is_type = before.text == "::" or (before.text.lower() == "as" and after.text == ")")
        if is_type and kind.text.lower() in TYPES:
            yield f"type: {kind.text.lower()}"


def _literals(sql: str, tokens: list[Token]) -> Iterator[str]:
    """Literals that are written as only DuckDB reads them."""
    for token in tokens:
        if token.token_type is TokenType.STRING:
            raw = sql[token.start : token.end + 1]
            if raw.startswith('"'):
                yield f"quotes: {raw} is a text on Spark, not a name"
            if "\\" in ESCAPED.sub("", raw):
                yield f"backslash: {raw} loses it on Spark"


def _shapes(statement: exp.Expression) -> Iterator[str]:
    """Clauses that Spark refuses, or reads in another way."""
    if isinstance(statement, exp.Command):
        yield f"grammar: {statement.name} is not understood"
    if isinstance(statement, exp.Pivot):
        yield "pivot: no statement of Spark's"
    for call in statement.find_all(exp.RegexpReplace):
        position = call.args.get("position")
        if call.args.get("modifiers") or (position and not position.is_int):
            yield "regexp_replace: the fourth argument is a position on Spark"
    for select in statement.find_all(exp.Select):
        if select.args.get("qualify") and select.args.get("group"):
            yield "qualify: of grouped rows"
    for clause in statement.find_all(exp.With):
        if clause.args.get("recursive") and any(
            union.args.get("distinct")
            for part in clause.expressions
            for union in part.find_all(exp.Union)
        ):
            yield "recursive: a union of distinct rows"
    yield from _meanings(statement)


def _meanings(statement: exp.Expression) -> Iterator[str]:
    """What both engines accept, or the grammar alone, and mean differently."""
    for kind, fault in ANOTHER_MEANING.items():
        if statement.find(kind):
            yield fault
    limits = (limit.args.get("limit_options") for limit in statement.find_all(exp.Limit))
    if any(options and options.args.get("percent") for options in limits):
        yield "percent: no limit of Spark's"
    if any(distinct.args.get("on") for distinct in statement.find_all(exp.Distinct)):
        yield "distinct on: Spark has no such clause"
    if any(star.args.get("replace") for star in statement.find_all(exp.Star)):
        yield "replace: no clause of Spark's star"
    if any(isinstance(order.parent, exp.AggFunc) for order in statement.find_all(exp.Order)):
        yield "order by: within an aggregate's brackets, which Spark does not take"
    for kind in statement.find_all(exp.DataType):
        if kind.this is exp.DataType.Type.DECIMAL and not kind.expressions:
            yield "decimal: without digits it has no decimals on Spark"
