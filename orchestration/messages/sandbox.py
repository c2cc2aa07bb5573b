"""The sandbox in which a shop's templates become text.

Belongs here: what a template may say, and rendering one. Does not belong here: which variables
there are for whom (`compose`) and where templates lie (`templates`).

A template is text with variables, conditions and a few filters: no loop, no call, no assignment, no
other file. So its work is bounded by its length. What is not on the list of allowed parts is
refused when the template is read, before any person's data are near; a variable that a person does
not have ends the rendering. The values of people are only ever values: nothing of them is compiled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType, SimpleNamespace
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2 import nodes as parts
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ingestion.errors import RegularsError, UsageError

CONTEXT = "context"
MAX_SOURCE = 4_000  # characters of a template
MAX_VALUE = 500  # characters of one value; what is longer is cut
MAX_TEXT = 8_000  # characters of what is rendered
FILTERS = ("capitalize", "default", "lower", "round", "title", "trim", "truncate", "upper")
TESTS = ("defined", "undefined", "equalto", "eq", "ne", "lt", "le", "gt", "ge")
_ALLOWED = (
    *(parts.Template, parts.Output, parts.TemplateData, parts.Name, parts.Const, parts.Getattr),
    *(parts.If, parts.CondExpr, parts.Compare, parts.Operand, parts.And, parts.Or, parts.Not),
    *(parts.Filter, parts.Test, parts.Keyword, parts.Concat),
)
_WORDS: Mapping[type[parts.Node], str] = {
    parts.For: "a loop",
    parts.Call: "a call",
    parts.Getitem: "an index; write context.name",
    parts.Include: "another file",
    parts.Import: "another file",
    parts.FromImport: "another file",
    parts.Extends: "another file",
    parts.Macro: "a macro",
    parts.Assign: "an assignment",
}


class MissingError(RegularsError):
    """A template uses what the person does not have, or may not be told."""

    def __init__(self, name: str) -> None:
        """Name the variable; never a value."""
        self.name = name
        super().__init__(f"The template uses {name}, which is not there.", "Give it a default.")


class _Missing(StrictUndefined):
    """A variable that is not there: it may be asked about, and not used."""

    def _fail_with_undefined_error(self, *_: Any, **__: Any) -> Any:
        name = str(self._undefined_name)
        raise MissingError(name if self._is_top else f"{CONTEXT}.{name}")

    @property
    def _is_top(self) -> bool:
        return not isinstance(self._undefined_obj, SimpleNamespace)

    __str__ = __iter__ = __len__ = __bool__ = _fail_with_undefined_error
    __eq__ = __ne__ = __hash__ = _fail_with_undefined_error


def check_source(source: str, known: frozenset[str], where: str) -> frozenset[str]:
    """The variables of a template (`context.name` for those of the context), once it is allowed.

    Args:
        source: the template.
        known: the variables there are, beside those of the context.
        where: its file, for sentences.

    Raises:
        UsageError: it is too long, cannot be read, or uses what no template may.
    """
    if len(source) > MAX_SOURCE:
        raise UsageError(
            f"{where} has {len(source):,} characters; a template has {MAX_SOURCE:,} at most.",
            "Shorten it.",
        )
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise UsageError(
            f"{where} cannot be read: {error.message} (line {error.lineno}).", "Mend that line."
        ) from None
    used = frozenset(_variables(tree, where))
    if unknown := sorted(name for name in used if "." not in name and name not in known):
        raise UsageError(
            f"{where} uses `{unknown[0]}`, which no message knows.",
            f"Use {', '.join(sorted(known))} or context.NAME.",
        )
    _compiled(source, where)
    return used


def render(
    source: str,
    values: Mapping[str, Any],
    context: Mapping[str, Any],
    marks: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The text of a template that was checked.

    Args:
        source: the template.
        values: the variables; one that is None is not there.
        context: those of the segment's context.
        marks: signs of ours that stand for what is put in later; no value can have a sign that is
            not printable.

    Raises:
        MissingError: it uses what is not there.
        RegularsError: the text would be longer than any message, or cannot be made.
    """
    own = {name: kept for name, value in values.items() if (kept := _plain(value)) is not None}
    inner = {name: kept for name, value in context.items() if (kept := _plain(value)) is not None}
    try:
        text = _compiled(source, "The template").render(
            **own, **marks, context=SimpleNamespace(**inner)
        )
    except UndefinedError as error:
        raise MissingError(CONTEXT) from error
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise RegularsError(
            f"The template cannot be rendered ({type(error).__name__}).", "Mend it."
        ) from None
    if len(text) > MAX_TEXT:
        raise RegularsError("The template makes a text longer than any message.", "Shorten it.")
    return text


def one_line(text: str) -> str:
    """A value as text of one line: no break, no control and no direction sign within it."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _plain(value: Any) -> str | int | float | Decimal | bool | None:
    """A value as a template gets it: a number, or one line of text; nothing else goes in."""
    if isinstance(value, str):
        return one_line(value)[:MAX_VALUE] or None
    return value if isinstance(value, bool | int | float | Decimal) else None


def _written(value: Any) -> Any:
    """What is put into the text; the whole context is nothing to put there."""
    if isinstance(value, str | int | float | Decimal | StrictUndefined):
        return value
    raise TypeError


def _variables(tree: parts.Template, where: str) -> Iterator[str]:
    for node, parent in _walk(tree, None):
        if not isinstance(node, _ALLOWED):
            raise _refused(where, _WORDS.get(type(node), type(node).__name__.lower()), node)
        if isinstance(node, parts.Filter) and node.name not in FILTERS:
            raise _refused(where, f"the filter {node.name}", node)
        if isinstance(node, parts.Test) and node.name not in TESTS:
            raise _refused(where, f"the test {node.name}", node)
        if isinstance(node, parts.Getattr):
            is_of_context = isinstance(node.node, parts.Name) and node.node.name == CONTEXT
            if not is_of_context or node.attr.startswith("_"):
                raise _refused(where, f"`.{node.attr}` of something else than context", node)
            yield f"{CONTEXT}.{node.attr}"
        if isinstance(node, parts.Name):
            if node.name == CONTEXT and not isinstance(parent, parts.Getattr):
                raise _refused(where, "the whole context; write context.NAME", node)
            if node.name != CONTEXT:
                yield node.name


def _walk(node: parts.Node, parent: parts.Node | None) -> Iterator[tuple[parts.Node, Any]]:
    yield node, parent
    for child in node.iter_child_nodes():
        yield from _walk(child, node)


def _refused(where: str, what: str, node: parts.Node) -> UsageError:
    return UsageError(
        f"{where} has {what} (line {node.lineno}), which no template may have.",
        "Use text, variables, `{% if %}` and the filters that docs/messages.md lists.",
    )


@lru_cache(maxsize=512)
def _compiled(source: str, where: str) -> Template:
    try:
        return _ENVIRONMENT.from_string(source)
    except (TemplateError, SyntaxError) as error:
        raise UsageError(f"{where} cannot be read ({type(error).__name__}).", "Mend it.") from None


def _environment() -> ImmutableSandboxedEnvironment:
    """Without globals, and with the filters and tests of the lists alone."""
    environment = ImmutableSandboxedEnvironment(
        undefined=_Missing, autoescape=False, finalize=_written, keep_trailing_newline=False
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.tests = {name: environment.tests[name] for name in TESTS}
    return environment


_ENVIRONMENT = _environment()
