"""A home that takes webhooks, asked in this process, and senders that sign as the real ones do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette

from ingestion.config import Serve, Settings, Shop, Webhook
from orchestration.activation.gate import Policy, load_states
from orchestration.home.layout import Home
from orchestration.ops.store import open_store, to_micros
from orchestration.serve.webhooks.app import Webhooks

NOW = datetime(2026, 11, 29, 12)
URL_BASE = "https://hooks.shop.example"
KEY = ec.derive_private_key(20_261_129, ec.SECP256R1())
SECRETS = {
    "SENDGRID_WEBHOOK_KEY": base64.b64encode(
        KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode(),
    "SHOPIFY_CLIENT_SECRET": "shopify-secret",
    "TWILIO_AUTH_TOKEN": "twilio-token",
    "KLAVIYO_WEBHOOK_SECRET": "klaviyo-secret-of-16",
    "SEGMENT_WRITE_KEY": "segment-key",
    "LOYALTY_SECRET": "whsec_" + base64.b64encode(b"l" * 24).decode(),
}
SETTINGS = Settings(
    shop=Shop(name="Corner shop"),
    serve=Serve(url_base=URL_BASE),
    webhooks={
        **{name: Webhook() for name in ("sendgrid", "shopify", "twilio", "klaviyo", "segment")},
        "loyalty": Webhook(kind="standard", secret_env="LOYALTY_SECRET", folder="consents"),
        "erp": Webhook(kind="standard", secret_env="LOYALTY_SECRET"),
    },
)


@dataclass(frozen=True)
class Sent:
    """A request."""

    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "POST"
    query: str = ""

    def with_header(self, name: str, value: str) -> Sent:
        kept = tuple(each for each in self.headers if each[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Door:
    """The web application of a home, and ways to ask it and its home."""

    home: Home
    settings: Settings = SETTINGS
    at: datetime = NOW
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        self.app = Webhooks(self.home, self.settings, clock=lambda: self.at).app()

    def ask(self, sent: Sent) -> Answer:
        return asyncio.run(self.answer(sent))

    def ask_together(self, sents: Iterable[Sent]) -> list[int]:
        """The statuses of requests that come at the same moment."""

        async def ask() -> list[Answer]:
            return await asyncio.gather(*(self.answer(sent) for sent in sents))

        return [answer.status for answer in asyncio.run(ask())]

    async def answer(self, sent: Sent) -> Answer:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": sent.method,
            "scheme": "http",
            "path": sent.path,
            "raw_path": sent.path.encode(),
            "query_string": sent.query.encode(),
            "root_path": "",
            "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in sent.headers],
            "server": ("127.0.0.1", 3100),
            "client": ("127.0.0.1", 50_000),
        }
        messages: list[Any] = []
        blocks = [{"type": "http.request", "body": sent.body, "more_body": False}]

        async def receive() -> Any:
            return blocks.pop() if blocks else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        start, *parts = messages
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(p["body"] for p in parts).decode())

    def files(self, folder: str = "") -> list[Path]:
        return sorted((self.home.inbox / folder).rglob("*.json"))

    def rows(self, folder: str) -> list[dict[str, Any]]:
        return [row for path in self.files(folder) for row in json.loads(path.read_text())]

    def refusals(self) -> set[tuple[str, str, str, str, str]]:
        """Identifier, channel, purpose and reason of everything in the ledger that says no."""
        with open_store(self.home) as store, store.read() as connection:
            rows = connection.exec_driver_sql(
                "select identifier_type, identifier_value, channel, purpose, reason"
                " from suppressions union select identifier_type, identifier_value, channel,"
                " purpose, status from consent_events where status <> 'granted'"
            )
            return {tuple(row) for row in rows}

    def is_silenced(self, kind: str, value: str, channel: str = "email") -> bool:
        """Whether the gate knows of a refusal of marketing, at this moment."""
        with open_store(self.home) as store, store.read() as connection:
            at = to_micros(self.at)
            states = load_states(connection, [(kind, value)], Policy(channel, "marketing"), at)
            state = states.get((kind, value))
            return state is not None and (state.opt_out is not None or state.bounced)


def _json(path: str, body: bytes, *headers: tuple[str, str]) -> Sent:
    return Sent(path, body, (("Content-Type", "application/json"), *headers))


def _mac(secret: str, content: bytes, kind: str) -> bytes:
    return hmac.digest(SECRETS.get(secret, secret).encode(), content, kind)


def sendgrid(*events: dict[str, Any], moment: str = "1795953600") -> Sent:
    body = json.dumps(events).encode()
    signature = KEY.sign(moment.encode() + body, ec.ECDSA(SHA256()))
    return _json(
        "/webhooks/sendgrid",
        body,
        ("X-Twilio-Email-Event-Webhook-Timestamp", moment),
        ("X-Twilio-Email-Event-Webhook-Signature", base64.b64encode(signature).decode()),
    )


def shopify(topic: str, document: dict[str, Any]) -> Sent:
    body = json.dumps(document).encode()
    signature = base64.b64encode(_mac("SHOPIFY_CLIENT_SECRET", body, "sha256")).decode()
    return _json(
        "/webhooks/shopify",
        body,
        ("X-Shopify-Topic", topic),
        ("X-Shopify-Hmac-Sha256", signature),
        ("X-Shopify-Webhook-Id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"),
    )


def twilio(**parameters: str) -> Sent:
    signed = f"{URL_BASE}/webhooks/twilio"
    signed += "".join(name + value for name, value in sorted(parameters.items()))
    signature = base64.b64encode(_mac("TWILIO_AUTH_TOKEN", signed.encode(), "sha1")).decode()
    return Sent(
        "/webhooks/twilio",
        urlencode(parameters).encode(),
        (
            ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),
            ("X-Twilio-Signature", signature),
        ),
    )


def reply(text: str, number: str = "+447700900123", **more: str) -> Sent:
    sid = f"SM{hashlib.md5((text + number).encode()).hexdigest()}"
    return twilio(MessageSid=sid, From=number, To="+447700900999", Body=text, **more)


def klaviyo(*events: dict[str, Any]) -> Sent:
    moment = "Sun, 29 Nov 2026 12:00:00 GMT"
    body = json.dumps({"data": events, "meta": {"klaviyo_account_id": "ABC123"}}).encode()
    signature = _mac("KLAVIYO_WEBHOOK_SECRET", body + moment.encode(), "sha256").hex()
    return _json(
        "/webhooks/klaviyo",
        body,
        ("Klaviyo-Timestamp", moment),
        ("Klaviyo-Signature", signature),
    )


def klaviyo_event(topic: str, email: str, **properties: str) -> dict[str, Any]:
    attributes = {"datetime": "2026-11-29T11:59:00+00:00", "event_properties": properties}
    return {
        "external_id": "73WCCK7JKtE",
        "topic": f"event:klaviyo.{topic}",
        "payload": {
            "data": {
                "type": "event",
                "id": "73WCCK7JKtE",
                "attributes": attributes,
                "relationships": {"profile": {"data": {"type": "profile", "id": "01KPROFILE"}}},
            },
            "included": [
                {"type": "profile", "id": "01KPROFILE", "attributes": {"email": email}},
            ]
            if email
            else [],
        },
    }


def standard(
    document: Any, name: str = "loyalty", at: datetime = NOW, kept_id: str = "msg_1"
) -> Sent:
    body = json.dumps(document).encode()
    moment = str(int((at - datetime(1970, 1, 1)).total_seconds()))
    key = base64.b64decode(SECRETS["LOYALTY_SECRET"].removeprefix("whsec_"))
    signature = hmac.digest(key, f"{kept_id}.{moment}.".encode() + body, "sha256")
    return _json(
        f"/webhooks/{name}",
        body,
        ("webhook-id", kept_id),
        ("webhook-timestamp", moment),
        ("webhook-signature", "v1," + base64.b64encode(signature).decode()),
    )


def segment(document: Any, rest: str = "", *, signed: bool = True) -> Sent:
    body = json.dumps(document).encode()
    if signed:
        proof = ("X-Signature", _mac("SEGMENT_WRITE_KEY", body, "sha1").hex())
    else:
        key = base64.b64encode(f"{SECRETS['SEGMENT_WRITE_KEY']}:".encode()).decode()
        proof = ("Authorization", f"Basic {key}")
    return _json(f"/webhooks/segment{rest}", body, proof)


def consent(email: str, status: str = "revoked", **more: str) -> dict[str, str]:
    return {
        "identifier_type": "email",
        "identifier_value": email,
        "channel": "email",
        "purpose": "*",
        "status": status,
        "occurred_at": "2026-11-29T11:00:00Z",
        "source": "loyalty",
    } | more
