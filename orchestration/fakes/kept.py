"""A fake whose state outlasts its process: what changed it is kept in a file, and told it again.

It never misbehaves: a plan of faults is nothing that an account holds.

Belongs here: the file, and telling. Does not belong here: what a fake does with it, and whose fakes
are kept (`pretend`).

A line is a request that was answered well and was no question, with the moment it came at. Any
number of processes may have the same fake: each catches up before it answers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestration.fakes.server import utc_now

_OWNER_ONLY = 0o600
_QUESTIONS = ("GET", "HEAD", "OPTIONS")


class KeptClock:
    """The time that a kept fake goes by: the real one, and that of a line while it is told."""

    def __init__(self) -> None:
        """Now."""
        self.moment: datetime | None = None

    def __call__(self) -> datetime:
        """The moment, with its zone."""
        return self.moment or utc_now()


class Kept:
    """An ASGI application around a fake's, which keeps what changes it.

    Args:
        app: the fake's own.
        clock: the one that the fake was made with.
        file: where the lines are; made with the first, for its owner alone.
    """

    def __init__(self, app: ASGIApp, clock: KeptClock, file: Path) -> None:
        """Nothing is read before the first request."""
        self._app = app
        self._clock = clock
        self._file = file
        self._offset = 0  # bytes of the file
        self._one = asyncio.Lock()
        self._turn = FileLock(file.with_name(f".{file.name}.turn"), mode=_OWNER_ONLY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Catch up, pass the request on, keep it, and only then answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        async with self._one:
            with self._turn:
                await self._catch_up()
                answer = await self._at(utc_now(), scope, body)
                if scope["method"] not in _QUESTIONS and answer[0]["status"] < 400:
                    self._keep(scope, body)
        for message in answer:
            await send(message)

    async def _catch_up(self) -> None:
        if not self._file.exists():
            return
        with self._file.open("rb") as stream:
            stream.seek(self._offset)
            new = stream.read()
        whole = new[: new.rfind(b"\n") + 1]  # what comes after was cut off while it was written
        for line in whole.splitlines():
            call = json.loads(line)
            scope = _scope(call["method"], call["path"], call["query"], call["headers"])
            body = call["body"].encode("latin-1")
            await self._at(datetime.fromisoformat(call["at"]), scope, body)
        self._offset += len(whole)

    async def _at(self, moment: datetime, scope: Scope, body: bytes) -> Sequence[Message]:
        self._clock.moment = moment
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, send)
        return messages

    def _keep(self, scope: Scope, body: bytes) -> None:
        line = json.dumps(
            {
                "at": self._clock().isoformat(),
                "method": scope["method"],
                "path": scope["path"],
                "query": scope["query_string"].decode("latin-1"),
                "headers": [[part.decode("latin-1") for part in pair] for pair in scope["headers"]],
                "body": body.decode("latin-1"),
            }
        )
        content = f"{line}\n".encode()
        self._file.touch(_OWNER_ONLY)
        with self._file.open("r+b") as stream:
            stream.seek(self._offset)
            stream.write(content)
            stream.truncate()
        self._offset += len(content)


def _scope(method: str, path: str, query: str, headers: Sequence[Sequence[str]]) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": [tuple(part.encode("latin-1") for part in pair) for pair in headers],
        "server": None,
        "client": None,
    }


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
