"""Shopify's webhooks: orders, consent of customers, and the requests that the law asks for.

Signed: `X-Shopify-Hmac-Sha256`, base64 of HMAC-SHA256 over the body with the app's client secret;
anything else gets 401, as Shopify's own checks ask. The topic stands in a header that is not
signed, so a body counts for a topic only if it has that topic's form.
Orders are rows of `orders/`; what is said of consent, in whichever topic of customers, becomes rows
of `consents/`. `customers/redact` refuses everything at once and waits, as `customers/data_request`
and `shop/redact` do, for somebody to act on it. Other topics are kept and not read.
Data flow: POST /webhooks/shopify -> inbox/orders, consents, requests, unread
"""

from __future__ import annotations

import base64
import hmac
from typing import Any

from ingestion.vocabulary import EVERY
from orchestration.home.inbox import REQUESTS
from orchestration.serve.webhooks.call import (
    JSON,
    Call,
    Kept,
    RefusedError,
    Sender,
    object_of,
    require_same,
    rows,
    unread,
)
from orchestration.serve.webhooks.statements import consent_row

SIGNATURE = "X-Shopify-Hmac-Sha256"
TOPIC = "X-Shopify-Topic"
_REQUESTS = {
    "customers/redact": ("shop_id", "customer"),
    "customers/data_request": ("shop_id", "customer"),
    "shop/redact": ("shop_id", "shop_domain"),
}
_STATES = {"email": "email_marketing_consent", "sms": "sms_marketing_consent"}


def verify(call: Call, secret: str) -> None:
    """Refuse what is not signed with the client secret."""
    right = base64.b64encode(hmac.digest(secret.encode(), call.body, "sha256")).decode()
    require_same(call.header(SIGNATURE), right)


def read(call: Call) -> list[Kept]:
    """What the topic's body holds for which folder."""
    topic = call.header(TOPIC).lower()
    body = object_of(call.body)
    if topic in _REQUESTS:
        _require(body, _REQUESTS[topic])
        refusals = _redacted(call, body) if topic == "customers/redact" else []
        return [unread(call, REQUESTS), *refusals]
    if topic.startswith("orders/") and topic != "orders/delete":
        _require(body, ("id", "created_at", "line_items"))
        return [Kept("orders", call.body)]
    if topic.startswith("customers") and any(state in body for state in _STATES.values()):
        consents = _consents(call, body)
        kept = [rows("consents", consents)] if consents else []
        is_all = bool(consents) and "consent" in topic  # of a customer there is more to know
        return kept if is_all else [unread(call), *kept]
    return [unread(call)]


def _require(body: dict[str, Any], names: tuple[str, ...]) -> None:
    if any(name not in body for name in names):
        raise RefusedError(400, "The body has not the form of its topic.")


def _redacted(call: Call, body: dict[str, Any]) -> list[Kept]:
    """A customer who is to be erased is written to by nobody from now on."""
    customer = body["customer"] if isinstance(body["customer"], dict) else {}
    people = (
        ("email", customer.get("email")),
        ("phone", customer.get("phone")),
        ("shopify_customer_id", customer.get("id")),
    )
    consents = [
        row
        for person in people
        for row in consent_row(person, EVERY, "denied", call.received_at, "shopify:redact")
    ]
    return [rows("consents", consents)] if consents else []


def _consents(call: Call, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The states of both channels, as far as the body has them."""
    owner = body.get("customer_id", body.get("id"))
    addresses = {
        "email": ("email", body.get("email_address") or body.get("email")),
        "sms": ("phone", body.get("phone_number") or body.get("phone")),
    }
    consents = []
    for channel, name in _STATES.items():
        state = body.get(name)
        if not isinstance(state, dict):
            continue
        word, at = state.get("state"), state.get("consent_updated_at")
        confirmed = state.get("opt_in_level") == "confirmed_opt_in"
        kind, value = addresses[channel]
        person = (kind, value) if value else ("shopify_customer_id", owner)
        consents += consent_row(
            *(person, channel, word, at or call.received_at, "shopify:customer"),
            proof="confirmed_opt_in" if confirmed and at else None,
        )
    return consents


SENDER = Sender("shopify", JSON, verify, read)
