"""Our macros as either engine's SQL, without dbt; Spark's is run on DuckDB by way of sqlglot.

sqlglot reads Spark's form by Spark's rules (a backslash in a literal is an escape, `regexp_replace`
replaces every match) and writes what DuckDB says for it. That shows that the form says what is
meant; how Spark's own functions work is not seen.

Belongs here: rendering and running one macro. Does not belong here: the answers that are expected.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlglot
from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from ingestion.config import REPOSITORY

MACROS = REPOSITORY / "dbt_project/macros"
# Of the engine's own, all but what only dbt can render
FILES = (
    *("aggregates", "components", "hashing", "json", "lists", "text", "text_list", "time"),
    "windows",
)
ENGINES = ("duckdb", "spark")
# What Java's regular expressions write otherwise than RE2's
RE2 = {r"\p{IsArabic}": r"\p{Arabic}", "'$1$4'": r"'\1\4'"}


class _Adapter:
    """Stands in for dbt's adapter of an engine."""

    def __init__(self, engine: str) -> None:
        self.engine = engine

    @pass_context
    def dispatch(self, context: Context, name: str, _package: str) -> Any:
        """The engine's form of a macro, as dbt would choose it."""
        macro = context.resolve_or_missing(f"{self.engine}__{name}")
        return macro if callable(macro) else context.resolve(f"default__{name}")


@cache
def _macros() -> str:
    paths = [MACROS / f"engine/{name}.sql" for name in FILES]
    paths += [MACROS / "identity.sql", MACROS / "households.sql", MACROS / "marts.sql"]
    return "".join(path.read_text("utf-8") for path in paths)


def sql_of(engine: str, call: str) -> str:
    """What a call of a macro, written as in a model, is in an engine's SQL."""
    environment = Environment(extensions=["jinja2.ext.do"])
    environment.globals["adapter"] = _Adapter(engine)
    environment.globals["return"] = lambda value: value
    return environment.from_string(f"{_macros()}\n{call}").render().strip()


def for_duckdb(engine: str, sql: str) -> str:
    """The statement as DuckDB runs it, whichever engine it was written for."""
    if engine == "duckdb":
        return sql
    (written,) = sqlglot.transpile(sql, read=engine, write="duckdb")
    for java, re2 in RE2.items():
        written = written.replace(java, re2)
    return written
