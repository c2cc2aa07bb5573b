"""A push service, as browsers' vendors run one: subscriptions, and notices that browsers decrypt.

Rules: `RULES`, shown in docs/fakes.md. POST /_subscribe answers what a browser's own script gets
(`{"endpoint", "keys": {"p256dh", "auth"}}`), and may name the `key` of the shop that it is for.
DELETE /push/{id} is a browser that gives its subscription up. `is_apples`: answers 201 for what is
gone, as Apple's service does. Not here: receipts, batching, a notice that is shown.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestration.fakes.faults import Fault
from orchestration.fakes.rules import RefusedError, Rule, Rules
from orchestration.fakes.server import Clock
from orchestration.fakes.shop import ShopProfile
from orchestration.fakes.vendor import Vendor

VAPID_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"  # the key of RFC 8291's example
URGENCIES = ("very-low", "low", "normal", "high")
_PUSH = "https://www.rfc-editor.org/rfc/rfc8030"
_KEYS = "https://www.rfc-editor.org/rfc/rfc8291"
_VAPID = "https://www.rfc-editor.org/rfc/rfc8292"
_POST = "POST {endpoint}"
RULES = Rules((
    Rule("gone", _POST, "the address", "a subscription that is there", "410 gone",
         _PUSH + "#section-7.3"),
    Rule("apple", _POST, "the address, at Apple's", "any", "201; nothing is delivered",
         "https://bugs.webkit.org/show_bug.cgi?id=249766"),
    Rule("ttl", _POST, "header TTL", "a number of seconds", "400 ttl", _PUSH + "#section-5.2"),
    Rule("urgency", _POST, "header Urgency", ", ".join(URGENCIES), "400 urgency",
         _PUSH + "#section-5.3"),
    Rule("topic", _POST, "header Topic", 32, "400 topic", _PUSH + "#section-5.4"),
    Rule("replaces", _POST, "header Topic", "one of a notice that waits",
         "201; the waiting one is replaced", _PUSH + "#section-5.4"),
    Rule("encoding", _POST, "header Content-Encoding", "aes128gcm", "400 encoding",
         _KEYS + "#section-4"),
    Rule("bytes", _POST, "the body", 4096, "413 too_large", _PUSH + "#section-7.2"),
    Rule("readable", _POST, "the body", "encrypted for the browser's keys",
         "201; the browser shows nothing", _KEYS + "#section-3"),
    Rule("vapid", _POST, "header Authorization", "vapid t=, k= with a valid signature",
         "401 unauthorized", _VAPID + "#section-3"),
    Rule("audience", _POST, "aud", "the service's own origin", "401 unauthorized",
         _VAPID + "#section-2"),
    Rule("expiry", _POST, "exp, hours ahead", 24, "401 unauthorized", _VAPID + "#section-2"),
    Rule("own_key", _POST, "k", "the key that the browser subscribed with", "403 forbidden",
         _VAPID + "#section-4.2"),
))  # fmt: skip


@dataclass
class Browser:
    """One subscription, with what only its browser knows; `shown` are notices that it read."""

    id: str
    private: ec.EllipticCurvePrivateKey = field(repr=False)
    auth: bytes = field(repr=False)
    key: str = ""
    is_gone: bool = False
    is_off: bool = False
    waiting: list[tuple[str, bytes]] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)
    unreadable: int = 0

    @property
    def keys(self) -> dict[str, str]:
        """What it hands out."""
        return {"p256dh": _text(_point(self.private)), "auth": _text(self.auth)}


class Push(Vendor):
    """One push service."""

    name = "push"
    rules = RULES
    credentials: Mapping[str, str] = {"VAPID_PRIVATE_KEY": VAPID_KEY}

    def begin_anew(self, seed: int) -> None:
        """Another service without subscriptions."""
        super().begin_anew(seed)
        self.browsers: dict[str, Browser] = {}
        self.is_apples = False
        self.posts: list[dict[str, str]] = []  # headers of what was taken

    def subscribe(self, key: str = "") -> Browser:
        """A browser that subscribes, for a shop's key or any."""
        number = self._dice.getrandbits(255) + 1
        name = f"{self._dice.getrandbits(96):024x}"
        private = ec.derive_private_key(number, ec.SECP256R1())
        browser = Browser(name, private, self._dice.randbytes(16), key)
        self.browsers[name] = browser
        return browser

    def wake(self, browser: Browser) -> None:
        """A browser that is on again reads what waits for it."""
        browser.is_off = False
        for _, body in browser.waiting:
            _show(browser, body)
        browser.waiting = []

    def routes(self) -> list[Route]:
        """The service, and how browsers subscribe."""
        return [
            Route("/push/{id}", self._post, methods=["POST"]),
            Route("/push/{id}", self._leave, methods=["DELETE"]),
            Route("/_subscribe", self._subscribe, methods=["POST"]),
        ]

    def state(self) -> Mapping[str, Any]:
        """What it holds, as counts."""
        with self._lock:
            browsers = self.browsers.values()
            return {
                "subscriptions": sum(not each.is_gone for each in browsers),
                "gone": sum(each.is_gone for each in browsers),
                "taken": len(self.posts),
                "shown": sum(len(each.shown) for each in browsers),
                "unreadable": sum(each.unreadable for each in browsers),
                "refused": dict(self.refused),
            }

    def begin_with(self, profiles: Iterable[ShopProfile]) -> None:
        """Nothing: browsers of a pretend shop subscribed at no service of this machine."""

    def trouble(self, fault: Fault) -> Response:
        """The answer of a bad day."""
        return Response(status_code=int(fault.kind), headers=fault.retry_after)

    async def _subscribe(self, request: Request) -> Response:
        raw = await request.body()
        content = json.loads(raw) if raw else {}
        with self._lock:
            browser = self.subscribe(str(content.get("key") or ""))
        endpoint = str(request.url.replace(path=f"/push/{browser.id}"))
        return JSONResponse({"endpoint": endpoint, "keys": browser.keys}, 201)

    async def _leave(self, request: Request) -> Response:
        with self._lock:
            self.browsers[request.path_params["id"]].is_gone = True
        return Response(status_code=204)

    async def _post(self, request: Request) -> Response:
        body = await request.body()
        with self._lock:
            try:
                self._take(request, body)
            except RefusedError as error:
                self.refused[error.rule.name] += 1
                return JSONResponse({"errno": error.code}, error.status)
        return Response(status_code=201, headers={"Location": f"{request.url}/message"})

    def _take(self, request: Request, body: bytes) -> None:
        headers = request.headers
        browser = self.browsers.get(request.path_params["id"])
        is_gone = browser is None or browser.is_gone
        if is_gone and not self.is_apples:
            raise RULES.refuse("gone")
        for name, is_kept in (
            ("ttl", headers.get("ttl", "").isdigit()),
            ("urgency", headers.get("urgency", "normal") in URGENCIES),
            ("topic", re.fullmatch(r"[A-Za-z0-9_-]{0,32}", headers.get("topic", ""))),
            ("encoding", headers.get("content-encoding") == "aes128gcm"),
            ("bytes", len(body) <= RULES.number("bytes")),
        ):
            if not is_kept:
                raise RULES.refuse(name)
        own = f"{request.url.scheme}://{request.url.netloc}"
        key = self._signed(headers.get("authorization", ""), own)
        if browser is not None and browser.key and browser.key != key:
            raise RULES.refuse("own_key")
        self.posts.append({name: headers[name] for name in ("ttl", "topic") if name in headers})
        if browser is not None and not browser.is_gone:
            topic = headers.get("topic", "")
            kept = [each for each in browser.waiting if not topic or each[0] != topic]
            browser.waiting = [*kept, (topic, body)]
            if not browser.is_off:
                self.wake(browser)

    def _signed(self, header: str, own: str) -> str:
        """The key that a word is signed with."""
        match = re.fullmatch(r"vapid t=([\w-]+\.[\w-]+)\.([\w-]+), ?k=([\w-]+)", header)
        if match is None:
            raise RULES.refuse("vapid")
        signed, key = match[1], match[3]
        try:
            signature = _bytes(match[2])
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(key))
            half = len(signature) // 2
            numbers = (int.from_bytes(each) for each in (signature[:half], signature[half:]))
            word = encode_dss_signature(*numbers)
            public.verify(word, signed.encode(), ec.ECDSA(hashes.SHA256()))
            claims = json.loads(_bytes(signed.split(".")[1]))
        except (ValueError, InvalidSignature):
            raise RULES.refuse("vapid") from None
        if claims.get("aud") != own:
            raise RULES.refuse("audience")
        ahead = claims.get("exp", 0) - self._clock().timestamp()
        if not 0 < ahead <= 3_600 * RULES.number("expiry"):
            raise RULES.refuse("expiry")
        return key


def create(seed: int, clock: Clock) -> Push:
    """A service without subscriptions."""
    return Push(seed, clock)


def read(private: ec.EllipticCurvePrivateKey, auth: bytes, body: bytes) -> bytes:
    """What a browser reads of a body (RFC 8291).

    Raises:
        InvalidTag: it was not encrypted for this browser.
    """
    salt, _, length = body[:16], *struct.unpack(">IB", body[16:21])
    sender, text = body[21 : 21 + length], body[21 + length :]
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    whose = b"WebPush: info\0" + _point(private) + sender
    secret = _derived(private.exchange(ec.ECDH(), public), auth, whose, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    return AESGCM(key).decrypt(nonce, text, b"").rstrip(b"\0").removesuffix(b"\x02")


def _show(browser: Browser, body: bytes) -> None:
    try:
        browser.shown.append(json.loads(read(browser.private, browser.auth, body)))
    except (InvalidTag, ValueError, struct.error):
        browser.unreadable += 1


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
