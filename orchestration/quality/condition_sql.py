"""The SQL of a segment with what it reads by way of conditions and of other segments in it.

A segment reads `int_condition_results` by the key of a condition, and `seg_<name>` of others. Who
is in it follows from what those read, so it is judged with their SQL in their place.

Belongs here: putting that SQL in. Pure. Does not belong here: following columns (lineage.py), what
they say of whom (segment_traits.py).

Data flow: compiled SQL of dbt's last build -> SQL over tables that hold facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from orchestration.quality.lineage import LineageError
from orchestration.run.dbt import SEGMENT

RESULTS = "int_condition_results"
_KEY = "condition"


def compiled_sql(compiled: Path) -> dict[str, str]:
    """The SQL of dbt's last build by model: of every segment, and of the conditions' results.

    Args:
        compiled: dbt's folder `target/compiled`.
    """
    files = [
        *compiled.glob(f"*/models/segments/{SEGMENT}*.sql"),
        *compiled.glob(f"*/models/intermediate/**/{RESULTS}.sql"),
    ]
    return {path.stem: path.read_text("utf-8") for path in files}


class Expander:
    """Puts the SQL of conditions and segments in the place of their tables.

    Args:
        compiled: the SQL by model, as `compiled_sql` has it.
    """

    def __init__(self, compiled: Mapping[str, str]) -> None:
        """Read nothing yet."""
        self._compiled = compiled
        self._conditions: dict[str, exp.Query] | None = None

    def expand(self, sql: str) -> str:
        """The SQL without tables of conditions and of segments; others are as they were.

        Raises:
            LineageError: it reads conditions without naming one, or what it reads is not known.
        """
        try:
            tree = self._expanded(parse_one(sql, read="duckdb"), ())
        except SqlglotError as error:
            raise LineageError(str(error).partition("\n")[0].rstrip(". ")) from error
        return tree.sql(dialect="duckdb")

    def _expanded(self, tree: exp.Expr, within: tuple[str, ...]) -> exp.Expr:
        for table in list(tree.find_all(exp.Table)):
            if table.name == RESULTS:
                _replace(table, self._condition(_key_of(table)).copy())
            elif table.db == "segments" and table.name.startswith(SEGMENT):
                if table.name in within:
                    raise LineageError(f"it is a condition of itself by way of {table.name}")
                if table.name not in self._compiled:
                    raise LineageError(f"the SQL of {table.name} was not kept")
                inner = parse_one(self._compiled[table.name], read="duckdb")
                _replace(table, self._expanded(inner, (*within, table.name)))
        return tree

    def _condition(self, key: str) -> exp.Query:
        if self._conditions is None:
            tree = parse_one(self._compiled.get(RESULTS, "select 1"), read="duckdb")
            self._conditions = {
                branch.selects[0].this.name: branch
                for cte in tree.find_all(exp.CTE)
                if cte.alias == "results"
                for branch in _branches(cte.this)
                if isinstance(branch.selects[0], exp.Alias)
            }
        if key not in self._conditions:
            raise LineageError(f"the SQL of the condition {key} was not kept")
        return self._conditions[key]


def _branches(query: exp.Expr) -> Iterator[exp.Query]:
    """The SELECTs of a union, however deep."""
    waiting = [query]
    while waiting:
        each = waiting.pop()
        if isinstance(each, exp.Union):
            waiting += [each.this, each.expression]
        elif isinstance(each, exp.Query):
            yield each


def _key_of(table: exp.Table) -> str:
    """The condition that a SELECT from the results names; it must name one alone."""
    select = table.find_ancestor(exp.Select)
    where = select.args.get("where") if select else None
    named = where.this if where else None
    if isinstance(named, exp.EQ) and named.this.name == _KEY and named.expression.is_string:
        return str(named.expression.name)
    raise LineageError("it reads the results of conditions and does not name one alone")


def _replace(table: exp.Table, query: exp.Expr) -> None:
    alias = table.alias or table.name
    table.replace(exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(alias))))
