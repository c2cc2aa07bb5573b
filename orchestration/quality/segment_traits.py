"""Which traits of people each segment uses, and whether it may: judged from its own SQL.

Belongs here: what a column says of whom (the seeds `traits` and `trait_columns`), the level that a
segment's words need, and the sentences where a segment asks for more than it may. Does not belong
here: following columns (lineage.py).

What goes out of a segment is `context` and `reason`; `rows` is who is in it, which its destination
learns by its name.

- A figure over all people needs level `segment`; whatever else is of a person, `full`.
- A sensitive trait is refused, in `rows` too. So is what may hold any trait, unless a condition
  (`trait = 'hobby'`, `sensitivity = 'none'`) says which it holds.
- Household ties are inferred: a segment that uses them, in `rows` too, is `full` and has no plain
  context, so that below that level nothing goes out. So is one that uses a row of somebody that
  `customer_id` does not tie to the person of the query's row: it may be another's.

Data flow: compiled SQL of dbt's last build, columns of the warehouse, seeds -> uses and checks.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from ingestion.duckdb import connect, literal
from ingestion.vocabulary import LEVELS
from orchestration.home.layout import Home
from orchestration.published.checks import CheckResult
from orchestration.quality.condition_sql import Expander, compiled_sql
from orchestration.quality.flagged_words import flagged
from orchestration.quality.lineage import ROW, LineageError, Origin, Tables, trace
from orchestration.run.dbt import DBT_PROJECT, SEGMENT, read_manifest, target_path

TABLE = "activity.bridge_segment_traits"
ROWS = "rows"
CONTENT = ("context", "reason")
NONE, OF_ALL, FULL = LEVELS
ANY = "*"  # any trait: which one, only conditions say
SENSITIVE = "sensitive"
UNKNOWN_TRAIT = "personal"  # as customer_traits has it
ITS_ROW = "row"  # that a table has the person at all
KEYS = (ITS_ROW, "customer_id")  # they count where levels are judged, and are no traits
_GIFTS = "buys_gifts_for"  # as sensitive as the occasion is
_BY_IDENTIFIER = {"stg_ops__consent_events"}  # given by an identifier, for whoever has it
HOUSEHOLD = "household"
ANOTHER = "another"  # of whom nothing says that they are the person of the row
_NAMING = ("trait", "sensitivity")
_PAGE = "page_url"
# Of these the page is the product's, and says no more than the product does
_OF_PRODUCTS = {"Product Viewed", "Product Added", "Product Removed"}
_LISTED = 3  # names in a sentence

COMMENT = (
    "One row per segment, part of it and trait of people that the part uses, as found in its SQL.",
    {
        "segment": "The segment, without seg_.",
        "part": "context and reason go out; rows is who is in it.",
        "trait": "The trait: a name of the seed `traits`, else the column's own name.",
        "about": "person; household (ties that are inferred); another (of a row that customer_id"
        " does not tie to the person).",
        "sensitivity": "none, personal or sensitive, by the seed `traits`; others are personal.",
        "level": "The level of a member that it needs: segment where only figures over all people"
        " are used, else full.",
        "columns": "The columns it comes from, JSON.",
    },
)


@dataclass(frozen=True)
class Use:
    """One trait that a part of a segment uses. `columns`: where from, and by way of which CTEs."""

    part: str
    trait: str
    about: str
    sensitivity: str
    level: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Segment:
    """What is judged: name, SQL as built, and what its own file says."""

    name: str
    sql: str | None
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """A segment's uses, and what is wrong with it: sentences, each with what to do.

    `fields`: the names of the context's fields. `meta`: what its own file says.
    """

    segment: str
    uses: tuple[Use, ...]
    faults: tuple[tuple[str, str], ...]
    fields: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


class Meanings:
    """What columns say of whom.

    Args:
        seeds: the folder of `traits.csv`, `trait_columns.csv` and `occasions.csv`.
    """

    def __init__(self, seeds: Path = DBT_PROJECT / "seeds") -> None:
        """Read nothing yet."""
        self._seeds = seeds

    @cached_property
    def sensitivities(self) -> dict[str, str]:
        """By trait, as the seed has it."""
        return {row["trait"]: row["sensitivity"] for row in self._read("traits")}

    @cached_property
    def _columns(self) -> dict[tuple[str, str], tuple[str, str]]:
        return {
            (row["table_name"], row["column_name"]): (row["about"], row["trait"])
            for row in self._read("trait_columns")
        }

    @cached_property
    def _plain_occasions(self) -> frozenset[str]:
        rows = list(self._read("occasions"))
        sensitive = {row["occasion"] for row in rows if row["sensitivity"] == SENSITIVE}
        return frozenset(row["occasion"] for row in rows) - sensitive

    def of(self, origin: Origin) -> Iterator[tuple[str, str, str]]:
        """Of whom a column tells, which trait, and how sensitive it is; nothing for nobody's."""
        schema, _, table = origin.table.partition(".")
        about, trait = self._meaning(schema, table, origin.column)
        if about == "nobody":
            return
        is_tied = origin.is_own or origin.is_of_all or table in _BY_IDENTIFIER
        if about == "person" and not is_tied:
            about = ANOTHER
        kept = dict(origin.kept)
        if origin.column == _PAGE and kept.get("event_name", {ANY}) <= _OF_PRODUCTS:
            trait = _PAGE
        if trait != ANY:
            yield about, trait, self._sensitivity(trait, kept)
            return
        named, classes = (kept.get(column) for column in _NAMING)
        for name in sorted(named or ()):
            yield about, name, self._sensitivity(name, kept)
        if not named:
            harmless = classes is not None and SENSITIVE not in classes
            yield about, ANY, UNKNOWN_TRAIT if harmless else SENSITIVE

    def _meaning(self, schema: str, table: str, column: str) -> tuple[str, str]:
        if schema == "seeds":
            return "nobody", ""
        if schema == "segments":
            return HOUSEHOLD, "segment_membership"
        for key in ((table, column), (table, ANY), (ANY, column)):
            if key in self._columns:
                return self._columns[key]
        return "person", ITS_ROW if column == ROW else column

    def _sensitivity(self, trait: str, kept: Mapping[str, frozenset[str]]) -> str:
        classes = kept.get("sensitivity")
        if classes is not None and SENSITIVE not in classes:
            return max(classes, key=("none", UNKNOWN_TRAIT).index, default=UNKNOWN_TRAIT)
        if trait == _GIFTS:
            occasions = kept.get("occasion") or kept.get("value") or frozenset([ANY])
            return UNKNOWN_TRAIT if occasions <= self._plain_occasions else SENSITIVE
        if trait in self.sensitivities:
            return self.sensitivities[trait]
        return SENSITIVE if self._is_flagged(trait) else UNKNOWN_TRAIT

    def _is_flagged(self, trait: str) -> bool:
        """Whether the shop's own name of a trait has a word of what is sensitive.

        `customer_traits` asks the same of the names that it has.
        """
        words = f" {trait.lower().replace('_', ' ')} "
        own = (name for name, sensitivity in self.sensitivities.items() if sensitivity == SENSITIVE)
        return bool(flagged(trait)) or any(f" {name.replace('_', ' ')} " in words for name in own)

    def _read(self, name: str) -> Iterator[dict[str, str]]:
        with (self._seeds / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def judge(
    segment: Segment,
    tables: Tables,
    meanings: Meanings,
    macros: Iterable[str] = (),
    expander: Expander | None = None,
) -> Judged:
    """The uses of one segment, and what is wrong with it.

    Args:
        segment: what is judged.
        tables: the columns of every table that it may read.
        meanings: what columns say of whom.
        macros: functions that the warehouse has beside the engine's, which may bear the same names.
        expander: puts in the SQL of the conditions and segments that it reads.
    """
    name = segment.name
    if segment.sql is None:
        sentence = f"What the segment {name} uses is not known: its SQL was not kept."
        return Judged(name, (), ((sentence, "Run again."),), (), segment.meta)
    try:
        sql = expander.expand(segment.sql) if expander else segment.sql
        for macro in macros:
            if re.search(rf"\b{re.escape(macro)}\b", sql, re.IGNORECASE):
                raise LineageError(f"it may use the warehouse's own function {macro}")
        lineage = trace(sql, tables)
        missing = [part for part in CONTENT if part not in lineage.columns]
        if missing:
            raise LineageError(f"it has no column {missing[0]}")
        fields = _fields(lineage.expressions["context"])
    except LineageError as error:
        sentence = f"What the segment {name} uses cannot be followed: {error}."
        return Judged(name, (), ((sentence, _FOLLOWED),), (), segment.meta)
    parts = {part: lineage.columns[part] for part in CONTENT}
    # Who is in it and nobody else is told by customer_id
    parts[ROWS] = lineage.rows | lineage.columns.get("customer_id", frozenset())
    uses = tuple(use for part, origins in parts.items() for use in _uses(part, origins, meanings))
    return Judged(name, uses, tuple(_faults(segment, uses)), fields, segment.meta)


_FOLLOWED = (
    "Name each column in models/segments and take it from a model of the project;"
    " docs/permission.md says what can be followed."
)


def _fields(expressions: Iterable[exp.Expr]) -> tuple[str, ...]:
    """The names of a context's fields, those of objects inside it too, as its SQL writes them."""
    names: dict[str, None] = {}
    for expression in expressions:
        named = [
            pair.this
            for pair in expression.find_all(exp.JSONKeyValue, exp.PropertyEQ)
            if not isinstance(pair.parent, exp.Anonymous)
        ]
        if not named and expression.find(exp.Column):
            raise LineageError("its context is no object; make it with json_object_text")
        for each in named:
            if not isinstance(each, exp.Literal | exp.Identifier):
                raise LineageError("a field of its context has no fixed name")
            names[each.name] = None
    return tuple(names)


def _uses(part: str, origins: Iterable[Origin], meanings: Meanings) -> Iterator[Use]:
    origins_by_meaning: dict[tuple[str, str, str], list[Origin]] = {}
    for origin in origins:
        for meaning in meanings.of(origin):
            origins_by_meaning.setdefault(meaning, []).append(origin)
    for (about, trait, sensitivity), those in sorted(origins_by_meaning.items()):
        level = OF_ALL if all(each.is_of_all for each in those) else FULL
        others = (ROW, "customer_id", *_NAMING)
        those.sort(key=lambda each: (each.column in others, each.table, each.column, each.path))
        columns = tuple(dict.fromkeys(_column_words(each) for each in those))
        yield Use(part, trait, about, sensitivity, level, columns)


def _column_words(origin: Origin) -> str:
    steps = [step for step in origin.path if step]
    return f"{origin.table}.{origin.column}" + (f" by way of {', '.join(steps)}" if steps else "")


def _faults(segment: Segment, uses: tuple[Use, ...]) -> Iterator[tuple[str, str]]:
    level = str(segment.meta.get("level") or FULL)
    first = {(use.trait, use.about, use.sensitivity): use for use in reversed(uses)}
    yield from (
        _sensitive(segment.name, use) for use in first.values() if use.sensitivity == SENSITIVE
    )
    if level != FULL or segment.meta.get("plain_context") is not None:
        for about, fault in ((HOUSEHOLD, _of_household), (ANOTHER, _of_another)):
            if tied := [use for use in first.values() if use.about == about]:
                yield fault(segment.name, tied[0])
    above = [use for use in uses if use.part in CONTENT and _is_above(use.level, level)]
    if above:
        needed = max((use.level for use in above), key=LEVELS.index)
        named = [use for use in above if use.level == needed]
        named.sort(key=lambda use: (use.trait in KEYS, len(use.columns[0])))
        yield (
            f"The segment {segment.name} says level {level}, and its {named[0].part} uses"
            f" {_some([use.trait for use in named])} ({named[0].columns[0]}), which needs level"
            f" {needed}.",
            f"Write level: '{needed}', and a plain_context for members of a lower level; or take"
            " it out.",
        )


def _of_household(segment: str, use: Use) -> tuple[str, str]:
    return (
        f"The segment {segment} uses household ties in its {use.part} ({use.columns[0]}); they are"
        " inferred: below level full nothing may use them.",
        "Write level: 'full' and no plain_context, or leave the household out.",
    )


def _of_another(segment: str, use: Use) -> tuple[str, str]:
    return (
        f"The segment {segment} uses in its {use.part} ({use.columns[0]}) a row that customer_id"
        " does not tie to the person, so it may be another's: below level full nothing may use"
        " it.",
        "Join it by customer_id; or write level: 'full' and no plain_context.",
    )


def _sensitive(segment: str, use: Use) -> tuple[str, str]:
    where = f"its {use.part} ({use.columns[0]})"
    if use.trait == ANY:
        return (
            f"The segment {segment} uses in {where} what may be any trait, a sensitive one too.",
            "Say which one, such as `where trait = 'hobby'`, in the query that reads it.",
        )
    return (
        f"The segment {segment} uses the sensitive trait {use.trait} in {where}.",
        "Leave it out. What is sensitive stands in dbt_project/seeds/traits.csv.",
    )


def _is_above(needed: str, level: str) -> bool:
    return level in LEVELS and LEVELS.index(needed) > LEVELS.index(level)


def _some(names: list[str]) -> str:
    names = list(dict.fromkeys(names))
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def judge_segments(home: Home) -> list[Judged]:
    """Every segment of the last build, by name."""
    target = target_path(home)
    compiled = compiled_sql(target / "compiled")
    expander, meanings = Expander(compiled), Meanings()
    with connect(home.warehouse, read_only=True) as connection:
        tables, macros = _tables(connection), _macros(connection)
    judged = []
    for name, meta in read_manifest(target / "manifest.json").segments.items():
        sql = compiled.get(f"{SEGMENT}{name}")
        judged.append(judge(Segment(name, sql, meta), tables, meanings, macros, expander))
    return judged


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    for schema, table, column in connection.execute(
        "select table_schema, table_name, column_name from information_schema.columns"
    ).fetchall():
        tables.setdefault(f"{schema}.{table}", []).append(column)
    return tables


def _macros(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select distinct function_name from duckdb_functions() where not internal order by all"
    ).fetchall()
    return [name for (name,) in rows]


def check_segment_traits(judged: Iterable[Judged]) -> list[CheckResult]:
    """One result per segment; none of them can be released by a person."""
    return [contract("segment_traits", each.segment, each.faults) for each in judged]


def contract(rule: str, segment: str, faults: Sequence[tuple[str, str]]) -> CheckResult:
    """What a rule finds of a segment as a check: its sentences, and what to do, each once."""
    return CheckResult(
        kind="contract",
        name=f"contract.{rule}.{segment}",
        table=f"segments.{SEGMENT}{segment}",
        passed=not faults,
        observed=float(len(faults)),
        sentence=" ".join(dict.fromkeys(sentence for sentence, _ in faults)),
        hint=" ".join(dict.fromkeys(hint for _, hint in faults)),
    )


def add_segment_traits(connection: duckdb.DuckDBPyConnection, judged: Iterable[Judged]) -> None:
    """Write the uses of every segment into an open candidate."""
    description, columns = COMMENT
    rows = [
        {**vars(use), "segment": each.segment, "columns": json.dumps(list(use.columns))}
        for each in judged
        for use in each.uses
        if use.trait not in KEYS
    ]
    shape = pa.schema([(column, pa.string()) for column in columns])
    connection.register("uses", pa.Table.from_pylist(rows, shape))
    connection.execute("create schema if not exists activity")
    connection.execute(f"create table {TABLE} as from uses order by all")
    connection.unregister("uses")
    connection.execute(f"comment on table {TABLE} is {literal(description)}")
    for column, words in columns.items():
        connection.execute(f'comment on column {TABLE}."{column}" is {literal(words)}')
