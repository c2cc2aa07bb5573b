"""What may be asked of Klaviyo's collections: filters, order and pages.

Belongs here: reading `filter=`, choosing and cutting rows. Does not belong here: HTTP, the content.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Row = TypeVar("Row")
_CLAUSE = re.compile(r"""([a-z-]+)\(([\w.]+),\s*(\[[^\]]*\]|"[^"]*"|'[^']*'|[^)]*)\),?""")
SUPPRESSED_AT = "subscriptions.email.marketing.suppression.timestamp"
_ONE_OR_SEVERAL = frozenset({"any", "equals"})
_LATER_OR_EARLIER = frozenset({"greater-than", "less-than"})
_ANY_BOUND = _LATER_OR_EARLIER | {"greater-or-equal", "less-or-equal"}
# By call and field, the operators allowed: a part of what Klaviyo allows.
ALLOWED: dict[str, dict[str, frozenset[str]]] = {
    "profiles": {
        "id": _ONE_OR_SEVERAL,
        "email": _ONE_OR_SEVERAL,
        "phone_number": _ONE_OR_SEVERAL,
        "external_id": _ONE_OR_SEVERAL,
        "created": _LATER_OR_EARLIER,
        "updated": _LATER_OR_EARLIER,
        SUPPRESSED_AT: _ANY_BOUND,
    },
    "members": {
        "email": _ONE_OR_SEVERAL,
        "phone_number": _ONE_OR_SEVERAL,
        "joined_group_at": _ANY_BOUND,
    },
    "jobs": {"status": _ONE_OR_SEVERAL},
    "import_errors": {},
    "lists": {},
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "greater-than": lambda one, other: one > other,
    "greater-or-equal": lambda one, other: one >= other,
    "less-than": lambda one, other: one < other,
    "less-or-equal": lambda one, other: one <= other,
}


class BadRequestError(Exception):
    """A filter, order or page that the call does not allow."""


@dataclass(frozen=True)
class Clause:
    """One condition of a filter; several must all hold."""

    operator: str
    field: str
    values: tuple[str, ...]


def clauses(call: str, text: str) -> list[Clause]:
    """The conditions of a filter.

    Raises:
        BadRequestError: it cannot be read, or the call does not allow it.
    """
    matches = list(_CLAUSE.finditer(text))
    if "".join(each.group(0) for each in matches) != text:
        raise BadRequestError
    read = [Clause(each[1], each[2], _values(each[3])) for each in matches]
    if any(each.operator not in ALLOWED[call].get(each.field, ()) for each in read):
        raise BadRequestError
    return read


def holds(clause: Clause, values: Iterable[Any], read: Callable[[str], Any]) -> bool:
    """Whether any of a row's values of the field fits.

    Args:
        clause: the condition.
        values: what the row has for its field.
        read: makes such a value of the filter's text.
    """
    wanted = [read(value) for value in clause.values]
    if clause.operator in ("any", "equals"):
        return any(value in wanted for value in values)
    compare = _COMPARE[clause.operator]
    return any(compare(value, wanted[0]) for value in values)


def page(rows: Sequence[Row], size: str, cursor: str, most: int) -> tuple[Sequence[Row], str]:
    """The rows of one page, and the cursor of the next, empty after the last.

    Raises:
        BadRequestError: the size is not allowed, or the cursor none of ours.
    """
    if not size.isdigit() or not 1 <= int(size) <= most:
        raise BadRequestError
    if cursor and not re.fullmatch(r"at\d{1,9}", cursor):
        raise BadRequestError
    start = int(cursor.removeprefix("at") or 0)
    end = start + int(size)
    return rows[start:end], f"at{end}" if end < len(rows) else ""


def _values(text: str) -> tuple[str, ...]:
    if text.startswith("["):
        try:
            return tuple(str(value) for value in json.loads(text.replace("'", '"')))
        except ValueError as error:
            raise BadRequestError from error
    return (text.strip("\"'"),)
