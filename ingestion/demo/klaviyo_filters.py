"""Klaviyo's collections and the little language of their parameters: filters and cursors.

Belongs here: what each collection allows, and reading `filter=` and `page[cursor]=`. Does not
belong here: HTTP or the content (klaviyo_server).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime

Key = tuple[int, str]


@dataclass(frozen=True)
class Endpoint:
    """What one collection allows."""

    name: str
    scope: str
    default_size: int
    max_size: int
    time_field: str
    operators: tuple[str, ...]
    sorts: tuple[str, ...]
    burst: int
    steady: int


CAMPAIGN_CHANNELS = ("email", "sms", "mobile_push")
_MORE = ("greater-than", "less-than")
_ALL = ("greater-or-equal", "greater-than", "less-or-equal", "less-than")
ENDPOINTS = {
    e.name: e
    for e in (
        Endpoint(
            "profiles", "profiles:read", 20, 100, "updated", _MORE, ("updated", "-updated"), 75, 750
        ),
        Endpoint(
            "events",
            "events:read",
            200,
            1000,
            "datetime",
            _ALL,
            ("datetime", "-datetime"),
            350,
            3500,
        ),
        Endpoint(
            "campaigns",
            "campaigns:read",
            100,
            100,
            "updated_at",
            _ALL,
            ("updated_at", "-updated_at"),
            10,
            150,
        ),
        Endpoint(
            "lists",
            "lists:read",
            10,
            10,
            "updated",
            ("greater-than",),
            ("updated", "-updated"),
            75,
            750,
        ),
        Endpoint(
            "list_members",
            "lists:read",
            20,
            100,
            "joined_group_at",
            _ALL,
            ("joined_group_at", "-joined_group_at"),
            75,
            750,
        ),
        Endpoint("flows", "flows:read", 50, 50, "updated", _ALL, ("updated", "-updated"), 3, 60),
        Endpoint("metrics", "metrics:read", 200, 200, "", (), (), 10, 150),
    )
}


class BadRequestError(Exception):
    """A parameter that the real service would refuse too."""


_CLAUSE = re.compile(r"([a-z-]+)\(([a-z_.]+),\s*(?:'([^']*)'|\"([^\"]*)\"|([^)]*))\)")


def bounds(endpoint: Endpoint, text: str) -> tuple[int, int, str | None]:
    """The half-open range of seconds that the filter leaves, and the channel it names.

    Raises:
        BadRequestError: the filter cannot be read, or the endpoint has none like it.
    """
    low, high = 0, 1 << 62
    clauses = list(_CLAUSE.finditer(text))
    if text and "".join(c.group(0) for c in clauses) != text.replace("),", ")"):
        raise BadRequestError("The filter cannot be read.")
    channel = None
    for clause in clauses:
        operator, name = clause.group(1), clause.group(2)
        value = next(g for g in clause.groups()[2:] if g is not None)
        if (operator, name) == ("equals", "messages.channel") and endpoint.name == "campaigns":
            channel = value
        elif name == endpoint.time_field and operator in endpoint.operators:
            low, high = _narrowed(operator, _seconds(value), low, high)
        else:
            raise BadRequestError(f"Cannot filter {endpoint.name} by {operator}({name}).")
    if endpoint.name == "campaigns" and channel is None:
        raise BadRequestError("A channel filter is required to list campaigns.")
    if channel not in (None, *CAMPAIGN_CHANNELS):
        raise BadRequestError(f"There is no channel {channel}.")
    return low, high, channel


def _narrowed(operator: str, moment: float, low: int, high: int) -> tuple[int, int]:
    whole = int(moment)
    if operator == "greater-than":
        return max(low, whole + 1), high
    if operator == "greater-or-equal":
        return max(low, whole + (moment > whole)), high
    return low, min(high, whole + (operator == "less-or-equal" or moment > whole))


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError("The filter needs an ISO 8601 time.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def encode(key: Key) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(f"{key[0]}|{key[1]}".encode()).decode()


def decode(cursor: str) -> Key:
    """The key that a cursor stands for.

    Raises:
        BadRequestError: it is no cursor of ours.
    """
    try:
        at, _, key = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        return int(at), key
    except (ValueError, binascii.Error) as error:
        raise BadRequestError("The cursor is invalid.") from error
