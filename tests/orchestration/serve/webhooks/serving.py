"""`regulars serve` in a process of its own, for tests that need a real socket."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from orchestration.home.layout import Home
from orchestration.serve.listening import bind
from orchestration.serve.webhooks import server
from tests.orchestration.serve.webhooks.calls import SETTINGS, Sent


def serve(root: Path, port: int, secrets: Mapping[str, str] = {}) -> None:
    """Take webhooks for the home at `root` until the process ends."""
    os.environ.update(secrets)
    server.serve_webhooks(Home(root), SETTINGS, bind("127.0.0.1", port), lambda _: None)


def wait_for(port: int, seconds: float = 60.0) -> None:
    """Until somebody listens."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError("nobody listens")


def post(port: int, sent: Sent) -> int:
    """The status of the answer."""
    answer = httpx.post(
        f"http://127.0.0.1:{port}{sent.path}",
        content=sent.body,
        headers=dict(sent.headers),
        timeout=30,
    )
    return answer.status_code
