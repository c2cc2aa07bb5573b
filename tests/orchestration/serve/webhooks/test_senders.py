"""What each sender's accepted requests come to: a kept body, and refusals in the ledger."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.config import REPOSITORY, Webhook
from ingestion.errors import UsageError
from ingestion.settings_file import load_settings
from ingestion.vocabulary import WEBHOOK_SECRETS
from orchestration.ops import store as store_module
from orchestration.ops.permission import unknown_words
from orchestration.ops.permission.consent_facts import Arrival, FactCounts
from orchestration.ops.store import Store, open_store
from orchestration.serve.webhooks import reception
from orchestration.serve.webhooks.app import MOST_BYTES, chosen_senders
from orchestration.serve.webhooks.senders import senders
from tests.orchestration.serve.webhooks import calls
from tests.orchestration.serve.webhooks.calls import NOW, SETTINGS, Door, Sent

EVENT = {
    "email": "jane@shop.example",
    "timestamp": 1_795_953_000,
    "event": "unsubscribe",
    "sg_event_id": "e1",
}


def test_the_settings_know_the_senders_that_there_are() -> None:
    assert sorted(senders()) == sorted(WEBHOOK_SECRETS)


def test_an_event_of_sendgrid_is_kept_as_it_came_and_its_refusal_is_in_force(door: Door) -> None:
    sent = calls.sendgrid(EVENT)
    assert door.ask(sent).status == 202
    [path] = door.files("email/sendgrid")
    assert path.read_bytes() == sent.body
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.name == "2026-11-29"
    assert door.is_silenced("email", "jane@shop.example")


def test_an_opt_in_waits_for_the_run_and_permits_nothing_before(door: Door) -> None:
    said = calls.consent("jane@shop.example", "granted", purpose="marketing", wording_version="v1")
    assert door.ask(calls.standard([said])).status == 202
    assert door.rows("consents") == [said]
    assert not door.refusals()


@pytest.mark.parametrize(
    "text",
    [
        *("STOP", "stopall", "Unsubscribe", "CANCEL", "end", "QUIT", "REVOKE", "OPTOUT"),
        *("Arrêt", "ABMELDEN", "baja", "afmelden", "Стоп", "退订", "Nein!", "please stop texting"),
    ],
)
def test_a_reply_that_asks_for_silence_ends_sms(door: Door, text: str) -> None:
    assert door.ask(calls.reply(text)).text == "<Response></Response>"
    assert door.is_silenced("phone", "+447700900123", "sms")
    [row] = door.rows("messages")
    assert row["text"] == "stop", "what else was written is kept nowhere"


def test_what_twilio_calls_an_opt_out_is_one_whatever_was_written(door: Door) -> None:
    assert door.ask(calls.reply("slutt nå", OptOutType="STOP")).status == 200
    assert door.is_silenced("phone", "+447700900123", "sms")


def test_a_reply_that_says_something_else_is_no_refusal_and_its_text_is_not_kept(
    door: Door,
) -> None:
    assert door.ask(calls.reply("where is my parcel")).status == 200
    assert not door.refusals()
    assert b"parcel" not in door.files("messages")[0].read_bytes()


def test_start_after_stop_undoes_nothing(door: Door) -> None:
    door.ask(calls.reply("STOP"))
    door.at = NOW + timedelta(hours=1)
    assert door.ask(calls.reply("START", OptOutType="START")).status == 200
    assert door.is_silenced("phone", "+447700900123", "sms")


def test_a_message_that_twilio_may_not_send_any_more_is_an_opt_out(door: Door) -> None:
    sid = "SM" + "a" * 32
    failed = {"MessageSid": sid, "To": "+447700900123", "MessageStatus": "failed"}
    door.ask(calls.twilio(**failed, ErrorCode="30003"))
    assert not door.refusals()
    door.ask(calls.twilio(**failed, ErrorCode="21610"))
    assert door.is_silenced("phone", "+447700900123", "sms")


def test_whatsapp_counts_as_sms(door: Door) -> None:
    door.ask(calls.reply("stop", "whatsapp:+447700900123"))
    assert door.is_silenced("phone", "+447700900123", "sms")


def test_the_same_parameters_spelt_otherwise_are_the_same_message(door: Door) -> None:
    sent = calls.reply("STOP")
    door.ask(sent)
    body = sent.body.replace(b"%2B", b"%2b")
    assert body != sent.body
    assert door.ask(replace(sent, body=body)).status == 200
    assert len(door.files()) == 1


def test_shopifys_order_is_kept_as_it_came_and_its_customers_no_counts(door: Door) -> None:
    order = {
        "id": 1,
        "created_at": "2026-11-29T10:00:00Z",
        "currency": "GBP",
        "line_items": [],
        "customer": {
            "email": "jane@shop.example",
            "email_marketing_consent": {"state": "unsubscribed", "consent_updated_at": None},
        },
    }
    sent = calls.shopify("orders/updated", order)
    assert door.ask(sent).status == 202
    assert door.files("orders")[0].read_bytes() == sent.body
    assert door.is_silenced("email", "jane@shop.example")


def state(word: str, at: str | None = "2026-11-29T10:00:00Z") -> dict[str, object]:
    said = {"state": word, "opt_in_level": "single_opt_in", "consent_updated_at": at}
    return {
        "customer_id": 7,
        "email_address": "jane@shop.example",
        "email_marketing_consent": said,
    }


@pytest.mark.parametrize("at", ["2026-11-29T10:00:00Z", None])
def test_shopifys_consent_that_ends_is_a_refusal(door: Door, at: str | None) -> None:
    door.ask(calls.shopify("customers_email_marketing_consent/update", state("unsubscribed", at)))
    assert ("email", "jane@shop.example", "email", "*", "unsubscribed") in door.refusals()


def test_shopifys_customer_whom_nobody_asked_refused_nothing(door: Door) -> None:
    door.ask(calls.shopify("customers_email_marketing_consent/update", state("not_subscribed")))
    assert not door.refusals()
    assert not door.files("consents")


def test_shopifys_subscriber_becomes_an_opt_in_to_marketing_without_proof(door: Door) -> None:
    door.ask(calls.shopify("customers_email_marketing_consent/update", state("subscribed")))
    [row] = door.rows("consents")
    assert (row["status"], row["purpose"]) == ("subscribed", "marketing")
    assert "proof" not in row
    assert not door.refusals()


def test_shopifys_texts_end_with_their_own_consent(door: Door) -> None:
    said = {"state": "unsubscribed", "consent_updated_at": "2026-11-29T10:00:00Z"}
    customer = {"id": 7, "phone": "+447700900123", "sms_marketing_consent": said}
    door.ask(calls.shopify("customers/update", customer))
    assert door.is_silenced("phone", "+447700900123", "sms")
    assert not door.is_silenced("email", "jane@shop.example")


def test_shopifys_request_to_erase_refuses_everything_and_waits_for_a_person(door: Door) -> None:
    request = {
        "shop_id": 1,
        "customer": {"id": 7, "email": "jane@shop.example", "phone": "+447700900123"},
        "orders_to_redact": [],
    }
    assert door.ask(calls.shopify("customers/redact", request)).status == 202
    for channel in ("email", "sms", "push", "ads", "onsite"):
        assert door.is_silenced("email", "jane@shop.example", channel)
        assert door.is_silenced("phone", "+447700900123", channel)
    assert len(door.files("requests/shopify")) == 1


def test_shopifys_request_for_data_waits_and_refuses_nothing(door: Door) -> None:
    request = {"shop_id": 1, "customer": {"id": 7, "email": "jane@shop.example"}}
    door.ask(calls.shopify("customers/data_request", request))
    assert len(door.files("requests/shopify")) == 1
    assert not door.refusals()


def test_shopifys_body_under_another_topic_is_refused(door: Door) -> None:
    sent = calls.shopify("customers_email_marketing_consent/update", state("subscribed"))
    for topic in ("orders/create", "customers/redact", "shop/redact"):
        assert door.ask(sent.with_header("X-Shopify-Topic", topic)).status == 400
    assert not door.files()


@pytest.mark.parametrize(
    ("topic", "channel", "reason"),
    [
        ("unsubscribed_from_email_marketing", "email", "unsubscribed"),
        ("manually_suppressed_from_email_marketing", "email", "manual"),
        ("marked_email_as_spam", "email", "spam_report"),
        ("bounced_email", "email", "hard_bounce"),
    ],
)
def test_klaviyos_refusals_are_in_force(door: Door, topic: str, channel: str, reason: str) -> None:
    event = calls.klaviyo_event(topic, "jane@shop.example")
    opened = calls.klaviyo_event("opened_email", "john@shop.example")
    assert door.ask(calls.klaviyo(opened, event)).status == 202
    assert door.refusals() == {("email", "jane@shop.example", channel, "*", reason)}
    assert len(door.files("unread/klaviyo")) == 1


def test_klaviyos_soft_bounce_and_opt_in_say_nothing(door: Door) -> None:
    soft = calls.klaviyo_event("bounced_email", "jane@shop.example", **{"Bounce Type": "soft"})
    came = calls.klaviyo_event("subscribed_to_email_marketing", "jane@shop.example")
    door.ask(calls.klaviyo(soft, came))
    assert not door.refusals()
    assert not door.files("consents")


def test_klaviyos_event_without_an_address_is_of_its_profile(door: Door) -> None:
    door.ask(calls.klaviyo(calls.klaviyo_event("unsubscribed_from_email_marketing", "")))
    assert door.is_silenced("klaviyo_profile_id", "01KPROFILE")


def test_klaviyos_refusal_of_texts_without_a_number_is_of_the_profile_or_its_address(
    door: Door,
) -> None:
    event = calls.klaviyo_event("unsubscribed_from_sms_marketing", "jane@shop.example")
    door.ask(calls.klaviyo(event))
    assert door.is_silenced("klaviyo_profile_id", "01KPROFILE", "sms")
    resource = event["payload"]["data"]
    without = {**resource, "relationships": {}}
    [profile] = event["payload"]["included"]
    included = [{name: profile[name] for name in ("type", "attributes")}]
    door.ask(calls.klaviyo({**event, "payload": {"data": without, "included": included}}))
    assert door.is_silenced("email", "jane@shop.example", "sms")
    assert not door.is_silenced("email", "jane@shop.example")


def test_klaviyos_refusal_that_names_nobody_waits_for_a_person(door: Door) -> None:
    event = calls.klaviyo_event("unsubscribed_from_email_marketing", "")
    bare = {**event, "payload": {"data": {"type": "event", "attributes": {}}}}
    assert door.ask(calls.klaviyo(bare)).status == 202
    [row] = door.rows("consents")
    assert (row["identifier_value"], row["status"]) == ("", "unsubscribed")
    with open_store(door.home) as store:
        [waiting] = unknown_words.noted(store)
    assert (waiting.said_in, waiting.word) == (
        unknown_words.NOBODY,
        "klaviyo:unsubscribed_from_email_marketing",
    )


TRACK = {"anonymousId": "device-1", "event": "Product Viewed", "messageId": "m1"}


@pytest.mark.parametrize("is_signed", [True, False])
def test_segments_calls_become_rows_of_web(door: Door, is_signed: bool) -> None:
    assert door.ask(calls.segment(TRACK, "/v1/track", signed=is_signed)).status == 202
    [row] = door.rows("web")
    assert (row["type"], row["messageId"]) == ("track", "m1")
    assert row["receivedAt"] == "2026-11-29T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("call", "kind", "value"),
    [
        ({"event": "Email Unsubscribed", "userId": "u7"}, "login", "u7"),
        ({"event": "Unsubscribed", "properties": {"email": "a@x.test"}}, "email", "a@x.test"),
        ({"type": "identify", "traits": {"accepts_marketing": False}}, "device", "device-1"),
        (
            {"type": "identify", "traits": {"email": "a@x.test", "email_opt_in": "no"}},
            "email",
            "a@x.test",
        ),
    ],
)
def test_segments_way_of_saying_no_is_in_force_at_once(
    door: Door, call: dict[str, Any], kind: str, value: str
) -> None:
    assert door.ask(calls.segment({**TRACK, "type": "track", **call}, "/v1/batch")).status == 202
    assert door.is_silenced(kind, value)


def test_a_list_that_arrives_is_read_for_its_columns_that_say_no(door: Door) -> None:
    settings = SETTINGS.model_copy(
        update={
            "webhooks": {
                "erp": Webhook(kind="standard", folder="contacts", secret_env="LOYALTY_SECRET")
            }
        }
    )
    row = {"email": "jane@shop.example", "opted_out": "yes"}
    assert Door(door.home, settings).ask(calls.standard([row], "erp")).status == 202
    assert door.is_silenced("email", "jane@shop.example")


def test_segments_batch_is_a_row_each_and_one_without_an_id_gets_one(door: Door) -> None:
    calls_ = [TRACK | {"type": "track"}, {"type": "page", "userId": "7"}]
    sent = calls.segment({"batch": calls_, "sentAt": "2026-11-29T11:59:00Z"}, "/v1/batch")
    assert door.ask(sent).status == 202
    assert door.ask(sent).status == 202
    first, second = door.rows("web")
    assert first["messageId"] == "m1"
    assert second["messageId"].startswith("arrived-")
    assert first["sentAt"] == second["sentAt"] == "2026-11-29T11:59:00Z"


def test_a_privacy_signal_on_the_request_ends_ads_for_the_device(door: Door) -> None:
    sent = calls.segment(TRACK, "/v1/track").with_header("Sec-GPC", "1")
    door.ask(sent)
    assert ("device", "device-1", "ads", "*", "gpc") in door.refusals()


def test_standard_rows_go_to_the_folder_of_the_settings_else_nobody_reads_them(door: Door) -> None:
    said = calls.consent("jane@shop.example")
    assert door.ask(calls.standard({"consents": [said]})).status == 202
    assert door.rows("consents/loyalty") == [said]
    assert door.is_silenced("email", "jane@shop.example")
    assert door.ask(calls.standard({"any": "thing"}, "erp")).status == 202
    assert len(door.files("unread/erp")) == 1


def test_one_signature_of_several_is_enough_so_that_a_secret_can_change(door: Door) -> None:
    sent = calls.standard([calls.consent("jane@shop.example")])
    right = dict(sent.headers)["webhook-signature"]
    old = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert door.ask(sent.with_header("webhook-signature", f"{old} {right}")).status == 202
    assert door.ask(sent.with_header("webhook-signature", old)).status == 401


ALL = (
    calls.sendgrid(EVENT),
    calls.shopify("customers_email_marketing_consent/update", state("unsubscribed")),
    calls.reply("STOP"),
    calls.klaviyo(calls.klaviyo_event("marked_email_as_spam", "jane@shop.example")),
    calls.standard([calls.consent("jane@shop.example")]),
    calls.segment(TRACK, "/v1/track"),
)


@pytest.mark.parametrize("sent", ALL, ids=lambda sent: sent.path)
def test_a_repetition_is_answered_and_kept_once(door: Door, sent: Sent) -> None:
    first = door.ask(sent)
    files, refusals = door.files(), door.refusals()
    door.at = NOW + timedelta(minutes=2)
    another_process = Door(door.home, at=NOW + timedelta(minutes=3))
    for asked in (door, another_process):
        assert asked.ask(sent).status == first.status < 300
    assert door.files() == files
    assert door.refusals() == refusals


@pytest.mark.parametrize("sent", ALL, ids=lambda sent: sent.path)
def test_what_is_too_large_of_another_kind_packed_or_not_posted_is_refused(
    door: Door, sent: Sent
) -> None:
    large = b" " * (MOST_BYTES + 1)
    assert door.ask(replace(sent, body=large)).status == 413
    told = replace(sent, body=b"").with_header("Content-Length", str(MOST_BYTES + 1))
    assert door.ask(told).status == 413
    for kind in ("text/plain", "multipart/form-data", "", "application/xml"):
        assert door.ask(sent.with_header("Content-Type", kind)).status == 415
    assert door.ask(sent.with_header("Content-Encoding", "gzip")).status == 415
    for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS"):
        assert door.ask(replace(sent, method=method)).status == 405
    assert not door.files()


@pytest.mark.parametrize("sent", ALL, ids=lambda sent: sent.path)
def test_without_its_secret_a_sender_is_refused_and_the_setting_is_named(
    door: Door, sent: Sent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    name = sent.path.split("/")[2]
    variable = SETTINGS.webhooks[name].variable(name)
    for value in ("", "  "):
        monkeypatch.setenv(variable, value)
        assert door.ask(sent).status == 503
    assert variable in caplog.text
    assert not door.files()


def test_twilio_needs_the_public_address(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    settings = SETTINGS.model_copy(
        update={"serve": SETTINGS.serve.model_copy(update={"url_base": ""})}
    )
    assert Door(door.home, settings).ask(calls.reply("STOP")).status == 503
    assert "url_base" in caplog.text


def test_a_sender_that_the_settings_do_not_name_is_unknown(door: Door) -> None:
    settings = SETTINGS.model_copy(update={"webhooks": {}})
    for sent in ALL:
        assert Door(door.home, settings).ask(sent).status == 404
    for path in ("/webhooks/sendgrid/v1/track", "/webhooks/segment/v1/other", "/webhooks", "/"):
        assert door.ask(Sent(path)).status == 404


def test_while_the_ledger_cannot_be_reached_nothing_is_acknowledged(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    aside = door.home.root / "aside.sqlite"
    door.home.ops.rename(aside)
    for sent in ALL:
        assert door.ask(sent).status == 503
    assert not door.home.ops.exists(), "a new store would be known to no gate"
    aside.rename(door.home.ops)
    for sent in ALL:
        assert door.ask(sent).status < 300
    assert door.is_silenced("email", "jane@shop.example")
    assert door.is_silenced("phone", "+447700900123", "sms")
    assert len(door.files()) == len({path.name for path in door.files()})


def test_while_the_ledger_is_locked_nothing_is_acknowledged(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "BUSY_SECONDS", 0)
    with sqlite3.connect(door.home.ops) as other:
        other.execute("begin immediate")
        assert door.ask(calls.sendgrid(EVENT)).status == 503
        other.rollback()
    assert door.ask(calls.sendgrid(EVENT)).status == 202
    assert door.is_silenced("email", "jane@shop.example")


def test_while_the_disk_takes_nothing_nothing_is_acknowledged(door: Door) -> None:
    door.home.inbox.write_text("in the way")
    for sent in ALL:
        assert door.ask(sent).status == 503
    assert not door.refusals()


def test_one_that_cannot_be_read_stops_no_other(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = reception.record_refusals_at_once

    def stumbles(store: Store, arrivals: list[Arrival], **more: Any) -> FactCounts:
        if any("stumble" in arrival.text for arrival in arrivals):
            raise ValueError("an error of the engine")
        return real(store, arrivals, **more)

    monkeypatch.setattr(reception, "record_refusals_at_once", stumbles)
    people = [f"person{number}@shop.example" for number in range(8)] + ["stumble@shop.example"]
    sents = [calls.standard([calls.consent(person)], kept_id=f"msg_{person}") for person in people]
    assert door.ask_together(sents) == [202] * 8 + [503]
    assert {refusal[1] for refusal in door.refusals()} == set(people[:-1])


def test_leaving_a_group_of_sendgrids_ends_that_group(door: Door) -> None:
    left = EVENT | {"event": "group_unsubscribe", "asm_group_id": 7}
    assert door.ask(calls.sendgrid(left)).status == 202
    assert door.refusals() == {("email", "jane@shop.example", "email", "group:7", "revoked")}


def test_nothing_personal_is_logged(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for sent in ALL:
        door.ask(sent)
        door.ask(replace(sent, body=sent.body + b" "))
        door.ask(replace(sent, body=b"{" + sent.body))
    for word in ("jane", "447700900123", "shop.example", "device-1", "secret-of", "twilio-token"):
        assert word not in caplog.text


def test_a_body_that_is_no_rows_of_its_sender_is_refused_even_where_it_is_signed(
    door: Door,
) -> None:
    assert door.ask(calls.standard(["not a row"])).status == 400
    assert door.ask(calls.standard(3)).status == 400
    assert door.ask(calls.segment([])).status == 400
    assert door.ask(calls.segment({"batch": ["x"]}, "/v1/batch")).status == 400
    assert door.ask(calls.klaviyo("x")).status == 400  # type: ignore[arg-type]
    assert door.ask(calls.sendgrid("x")).status == 400  # type: ignore[arg-type]
    assert door.ask(calls.twilio(From="+447700900123", Body="STOP")).status == 400
    assert not door.files()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[webhooks.erp]", "webhooks.*`erp` needs a `kind`"),
        ("[webhooks.erp]\nkind = 'standard'", "webhooks.*`erp` needs a `secret_env`"),
        ("[webhooks.twilio]\nsecret = 'x'", "webhooks.twilio.secret.*known here:.*secret_env"),
        ("[serve]\nurl_base = 'hooks.example'", "serve.url_base"),
        ("[serve]\nurl_base = 'https://hooks.example/'", "serve.url_base"),
    ],
)
def test_a_sender_that_is_not_set_up_right_is_told_before_anything_starts(
    tmp_path: Path, text: str, named: str
) -> None:
    path = tmp_path / "regulars.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=named):
        load_settings(path)


def test_a_folder_that_there_is_not_is_told(door: Door) -> None:
    wrong = SETTINGS.webhooks["loyalty"].model_copy(update={"folder": "klaviyo"})
    with pytest.raises(UsageError, match=r"webhooks\.loyalty.*no folder of the input"):
        chosen_senders(SETTINGS.model_copy(update={"webhooks": {"loyalty": wrong}}))


def test_shopifys_published_samples_are_understood(door: Door) -> None:
    contracts = Path(os.environ.get("REGULARS_SHARED", REPOSITORY.parent / "shared")) / "contracts"
    if not contracts.is_dir():
        pytest.skip("the vendors' samples are not here")
    samples = {}
    for path in sorted((contracts / "shopify").glob("*.json")):
        sample = json.loads(path.read_text("utf-8"))
        samples[sample["name"]] = sample["response"]
    assert len(samples) >= 8
    for topic, body in samples.items():
        assert door.ask(calls.shopify(topic, body)).status == 202, topic
    assert door.is_silenced("email", "john@example.com"), "customers/redact"
    assert len(door.files("orders")) == 1, "the samples of both topics are one and the same body"
    assert len(door.files("requests")) == 1
