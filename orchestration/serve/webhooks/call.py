"""What a request is once it is here, what may be wrong with it, and what is kept of it.

Belongs here: the shapes that all senders share, and reading JSON and signatures strictly. Does not
belong here: any one sender (`senders/`), ASGI (`app`).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.datastructures import Headers

from orchestration.home.inbox import UNREAD

JSON = ("application/json",)
FORM = ("application/x-www-form-urlencoded",)


class RefusedError(Exception):
    """A request that is not accepted: its status and one sentence, in which nothing personal is."""

    def __init__(self, status: int, sentence: str) -> None:
        """Keep the two apart."""
        self.status = status
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class Call:
    """A request whose body is here whole.

    Args:
        url: as the sender wrote it: the shop's public address, path and query.
        rest: what follows the sender's name in the path.
        headers: as they came.
        body: its bytes, before anything is read of them.
        received_at: naive UTC.
        folder: the settings' `folder` of this sender.
    """

    url: str
    rest: str
    headers: Headers
    body: bytes
    received_at: datetime
    folder: str = ""

    def header(self, name: str) -> str:
        """The header, where there is exactly one; of two, two programs may read different ones.

        Raises:
            RefusedError: there is none, or more than one.
        """
        values = self.headers.getlist(name)
        if len(values) != 1:
            raise RefusedError(401, f"The header {name} is missing.")
        return values[0]


@dataclass(frozen=True)
class Kept:
    """What is kept of a request.

    Args:
        folder: of the inbox: a folder of the input, or one that no run reads.
        content: JSON, one row or an array of them where a run reads it.
    """

    folder: str
    content: bytes


@dataclass(frozen=True)
class Sender:
    """A kind of sender.

    Args:
        kind: its name in the settings.
        content_types: of its bodies.
        verify: raises `RefusedError` unless the secret's owner sent exactly this; pure.
        read: what is kept of a call that was verified; pure.
        identity: what a repetition of the same call has in common with it; the body unless the
            sender signs something else.
        needs_url: whether the public address is a part of what is signed.
        takes_paths: what may follow its name in the path.
        answer: status, media type and body of the answer to an accepted call.
    """

    kind: str
    content_types: tuple[str, ...]
    verify: Callable[[Call, str], None]
    read: Callable[[Call], Sequence[Kept]]
    identity: Callable[[Call], bytes] = lambda call: call.body
    needs_url: bool = False
    takes_paths: frozenset[str] = field(default_factory=frozenset)
    answer: tuple[int, str, str] = (202, "text/plain", "")


NOT_SIGNED = "The signature does not fit the request."


def require_same(secret: str, right: str) -> None:
    """Compare in constant time, letter by letter: another spelling of the same bytes is no match.

    Raises:
        RefusedError: they differ.
    """
    if not hmac.compare_digest(secret.encode("utf-8", "replace"), right.encode()):
        raise RefusedError(401, NOT_SIGNED)


def base64_bytes(text: str) -> bytes:
    """The bytes of a base64 text in its one canonical spelling.

    Raises:
        RefusedError: it is none.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError(401, NOT_SIGNED) from None
    if base64.b64encode(content).decode() != text:
        raise RefusedError(401, NOT_SIGNED)
    return content


def json_of(body: bytes) -> Any:
    """The JSON in a body.

    Raises:
        RefusedError: it is none, or holds a number that JSON has not.
    """
    try:
        return json.loads(body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise RefusedError(400, "The body is no JSON.") from None


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object in a body.

    Raises:
        RefusedError: it is none.
    """
    content = json_of(body)
    if not isinstance(content, dict):
        raise RefusedError(400, "The body is no JSON object.")
    return content


def rows(folder: str, documents: Sequence[dict[str, Any]]) -> Kept:
    """Rows of a folder as they are kept."""
    return Kept(folder, json.dumps(list(documents), ensure_ascii=False).encode())


def unread(call: Call, folder: str = UNREAD) -> Kept:
    """A body that no source reads, as it came."""
    return Kept(folder, call.body)


def _no_number(text: str) -> None:
    raise ValueError(text)
