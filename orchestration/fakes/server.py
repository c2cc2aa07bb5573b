"""What all fakes share: being served on this machine, misbehaving, and saying what they hold.

Belongs here: the ASGI application around a fake, its faults, `/_state` and `/_faults`. Does not
belong here: what a vendor answers (each fake), ports and threads (`ingestion.demo.servers`).

GET /_state answers what the fake holds, as counts. POST /_faults plans faults (`{"kind": "429",
"times": 3}` or a list of them), DELETE /_faults ends them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingestion.demo.servers import served
from orchestration.fakes.faults import SLOW_SECONDS, Fault, Faults
from orchestration.fakes.rules import Rules
from orchestration.fakes.shop import ShopProfile

Clock = Callable[[], datetime]
HUGE_BYTES = 11_000_000
ELSEWHERE = "http://192.0.2.1/"  # an address of documentation, where nobody is


class Fake(Protocol):
    """A double of one vendor's API."""

    name: str
    rules: Rules
    faults: Faults
    credentials: Mapping[str, str]  # environment variables that its destination reads

    def routes(self) -> Sequence[Route]:
        """What it answers."""

    def state(self) -> Mapping[str, Any]:
        """What it now holds, as counts."""

    def begin_with(self, profiles: Iterable[ShopProfile]) -> None:
        """Take over the people of a pretend shop."""

    def trouble(self, fault: Fault) -> Response:
        """The vendor's answer to a request that got a fault that is a status."""


def utc_now() -> datetime:
    """The real time, with its zone."""
    return datetime.now(UTC)


def answering(fake: Fake, *further: Route) -> ASGIApp:
    """The fake as an ASGI application that behaves, with further addresses beside its own."""

    async def state(_: Request) -> Response:
        return JSONResponse({**fake.state(), "faults": Counter(fake.faults.happened)})

    return Starlette(routes=[Route("/_state", state), *further, *fake.routes()])


def application(fake: Fake) -> ASGIApp:
    """The fake as an ASGI application that misbehaves as planned."""

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            fake.faults.clear()
        else:
            content = await request.json()
            fake.faults.plan(
                *(Fault(**each) for each in (content if isinstance(content, list) else [content]))
            )
        return JSONResponse(Counter(fake.faults.happened))

    planning = Route("/_faults", faults, methods=["POST", "DELETE"])
    return _misbehaving(answering(fake, planning), fake)


@contextmanager
def served_fake(fake: Fake, port: int = 0) -> Iterator[str]:
    """Serve a fake on 127.0.0.1 for as long as the block lasts; yields its address."""
    with served(application(fake), port) as address:
        yield address


def _misbehaving(app: ASGIApp, fake: Fake) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        fault = None
        if scope["type"] == "http" and not scope["path"].startswith("/_"):
            fault = fake.faults.next_for(f"{scope['method']} {scope['path']}")
        kind = fault.kind if fault else ""
        if fault and kind.isdigit():
            await fake.trouble(fault)(scope, receive, send)
        elif kind == "redirect":
            await Response(status_code=307, headers={"Location": ELSEWHERE})(scope, receive, send)
        elif kind in ("lost_ack", "truncated"):
            await app(scope, receive, _broken_off(send, after_headers=kind == "truncated"))
        elif kind in ("html", "huge"):
            await app(scope, receive, _unsent)
            await _nonsense(kind)(scope, receive, send)
        else:
            await asyncio.sleep(SLOW_SECONDS if kind == "slow" else 0)
            await app(scope, receive, send)

    return answer


def _nonsense(kind: str) -> Response:
    if kind == "html":
        return HTMLResponse("<html><body>Just a moment ...</body></html>")
    return JSONResponse({"data": "x" * HUGE_BYTES})


async def _unsent(_: Message) -> None:
    """Take what would be the answer."""


def _broken_off(send: Send, *, after_headers: bool) -> Send:
    """Hand on the head of the answer at most, then close the connection."""

    async def cut(message: Message) -> None:
        if message["type"] == "http.response.start" and after_headers:
            await send({**message, "headers": [(b"content-length", b"1000000")]})
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            # uvicorn hands over a method of the request; no public way closes its connection
            send.__self__.transport.abort()  # type: ignore[attr-defined]

    return cut
