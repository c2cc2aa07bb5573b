"""Faults on request: what an API does on a bad day, planned by tests and by `POST /_faults`.

Belongs here: the plan and the faults that every HTTP API can have. Does not belong here: spoiling a
page of one API (its server knows the shape).
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar, get_args

from starlette.responses import JSONResponse, Response

FaultKind = Literal[
    "unauthorized", "too_many", "too_many_date", "server_error", "timeout", "truncated",
    "empty_page", "repeated_cursor", "error_in_200", "missing_next", "short_page", "failed_job",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass
class Fault:
    """One thing to go wrong.

    Args:
        kind: what happens.
        where: only for requests whose path or query text contains this.
        after: how many such requests go well first.
        times: how often it then happens; 0 means for ever.
        seconds: how long a timeout lasts, or what Retry-After says.
    """

    kind: FaultKind
    where: str = ""
    after: int = 0
    times: int = 1
    seconds: float = 1.0


class Planned(Protocol):
    """What every fault says of when it happens."""

    @property
    def kind(self) -> str:
        """What goes wrong."""

    @property
    def where(self) -> str:
        """Only for requests whose text contains this."""

    after: int  # how many such requests go well first
    times: int  # how often it then happens; 0 for ever


F = TypeVar("F", bound=Planned)


@dataclass
class Faults(Generic[F]):
    """The plan of one server, safe to change while it runs."""

    planned: list[F] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, *faults: F) -> None:
        """Add faults."""
        with self._lock:
            self.planned.extend(faults)

    def clear(self) -> None:
        """Everything goes well from now on."""
        with self._lock:
            self.planned.clear()

    def next_for(self, text: str) -> F | None:
        """The fault that this request gets, if any.

        Args:
            text: of the request, such as its method and path.
        """
        with self._lock:
            for fault in self.planned:
                if fault.where not in text:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if not self._strikes(fault):
                    continue
                if fault.times == 1:
                    self.planned.remove(fault)
                elif fault.times > 1:
                    fault.times -= 1
                self.happened.append(fault.kind)
                return fault
        return None

    def _strikes(self, _: F) -> bool:
        """Whether a fault that is due happens; here it always does."""
        return True


async def as_response(fault: Fault) -> Response | None:
    """The whole response of a fault that needs no page; None for faults of a page."""
    if fault.kind == "unauthorized":
        return JSONResponse(
            {"errors": [{"status": 401, "code": "not_authenticated", "detail": "Bad key."}]}, 401
        )
    if fault.kind == "too_many":
        return too_many(str(int(fault.seconds)))
    if fault.kind == "too_many_date":
        return too_many(_http_date_in(fault.seconds))
    if fault.kind == "server_error":
        return JSONResponse(
            {"errors": [{"status": 500, "code": "error", "detail": "Server error."}]}, 500
        )
    if fault.kind == "timeout":
        await asyncio.sleep(fault.seconds)
        return Response(status_code=504)
    return None


def too_many(retry_after: str) -> Response:
    """429, with the header that says when to come back."""
    body = {
        "errors": [
            {
                "status": 429,
                "code": "throttled",
                "title": "Too many requests.",
                "detail": "Slow down.",
            }
        ]
    }
    return JSONResponse(body, 429, headers={"Retry-After": retry_after})


def _http_date_in(seconds: float) -> str:
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415
    from email.utils import format_datetime  # noqa: PLC0415

    # HTTP dates have whole seconds; rounding up keeps the promise.
    moment = datetime.now(UTC) + timedelta(seconds=seconds + 0.999)
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


def truncated(body: bytes) -> Response:
    """A body that ends in the middle, with the length it really has."""
    return Response(body[: len(body) // 2], media_type="application/json")


def parse(content: Any) -> list[Fault]:
    """Faults from the control endpoint's JSON: one object or a list of them."""
    items = content if isinstance(content, list) else [content]
    return [Fault(**item) for item in items]
