"""Every source's way of saying yes or no becomes the right fact, once (RELIABILITY A6, A7, A9)."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.ops import export, schema
from orchestration.ops import store as stores
from orchestration.ops.export import export_ops
from orchestration.ops.permission import consent_facts, readings
from orchestration.ops.permission.consent_facts import FactCounts, record_consent_facts
from orchestration.ops.runs import Run
from orchestration.ops.store import Store, from_micros, open_store
from tests.orchestration.ops.conftest import AS_OF
from tests.orchestration.ops.raw_file import write_held, write_raw

T1 = datetime(2026, 1, 1, 8)
T2 = datetime(2026, 2, 1, 8)


def _record(store: Store, home: Home, **options: Any) -> FactCounts:
    return record_consent_facts(store, home.raw, as_of=AS_OF, default_country="GB", **options)


def _suppressions(store: Store) -> set[tuple[Any, ...]]:
    table = schema.suppressions.c
    query = select(
        table.identifier_type, table.identifier_value, table.channel, table.purpose, table.reason
    )
    with store.read() as connection:
        return {tuple(row) for row in connection.execute(query)}


def _consents(store: Store) -> set[tuple[Any, ...]]:
    table = schema.consent_events.c
    query = select(
        table.identifier_type, table.identifier_value, table.channel, table.purpose, table.status
    )
    with store.read() as connection:
        return {tuple(row) for row in connection.execute(query)}


def test_no_raw_file_is_no_fact(store: Store, home: Home) -> None:
    assert _record(store, home) == FactCounts(0, 0, 0)


def test_consent_rows(store: Store, home: Home) -> None:
    row = {
        "identifier_type": "email",
        "identifier_value": " Jane@Example.com ",
        "channel": "Email",
        "purpose": "marketing",
        "status": "granted",
        "occurred_at": T1,
        "source": "newsletter",
        "wording_version": "v1",
    }
    write_raw(
        home.raw,
        "1.0",
        raw_consents__consents=[
            row,
            row,
            {**row, "occurred_at": None, "wording_version": "v2"},
            {**row, "source": " "},
            {**row, "status": "revoked", "occurred_at": None, "source": None},
            {**row, "identifier_value": "nobody"},
            {**row, "identifier_type": "phone", "identifier_value": "07700 900123"},
        ],
    )
    counts = _record(store, home)
    assert counts == FactCounts(consents=3, suppressions=0, unusable=3)
    assert _consents(store) == {
        ("email", "jane@example.com", "email", "marketing", "granted"),
        ("email", "jane@example.com", "email", "marketing", "revoked"),
        ("phone", "+447700900123", "email", "marketing", "granted"),
    }
    with store.read() as connection:
        revoked = connection.execute(
            select(schema.consent_events).where(schema.consent_events.c.status == "revoked")
        ).one()
    assert from_micros(revoked.occurred_at) == AS_OF


def test_reading_again_adds_nothing(store: Store, home: Home) -> None:
    event = {"email": "a@example.com", "occurred_at": T1, "event": "unsubscribe"}
    write_raw(home.raw, "1.0", raw_email__events=[event])
    assert _record(store, home).suppressions == 1
    assert _record(store, home) == FactCounts(0, 0, 0)
    assert _record(store, home, rescan=True).suppressions == 0
    # The same row in another load, and a load whose id is older than the last one read.
    write_raw(home.raw, "0.5", raw_email__events=[event, {**event, "email": "b@example.com"}])
    assert _record(store, home).suppressions == 1


@pytest.mark.parametrize(
    ("event", "purpose", "reason"),
    [
        ({"event": "unsubscribe"}, "*", "unsubscribed"),
        ({"event": "unsubscribe", "asm_group_id": "7"}, "*", "unsubscribed"),
        ({"event": "group_unsubscribe"}, "*", "unsubscribed"),
        ({"event": "spamreport"}, "*", "spam_report"),
        ({"event": "bounce", "type": "bounce"}, "*", "hard_bounce"),
        ({"event": "bounce", "bounce_classification": "Invalid Address"}, "*", "hard_bounce"),
        ({"event": "dropped", "reason": "Bounced Address"}, "*", "hard_bounce"),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, "*", "unsubscribed"),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, "*", "spam_report"),
        ({"event": "bounce", "type": "blocked"}, None, None),
        ({"event": "bounce", "bounce_classification": "Mailbox Unavailable"}, None, None),
        ({"event": "deferred"}, None, None),
        ({"event": "open"}, None, None),
    ],
)
def test_email_events(
    store: Store, home: Home, event: dict[str, str], purpose: str | None, reason: str | None
) -> None:
    write_raw(
        home.raw,
        "1.0",
        raw_email__events=[{"email": "A@example.com", "occurred_at": T1, **event}],
    )
    _record(store, home)
    expected = {("email", "a@example.com", "email", purpose, reason)} if reason else set()
    assert _suppressions(store) == expected


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"event": "unsubscribed"}, "unsubscribed"),
        ({"event": "replied", "is_opt_out_reply": True}, "unsubscribed"),
        ({"is_opt_out_reply": True}, "unsubscribed"),
        ({"event": "bounced"}, "hard_bounce"),
        ({"event": "bounced", "reason": "550 no such user"}, "hard_bounce"),
        ({"event": "failed", "reason": "21610: recipient unsubscribed"}, "unsubscribed"),
        ({"event": "failed", "reason": "Spam report"}, "spam_report"),
        ({"event": "opted_out"}, "unsubscribed"),
        ({"event": "mislaid"}, "unknown_opt_out"),
        ({"event": "bounced", "reason": "Soft bounce: mailbox full"}, None),
        ({"event": "failed", "reason": "handset is off"}, None),
        ({"event": "replied", "is_opt_out_reply": False}, None),
        ({"event": "sent"}, None),
        ({"event": "clicked"}, None),
    ],
)
@pytest.mark.parametrize("channel", ["email", "push"])
def test_steps_of_messages(
    store: Store, home: Home, channel: str, step: dict[str, Any], reason: str | None
) -> None:
    kind, value = ("email", "A@example.com") if channel == "email" else ("device", "d-1")
    row = {
        "message_id": "m1",
        "channel": channel,
        "identifier_type": kind,
        "identifier_value": value,
        "occurred_at": T1,
        **step,
    }
    write_raw(home.raw, "1.0", raw_messages__messages=[row])
    _record(store, home)
    _record(store, home, rescan=True)
    assert _suppressions(store) == (
        {(kind, value.lower(), channel, "*", reason)} if reason else set()
    )


@pytest.mark.parametrize(
    ("purpose", "level", "status"),
    [
        ("personalisation", "segment", ("granted", "segment")),
        ("personalization", "none", ("denied", "none")),
        ("personalisation", None, ("granted", None)),
        ("marketing", "full", ("granted", None)),
    ],
)
def test_a_permission_to_personalise_has_a_level_and_none_is_a_no(
    store: Store, home: Home, purpose: str, level: str | None, status: tuple[str, str | None]
) -> None:
    row = {
        "identifier_type": "email",
        "identifier_value": "a@example.com",
        "channel": "email",
        "purpose": purpose,
        "status": "granted",
        "level": level,
        "occurred_at": T1,
        "source": "form",
    }
    write_raw(home.raw, "1.0", raw_consents__consents=[row])
    _record(store, home)
    table = schema.consent_events.c
    with store.read() as connection:
        rows = connection.execute(select(table.status, table.level)).fetchall()
    assert [tuple(each) for each in rows] == [status]


def test_a_raw_table_of_an_earlier_version_is_read_without_its_later_columns(
    store: Store, home: Home
) -> None:
    """Its source may be off, or have stopped before it loaded anything with this version."""
    row = {
        "identifier_type": "email",
        "identifier_value": "a@example.com",
        "channel": "email",
        "purpose": "marketing",
        "status": "denied",
        "occurred_at": T1,
    }
    write_raw(home.raw, "1.0", raw_consents__consents=[row])
    with duckdb.connect(str(home.raw)) as connection:
        connection.execute("alter table raw_consents.consents drop column level")
    _record(store, home)
    assert _consents(store) == {("email", "a@example.com", "email", "marketing", "denied")}


def test_an_sms_that_is_answered_with_stop_ends_every_purpose_of_sms(
    store: Store, home: Home
) -> None:
    row = {
        "message_id": "m1",
        "channel": "sms",
        "identifier_type": "phone",
        "identifier_value": "07700 900123",
        "event": "replied",
        "occurred_at": T1,
        "is_opt_out_reply": True,
    }
    write_raw(home.raw, "1.0", raw_messages__messages=[row])
    _record(store, home)
    assert _suppressions(store) == {
        ("phone", "+447700900123", "sms", "*", "unsubscribed"),
        ("phone", "+447700900123", "sms", "transactional", "unsubscribed"),
    }


@pytest.mark.parametrize(
    ("kind", "answer", "is_refusal"),
    [
        ("reply", "stop", True),
        ("reply", "", False),
        ("quiz", "stop", False),
        # Stored by an earlier version, which kept the text
        ("reply", "Please STOP writing!", True),
        ("reply", "{thanks}", False),
    ],
)
def test_a_reply_in_feedback_that_asks_to_stop_ends_every_channel(
    store: Store, home: Home, kind: str, answer: str, is_refusal: bool
) -> None:
    row = {
        "identifier_type": "email",
        "identifier_value": "A@example.com",
        "kind": kind,
        "answer": answer,
        "occurred_at": T1,
    }
    write_raw(home.raw, "1.0", raw_feedback__feedback=[row])
    _record(store, home)
    _record(store, home, rescan=True)
    assert _suppressions(store) == (
        {("email", "a@example.com", "*", "*", "unsubscribed")} if is_refusal else set()
    )


def test_unsubscribe_groups_end_only_their_group(store: Store, home: Home) -> None:
    event = {"email": "a@example.com", "asm_group_id": "7"}
    write_raw(
        home.raw,
        "1.0",
        raw_email__events=[
            {**event, "event": "group_unsubscribe", "occurred_at": T1},
            {**event, "event": "group_resubscribe", "occurred_at": T2},
        ],
    )
    _record(store, home)
    assert _suppressions(store) == set()
    assert _consents(store) == {
        ("email", "a@example.com", "email", "group:7", "revoked"),
        ("email", "a@example.com", "email", "group:7", "granted"),
    }


def _privacy_signal(kind: str, value: str) -> set[tuple[Any, ...]]:
    """Ads as a channel, and ads and selling wherever they are done."""
    policies = (("ads", "*"), ("*", "ads"), ("*", "sell_share"))
    return {(kind, value, channel, purpose, "gpc") for channel, purpose in policies}


def _klaviyo(**channels: Any) -> str:
    return json.dumps({"subscriptions": channels})


def test_klaviyo_profiles(store: Store, home: Home) -> None:
    said = "2026-01-05T10:00:00+00:00"
    subscribed = {"marketing": {"consent": "SUBSCRIBED", "consent_timestamp": said}}
    never = {"marketing": {"consent": "NEVER_SUBSCRIBED", "can_receive_email_marketing": True}}
    gone = {"marketing": {"consent": "UNSUBSCRIBED", "consent_timestamp": said}}
    bounced = {
        "marketing": {
            "consent": "SUBSCRIBED",
            "consent_timestamp": said,
            "suppression": [
                {"reason": "HARD_BOUNCE", "timestamp": said},
                {"reason": "USER_SUPPRESSED", "timestamp": said},
            ],
        }
    }
    profiles = [
        {"profile_id": "1", "email": "a@example.com", "payload": _klaviyo(email=subscribed)},
        {"profile_id": "2", "email": "b@example.com", "payload": _klaviyo(email=never)},
        {"profile_id": "3", "email": "c@example.com", "payload": _klaviyo(email=gone)},
        {"profile_id": "4", "email": None, "payload": _klaviyo(email=gone)},
        {"profile_id": "5", "email": "e@example.com", "payload": _klaviyo(email=bounced)},
        {"profile_id": "6", "phone_number": "+447700900123", "payload": _klaviyo(sms=subscribed)},
        {"profile_id": "7", "email": "g@example.com", "payload": json.dumps({})},
        {
            "profile_id": "8",
            "email": "h@example.com",
            "payload": json.dumps({"attributes": {"subscriptions": {"email": subscribed}}}),
        },
    ]
    write_raw(home.raw, "1.0", raw_klaviyo__profiles=[{**p, "updated_at": T2} for p in profiles])
    _record(store, home)
    assert _consents(store) == {
        ("email", "a@example.com", "email", "marketing", "granted"),
        ("email", "e@example.com", "email", "marketing", "granted"),
        ("email", "h@example.com", "email", "marketing", "granted"),
        ("phone", "+447700900123", "sms", "marketing", "granted"),
    }
    assert _suppressions(store) == {
        ("email", "c@example.com", "email", "*", "unsubscribed"),
        ("klaviyo_profile_id", "4", "email", "*", "unsubscribed"),
        ("email", "e@example.com", "email", "*", "hard_bounce"),
        ("email", "e@example.com", "email", "*", "manual"),
    }


def test_klaviyo_events(store: Store, home: Home) -> None:
    def event(metric: str, number: int, **payload: Any) -> dict[str, Any]:
        return {
            "metric_name": metric,
            "profile_id": f"p{number}",
            "email": f"{number}@example.com",
            "occurred_at": T1,
            "payload": json.dumps(payload),
        }

    write_raw(
        home.raw,
        "1.0",
        raw_klaviyo__events=[
            event("Unsubscribed", 1),
            event("Marked Email as Spam", 2),
            event("Bounced Email", 3, **{"Bounce Type": "Hard"}),
            event("Bounced Email", 4, **{"Bounce Type": "Soft"}),
            event("Bounced Email", 5, attributes={"event_properties": {"Bounce Type": "Soft"}}),
            event("Unsubscribed from List", 6),
            event("Opened Email", 7),
            {**event("Unsubscribed", 8), "email": None},
        ],
    )
    _record(store, home)
    assert _suppressions(store) == {
        ("email", "1@example.com", "email", "*", "unsubscribed"),
        ("email", "2@example.com", "email", "*", "spam_report"),
        ("email", "3@example.com", "email", "*", "hard_bounce"),
        ("klaviyo_profile_id", "p8", "email", "*", "unsubscribed"),
    }


def test_klaviyo_events_of_texts_and_push(store: Store, home: Home) -> None:
    def event(metric: str, number: int, failure: str = "", **more: Any) -> dict[str, Any]:
        properties = {"Failure Type": failure} if failure else {}
        return {
            "metric_name": metric,
            "profile_id": f"p{number}",
            "phone_number": f"+44770090010{number}",
            "occurred_at": T1,
            "payload": json.dumps({"attributes": {"event_properties": properties}}),
        } | more

    write_raw(
        home.raw,
        "1.0",
        raw_klaviyo__events=[
            event("Unsubscribed from SMS Marketing", 1, email="1@example.com"),
            event("Unsubscribed from SMS", 2),
            event("Unsubscribed from Push", 3),
            event("Unsubscribed from WhatsApp", 4),
            event("Failed to Deliver SMS", 5, "Device Incapable of Receiving SMS"),
            event("Failed to Deliver SMS", 6, "Device Unreachable", email="6@example.com"),
            event("Bounced Push", 7),
            event("Received SMS", 8),
            event("Unsubscribed from SMS", 9, phone_number=None),
            event("Sent SMS", 10, phone_number="+447700900110", is_opt_out_reply=True),
            event("Sent SMS", 11, phone_number="+447700900111", is_opt_out_reply=False),
            event("Unsubscribed from Text Messaging Marketing", 13, phone_number="+447700900113"),
            event("Sent Text Message", 14, phone_number="+447700900114", is_opt_out_reply=True),
            event("Clicked email to unsubscribe", 15, email="15@example.com"),
            {
                **event("Sent SMS", 12, phone_number="+447700900112"),
                "payload": json.dumps(
                    {"attributes": {"event_properties": {"Message Body": "please STOP now"}}}
                ),
            },
        ],
    )
    _record(store, home)
    # A no to texts is one to those about orders too
    found = _suppressions(store)
    assert {row for row in found if row[3] != "transactional"} == {
        ("email", "1@example.com", "sms", "*", "unsubscribed"),
        ("phone", "+447700900101", "sms", "*", "unsubscribed"),
        ("klaviyo_profile_id", "p2", "sms", "*", "unsubscribed"),
        ("phone", "+447700900102", "sms", "*", "unsubscribed"),
        ("klaviyo_profile_id", "p3", "push", "*", "unsubscribed"),
        ("klaviyo_profile_id", "p4", "*", "*", "unsubscribed"),
        ("phone", "+447700900104", "*", "*", "unsubscribed"),
        ("phone", "+447700900105", "sms", "*", "hard_bounce"),
        ("klaviyo_profile_id", "p9", "sms", "*", "unsubscribed"),
        ("klaviyo_profile_id", "p10", "sms", "*", "unsubscribed"),
        ("phone", "+447700900110", "sms", "*", "unsubscribed"),
        *(
            row
            for number in ("13", "14")
            for row in (
                ("klaviyo_profile_id", f"p{number}", "sms", "*", "unsubscribed"),
                ("phone", f"+4477009001{number}", "sms", "*", "unsubscribed"),
            )
        ),
        ("klaviyo_profile_id", "p12", "sms", "*", "unsubscribed"),
        ("phone", "+447700900112", "sms", "*", "unsubscribed"),
    }


def test_klaviyo_profiles_that_want_no_texts_and_no_push(store: Store, home: Home) -> None:
    no = {
        "marketing": {"consent": "UNSUBSCRIBED", "consent_timestamp": "2026-01-05T10:00:00+00:00"}
    }
    profile = {
        "profile_id": "1",
        "email": "a@example.com",
        "phone_number": "+447700900123",
        "updated_at": T2,
        "payload": _klaviyo(sms=no | {"transactional": no["marketing"]}, mobile_push=no),
    }
    write_raw(home.raw, "1.0", raw_klaviyo__profiles=[profile])
    _record(store, home)
    assert _suppressions(store) == {
        ("phone", "+447700900123", "sms", "*", "unsubscribed"),
        ("phone", "+447700900123", "sms", "transactional", "unsubscribed"),
        ("klaviyo_profile_id", "1", "push", "*", "unsubscribed"),
    }


def test_shopify_customers(store: Store, home: Home) -> None:
    def customer(number: int, **payload: Any) -> dict[str, Any]:
        return {
            "shopify_customer_id": str(number),
            "email": f"{number}@example.com",
            "updated_at": T2,
            "payload": json.dumps(payload),
        }

    said = "2026-01-05T10:00:00Z"
    write_raw(
        home.raw,
        "1.0",
        raw_shopify__customers=[
            customer(
                1,
                emailMarketingConsent={"marketingState": "SUBSCRIBED", "consentUpdatedAt": said},
            ),
            customer(
                2,
                defaultEmailAddress={
                    "marketingState": "UNSUBSCRIBED",
                    "marketingUpdatedAt": said,
                },
            ),
            customer(3, emailMarketingConsent={"marketingState": "NOT_SUBSCRIBED"}),
            customer(4, dataSaleOptOut=True, smsMarketingConsent=None),
            customer(5, dataSaleOptOut=False),
        ],
    )
    counts = _record(store, home)
    assert counts.refusals_of_nobody == 0  # who has no phone is named by the address and the id
    assert _consents(store) == {("email", "1@example.com", "email", "marketing", "granted")}
    assert _suppressions(store) == {
        ("email", "2@example.com", "email", "*", "unsubscribed"),
        *_privacy_signal("email", "4@example.com"),
        *_privacy_signal("shopify_customer_id", "4"),
    }


MOMENT = "2026-01-05T10:00:00Z"


@pytest.mark.parametrize(
    ("state", "email_reason"),
    [
        ("UNSUBSCRIBED", "unsubscribed"),
        ("REDACTED", "manual"),
        ("INVALID", "hard_bounce"),
        ("PAUSED_FOR_REVIEW", "unknown_opt_out"),
        ("NOT_SUBSCRIBED", None),
        ("PENDING", None),
        ("SUBSCRIBED", None),
        ("", None),
    ],
)
@pytest.mark.parametrize(
    ("channel", "kind", "value", "place"),
    [
        ("email", "email", "a@example.com", "defaultEmailAddress"),
        ("email", "email", "a@example.com", "emailMarketingConsent"),
        ("sms", "phone", "+447700900123", "defaultPhoneNumber"),
        ("sms", "phone", "+447700900123", "smsMarketingConsent"),
    ],
)
def test_every_marketing_state_of_shopify(
    store: Store,
    home: Home,
    state: str,
    email_reason: str | None,
    channel: str,
    kind: str,
    value: str,
    place: str,
) -> None:
    said = {"marketingState": state, "consentUpdatedAt": MOMENT, "marketingUpdatedAt": MOMENT}
    customer = {
        "shopify_customer_id": "1",
        kind: value,
        "updated_at": T2,
        "payload": json.dumps({place: said}),
    }
    write_raw(home.raw, "1.0", raw_shopify__customers=[customer])
    counts = _record(store, home)
    purposes = ("*", "transactional") if channel == "sms" else ("*",)
    assert _suppressions(store) == (
        {(kind, value, channel, purpose, email_reason) for purpose in purposes}
        if email_reason
        else set()
    )
    granted = {(kind, value, channel, "marketing", "granted")} if state == "SUBSCRIBED" else set()
    assert _consents(store) == granted
    assert counts.unknown_words == (email_reason == "unknown_opt_out")


@pytest.mark.parametrize(
    ("level", "said_at", "proof", "occurred_at"),
    [
        ("CONFIRMED_OPT_IN", MOMENT, "confirmed_opt_in", datetime(2026, 1, 5, 10)),
        ("SINGLE_OPT_IN", MOMENT, None, datetime(2026, 1, 5, 10)),
        ("UNKNOWN", MOMENT, None, datetime(2026, 1, 5, 10)),
        (None, MOMENT, None, datetime(2026, 1, 5, 10)),
        # A row's last change is no date of a consent, so nothing newer is proved by it.
        ("CONFIRMED_OPT_IN", None, None, T2),
    ],
)
def test_only_a_dated_and_confirmed_opt_in_of_shopify_is_proved(
    store: Store,
    home: Home,
    level: str | None,
    said_at: str | None,
    proof: str | None,
    occurred_at: datetime,
) -> None:
    said = {"marketingState": "SUBSCRIBED", "marketingOptInLevel": level}
    customer = {
        "shopify_customer_id": "1",
        "email": "a@example.com",
        "updated_at": T2,
        "payload": json.dumps({"defaultEmailAddress": said | {"marketingUpdatedAt": said_at}}),
    }
    write_raw(home.raw, "1.0", raw_shopify__customers=[customer])
    _record(store, home)
    with store.read() as connection:
        event = connection.execute(select(schema.consent_events)).one()
    assert (event.source, event.proof) == ("shopify:customer", proof)
    assert from_micros(event.occurred_at) == occurred_at


def test_a_double_opt_in_of_klaviyo_without_its_date_is_not_proved(
    store: Store, home: Home
) -> None:
    def profile(number: int, **said: Any) -> dict[str, Any]:
        marketing = {"consent": "SUBSCRIBED", "double_optin": True, **said}
        return {
            "profile_id": str(number),
            "email": f"{number}@example.com",
            "updated_at": T2,
            "payload": _klaviyo(email={"marketing": marketing}),
        }

    profiles = [profile(1, consent_timestamp=MOMENT), profile(2)]
    write_raw(home.raw, "1.0", raw_klaviyo__profiles=profiles)
    _record(store, home)
    table = schema.consent_events.c
    with store.read() as connection:
        proofs = connection.execute(select(table.identifier_value, table.proof)).fetchall()
    assert {tuple(row) for row in proofs} == {
        ("1@example.com", "double_optin"),
        ("2@example.com", None),
    }


def test_a_ticked_box_at_checkout_is_an_opt_in_without_wording(store: Store, home: Home) -> None:
    def order(number: int, **payload: Any) -> dict[str, Any]:
        return {"created_at": T1, "payload": json.dumps({"id": number, **payload})}

    write_raw(
        home.raw,
        "1.0",
        raw_orders__orders=[
            order(1, email="a@example.com", buyer_accepts_marketing=True),
            order(2, email="b@example.com", buyer_accepts_marketing=False),
            order(3, email="c@example.com", buyer_accepts_marketing=True, test=True),
            order(4, email=None, buyer_accepts_marketing=True),
        ],
        raw_shopify__orders=[order(5, email="e@example.com", customerAcceptsMarketing=True)],
    )
    _record(store, home)
    assert {row for row in _consents(store) if row[3] == "marketing"} == {
        ("email", "a@example.com", "email", "marketing", "granted"),
        ("email", "e@example.com", "email", "marketing", "granted"),
    }
    with store.read() as connection:
        wordings = connection.execute(select(schema.consent_events.c.wording_version)).scalars()
        assert set(wordings) == {None}


def test_an_order_permits_what_concerns_it_once_per_address(store: Store, home: Home) -> None:
    for number, moment in enumerate((T1, T2)):
        order = {"created_at": moment, "payload": json.dumps({"email": "A@example.com"})}
        line = {"ordered_at": moment, "email": "b@example.com"}
        write_raw(
            home.raw,
            str(number),
            raw_orders__orders=[order, order],
            raw_orders__order_lines=[line, {**line, "email": None}],
        )
        _record(store, home)
    rows = {(row[2], row[4], row[11]) for row in _all_consents(store)}
    assert rows == {
        ("a@example.com", "transactional", "contract"),
        ("b@example.com", "transactional", "contract"),
    }
    with store.read() as connection:
        times = connection.execute(select(schema.consent_events.c.occurred_at)).scalars()
        assert {from_micros(time) for time in times} == {T1}


def test_a_list_can_say_no_but_not_yes(store: Store, home: Home) -> None:
    write_raw(
        home.raw,
        "1.0",
        raw_contacts__contacts=[
            {"email": "a@example.com", "status": "subscribed", "created_at": T1},
            {"email": "b@example.com", "status": "Unsubscribed", "created_at": T1},
            {"email": "c@example.com", "status": "cleaned", "created_at": T1},
            {"phone": "07700 900123", "status": "unsubscribed", "created_at": T1},
            {"email": "d@example.com", "status": None, "created_at": T1},
        ],
    )
    _record(store, home)
    assert _consents(store) == set()
    assert _suppressions(store) == {
        ("email", "b@example.com", "email", "*", "unsubscribed"),
        ("email", "c@example.com", "email", "*", "hard_bounce"),
        ("phone", "+447700900123", "sms", "*", "unsubscribed"),
        ("phone", "+447700900123", "sms", "transactional", "unsubscribed"),
    }


def test_global_privacy_control_ends_ads_for_device_login_and_email(
    store: Store, home: Home
) -> None:
    signal = {
        "event": "Product Viewed",
        "anonymous_id": "d1",
        "user_id": "u1",
        "traits": json.dumps({"email": "A@example.com"}),
        "context": json.dumps({"gpc": True}),
    }
    write_raw(
        home.raw,
        "1.0",
        raw_web__events=[
            {**signal, "occurred_at": T1},
            {**signal, "occurred_at": T1.replace(hour=20)},
            {**signal, "occurred_at": T2, "traits": None},
            {**signal, "anonymous_id": "d2", "context": json.dumps({"gpc": False})},
            *(
                {
                    "anonymous_id": f"d{number}",
                    "occurred_at": T1,
                    "context": json.dumps(context),
                }
                for number, context in enumerate(
                    ({"gpc": {"enabled": True}}, {"gpc": [{}]}, {"gpcEnabled": True}), 3
                )
            ),
        ],
    )
    _record(store, home)
    assert _suppressions(store) == {
        *(pair for name in ("d1", "d3", "d4", "d5") for pair in _privacy_signal("device", name)),
        *_privacy_signal("login", "u1"),
        *_privacy_signal("email", "a@example.com"),
    }


@pytest.mark.parametrize("key", ["Email", "EMAIL", "emailAddress", "email_address", "E-Mail"])
def test_whoever_a_site_names_under_another_spelling_is_named(
    store: Store, home: Home, key: str
) -> None:
    """Of traits, the event's own properties, and the traits of its context."""
    event = {"event": "Email Unsubscribed", "occurred_at": T1, "anonymous_id": "d1"}
    signal = {"anonymous_id": "d2", "occurred_at": T1, "traits": json.dumps({key: "d@a.example"})}
    write_raw(
        home.raw,
        "1.0",
        raw_web__events=[
            {**event, "traits": json.dumps({key: "a@a.example"})},
            {**event, "properties": json.dumps({key: "b@a.example"})},
            {**event, "context": json.dumps({"traits": {key: "c@a.example"}})},
            {**signal, "context": json.dumps({"gpc": True})},
        ],
    )
    _record(store, home)
    assert {row[:2] for row in _suppressions(store)} == {
        *(("email", f"{name}@a.example") for name in "abcd"),
        ("device", "d2"),
    }


@pytest.mark.parametrize(
    ("consent", "preferences"),
    [
        ("consent", "category_preferences"),
        ("Consent", "CategoryPreferences"),
        ("CONSENT", "CATEGORY_PREFERENCES"),
        ("consent", "category-preferences"),
    ],
)
def test_a_banners_no_counts_under_another_spelling_of_its_keys(
    store: Store, home: Home, consent: str, preferences: str
) -> None:
    context = {consent: {preferences: {"Advertising": False, "Personalization": False}}}
    event = {"anonymous_id": "d1", "occurred_at": T1, "context": json.dumps(context)}
    write_raw(home.raw, "1.0", raw_web__events=[event])
    _record(store, home)
    assert {row[2:] for row in _consents(store)} == {
        ("ads", "ads", "denied"),
        ("ads", "marketing", "denied"),
        ("onsite", "personalisation", "denied"),
    }


def test_banner_states_count_only_where_they_change(store: Store, home: Home) -> None:
    def event(day: int, **preferences: bool) -> dict[str, Any]:
        consent = {"consent": {"categoryPreferences": preferences}}
        return {
            "event": "Product Viewed",
            "anonymous_id": "d1",
            "user_id": "u1",
            "occurred_at": datetime(2026, 1, day),
            "context": json.dumps(consent),
        }

    days = [
        event(1, Advertising=True, Analytics=True),
        event(2, Advertising=True),
        event(3, Advertising=False),
        event(4, Advertising=False, Personalization=True),
        event(5, Advertising=True),
    ]
    for number, row in enumerate(days):
        write_raw(home.raw, str(number), raw_web__events=[row])
        _record(store, home)
    by_day = _all_consents(store)
    # The device: yes, no (for two purposes), yes to onsite, yes again. The login: no, twice.
    assert len(by_day) == 7
    assert {row[4] for row in by_day if row[1] == "login"} == {"ads", "marketing"}
    assert {row[5] for row in by_day if row[1] == "login"} == {"denied"}
    with store.write() as connection:
        connection.execute(schema.consent_events.delete())
        connection.execute(schema.fact_loads.delete())
    _record(store, home)
    assert _all_consents(store) == by_day


def _all_consents(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        rows = connection.execute(
            select(schema.consent_events).order_by(schema.consent_events.c.consent_event_id)
        )
        return [tuple(row) for row in rows]


def test_push_subscribed_is_an_opt_in_of_the_device(store: Store, home: Home) -> None:
    write_raw(
        home.raw,
        "1.0",
        raw_web__events=[
            {"event": "Push Subscribed", "anonymous_id": "d1", "occurred_at": T1},
            {"event": "Push Subscribed", "anonymous_id": None, "occurred_at": T1},
        ],
    )
    _record(store, home)
    assert _consents(store) == {("device", "d1", "push", "marketing", "granted")}


def test_a_broken_row_stops_before_anything_is_recorded_and_is_not_quoted(
    store: Store, home: Home
) -> None:
    write_raw(
        home.raw,
        "1.0",
        raw_email__events=[{"email": "a@example.com", "occurred_at": T1, "event": "spamreport"}],
        raw_web__events=[
            {
                "event": "x",
                "anonymous_id": "d1",
                "occurred_at": T1,
                "context": '{"gpc": true, "email": "canary@example.com"',
            }
        ],
    )
    with pytest.raises(RegularsError, match=r"raw_web\.events") as caught:
        _record(store, home)
    assert "canary" not in str(caught.value)
    assert _suppressions(store) == set()


@pytest.mark.parametrize(
    ("event", "refused"),
    [
        ("Email Unsubscribed", ("login", "u1", "email")),
        ("Unsubscribed", ("login", "u1", "email")),
        ("newsletter_unsubscribed", ("login", "u1", "email")),
        ("SMS Unsubscribed", ("login", "u1", "sms")),
        ("Marketing Consent Withdrawn", ("login", "u1", "*")),
        ("Cookie Consent Rejected", ("device", "d1", "ads")),
        ("Newsletter abgemeldet", ("login", "u1", "email")),
    ],
)
def test_an_event_whose_name_ends_a_channel_is_a_refusal(
    store: Store, home: Home, event: str, refused: tuple[str, str, str]
) -> None:
    sent = {"event": event, "anonymous_id": "d1", "user_id": "u1", "occurred_at": T1}
    write_raw(home.raw, "1.0", raw_web__events=[sent, {**sent, "event": "Product Viewed"}])
    assert _record(store, home).refusals_of_nobody == 0
    kind, value, channel = refused
    assert (kind, value, channel, "*", "unsubscribed") in _suppressions(store)
    assert {row[2] for row in _suppressions(store)} == {channel}
    assert _record(store, home, rescan=True).suppressions == 0


def test_an_event_that_ends_a_channel_is_of_whom_it_names_best(store: Store, home: Home) -> None:
    def sent(**values: Any) -> dict[str, Any]:
        return {"event": "Email Unsubscribed", "occurred_at": T1, "anonymous_id": "d1", **values}

    write_raw(
        home.raw,
        "1.0",
        raw_web__events=[
            sent(properties=json.dumps({"email": "A@example.com"})),
            sent(context=json.dumps({"traits": {"email": "b@example.com"}}), user_id="u1"),
            sent(user_id="c@example.com"),
            sent(anonymous_id="d2"),
            sent(event="Unsubscribe Link Clicked", anonymous_id="d3"),
            sent(event="Email Soft Bounced", anonymous_id="d4"),
            sent(event="Order Cancelled", anonymous_id="d5"),
        ],
    )
    write_held(
        home.raw,
        "2.0",
        "web.events",
        "web/a.json",
        json.dumps({"event": "Email Unsubscribed", "properties": {"email": "held@example.com"}}),
    )
    _record(store, home)
    named = {("email", "a@example.com"), ("email", "b@example.com"), ("email", "c@example.com")}
    assert {row[:2] for row in _suppressions(store)} == {
        *named,
        ("device", "d2"),
        ("email", "held@example.com"),
    }


@pytest.mark.parametrize(
    ("traits", "channels"),
    [
        ({"accepts_marketing": False}, {"*"}),
        ({"acceptsMarketing": "no"}, {"*"}),
        ({"email_opt_in": 0}, {"email"}),
        ({"unsubscribed": True}, {"email"}),
        ({"newsletter": "false"}, {"email"}),
        ({"email_enabled": False}, {"email"}),
        ({"smsConsent": "DENIED"}, {"sms"}),
        ({"consent": {"email": False, "sms": True}}, {"email"}),
        ({"email_marketing": {"consent": "unsubscribed"}}, {"email"}),
        ({"newsletter": "nie wieder"}, {"email"}),
        ({"accepts_marketing": True, "newsletter": "2026-01-01", "unsubscribed": False}, set()),
        ({"status": "gold", "subscription": "premium", "plan": "none", "vip": False}, set()),
    ],
)
def test_a_trait_that_says_no_is_a_refusal(
    store: Store, home: Home, traits: dict[str, Any], channels: set[str]
) -> None:
    person = {"email": "a@example.com", **traits}
    calls = [
        {"traits": json.dumps(person), "user_id": "u1"},
        {"context": json.dumps({"traits": person}), "user_id": "u1"},
    ]
    for number, call in enumerate(calls):
        write_raw(home.raw, f"{number}.0", raw_web__events=[{**call, "occurred_at": T1}])
        _record(store, home)
        refused = _suppressions(store)
        assert {row[2] for row in refused if row[3] == "*"} == channels
        assert all(row[:2] == ("email", "a@example.com") for row in refused if "*" not in row[2])


def test_traits_repeated_on_a_day_are_one_refusal_at_the_last_of_them(
    store: Store, home: Home
) -> None:
    call = {"traits": json.dumps({"accepts_marketing": False}), "anonymous_id": "d1"}
    later = T1.replace(hour=20)
    moments = (T1, later, T1.replace(hour=12))
    write_raw(home.raw, "1.0", raw_web__events=[{**call, "occurred_at": at} for at in moments])
    _record(store, home)
    with store.read() as connection:
        [moment] = connection.execute(select(schema.suppressions.c.occurred_at)).scalars()
    assert from_micros(moment) == later


def test_a_column_of_a_list_that_names_a_channel_ends_that_one(store: Store, home: Home) -> None:
    row = {"email": "a@example.com", "phone": "+447700900123", "_file": "a.csv"}
    said = {**row, "attributes": json.dumps({"sms_opt_out": "yes", "newsletter": "yes"})}
    write_raw(home.raw, "1.0", raw_contacts__contacts=[said])
    _record(store, home)
    assert {row[2] for row in _suppressions(store)} == {"sms"}
    assert {row[0] for row in _suppressions(store)} == {"email", "phone"}


@pytest.mark.parametrize(
    "column",
    [
        'Opted "out"',
        "opted/out~",
        "d'opt-out",
        "opt.out",
        "unsub {new}",
        "Opt\u00f8ut unsubscribed",
    ],
)
def test_a_refusing_column_is_read_whatever_signs_its_name_has(
    store: Store, home: Home, column: str
) -> None:
    row = {"email": "a@example.com", "attributes": json.dumps({column: "yes"}), "_file": "a.csv"}
    write_raw(home.raw, "1.0", raw_contacts__contacts=[row])
    _record(store, home)
    assert ("email", "a@example.com", "email", "*", "unsubscribed") in _suppressions(store)


def test_a_contact_known_by_its_customer_number_alone_can_refuse(store: Store, home: Home) -> None:
    row = {"customer_ref": "17", "status": "unsubscribed", "_file": "a.csv"}
    write_raw(home.raw, "1.0", raw_contacts__contacts=[row])
    assert _record(store, home).refusals_of_nobody == 0
    assert _suppressions(store) == {("orders_customer_id", "17", "*", "*", "unsubscribed")}


def test_facts_and_their_export_do_not_depend_on_the_size_of_batches(
    store: Store, home: Home, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consents = [
        {
            "identifier_type": "email",
            "identifier_value": f"{number % 7}@example.com",
            "channel": "email",
            "purpose": "marketing",
            "status": ("granted", "revoked", "requested")[number % 3],
            "occurred_at": T1 if number % 2 else T2,
            "source": "form",
            "wording_version": "v1",
            "lawful_basis": "consent",
        }
        for number in range(30)
    ]
    emails = [
        {"email": f"{number}@example.com", "event": "unsubscribe", "occurred_at": T1}
        for number in range(5)
    ]
    write_raw(home.raw, "1.0", raw_consents__consents=consents, raw_email__events=emails)
    whole = _record(store, home)
    export_ops(store, home.ops_export, run)
    for module, name in ((readings, "PAGE"), (stores, "CHUNK"), (consent_facts, "CHUNK")):
        monkeypatch.setattr(module, name, 2)
    monkeypatch.setattr(export, "BATCHES_OF_A_GROUP", 2)
    other = Home(tmp_path / "other").create()
    with open_store(other) as opened:
        assert record_consent_facts(opened, home.raw, as_of=AS_OF, default_country="GB") == whole
        export_ops(opened, other.ops_export, run)
    assert whole.consents > 2
    assert whole.suppressions > 2
    for table in ("consent_events", "suppressions", "consent_requests"):
        one, two = (pq.read_table(h.ops_export / f"{table}.parquet") for h in (home, other))
        assert one.num_rows > 2
        assert one == two
