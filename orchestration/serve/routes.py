"""Addresses that answer every method themselves, with a sentence of their own to a wrong one.

Belongs here: making such a route. Does not belong here: which addresses there are, and the answers
(`feed/`, `webhooks/`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def route(path: str, answer: Callable[[Request], Awaitable[Response]]) -> Route:
    """An address whose answer is asked for whatever the method is."""
    return Route(path, answer, methods=METHODS)
