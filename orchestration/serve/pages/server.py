"""The pages on a port of their own, beside what a proxy passes on to `regulars serve`.

Belongs here: listening and ending. Does not belong here: the pages (`site`), who is let in (guard).

A proxy that is told to pass a whole port on would make the pages public, so they share none; and
the addresses that are printed carry the secrets that let in.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import uvicorn

from ingestion.config import Settings
from orchestration.home.layout import Home
from orchestration.serve.guard import EDITOR, TOKEN, VIEWER, Guard
from orchestration.serve.listening import origin_of
from orchestration.serve.pages.site import Site

STOP_SECONDS = 30


@dataclass(frozen=True)
class Setup:
    """Where the pages are and for whom.

    `listener`: where they listen, on this machine; `by`: who makes changes, for the record;
    `is_masked`: show the copy without personal data.
    """

    listener: socket.socket
    by: str = ""
    is_masked: bool = False


@contextmanager
def pages_beside(
    home: Home, settings: Settings, setup: Setup, say: Callable[[str], None]
) -> Iterator[dict[str, str]]:
    """Answer for the block; says and gives the address of each role."""
    with closing(Site(home, settings, setup.by, is_masked=setup.is_masked)) as site:
        server, addresses = _server(site, setup.listener, say)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [setup.listener]}, daemon=True
        )
        thread.start()
        try:
            yield addresses
        finally:
            server.should_exit = True
            thread.join(STOP_SECONDS)


def serve_pages(home: Home, settings: Settings, setup: Setup, say: Callable[[str], None]) -> None:
    """The same alone, until Ctrl-C or SIGTERM."""
    with (
        closing(Site(home, settings, setup.by, is_masked=setup.is_masked)) as site,
        suppress(KeyboardInterrupt),
    ):
        _server(site, setup.listener, say)[0].run(sockets=[setup.listener])


def new_tokens() -> dict[str, str]:
    """A secret for each role."""
    return {role: secrets.token_urlsafe(32) for role in (VIEWER, EDITOR)}


def addresses_of(listener: socket.socket, tokens: Mapping[str, str]) -> dict[str, str]:
    """The address that lets in, by role."""
    return {role: f"{origin_of(listener)}/?{TOKEN}={token}" for role, token in tokens.items()}


def _server(
    site: Site, listener: socket.socket, say: Callable[[str], None]
) -> tuple[uvicorn.Server, dict[str, str]]:
    tokens = new_tokens()
    config = uvicorn.Config(
        Guard(
            site.app(),
            listener.getsockname()[1],
            tokens,
            site.forms,
            refused=site.note_refusal,
        ),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # addresses carry a token once, and what was searched for
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    addresses = addresses_of(listener, tokens)
    say(
        f"The pages, to look at:              {addresses[VIEWER]}\n"
        f"The pages, to approve plans as well: {addresses[EDITOR]}\n"
        "Each address lets in whoever has it, until this ends."
    )
    return uvicorn.Server(config), addresses
