"""The web application that takes webhooks: which request is answered how.

Belongs here: the order of the checks, and answers. Does not belong here: what a sender's signature
is (`senders/`), keeping what was accepted (`reception`), listening (`server`).

In this order: the address is one of ours; the method; the size and kind of the body; the sender's
secret is there; the body is here in time; the signature fits; the body has its sender's form; it is
on the disk and its refusals are in the ledger. Only then is it answered. Nothing of a request is
logged but its sender's name and what was wrong.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingestion.config import Settings, Webhook
from ingestion.errors import UsageError
from ingestion.files.source import FolderSource
from ingestion.registry import SOURCES
from orchestration.home.inbox import body_id
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from orchestration.serve.routes import route
from orchestration.serve.webhooks import unsubscribe
from orchestration.serve.webhooks.call import Call, Kept, RefusedError, Sender
from orchestration.serve.webhooks.reception import Delivery, Reception
from orchestration.serve.webhooks.senders import senders

MOST_BYTES = 1024 * 1024
BODY_SECONDS = 10.0
MOST_OF_A_CLICK = 10_000
_UNAVAILABLE = "It could not be kept; send it again later."
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    # One request on one connection, so that a slow one can be told from an idle one.
    "Connection": "close",
}
_log = logging.getLogger("regulars.webhooks")
Clock = Callable[[], datetime]


def now() -> datetime:
    """The moment, naive UTC: webhooks are of now, unlike everything that a run does."""
    return datetime.now(UTC).replace(tzinfo=None)


def chosen_senders(settings: Settings) -> dict[str, tuple[Sender, Webhook]]:
    """The senders that the settings name.

    Raises:
        UsageError: a folder is none of the input's.
    """
    known, chosen = senders(), {}
    for name, own in settings.webhooks.items():
        if own.folder and not isinstance(SOURCES.get(own.folder), FolderSource):
            raise UsageError(
                f"[webhooks.{name}]: `folder` is wrong: {own.folder!r} is no folder of the input.",
                "See docs/formats.md for the folders; leave it out to keep bodies unread.",
            )
        chosen[name] = (known[own.kind_of(name)], own)
    return chosen


class Webhooks:
    """The web application of one home.

    Args:
        home: a shop's.
        settings: the shop's.
        url_base: the public address; the settings' unless given.
        clock: the moment, naive UTC.
        reception: takes what was accepted; the home's own unless given.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        *,
        url_base: str = "",
        clock: Clock = now,
        reception: Reception | None = None,
    ) -> None:
        """Look up senders and the key of links.

        Raises:
            UsageError: the settings of a sender are wrong.
            RegularsError: the operational store cannot be opened.
        """
        self._senders = chosen_senders(settings)
        self._shop = settings.shop.name
        self._url_base = (url_base or settings.serve.url_base).rstrip("/")
        self._clock = clock
        self._reception = reception or Reception(home, settings)
        with open_store(home) as store:
            self._key = unsubscribe.home_key(store)

    def app(self, further: Sequence[Route] = ()) -> Starlette:
        """The application, with further addresses beside its own."""
        paths = (
            ("/webhooks/{sender}{rest:path}", self._webhook),
            (unsubscribe.PATH + "{token}", self._unsubscribe),
            ("/health", _health),
        )
        return Starlette(
            routes=[*(route(path, answer) for path, answer in paths), *further],
            exception_handlers={RefusedError: _refused, ClientDisconnect: _gone},
            middleware=[Middleware(_WithHeaders)],
        )

    def states(self) -> list[tuple[str, str]]:
        """Each sender by name, and whether it can be taken from; never a secret."""
        states = []
        for name, (sender, own) in self._senders.items():
            variable = own.variable(name)
            is_set = bool(os.environ.get(variable, "").strip())
            whose = f" of {own.shop}" if own.shop else ""
            state = f"{sender.kind}{whose}" if is_set else f"refused, because {variable} is not set"
            if is_set and sender.needs_url and not self._url_base:
                state = "refused, because [serve] url_base is not set"
            states.append((name, state))
        return states

    async def _webhook(self, request: Request) -> Response:
        name, rest = request.path_params["sender"], request.path_params["rest"]
        if name not in self._senders:
            raise RefusedError(404, "There is no such sender here.")
        sender, own = self._senders[name]
        if rest and rest not in sender.takes_paths:
            raise RefusedError(404, "There is no such address here.")
        if request.method != "POST":
            raise RefusedError(405, "Webhooks come by POST.")
        _require_kind(request, sender.content_types)
        secret = self._secret(name, sender, own)
        body = await _body(request, MOST_BYTES)
        call = self._call(request, rest, body, own.folder)
        try:
            sender.verify(call, secret)
            kept = sender.read(call)
        except RefusedError as refused:
            _log.warning("webhooks.%s: refused (%s): %s", name, refused.status, refused.sentence)
            raise
        await self._keep(name, body_id(name.encode(), sender.identity(call)), call, kept)
        status, media_type, text = sender.answer
        return Response(text, status, media_type=media_type)

    async def _unsubscribe(self, request: Request) -> Response:
        token = request.path_params["token"]
        refusal = unsubscribe.read_token(self._key, token)
        if request.method in ("GET", "HEAD"):
            return HTMLResponse(unsubscribe.page(self._shop, is_done=False))
        if request.method != "POST":
            raise RefusedError(405, "To unsubscribe, open the link or send a POST.")
        _require_kind(request, unsubscribe.CONTENT_TYPES)
        call = self._call(request, "", await _body(request, MOST_OF_A_CLICK), "")
        unsubscribe.require_one_click(call)
        # Not the token alone: whoever came back in between and leaves again has said so anew.
        moment = f"{call.received_at:%Y-%m-%dT%H:%M:%S}"
        kept = unsubscribe.read(refusal, call)
        await self._keep("unsubscribe", body_id(token.encode(), moment.encode()), call, kept)
        return HTMLResponse(unsubscribe.page(self._shop, is_done=True))

    async def _keep(self, sender: str, delivery_id: str, call: Call, kept: Sequence[Kept]) -> None:
        delivery = Delivery(sender, delivery_id, call.received_at, kept)
        if not await self._reception.take(delivery):
            raise RefusedError(503, _UNAVAILABLE)

    def _call(self, request: Request, rest: str, body: bytes, folder: str) -> Call:
        path = (request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1")
        query = request.scope.get("query_string", b"").decode("latin-1")
        url = f"{self._url_base}{path.partition('?')[0]}{'?' if query else ''}{query}"
        return Call(url, rest, request.headers, body, self._clock(), folder)

    def _secret(self, name: str, sender: Sender, own: Webhook) -> str:
        """The sender's secret, by the name of its variable.

        Raises:
            RefusedError: it is not set, or the public address is not, which the sender signs.
        """
        variable = own.variable(name)
        secret = os.environ.get(variable, "").strip()
        if not secret:
            _log.error("webhooks.%s: %s is not set, so nothing is accepted.", name, variable)
        elif sender.needs_url and not self._url_base:
            _log.error("webhooks.%s: [serve] url_base is not set, which it signs.", name)
        else:
            return secret
        raise RefusedError(503, "This sender is not set up here.")


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, RefusedError):
        raise error
    response = PlainTextResponse(f"{error.sentence}\n", error.status)
    if error.status == 405:
        response.headers["Allow"] = "POST"
    return response


async def _gone(_: Request, _error: Exception) -> Response:
    return Response(status_code=400)


class _WithHeaders:
    """Every answer with the same headers, those of the framework too; kept by nobody unless it
    says so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _require_kind(request: Request, kinds: tuple[str, ...]) -> None:
    values = request.headers.getlist("content-type")
    kind = values[0].partition(";")[0].strip().lower() if len(values) == 1 else ""
    if kind not in kinds or "content-encoding" in request.headers:
        raise RefusedError(415, f"The body is {' or '.join(kinds)}, as it is and not packed.")


async def _body(request: Request, most: int) -> bytes:
    """The body, where it is no larger than allowed and here in time.

    Raises:
        RefusedError: it is larger, or slow.
    """
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        raise RefusedError(413, "The body is too large.")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for block in request.stream():
                body += block
                if len(body) > most:
                    raise RefusedError(413, "The body is too large.")
    except TimeoutError:
        raise RefusedError(408, "The body took too long to arrive.") from None
    return bytes(body)
