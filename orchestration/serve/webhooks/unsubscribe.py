"""The link by which a person unsubscribes with one click (RFC 8058).

Belongs here: making the link's token, reading it, and the page that a browser gets. Does not belong
here: recording the refusal (`reception`), sending messages.

The token is encrypted with a key of this home (AES-256-GCM), so it shows no address and nobody can
make or change one; the key lies in the operational store, and in its backups, because links in
messages of years ago are still to work. Only a POST with `List-Unsubscribe=One-Click` unsubscribes.
Mail scanners follow links: a GET shows a page with a button and changes nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import astuple, dataclass
from email import message_from_bytes
from email.policy import HTTP
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from ingestion.errors import UsageError
from ingestion.functions.identifiers import match_identifier
from ingestion.settings_file import load_settings
from ingestion.vocabulary import CHANNELS, EVERY, PURPOSES
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import Store, insert_new, open_store
from orchestration.serve.webhooks.call import Call, Kept, RefusedError, rows
from orchestration.serve.webhooks.statements import utc_text

PATH = "/unsubscribe/"
FIELD, ONE_CLICK = "List-Unsubscribe", "One-Click"
CONTENT_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
SOURCE = "one_click"
_KEY = "unsubscribe_key"
_KEY_BYTES, _NONCE_BYTES, _LONGEST = 32, 12, 2000
_PURPOSE = b"regulars unsubscribe 1"  # what else may be encrypted with the key is no token
_UNKNOWN = "This link to unsubscribe is not one of ours, or a part of it is missing."


@dataclass(frozen=True)
class Refusal:
    """Whose permission a link ends, and which."""

    identifier_type: str
    identifier_value: str
    channel: str
    purpose: str


def home_key(store: Store) -> bytes:
    """The key of this home; made when it is first asked for."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == _KEY)
    with store.read() as connection:
        key = connection.execute(query).scalar()
    if key is None:
        made = base64.b64encode(os.urandom(_KEY_BYTES)).decode()
        with store.write() as connection:
            insert_new(connection, schema.meta, [{"key": _KEY, "value": made}])
            key = connection.execute(query).scalar_one()
    return base64.b64decode(key)


def link(
    store: Store,
    url_base: str,
    identifier_type: str,
    identifier: str,
    *,
    channel: str,
    purpose: str,
    default_country: str,
) -> str:
    """The address to put into a message to this person.

    Raises:
        UsageError: no public address is set, or a word or the identifier cannot be used.
    """
    if not url_base.startswith("https://"):
        raise UsageError(
            "There is no public address to unsubscribe at.",
            'Set url_base = "https://…" under [serve] in regulars.toml.',
        )
    value = match_identifier(identifier_type, identifier, default_country)
    if value is None or channel not in (*CHANNELS, EVERY) or purpose not in (*PURPOSES, EVERY):
        raise UsageError(
            "The identifier, channel or purpose is none that we know.",
            f"Channels: {', '.join(CHANNELS)}; purposes: {', '.join(PURPOSES)}; * is every one.",
        )
    refusal = Refusal(identifier_type, value, channel, purpose)
    return url_base + PATH + make_token(home_key(store), refusal)


def link_for(home: Home, identifier_type: str, identifier: str) -> str:
    """The address that ends every purpose of e-mail for this person; empty where the shop has no
    public address."""
    settings = load_settings()
    if not settings.serve.url_base.startswith("https://"):
        return ""
    with open_store(home) as store:
        return link(
            *(store, settings.serve.url_base, identifier_type, identifier),
            channel="email",
            purpose=EVERY,
            default_country=settings.shop.default_country,
        )


def headers_for(
    home: Home, identifier_type: str, identifier: str, *, channel: str, purpose: str
) -> str:
    """The two headers of a message by which a mail program unsubscribes, as RFC 8058 has them."""
    settings = load_settings()
    with open_store(home) as store:
        address = link(
            *(store, settings.serve.url_base, identifier_type, identifier),
            channel=channel,
            purpose=purpose,
            default_country=settings.shop.default_country,
        )
    return f"List-Unsubscribe: <{address}>\nList-Unsubscribe-Post: {FIELD}={ONE_CLICK}"


def make_token(key: bytes, refusal: Refusal) -> str:
    """A token for the refusal, another one each time."""
    nonce = os.urandom(_NONCE_BYTES)
    text = json.dumps(astuple(refusal)).encode()
    return _written(nonce + AESGCM(key).encrypt(nonce, text, _PURPOSE))


def read_token(key: bytes, token: str) -> Refusal:
    """The refusal that a token was made for.

    Raises:
        RefusedError: it was not made with this key, or is not written as it was made.
    """
    try:
        if len(token) > _LONGEST:
            raise ValueError
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        if _written(sealed) != token:
            raise ValueError
        text = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _PURPOSE)
        return Refusal(*json.loads(text))
    except (binascii.Error, ValueError, InvalidTag):
        raise RefusedError(404, _UNKNOWN) from None


def require_one_click(call: Call) -> None:
    """The body says that this is a click, in either form that mail programs send.

    Raises:
        RefusedError: it does not.
    """
    if _fields(call) != [(FIELD, ONE_CLICK)]:
        raise RefusedError(400, f"A POST here says {FIELD}={ONE_CLICK} and nothing else.")


def read(refusal: Refusal, call: Call) -> list[Kept]:
    """The refusal as a row of `consents/`."""
    row = {
        "identifier_type": refusal.identifier_type,
        "identifier_value": refusal.identifier_value,
        "channel": refusal.channel,
        "purpose": refusal.purpose,
        "status": "revoked",
        "occurred_at": utc_text(call.received_at),
        "source": SOURCE,
    }
    return [rows("consents", [row])]


def page(shop: str, *, is_done: bool) -> str:
    """What a browser shows: a button, or that it is done."""
    if is_done:
        paragraph = "<p>You are unsubscribed and receive no more of these messages.</p>"
    else:
        paragraph = (
            "<p>Do you want to receive no more of these messages?</p><form method=post>"
            f'<input type=hidden name="{FIELD}" value="{ONE_CLICK}">'
            "<button>Unsubscribe</button></form>"
        )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width"><meta name=robots content=noindex>'
        f"<title>Unsubscribe</title><h1>{escape(shop)}</h1>{paragraph}</html>"
    )


def _written(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _fields(call: Call) -> list[tuple[str, str]]:
    kind = call.headers.get("content-type", "")
    try:
        if kind.lower().startswith(CONTENT_TYPES[0]):
            return parse_qsl(call.body.decode("ascii"), keep_blank_values=True, errors="strict")
        head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1")
        message: Any = message_from_bytes(head + call.body, policy=HTTP)
        return [_field(part) for part in message.iter_parts()]
    except (ValueError, TypeError, KeyError):
        return []


def _field(part: Any) -> tuple[str, str]:
    name = part.get_param("name", header="content-disposition")
    return str(name), str(part.get_content()).strip()
