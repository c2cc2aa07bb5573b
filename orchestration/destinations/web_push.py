"""The destination `web_push`: one push notice per person, to a browser that subscribed.

Calls: `POST <endpoint>`, once per notice, at the push service that the browser named: the notice
as encrypted JSON (RFC 8291), with TTL, Urgency, Topic and the shop's VAPID word (RFC 8292).
Auth: the shop's private key, base64url of its 32 bytes, in the variable that `vapid_key_env` names.
Limits: `batch_size` notices of a batch; 3,000 bytes of a notice (`messages`).
A 2xx says that the service took it, and nothing of the browser: Apple's answers so for endpoints
that are no more. 404 and 410 say that a subscription is gone: noted at once. A repeat is a second
notice, unless the first still waits (Topic).
Endpoints come from browsers: https alone, of known push services, never inside the network.
Not done: receipts of delivery (docs/channels/web_push.md).

Does not belong here: who gets a notice (the gate, the decision), its words (`messages`), the
cryptography (`push_encryption`). Data flow: outbox rows -> push services.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingestion.apis.addresses import AddressError, checked_url, is_this_machine
from ingestion.errors import UsageError
from orchestration.destinations.base import (
    Acknowledgement,
    Audience,
    Batch,
    Idempotency,
    Limits,
    Outcome,
)
from orchestration.destinations.http import (
    LACKS_A_RIGHT,
    AccessRefusedError,
    AnswerLostError,
    HttpClient,
    secret,
)
from orchestration.destinations.one_by_one import send_one_by_one
from orchestration.destinations.options import checked_options
from orchestration.destinations.push_encryption import (
    BadKeyError,
    Vapid,
    encrypted,
    private_key,
    unpadded,
)
from orchestration.home.layout import Home
from orchestration.messages.compose import notice_json

SENDS_MESSAGES = True
# The push services of Chrome and others, Firefox, Safari, and Windows.
SERVICES = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",
)
GONE = (404, 410)
TOO_LARGE = 413
BAD_REQUEST = 400
LIFETIME = timedelta(hours=12)  # of the shop's word for a service; a day is the most allowed
TOPIC_LETTERS = 32
KEY_REFUSED = "key_refused"


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say.

    Attributes:
        subject: how push services reach the shop: `mailto:` or `https:`.
        ttl_seconds: how long a service keeps a notice for a browser that is off.
        services: hosts (and what ends with one of them) that endpoints may lead to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Annotated[str, Field(pattern=r"^((mailto:|https://)[!-~]{3,200})?$")] = ""
    vapid_key_env: Annotated[str, Field(min_length=1)] = "VAPID_PRIVATE_KEY"
    ttl_seconds: Annotated[int, Field(ge=0, le=2_419_200)] = 14_400
    urgency: Literal["very-low", "low", "normal", "high"] = "normal"
    services: list[Annotated[str, Field(pattern=r"^[a-z0-9.-]{3,200}$")]] = list(SERVICES)
    batch_size: Annotated[int, Field(ge=1, le=100)] = 20
    allow_private: bool = False

    @model_validator(mode="after")
    def _says_who(self) -> Options:
        if not self.subject:
            raise ValueError("give `subject`: mailto: and an address of the shop")
        return self


class WebPushDestination:
    """Sends push notices to browsers."""

    channels = frozenset({"push"})
    idempotency = Idempotency.NONE
    acknowledgement = Acknowledgement.UNKNOWABLE

    def __init__(self, name: str, options: Options, now: Callable[[], datetime]) -> None:
        """Nothing is reached until the first notice."""
        self.name = name
        self.limits = Limits(options.batch_size)
        self._options = options
        self._now = now
        self._clients: dict[str, HttpClient] = {}

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Send each notice on its own.

        Raises:
            AccessRefusedError: every service refused the shop's key.
        """
        outcomes = send_one_by_one(batch.rows, lambda row: self.send(row.key, row.payload))
        tried = {each.reason for each in outcomes if each.status != "delivered"}
        if tried == {KEY_REFUSED}:
            raise AccessRefusedError(self.name, 403, self._options.vapid_key_env)
        return outcomes

    def send(self, key: str, payload: Mapping[str, Any]) -> Outcome:
        """Hand over one notice.

        Raises:
            RegularsError: as `http` says; the shop's key is none.
        """
        endpoint, message = str(payload.get("endpoint") or ""), payload.get("message")
        if not endpoint or not isinstance(message, Mapping):
            return Outcome(key, "rejected", "no_message" if endpoint else "no_address")
        if problem := self._problem(endpoint):
            return Outcome(key, "rejected", problem)
        try:
            body = encrypted(notice_json(message), str(payload["p256dh"]), str(payload["auth"]))
        except BadKeyError:
            return Outcome(key, "rejected", "unusable_keys")
        except ValueError:
            return Outcome(key, "rejected", "too_large")
        return self._sent(key, endpoint, body)

    def try_out(self, address: str, message: Any, key: str) -> Outcome:  # noqa: ARG002
        """A notice needs a browser's keys: it is tried out by subscribing with one's own."""
        return Outcome(key, "rejected", "subscribe_a_browser")

    def finish(self, audience: Audience) -> None:
        """Nothing to do: there is no audience."""

    def preview(self, segment: str) -> str:
        """How notices of this segment would leave."""
        return f"a push notice to a browser of each person of `{segment}`"

    def stays_in(self, folder: Path) -> bool:  # noqa: ARG002 - a service is in no folder
        """Only services on this machine, fakes, are the pretend shop's own."""
        return all(is_this_machine(f"http://{host}") for host in self._options.services)

    def _problem(self, endpoint: str) -> str:
        """Why an endpoint is not called at all; it is what some browser said."""
        options = self._options
        try:
            host = checked_url(endpoint, allow_private=options.allow_private).host
        except AddressError:
            return "refused_endpoint"
        known = any(host == each or host.endswith(f".{each}") for each in options.services)
        return "" if known else "unknown_service"

    def _sent(self, key: str, endpoint: str, body: bytes) -> Outcome:
        parts = urlsplit(endpoint)
        service = f"{parts.scheme}://{parts.netloc}"
        vapid, options = self._vapid, self._options
        headers = {
            "authorization": vapid.header(service, self._now() + LIFETIME),
            "content-type": "application/octet-stream",
            "content-encoding": "aes128gcm",
            "ttl": str(options.ttl_seconds),
            "urgency": options.urgency,
            "topic": unpadded(hashlib.sha256(key.encode()).digest())[:TOPIC_LETTERS],
        }
        accept = (*GONE, *LACKS_A_RIGHT, TOO_LARGE, BAD_REQUEST)
        try:
            answer = self._client(service).call(
                "POST", endpoint, content=body, headers=headers, accept=accept
            )
        except UsageError:  # its name leads into the network
            return Outcome(key, "rejected", "refused_endpoint")
        if answer.status in GONE:
            return Outcome(key, "rejected", "subscription_gone", gone=endpoint)
        if answer.status in LACKS_A_RIGHT:
            return Outcome(key, "retry", KEY_REFUSED)
        if answer.status in (TOO_LARGE, BAD_REQUEST):
            return Outcome(key, "rejected", f"http_{answer.status}")
        if answer.is_page or answer.is_cut:  # of a proxy or a login, and of no push service
            raise AnswerLostError(self.name, "html_answer" if answer.is_page else "long_answer")
        return Outcome(key, "accepted")

    def _client(self, service: str) -> HttpClient:
        if service not in self._clients:
            self._clients[service] = HttpClient(
                self.name,
                service,
                repeatable=False,
                credentials=self._options.vapid_key_env,
                allow_private=self._options.allow_private,
            )
        return self._clients[service]

    @cached_property
    def _vapid(self) -> Vapid:
        variable = self._options.vapid_key_env
        try:
            key = private_key(secret(self.name, "vapid_key_env", variable))
        except BadKeyError:
            raise UsageError(
                f"The environment variable {variable} of the destination `{self.name}` holds no"
                " VAPID key.",
                "Put the 32 bytes of a P-256 private key there, in base64url"
                " (docs/channels/web_push.md).",
            ) from None
        return Vapid(key, self._options.subject)


def create(name: str, options: dict[str, Any], home: Home) -> WebPushDestination:  # noqa: ARG001
    """The destination with these options.

    Raises:
        UsageError: an option is missing, unknown or has a wrong value.
    """
    checked = checked_options(Options, name, options)
    return WebPushDestination(name, checked, lambda: datetime.now(UTC))
