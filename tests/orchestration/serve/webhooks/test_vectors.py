"""Signatures that the senders themselves published, made by nobody here."""

from __future__ import annotations

from datetime import datetime

import pytest
from starlette.datastructures import Headers

from orchestration.serve.webhooks.call import Call, RefusedError
from orchestration.serve.webhooks.senders import sendgrid, standard, twilio
from tests.orchestration.serve.webhooks.calls import NOW

# Twilio's documentation and its libraries' own tests; the auth token is 12345.
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO = (
    (
        b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309"
        b"&To=%2B18005551212",
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    ),
    (
        b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ),
)
SENDGRID_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+"
    "2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
SENDGRID_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)
SENDGRID_HEADERS = {
    "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
    "X-Twilio-Email-Event-Webhook-Signature": (
        "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
    ),
}
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_AT = datetime(2021, 2, 25, 15, 2, 10)
STANDARD_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def call(body: bytes, headers: dict[str, str], url: str = "", at: datetime = NOW) -> Call:
    return Call(url, "", Headers(headers), body, at)


@pytest.mark.parametrize(("body", "signature"), TWILIO)
def test_twilios_own_example_is_accepted_and_no_other(body: bytes, signature: str) -> None:
    headers = {"X-Twilio-Signature": signature}
    twilio.verify(call(body, headers, TWILIO_URL), "12345")
    for changed in (
        call(body.replace(b"1234", b"1235"), headers, TWILIO_URL),
        call(body, headers, TWILIO_URL + "3"),
        call(body, {"X-Twilio-Signature": signature.lower()}, TWILIO_URL),
    ):
        with pytest.raises(RefusedError):
            twilio.verify(changed, "12345")
    with pytest.raises(RefusedError):
        twilio.verify(call(body, headers, TWILIO_URL), "12346")


def test_sendgrids_own_example_is_accepted_and_no_other() -> None:
    sendgrid.verify(call(SENDGRID_BODY, SENDGRID_HEADERS), SENDGRID_KEY)
    later = SENDGRID_HEADERS | {"X-Twilio-Email-Event-Webhook-Timestamp": "1600112503"}
    for changed in (
        call(SENDGRID_BODY.strip(), SENDGRID_HEADERS),  # the line's end is signed too
        call(SENDGRID_BODY, later),
    ):
        with pytest.raises(RefusedError):
            sendgrid.verify(changed, SENDGRID_KEY)


def test_standard_webhooks_own_example_is_accepted_within_five_minutes() -> None:
    body = b'{"test": 2432232314}'
    standard.verify(call(body, STANDARD_HEADERS, at=STANDARD_AT), STANDARD_SECRET)
    late = datetime(2021, 2, 25, 15, 7, 11)
    for changed in (
        call(body, STANDARD_HEADERS, at=late),
        call(body, STANDARD_HEADERS | {"webhook-id": "msg_p5"}, at=STANDARD_AT),
        call(body + b" ", STANDARD_HEADERS, at=STANDARD_AT),
    ):
        with pytest.raises(RefusedError):
            standard.verify(changed, STANDARD_SECRET)
