"""The process that takes webhooks and answers the on-site feed: on this machine only, one per home,
until it is asked to end.

Belongs here: listening, how long a request may take to arrive, ending. Does not belong here: what
is accepted (`app`), what a visitor is told (`orchestration.serve.feed`).

A reverse proxy or a tunnel with TLS stands before it. Whoever sends a request slower than in
`REQUEST_SECONDS` is cut off, headers included. SIGTERM and Ctrl-C end it after the requests that
are being answered.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ingestion.config import Settings
from ingestion.errors import BusyError
from orchestration.home import lock
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.ops.continuity import check_continuity
from orchestration.ops.store import open_store
from orchestration.serve.feed.app import Feeds
from orchestration.serve.pages.server import Setup, pages_beside
from orchestration.serve.webhooks.app import Webhooks, now

REQUEST_SECONDS = 10.0
MOST_CONNECTIONS = 200
STOP_SECONDS = 30


class Impatient(H11Protocol):
    """A connection that carries one request, and is closed where that does not arrive in time."""

    def connection_made(self, transport: Any) -> None:
        """Begin to count."""
        super().connection_made(transport)
        self._patience = asyncio.get_running_loop().call_later(REQUEST_SECONDS, self._close_if_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count no more."""
        self._patience.cancel()
        super().connection_lost(exc)

    def _close_if_slow(self) -> None:
        if self.cycle is None or self.cycle.more_body:
            self.transport.close()


def serve_webhooks(
    home: Home,
    settings: Settings,
    listener: socket.socket,
    say: Callable[[str], None],
    url_base: str = "",
    pages: Setup | None = None,
) -> None:
    """Take webhooks on the listener until SIGTERM or Ctrl-C.

    Args:
        home: a shop's; a pretend shop has no senders.
        settings: the shop's.
        listener: where it listens.
        say: takes what there is to say.
        url_base: the public address; the settings' unless given.
        pages: where the pages are, apart from what a proxy passes on; no pages where left out.

    Raises:
        UsageError: the home is the pretend shop's, or the settings of a sender or feed are wrong.
        BusyError: another process takes webhooks for this home.
        StoreError: the operational store is lost, damaged or not this home's.
    """
    claim(home, "shop")
    with ExitStack() as stack:
        stack.enter_context(_alone(home))
        check_continuity(home, begins_run=True)
        webhooks = Webhooks(home, settings, url_base=url_base)
        store = stack.enter_context(open_store(home))
        feeds = stack.enter_context(closing(Feeds(home, settings, store, now)))
        _log_to(say)
        host, port = listener.getsockname()[:2]
        for name, state in webhooks.states():
            say(f"  /webhooks/{name}: {state}")
        for name, state in feeds.states():
            say(f"  /feed/{name}: {state}")
        say(f"Webhooks and links to unsubscribe are taken at http://{host}:{port} until Ctrl-C.")
        if pages is not None:
            stack.enter_context(pages_beside(home, settings, pages, say))
        config = uvicorn.Config(
            webhooks.app(feeds.routes()),
            http=Impatient,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,  # addresses carry tokens
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=1,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _alone(home: Home) -> Any:
    """The lock of whoever takes webhooks; a run has another one."""
    if lock.is_busy(home.serve_lock):
        raise BusyError(
            f"`regulars serve` is at work in {home.root} already.",
            "One is enough; end it first, or give another --home.",
        )
    return lock.hold(home.serve_lock)


def _log_to(say: Callable[[str], None]) -> None:
    """What goes wrong is said where the rest is said."""

    class LogHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(f"{record.levelname.lower()}: {record.getMessage()}")

    logger = logging.getLogger("regulars.webhooks")
    logger.handlers[:] = [LogHandler()]
    logger.propagate = False
