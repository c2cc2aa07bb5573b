"""Stands in for dbt's own macros that our models call as `dbt.<macro>`; DuckDB's forms.

Belongs here: the few names in use. Does not belong here: our macros; sqlfluff reads the real ones.
"""

from __future__ import annotations


def datediff(first: str, second: str, unit: str) -> str:
    """Boundaries of the unit between two moments."""
    return f"date_diff('{unit}', {first}, {second})"


def dateadd(unit: str, interval: int, moment: str) -> str:
    """A moment moved on by so many units."""
    return f"date_add({moment}, interval ({interval}) {unit})"


def position(part: str, text: str) -> str:
    """Where a text begins in another, from 1; 0 if nowhere."""
    return f"position({part} in {text})"


def type_string() -> str:
    """The type of a text."""
    return "varchar"


def is_incremental() -> bool:
    """The SQL that is linted is that of a later run, which has every clause."""
    return True
