"""Klaviyo's system webhooks: who subscribed, unsubscribed, complained or cannot be reached.

Signed: `Klaviyo-Signature`, hex of HMAC-SHA256 over the body followed by the header
`Klaviyo-Timestamp`, whose time has no bounds; a repetition is kept once.
Refusals become rows of `consents/`; one that names nobody too, which waits in quarantine and which
`regulars doctor` reports. The other topics are kept and not read: the source `klaviyo`
asks for the same events by the API, and would count them twice. An opt-in without its evidence
could undo no refusal, so it waits for the API too.
Data flow: POST /webhooks/klaviyo -> inbox/consents, unread
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import Any

from ingestion.vocabulary import EVERY
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

SIGNATURE = "Klaviyo-Signature"
TIMESTAMP = "Klaviyo-Timestamp"
_PREFIX = "event:klaviyo."
# Per topic: the channel that it ends, and the word for why.
_REFUSALS = {
    "unsubscribed_from_email_marketing": ("email", "unsubscribed"),
    "manually_suppressed_from_email_marketing": ("email", "suppressed"),
    "marked_email_as_spam": ("email", "spam report"),
    "bounced_email": ("email", "hard bounce"),
    "unsubscribed_from_sms_marketing": ("sms", "unsubscribed"),
    "unsubscribed_from_text_messaging_marketing": ("sms", "unsubscribed"),
    "unsubscribed_from_mobile_push_marketing": ("push", "unsubscribed"),
    "unsubscribed_from_whatsapp_marketing": (EVERY, "unsubscribed"),
}
_ADDRESS = {"email": "email", "sms": "phone_number", EVERY: "phone_number"}


def verify(call: Call, secret: str) -> None:
    """Refuse what is not signed with the webhook's secret.

    Raises:
        RefusedError: 401, it is not signed so.
    """
    signed = call.body + call.header(TIMESTAMP).encode("latin-1")
    require_same(call.header(SIGNATURE), hmac.digest(secret.encode(), signed, "sha256").hex())


def read(call: Call) -> list[Kept]:
    """The refusals among the events, and the whole body where it says anything else.

    Raises:
        RefusedError: 400, the body is no JSON object with an array of events.
    """
    events = object_of(call.body).get("data")
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise RefusedError(400, "The body holds no array `data` of events.")
    consents = [row for event in events for row in _refusal(call, event)]
    kept = [rows("consents", consents)] if consents else []
    return kept if len(consents) == len(events) else [unread(call), *kept]


def _refusal(call: Call, event: dict[str, Any]) -> list[dict[str, Any]]:
    topic = str(event.get("topic") or "").lower().removeprefix(_PREFIX)
    if topic not in _REFUSALS:
        return []
    channel, word = _REFUSALS[topic]
    payload = event.get("payload")
    resource = _part(payload, "data")
    properties = _part(resource, "attributes", "event_properties")
    if word == "hard bounce" and str(properties.get("Bounce Type") or "").lower() == "soft":
        return []
    at = _part(resource, "attributes").get("datetime") or call.received_at
    person = _person(payload, resource, properties, channel)
    return consent_row(person, channel, word, at, f"klaviyo:{topic}", is_kept_of_nobody=True)


def _person(
    payload: Any, resource: dict[str, Any], properties: dict[str, Any], channel: str
) -> tuple[str, Any]:
    """The address of that channel on the event's profile, else in the event; else the profile
    itself; else any other address of these."""
    profiles = list(_profiles(payload))
    attributes_of = [*(_part(profile, "attributes") for profile in profiles), properties]
    own = [field for field in (_ADDRESS.get(channel),) if field]
    for kind, value in _addresses(attributes_of, own):
        return kind, value
    related = _part(resource, "relationships", "profile", "data").get("id")
    ids = (
        related,
        _part(resource, "attributes").get("profile_id"),
        *(p.get("id") for p in profiles),
    )
    for value in filter(None, ids):
        return "klaviyo_profile_id", value
    return next(_addresses(attributes_of, ["email", "phone_number"]), ("klaviyo_profile_id", None))


def _addresses(parts: list[dict[str, Any]], fields: list[str]) -> Iterator[tuple[str, Any]]:
    for field in fields:
        for attributes in parts:
            value = attributes.get(field) or attributes.get(f"{field}_address")
            if value:
                yield ("email" if field == "email" else "phone"), value


def _profiles(payload: Any) -> Iterator[dict[str, Any]]:
    included = payload.get("included") if isinstance(payload, dict) else None
    for each in included if isinstance(included, list) else []:
        if isinstance(each, dict) and each.get("type") == "profile":
            yield each


def _part(document: Any, *names: str) -> dict[str, Any]:
    """The object at a path; an empty one where there is none."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


SENDER = Sender("klaviyo", JSON, verify, read)
