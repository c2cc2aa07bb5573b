"""Both pretend APIs on 127.0.0.1, in background threads, for as long as a `with` block lasts.

Belongs here: ports, starting, stopping, the environment that points sources at them. Does not
belong here: what the APIs answer.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from ingestion.demo.klaviyo_server import Klaviyo
from ingestion.demo.shopify_server import Shopify
from ingestion.demo.world import World
from ingestion.demo.write import write_api

HOST = "127.0.0.1"
API_KEY = "pk_demo_harbour_and_pine"
CLIENT_ID = "demo-client"
CLIENT_SECRET = "demo-secret"  # noqa: S105 - opens nothing but the pretend shop
START_SECONDS = 20.0


@dataclass(frozen=True)
class DemoServers:
    """The running servers: their addresses, their objects and their credentials."""

    klaviyo_url: str
    shopify_url: str
    klaviyo: Klaviyo
    shopify: Shopify
    shops: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The credentials, under the names that the default settings ask for."""
        return {
            "KLAVIYO_API_KEY": API_KEY,
            "SHOPIFY_CLIENT_ID": CLIENT_ID,
            "SHOPIFY_CLIENT_SECRET": CLIENT_SECRET,
        } | {
            f"SHOPIFY_{name.upper()}_CLIENT_{part}": value
            for name in self.shops
            for part, value in (("ID", CLIENT_ID), ("SECRET", CLIENT_SECRET))
        }

    @property
    def addresses(self) -> dict[str, str]:
        """The base address of each API, by the name of the source that it serves."""
        return {"klaviyo": self.klaviyo_url, "shopify": self.shopify_url}

    @property
    def further(self) -> dict[str, Mapping[str, str]]:
        """The base addresses of a source's further accounts, by the source and their names."""
        return {"shopify": self.shops}


@contextmanager
def demo_servers(content: World | Path, shops: Path | None = None) -> Iterator[DemoServers]:
    """Serve a world, or the `api/` folder that `write_api` made of one.

    Args:
        content: the world or its folder.
        shops: the folder in which each further Shopify shop has one, under its name.
    """
    with ExitStack() as stack:
        if isinstance(content, World):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regulars-demo-")))
            write_api(content, folder)
        else:
            folder = content
        klaviyo = Klaviyo.load(folder / "klaviyo", API_KEY)
        shopify = Shopify.load(folder / "shopify", CLIENT_ID, CLIENT_SECRET)
        klaviyo_url = stack.enter_context(served(klaviyo.app()))
        shopify_url = stack.enter_context(served(shopify.app()))
        further = {
            path.name: stack.enter_context(
                served(Shopify.load(path, CLIENT_ID, CLIENT_SECRET).app())
            )
            for path in (sorted(shops.iterdir()) if shops and shops.exists() else ())
        }
        yield DemoServers(klaviyo_url, shopify_url, klaviyo, shopify, further)


@contextmanager
def served(app: Any, port: int = 0) -> Iterator[str]:
    """Run an ASGI application on a port, or on a free one; yields its address.

    Raises:
        OSError: the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = _PromptServer(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.serves.wait(0.1):
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError(f"the pretend API did not start on port {port}")
        yield f"http://{HOST}:{port}"
    finally:
        server.end()
        thread.join(timeout=10)
        listener.close()


class _PromptServer(uvicorn.Server):
    """A server that starts and ends as soon as it is asked to: uvicorn's own looks ten times a
    second whether it should end, and waits a tenth of a second for connections that are idle."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serves = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Ask it to end; safe from another thread, and before it has started."""
        self.should_exit = True
        if self._loop:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._ending.set)

    async def main_loop(self) -> None:
        """Serve until the end is asked for; the head of answers has a new date each second."""
        self._loop = asyncio.get_running_loop()
        self.serves.set()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is idle at once; requests that are being answered have uvicorn's time."""
        if self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # what was closed is taken off in the loop's next turn
