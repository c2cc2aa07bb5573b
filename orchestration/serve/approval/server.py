"""The approval page on a port of its own, beside what a proxy passes on to `regulars serve`.

Belongs here: listening and ending. Does not belong here: the page (`app`), who is let in (guard).

A proxy that is told to pass a whole port on would make the page public, so it shares none; and the
address that is printed carries the secret that lets in.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from orchestration.home.layout import Home
from orchestration.serve.approval.app import APPROVE, Approvals
from orchestration.serve.guard import TOKEN, PageGuard

STOP_SECONDS = 30


@contextmanager
def approval_page(
    home: Home, listener: socket.socket, by: str, say: Callable[[str], None]
) -> Iterator[str]:
    """Answer on the listener for the block; says and gives the address that lets in.

    Args:
        home: whose plans.
        listener: where it listens, on this machine.
        by: who approves, for the record.
        say: takes what there is to say.
    """
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(32)
    config = uvicorn.Config(
        PageGuard(Approvals(home, by).app(), port, token, APPROVE),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # addresses carry the token once
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{port}/?{TOKEN}={token}"
    say(f"Plans can be approved at {address}, by whoever has this address.")
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)
