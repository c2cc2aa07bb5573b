"""Calls in Segment's Spec from a server: identify, track, page, screen, group, alias, and batches.

Let in by Segment's own `X-Signature` (hex of HMAC-SHA1 over the body), or by the secret as write
key in basic authentication, which says who sends and not what: keep it on servers.
A call without an id or a time gets one: the hash of its body, the time of its arrival. A
`Sec-GPC: 1` on the request is written into the context of each call.
Data flow: POST /webhooks/segment[/v1/TYPE] -> inbox/web
"""

from __future__ import annotations

import base64
import hmac
from typing import Any

from orchestration.home.inbox import body_id
from orchestration.serve.webhooks.call import (
    JSON,
    Call,
    Kept,
    RefusedError,
    Sender,
    json_of,
    require_same,
    rows,
)
from orchestration.serve.webhooks.statements import utc_text

SIGNATURE = "X-Signature"
_TYPES = ("identify", "track", "page", "screen", "group", "alias")
PATHS = frozenset(f"/v1/{name}" for name in (*_TYPES, "batch"))
_TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
_GPC = "Sec-GPC"


def verify(call: Call, secret: str) -> None:
    """Refuse what shows neither a signature nor the write key.

    Raises:
        RefusedError: 401, the signature or the write key is wrong.
    """
    if SIGNATURE in call.headers:
        right = hmac.digest(secret.encode(), call.body, "sha1").hex()
        require_same(call.header(SIGNATURE), right)
        return
    right = base64.b64encode(f"{secret}:".encode()).decode()
    require_same(call.header("Authorization"), f"Basic {right}")


def read(call: Call) -> list[Kept]:
    """The calls, each complete.

    Raises:
        RefusedError: 400, the body is no JSON or holds no calls.
    """
    content = json_of(call.body)
    listed = content if isinstance(content, list) else [content]
    shared: dict[str, Any] = {}
    if isinstance(content, dict) and isinstance(content.get("batch"), list):
        listed = content["batch"]
        shared = {name: content[name] for name in ("sentAt", "context") if name in content}
    if not listed or not all(isinstance(each, dict) for each in listed):
        raise RefusedError(400, "The body holds no calls.")
    kind = call.rest.rpartition("/")[2]
    said_type = {"type": kind} if kind in _TYPES else {}
    numbered = enumerate(listed)
    return [rows("web", [_whole(call, n, {**said_type, **shared, **each}) for n, each in numbered])]


def _whole(call: Call, number: int, row: dict[str, Any]) -> dict[str, Any]:
    if not row.get("messageId"):
        row["messageId"] = f"arrived-{body_id(call.body, str(number).encode())}"
    if not any(row.get(name) for name in _TIMES):
        row["receivedAt"] = utc_text(call.received_at)
    if "1" in call.headers.getlist(_GPC):
        context = row.get("context")
        row["context"] = {**(context if isinstance(context, dict) else {}), "gpc": True}
    return row


SENDER = Sender("segment", JSON, verify, read, takes_paths=PATHS)
