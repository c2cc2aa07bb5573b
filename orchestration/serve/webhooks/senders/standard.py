"""Standard Webhooks: any sender that follows that specification, with rows of one of our folders.

Signed: `webhook-signature` holds one or several `v1,<base64>` of HMAC-SHA256 over
`<webhook-id>.<webhook-timestamp>.<body>`; one that fits is enough, so that a secret can be changed.
The time may be five minutes from ours. The secret is base64, with or without `whsec_`.
`folder` in the settings says whose rows the body holds; without it they are kept and not read.
Data flow: POST /webhooks/NAME -> inbox/<folder>, or unread
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import UTC, datetime, timedelta

from ingestion.files.source import FolderSource
from ingestion.registry import SOURCES
from orchestration.serve.webhooks.call import (
    JSON,
    NOT_SIGNED,
    Call,
    Kept,
    RefusedError,
    Sender,
    json_of,
    rows,
    unread,
)

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)
_VERSION = "v1,"
_MOST = 20  # signatures in one header


def verify(call: Call, secret: str) -> None:
    """Refuse what none of the signatures fits, and what was sent long ago.

    Raises:
        RefusedError: 401, no signature fits or the request is old; 503, the secret cannot be read.
    """
    kept_id, moment = call.header(ID), call.header(TIMESTAMP)
    if not kept_id or not moment.isascii() or not moment.isdigit() or len(moment) > 12:
        raise RefusedError(401, NOT_SIGNED)
    sent_at = datetime.fromtimestamp(int(moment), UTC).replace(tzinfo=None)
    if abs(call.received_at - sent_at) > TOLERANCE:
        raise RefusedError(401, "The request was sent too long ago, or a clock is wrong.")
    signed = f"{kept_id}.{moment}.".encode("latin-1", "replace") + call.body
    right = _VERSION + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()
    signatures = call.header(SIGNATURE).split(" ")[:_MOST]
    if not any(hmac.compare_digest(each.encode(), right.encode()) for each in signatures):
        raise RefusedError(401, NOT_SIGNED)


def read(call: Call) -> list[Kept]:
    """The rows, for the folder that the settings name.

    Raises:
        RefusedError: 400, the body is no JSON or holds no rows.
    """
    if not call.folder:
        json_of(call.body)
        return [unread(call)]
    content = json_of(call.body)
    source = SOURCES.get(call.folder)
    envelopes = source.tables[0].envelopes if isinstance(source, FolderSource) else ()
    if isinstance(content, dict):
        held = next((content[name] for name in envelopes if name in content), None)
        content = held if isinstance(held, list) else [content]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise RefusedError(400, "The body holds no rows.")
    return [rows(call.folder, content)]


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError(503, "The secret of this sender cannot be read.") from None


SENDER = Sender(
    "standard",
    JSON,
    verify,
    read,
    # A body that changes under one id is a body of its own: a refusal may be what changed.
    identity=lambda call: call.header(ID).encode() + b"." + call.body,
)
