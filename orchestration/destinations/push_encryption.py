"""Web push on the wire: the body by RFC 8291 (aes128gcm) and the sender's word by RFC 8292 (VAPID).

Belongs here: the cryptography, pure but for the salt and the key of each message. Does not belong
here: calls (`web_push`). The library `pywebpush` does the same and makes the call itself, past the
one guard of addresses that all destinations share; so these are the two RFCs on `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import struct
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD = 4_096
MAX_TEXT = RECORD - 103  # header of 86 bytes, tag of 16, delimiter of one
_CURVE = ec.SECP256R1()


class BadKeyError(ValueError):
    """A key of a browser or of the shop is none."""


def unpadded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """What base64url says, padded or not.

    Raises:
        BadKeyError: it is none.
    """
    try:
        text = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise BadKeyError from None


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key whose 32 bytes a text says in base64url.

    Raises:
        BadKeyError: it is none.
    """
    number = int.from_bytes(decoded(text), "big")
    try:
        return ec.derive_private_key(number, _CURVE)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyError from None


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as its 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypted(
    text: bytes,
    p256dh: str,
    auth: str,
    *,
    salt: bytes | None = None,
    sender: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """A body that one browser alone can read; `salt` and `sender` are made anew for each.

    Raises:
        BadKeyError: the browser's keys are none.
        ValueError: the text is too long for one record.
    """
    if len(text) > MAX_TEXT:
        raise ValueError("the text is too long for one record")
    salt, sender = salt or os.urandom(16), sender or ec.generate_private_key(_CURVE)
    receiver, secret = decoded(p256dh), decoded(auth)
    if len(secret) != 16:
        raise BadKeyError
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, receiver)
    except ValueError:
        raise BadKeyError from None
    shared = sender.exchange(ec.ECDH(), public)
    key, nonce = content_keys(shared, secret, receiver, point(sender), salt)
    header = salt + struct.pack(">IB", RECORD, 65) + point(sender)
    return header + AESGCM(key).encrypt(nonce, text + b"\x02", b"")


def content_keys(
    shared: bytes, auth: bytes, receiver: bytes, sender: bytes, salt: bytes
) -> tuple[bytes, bytes]:
    """The key and the nonce of one body (RFC 8291, 3.4)."""
    whose = b"WebPush: info\x00" + receiver + sender
    combined = _mac(_mac(auth, shared), whose + b"\x01")
    secret = _mac(salt, combined)
    key = _mac(secret, b"Content-Encoding: aes128gcm\x00\x01")[:16]
    return key, _mac(secret, b"Content-Encoding: nonce\x00\x01")[:12]


@dataclass(frozen=True)
class Vapid:
    """Who sends, for push services: a signed word for each of them."""

    private: ec.EllipticCurvePrivateKey
    subject: str

    @cached_property
    def public(self) -> str:
        """What browsers subscribe with (`applicationServerKey`)."""
        return unpadded(point(self.private))

    def header(self, audience: str, expires_at: datetime) -> str:
        """The header Authorization for a push service.

        Args:
            audience: the service's origin.
            expires_at: with its zone, at most a day ahead.
        """
        claims = {"aud": audience, "exp": int(expires_at.timestamp()), "sub": self.subject}
        signed = ".".join(_json(each) for each in ({"typ": "JWT", "alg": "ES256"}, claims))
        r, s = decode_dss_signature(self.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        signature = unpadded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return f"vapid t={signed}.{signature}, k={self.public}"


def _json(value: object) -> str:
    return unpadded(json.dumps(value, separators=(",", ":")).encode())


def _mac(key: bytes, text: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA256())
    mac.update(text)
    return mac.finalize()
