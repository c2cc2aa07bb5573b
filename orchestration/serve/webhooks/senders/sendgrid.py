"""SendGrid's signed Event Webhook: what became of each email.

Signed: `X-Twilio-Email-Event-Webhook-Signature`, ECDSA over P-256 and SHA-256 of the header
`X-Twilio-Email-Event-Webhook-Timestamp` followed by the body; the variable holds the public key as
SendGrid shows it. The time has no bounds: SendGrid tries for a day, and a repetition is kept once.
Data flow: POST /webhooks/sendgrid -> inbox/email
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from orchestration.serve.webhooks.call import (
    JSON,
    NOT_SIGNED,
    Call,
    Kept,
    RefusedError,
    Sender,
    base64_bytes,
    json_of,
)

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


def verify(call: Call, secret: str) -> None:
    """Refuse what the private key's owner did not sign.

    Raises:
        RefusedError: 401, it is not signed so; 503, the key in the settings cannot be read.
    """
    signature = base64_bytes(call.header(SIGNATURE))
    moment = call.header(TIMESTAMP)
    if not (moment.isascii() and moment.isdigit()):
        raise RefusedError(401, NOT_SIGNED)
    signed = moment.encode() + call.body
    try:
        _key(secret).verify(signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise RefusedError(401, NOT_SIGNED) from None


def read(call: Call) -> list[Kept]:
    """The events as they came.

    Raises:
        RefusedError: 400, the body is no JSON or no array of events.
    """
    content = json_of(call.body)
    events = content if isinstance(content, list) else [content]
    if not all(isinstance(event, dict) for event in events):
        raise RefusedError(400, "The body is no array of events.")
    return [Kept("email", call.body)]


def _key(text: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise RefusedError(503, "The key of this sender cannot be read.")
    return key


SENDER = Sender("sendgrid", JSON, verify, read)
