"""What sqlfluff needs to know of dbt to render our models without dbt (and a minute's wait).

Belongs here: stand-ins for dbt's objects that our macros use. Does not belong here: macros;
sqlfluff reads the real ones from `macros/`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from jinja2 import pass_context
from jinja2.runtime import Context

execute = False
PROJECT = yaml.safe_load((Path(__file__).parent.parent / "dbt_project.yml").read_text("utf-8"))


class Adapter:
    """Stands in for dbt's adapter: a dispatched macro is DuckDB's."""

    @pass_context
    def dispatch(self, context: Context, name: str, _package: str = "") -> Any:
        """The macro `duckdb__name`, or `default__name`."""
        macro = context.resolve_or_missing(f"duckdb__{name}")
        return macro if callable(macro) else context.resolve(f"default__{name}")


class Graph:
    """Stands in for dbt's graph: it has no nodes while linting."""

    nodes: dict[str, Any] = {}  # noqa: RUF012 - a stand-in without instances of its own


adapter = Adapter()
graph = Graph()


def var(name: str, default: Any = None) -> Any:
    """A variable as the project declares it: models do arithmetic with them."""
    return PROJECT["vars"].get(name, default)


def load_relation(_relation: Any) -> None:
    """No table is there while linting."""


def local_md5(text: str) -> str:
    """dbt's hash of a text, which our models only write down."""
    return text


def members(**_arguments: Any) -> str:
    """A segment's SQL: there is nothing of it in the file."""
    return "select customer_id from members"


def _nothing(*_values: Any, **_arguments: Any) -> list[Any]:
    """A condition, or what models read of those of all segments: none while linting."""
    return []


def all_rule_leaves(_rules: Any) -> str:
    """The conditions of all segments as rows."""
    return "select segment, position from conditions_of_segments"


def condition_results(_rules: Any) -> str:
    """The results of all conditions."""
    return "select condition, customer_id from results_of_conditions"


for _path in (Path(__file__).parent.parent / "macros/conditions").glob("*.sql"):
    for _name in re.findall(r"{% macro (\w+)", _path.read_text("utf-8")):
        globals().setdefault(_name, _nothing)
