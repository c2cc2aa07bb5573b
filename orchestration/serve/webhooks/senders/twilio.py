"""Twilio: replies to text messages, and what became of those that were sent.

Signed: `X-Twilio-Signature`, base64 of HMAC-SHA1 with the account's auth token over the public
address followed by every parameter's name and value in the order of names.
A reply that asks to stop, in any of the languages of `ingestion/landing/replies.py`, ends SMS; so
does what Twilio's own opt-out says (`OptOutType`), and error 21610 on a message that was sent. A
reply of START undoes nothing, since nobody can say what was agreed to. WhatsApp counts as SMS.
Data flow: POST /webhooks/twilio -> inbox/messages
"""

from __future__ import annotations

import base64
import hmac
import re
from typing import Any
from urllib.parse import parse_qsl

from orchestration.serve.webhooks.call import (
    FORM,
    Call,
    Kept,
    RefusedError,
    Sender,
    require_same,
    rows,
    unread,
)
from orchestration.serve.webhooks.statements import utc_text

SIGNATURE = "X-Twilio-Signature"
OPTED_OUT = "21610"
_MESSAGE_ID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
_STEPS = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "opened",
    "undelivered": "failed",
    "failed": "failed",
}


def verify(call: Call, secret: str) -> None:
    """Refuse what is not signed with the auth token.

    Raises:
        RefusedError: 401, it is not signed so.
    """
    right = base64.b64encode(hmac.digest(secret.encode(), _signed(call).encode(), "sha1")).decode()
    require_same(call.header(SIGNATURE), right)


def read(call: Call) -> list[Kept]:
    """The step of the message that the parameters tell of.

    Raises:
        RefusedError: 400, the parameters name no message or cannot be read.
    """
    values = dict(_parameters(call))
    message_id = values.get("MessageSid") or values.get("SmsSid") or ""
    status = values.get("MessageStatus", "").lower()
    # Names and values are signed without anything between them: what was cut elsewhere has no id.
    if not _MESSAGE_ID.fullmatch(message_id):
        raise RefusedError(400, "The parameters name no message.")
    row: dict[str, Any] = {
        "message_id": message_id,
        "channel": "sms",
        "identifier_type": "phone",
        "occurred_at": utc_text(call.received_at),
    }
    if status in _STEPS:
        error = values.get("ErrorCode", "")
        reason = "unsubscribed" if error == OPTED_OUT else f"error {error}" if error else None
        step = {
            "event": _STEPS[status],
            "reason": reason,
            "identifier_value": _number(values, "To"),
        }
        return [rows("messages", [row | step])]
    if status or "Body" not in values:
        return [unread(call)]
    is_opt_out = values.get("OptOutType", "").upper() == "STOP"
    reply = {
        "event": "unsubscribed" if is_opt_out else "replied",
        "text": values["Body"],
        "identifier_value": _number(values, "From"),
    }
    return [rows("messages", [row | reply])]


def _signed(call: Call) -> str:
    """The address and the parameters, however they were spelt in the body. A value that is repeated
    counts once, as Twilio's own libraries have it."""
    return call.url + "".join(name + value for name, value in sorted(set(_parameters(call))))


def _number(values: dict[str, str], name: str) -> str:
    """The number without the word for what carries it: `whatsapp:+44…`."""
    return values.get(name, "").rpartition(":")[2]


def _parameters(call: Call) -> list[tuple[str, str]]:
    try:
        return parse_qsl(call.body.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise RefusedError(400, "The body is no form.") from None


SENDER = Sender(
    "twilio",
    FORM,
    verify,
    read,
    identity=lambda call: _signed(call).encode(),
    needs_url=True,
    answer=(200, "text/xml", "<Response></Response>"),
)
