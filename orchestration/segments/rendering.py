"""The dbt project's macros and models as SQL, by Jinja alone.

Belongs here: a Jinja environment that knows of dbt what conditions and segments use. Does not
belong here: what is rendered, running it.

Files are rendered in Jinja's sandbox: they reach the project's macros, its variables and the names
of tables, and neither files nor processes nor Python's objects.

Data flow: dbt_project/macros, models and the settings' variables -> SQL.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache, partial
from pathlib import Path
from types import CodeType
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from jinja2 import Template, TemplateError, UndefinedError, nodes
from jinja2.parser import Parser
from jinja2.runtime import Undefined
from jinja2.sandbox import SandboxedEnvironment

from ingestion.config import REPOSITORY
from orchestration.words.rfm_groups import group_names

DBT_PROJECT = REPOSITORY / "dbt_project"
CONDITIONS = DBT_PROJECT / "macros/conditions"
SEGMENT = "seg_"  # what the models of segments begin with
_NAME = "regulars"
_PREFIX = "macro__"
# Of dbt's own language: models never call them
_FOR_DBT_ALONE = {"materializations.sql"}
_MACRO = re.compile(r"\{%-? macro (\w+)\(")
_UNDEFINED = re.compile(r"'(\w+)' is undefined")


class SegmentFaultError(Exception):
    """What is wrong with a file, as one sentence that names it."""


class _Return(Exception):  # noqa: N818 - dbt's way of returning a value
    def __init__(self, value: Any) -> None:
        self.value = value


class _MacroParser(Parser):
    """Keeps macros apart from their names, so that they call each other by way of `return`."""

    def parse_macro(self) -> nodes.Macro:
        node = super().parse_macro()
        node.name = _PREFIX + node.name
        return node


class _Environment(SandboxedEnvironment):
    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return _MacroParser(self, source, name, filename).parse()


def _environment() -> _Environment:
    return _Environment(extensions=["jinja2.ext.do"], autoescape=False)


@lru_cache(maxsize=512)
def _code_of(text: str) -> CodeType:
    """A text compiled; of every project alike, so that one process compiles it once."""
    return _environment().compile(text)


class _Macros:
    """The project's macros by name, as dbt's `context` and `adapter.dispatch` find them."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._macros: dict[str, Callable[..., Any]] = {}

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self._macros[name]

    def add(self, name: str, macro: Callable[..., Any]) -> None:
        self._macros[name] = macro

    def items(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        return iter(self._macros.items())

    def dispatch(self, name: str, _package: str = "") -> Callable[..., Any]:
        return self._macros.get(f"{self._engine}__{name}") or self._macros[f"default__{name}"]


class _Dbt:
    """dbt's own macros that the project uses; DuckDB's forms."""

    @staticmethod
    def is_incremental() -> bool:
        return False

    @staticmethod
    def type_string() -> str:
        return "varchar"

    @staticmethod
    def datediff(first: str, second: str, unit: str) -> str:
        return f"date_diff('{unit}', {first}, {second})"

    @staticmethod
    def dateadd(unit: str, interval: Any, moment: str) -> str:
        return f"date_add({moment}, interval ({interval}) {unit})"


class _DbtOnSpark(_Dbt):
    """The same; Spark's forms, of days alone."""

    @staticmethod
    def type_string() -> str:
        return "string"

    @staticmethod
    def datediff(first: str, second: str, unit: str) -> str:  # noqa: ARG004
        return f"datediff({second}, {first})"

    @staticmethod
    def dateadd(unit: str, interval: Any, moment: str) -> str:  # noqa: ARG004
        return f"date_add({moment}, {interval})"


_DBT = {"duckdb": _Dbt, "spark": _DbtOnSpark}


class _Modules:
    """Of Python's modules, what macros reckon with days by."""

    class datetime:  # noqa: N801 - as dbt calls it
        datetime = datetime
        timedelta = timedelta


class _Exceptions:
    @staticmethod
    def raise_compiler_error(words: str) -> None:
        raise SegmentFaultError(words)


class Project:
    """The macros of the project, ready to render its files.

    Args:
        variables: the settings' variables, as dbt gets them; the project's own are the defaults.
        as_of: the moment of the run whose tables are read; UTC.
        tables: the SQL name of each table that may be read, by model; of a source's table by
            `schema.table`. Without it any may be.
        engine: duckdb or spark.
    """

    def __init__(
        self,
        variables: Mapping[str, Any],
        as_of: datetime,
        tables: Mapping[str, str] | None = None,
        engine: str = "duckdb",
    ) -> None:
        """Find every macro of the project."""
        project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text("utf-8"))
        self._variables = {
            **project["vars"],
            "rfm_groups": group_names(),
            **variables,
        }
        self._tables = tables
        self._meta: dict[str, Any] = {}
        self._model = {"name": ""}
        self._macros = _Macros(engine)
        self._dbt = _DBT[engine]
        self.nodes: dict[str, Any] = {}
        self._environment = _environment()
        self._environment.globals |= self._known_to_macros()
        for path in sorted((DBT_PROJECT / "macros").rglob("*.sql")):
            if path.name not in _FOR_DBT_ALONE:
                self._index(path)
        day = as_of.replace(tzinfo=UTC).astimezone(ZoneInfo(self._variables["shop_timezone"]))
        self._macros.add("as_of", lambda: f"timestamp '{as_of:%Y-%m-%d %H:%M:%S.%f}'")
        self._macros.add("as_of_date_text", lambda: day.strftime("%Y-%m-%d"))
        self._environment.globals |= dict(self._macros.items())

    def render(self, model: str, text: str) -> tuple[str, dict[str, Any]]:
        """A model's SQL, and the meta that its calls of `config` say.

        Args:
            model: its name, which sentences about it give.
            text: the file's.

        Raises:
            SegmentFaultError: it says something that a macro refuses, or is no template.
        """
        self._meta = {}
        self._model["name"] = model
        where = self._where()
        try:
            return self._template(text).render(), self._meta
        except UndefinedError as error:
            raise SegmentFaultError(f"{where}: {_undefined(str(error))}") from error
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            words = str(error).partition("\n")[0].rstrip(".")
            raise SegmentFaultError(
                f"{where}{f', line {line}' if line else ''}: {words}"
            ) from error
        except (TypeError, ValueError, KeyError, ArithmeticError, AttributeError) as error:
            raise SegmentFaultError(
                f"{where} cannot be rendered ({type(error).__name__})"
            ) from error
        except (RecursionError, MemoryError) as error:
            raise SegmentFaultError(f"{where} asks for too much") from error

    def render_file(self, path: Path) -> str:
        """The SQL of one of the project's own models."""
        return self.render(path.stem, path.read_text("utf-8"))[0]

    def call(self, macro: str, *arguments: Any) -> Any:
        """What one of the project's macros returns."""
        return self._macros[macro](*arguments)

    def variable(self, name: str) -> Any:
        """What the settings say of a variable, else the project."""
        return self._var(name)

    def checked_meta(self, segment: str, meta: Mapping[str, Any]) -> dict[str, Any]:
        """What a segment's file says of itself, judged.

        Raises:
            SegmentFaultError: it says nothing, or a word that there is not.
        """
        words: dict[str, Any] = meta.get("segment") or {}
        self.call("check_segment", segment, words)
        for time in ("delay", "not_after"):
            self.call("minutes_of", segment, words.get(time))
        return words

    def _index(self, path: Path) -> None:
        """Make the macros of a file callable; it is compiled when one of them first is."""
        text = path.read_text("utf-8")
        compiled = cache(partial(self._compiled, text))
        for name in _MACRO.findall(text):
            self._macros.add(name, _called(compiled, _PREFIX + name))

    def _compiled(self, text: str) -> Any:
        # Shared, so that the macros of one file find those of all others
        return self._template(text).make_module(self._environment.globals, True)

    def _template(self, text: str) -> Template:
        environment = self._environment
        return Template.from_code(environment, _code_of(text), environment.globals)

    def _known_to_macros(self) -> dict[str, Any]:
        return {
            "adapter": self._macros,
            "config": self._config,
            "context": self._macros,
            "dbt": self._dbt,
            "exceptions": _Exceptions,
            "execute": True,
            "graph": self,
            "model": self._model,
            "modules": _Modules,
            "project_name": _NAME,
            "ref": self._ref,
            "return": _return,
            "source": lambda schema, name: self._ref(f"{schema}.{name}"),
            "this": None,
            "tojson": _tojson,
            "var": self._var,
        }

    def _where(self) -> str:
        return f"models/segments/{self._model['name']}.sql"

    def _config(self, **settings: Any) -> str:
        self._meta |= settings.get("meta", {})
        return ""

    def _var(self, name: str, *default: Any) -> Any:
        if name not in self._variables and not default:
            raise SegmentFaultError(
                f"{self._where()}: there is no variable {_quoted(name)}"
                f"{_nearest(name, self._variables)}"
            )
        return self._variables.get(name, *default)

    def _ref(self, name: str) -> str:
        if self._tables is None:
            return f'"{name}"'
        if name not in self._tables:
            models = {path.stem for path in (DBT_PROJECT / "models/marts").rglob("*.sql")}
            raise SegmentFaultError(
                f"{self._where()}: {_quoted(name)} is "
                + (
                    "not in the published file, which is of an earlier version: run once"
                    if name in models
                    else f"no published table{_nearest(name, self._tables)}"
                )
            )
        return self._tables[name]


def condition_names() -> list[str]:
    """The conditions there are: macros of the folder that judge their own arguments."""
    called = re.compile(r"condition_arguments\('(\w+)'")
    texts = [path.read_text("utf-8") for path in CONDITIONS.glob("*.sql")]
    return sorted({name for text in texts for name in called.findall(text)})


def _called(module: Callable[[], Any], name: str) -> Callable[..., Any]:
    """A macro as it is called: what it returns, else its text."""

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return getattr(module(), name)(*arguments, **named)
        except _Return as returned:
            return returned.value

    return call


def _return(value: Any) -> None:
    raise _Return(value)


def _tojson(value: Any, default: Any = None) -> Any:
    if isinstance(value, Undefined):
        return default
    return json.dumps(value)


def _undefined(words: str) -> str:
    named = _UNDEFINED.search(words)
    if named is None:
        return words.rstrip(".")
    return f"there is no {named[1]}{_nearest(named[1], condition_names())}"


def _nearest(word: str, words: Any) -> str:
    near = difflib.get_close_matches(str(word), list(words), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _quoted(name: Any) -> str:
    return json.dumps(str(name)[:40])
