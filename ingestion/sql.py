"""Pieces of SQL text that any statement may need.

Belongs here: quoting and naming. Does not belong here: what a statement says; running it.
"""

from __future__ import annotations


def quote(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A SQL identifier, whatever its characters."""
    return '"' + name.replace('"', '""') + '"'


def let(name: str, value: str, result: str) -> str:
    """SQL: `result` with `name` standing for `value`, which is worked out once."""
    return f"list_transform([{value}], lambda {name}: {result})[1]"
