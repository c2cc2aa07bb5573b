"""How a suite is written: a query of counts or of few columns, and what is expected of them.

Belongs here: the declarative shapes and their short constructors. Does not belong here: Great
Expectations itself, which takes seconds to import (orchestration/quality/run.py does that once).

A suite's query runs in DuckDB and hands over aggregates, so nobody's address ever reaches a check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.published.checks import Severity


@dataclass(frozen=True)
class Expectation:
    """One expectation of Great Expectations, with the sentence to say when it is not met.

    Args:
        name: short and unique within the suite.
        type: the class in `great_expectations.expectations`.
        arguments: its arguments; `column` is also what is summed up as the observed number.
        sentence: what is wrong; `{observed}` stands for the number.
        hint: what to do about it.
        severity: whether it stops the run.
    """

    name: str
    type: str
    arguments: dict[str, Any]
    sentence: str
    hint: str
    severity: Severity = "blocking"


@dataclass(frozen=True)
class Suite:
    """What is expected of one table.

    Args:
        name: short and unique.
        table: the published table that it is about.
        query: the frame that the expectations look at; `{table}` stands for the quoted table.
        expectations: what must hold for the frame.
    """

    name: str
    table: str
    query: str
    expectations: tuple[Expectation, ...]


def none(
    column: str, sentence: str, hint: str, *, name: str = "", severity: Severity = "blocking"
) -> Expectation:
    """A count that must be zero."""
    arguments = {"column": column, "max_value": 0}
    kind = "ExpectColumnValuesToBeBetween"
    return Expectation(name or f"no_{column}", kind, arguments, sentence, hint, severity)


def only(
    column: str, values: Sequence[object], sentence: str, hint: str, *, name: str
) -> Expectation:
    """A column that holds nothing but these values (and NULL)."""
    arguments = {"column": column, "value_set": list(values)}
    return Expectation(name, "ExpectColumnValuesToBeInSet", arguments, sentence, hint)
