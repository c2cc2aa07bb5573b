"""The destination `web_push` against a push service, the RFCs' vectors, and planted defects."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import RegularsError, UsageError
from orchestration.destinations import push_encryption, sends_messages
from orchestration.destinations import web_push as module
from orchestration.destinations.base import Outcome, RetryLaterError, Row, SendsMessages
from orchestration.destinations.http import AccessRefusedError, HttpClient
from orchestration.destinations.push_encryption import (
    MAX_TEXT,
    BadKeyError,
    Vapid,
    decoded,
    encrypted,
    private_key,
    unpadded,
)
from orchestration.destinations.web_push import WebPushDestination
from orchestration.fakes.faults import Fault
from orchestration.fakes.push import VAPID_KEY, Browser, Push, create, read
from tests.orchestration.destinations.checking import Checks, handed_over, opened_as, said
from tests.orchestration.destinations.defects import (
    Defect,
    Patch,
    all_as_added,
    must_find,
    replaced,
)
from tests.orchestration.fakes.served import Served, emptied, server_of

# RFC 8291, section 5 and appendix A.
RFC_TEXT = b"When I grow up, I want to be a watermelon"
RFC_AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
RFC_RECEIVER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
RFC_POINT = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
RFC_SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RFC_SALT = "DGv6ra1nlYgDCS1FRnbzlw"
RFC_BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
    "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)

Shop = Served[Push]
server = server_of(create, Shop)


@pytest.fixture
def shop(server: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return emptied(server, monkeypatch)


def opened(shop: Shop, **options: Any) -> WebPushDestination:
    base = {"subject": "mailto:shop@example.com", "services": ["127.0.0.1"]}
    found = opened_as(WebPushDestination, "web_push", {**base, **options})
    found._now = shop.clock
    return found


def row(shop: Shop, browser: Browser, operation: str = "added", **more: Any) -> Row:
    payload = {
        "customer_id": "c1",
        "device": "device-1",
        "endpoint": f"{shop.address}/push/{browser.id}",
        **browser.keys,
        "message": {"title": "Fern", "body": "Zoë: {{ x }} 😀", "url": "https://www.fern.example/"},
        **more,
    }
    return Row(f"k{browser.id}", "c1", 1, operation, payload)  # type: ignore[arg-type]


CHECKS = Checks[Shop]()
check = CHECKS.add


@check
def the_browser_reads_it_word_for_word(shop: Shop) -> None:
    browser = shop.fake.subscribe()
    own = row(shop, browser)
    assert said(handed_over(opened(shop), own)) == [("accepted", "")]
    assert browser.shown == [own.payload["message"]]
    assert shop.fake.posts == [{"ttl": "14400", "topic": shop.fake.posts[0]["topic"]}]


@check
def sends_additions_alone(shop: Shop) -> None:
    browser = shop.fake.subscribe()
    done = handed_over(
        opened(shop), row(shop, browser, "removed"), row(shop, shop.fake.subscribe(), "updated")
    )
    assert [each.status for each in done] == ["delivered", "delivered"]
    assert shop.fake.posts == []


@check
def says_who_is_gone(shop: Shop) -> None:
    gone, there = shop.fake.subscribe(), shop.fake.subscribe()
    gone.is_gone = True
    done = handed_over(opened(shop), row(shop, gone), row(shop, there))
    assert said(done) == [("rejected", "subscription_gone"), ("accepted", "")]
    assert [each.gone for each in done] == [f"{shop.address}/push/{gone.id}", ""]


@check
def believes_no_yes_to_be_a_delivery(shop: Shop) -> None:
    """Apple's service answers 201 for what is gone."""
    shop.fake.is_apples = True
    gone = shop.fake.subscribe()
    gone.is_gone = True
    assert said(handed_over(opened(shop), row(shop, gone))) == [("accepted", "")]
    assert gone.shown == []


@check
def calls_no_server_that_is_none(shop: Shop) -> None:
    browser = shop.fake.subscribe()
    endpoints = [
        *(
            "http://fcm.googleapis.com/x",
            "https://127.0.0.1/x",
            "https://[::1]/",
            "https://10.0.0.1",
        ),
        *("https://169.254.169.254/latest/", "https://localhost/", "file:///etc/passwd", "x"),
        *("https://u:p@fcm.googleapis.com/", "https://fcm.googleapis.com.evil.example/x"),
        *(
            "https://evil.example/fcm.googleapis.com",
            "https://xpush.apple.com/",
            "https://2130706433/",
        ),
    ]
    strict = opened(shop, services=list(module.SERVICES), allow_private=False)
    done = handed_over(strict, *(row(shop, browser, endpoint=each) for each in endpoints))
    assert {each.status for each in done} == {"rejected"}
    assert {each.reason for each in done} == {"refused_endpoint", "unknown_service"}


@check
def looks_where_a_name_leads(shop: Shop) -> None:
    """A known name that DNS leads into the network is not called."""
    strict = opened(shop, services=["localhost.localdomain", "localhost"], allow_private=False)
    browser = shop.fake.subscribe()
    strict._problem = lambda _: ""  # type: ignore[method-assign]
    done = handed_over(strict, row(shop, browser, endpoint="https://localhost/push/x"))
    assert said(done) == [("rejected", "refused_endpoint")]


@check
def sends_nothing_after_a_lost_answer(shop: Shop) -> None:
    one, two, three = (shop.fake.subscribe() for _ in range(3))
    shop.fake.faults.plan(Fault("lost_ack", where="POST", after=1, times=1))
    done = handed_over(opened(shop), *(row(shop, each) for each in (one, two, three)))
    assert [each.status for each in done] == ["accepted", "unknown", "retry"]
    assert [len(each.shown) for each in (one, two, three)] == [1, 1, 0]


@check
def keeps_what_was_sent_before_a_throttle(shop: Shop) -> None:
    one, two = shop.fake.subscribe(), shop.fake.subscribe()
    shop.fake.faults.plan(Fault("429", where="POST", after=1, times=1, wait=7))
    done = handed_over(opened(shop), row(shop, one), row(shop, two))
    assert [each.status for each in done] == ["accepted", "retry"]
    shop.fake.faults.plan(Fault("429", where="POST", times=1, wait=7))
    try:
        handed_over(opened(shop), row(shop, two))
    except RetryLaterError as error:
        assert error.wait_seconds == 7
    else:
        raise AssertionError("a throttle was no failure of the batch")


@check
def one_refused_key_stops_nobody_else(shop: Shop) -> None:
    other, own = shop.fake.subscribe("another key"), shop.fake.subscribe()
    done = handed_over(opened(shop), row(shop, other), row(shop, own))
    assert said(done) == [("retry", "key_refused"), ("accepted", "")]
    try:
        handed_over(opened(shop), row(shop, other))
    except AccessRefusedError as error:
        assert "VAPID_PRIVATE_KEY" in error.hint
    else:
        raise AssertionError("a key that nobody takes was no failure")


@check
def a_repeat_replaces_what_waits(shop: Shop) -> None:
    browser = shop.fake.subscribe()
    browser.is_off = True
    for _ in range(2):
        handed_over(opened(shop), row(shop, browser))
    shop.fake.wake(browser)
    assert len(browser.shown) == 1


@check
def keys_that_are_none_are_of_one_row(shop: Shop) -> None:
    browser = shop.fake.subscribe()
    wrong = [{"p256dh": "x"}, {"auth": "AAAA"}, {"p256dh": "!"}, {"p256dh": unpadded(b"\4" * 65)}]
    done = handed_over(opened(shop), *(row(shop, browser, **each) for each in wrong))
    assert said(done) == [("rejected", "unusable_keys")] * len(wrong)
    assert said(handed_over(opened(shop), row(shop, browser, message="x"))) == [
        ("rejected", "no_message")
    ]
    long = {"title": "T", "body": "x" * MAX_TEXT}
    assert said(handed_over(opened(shop), row(shop, browser, message=long))) == [
        ("rejected", "too_large")
    ]


@CHECKS.each()
def test_it_keeps_to_its_page(shop: Shop, check: Callable[[Shop], None]) -> None:
    check(shop)


_sent = WebPushDestination._sent
_one_by_one = module.send_one_by_one


def _with_headers(**changes: str | None) -> Patch:
    call = HttpClient.call

    def changed(client: HttpClient, *given: Any, **more: Any) -> Any:
        headers = {k: v for k, v in {**more["headers"], **changes}.items() if v is not None}
        return call(client, *given, **{**more, "headers": headers})

    return replaced(HttpClient, "call", changed)


def _delivered(self: WebPushDestination, key: str, endpoint: str, body: bytes) -> Outcome:
    return replace(_sent(self, key, endpoint, body), status="delivered")


def _goes_on(rows: Any, send: Any) -> list[Outcome]:
    return [_one_by_one([each], send)[0] for each in rows]


DEFECTS: dict[str, tuple[Patch, str]] = {
    "no TTL": (_with_headers(ttl=None), "the_browser_reads_it_word_for_word"),
    "no topic": (_with_headers(topic=None), "a_repeat_replaces_what_waits"),
    "a body in the clear": (
        replaced(module, "encrypted", lambda text, *_: text),
        "the_browser_reads_it_word_for_word",
    ),
    "another salt in the header": (
        replaced(
            module,
            "encrypted",
            lambda text, *keys: b"0" * 16 + encrypted(text, *keys)[16:],
        ),
        "the_browser_reads_it_word_for_word",
    ),
    "a word for another service": (
        replaced(module.Vapid, "header", lambda self, *_: _header(self, "https://x.example")),
        "the_browser_reads_it_word_for_word",
    ),
    "a word for a week": (
        replaced(module, "LIFETIME", timedelta(days=7)),
        "the_browser_reads_it_word_for_word",
    ),
    "removals are notices": (
        replaced(WebPushDestination, "deliver", all_as_added(WebPushDestination.deliver)),
        "sends_additions_alone",
    ),
    "410 is a yes": (replaced(module, "GONE", ()), "says_who_is_gone"),
    "gone is told to nobody": (
        replaced(WebPushDestination, "_sent", lambda self, *a: replace(_sent(self, *a), gone="")),
        "says_who_is_gone",
    ),
    "a 2xx is a delivery": (
        replaced(WebPushDestination, "_sent", _delivered),
        "believes_no_yes_to_be_a_delivery",
    ),
    "any endpoint is called": (
        replaced(WebPushDestination, "_problem", lambda *_: ""),
        "calls_no_server_that_is_none",
    ),
    "a name is known by its end": (
        replaced(module, "SERVICES", ("example", "com")),
        "calls_no_server_that_is_none",
    ),
    "one endpoint ends the batch": (
        replaced(module, "UsageError", RetryLaterError),
        "looks_where_a_name_leads",
    ),
    "goes on after a lost answer": (
        replaced(module, "send_one_by_one", _goes_on),
        "sends_nothing_after_a_lost_answer",
    ),
    "a refused key is nothing": (
        replaced(module, "KEY_REFUSED", "later"),
        "one_refused_key_stops_nobody_else",
    ),
}
_header_of = Vapid.header


def _header(vapid: Vapid, audience: str) -> str:
    return _header_of(vapid, audience, datetime(2026, 6, 1, 18, tzinfo=UTC))


@CHECKS.each_defect(DEFECTS)
def test_a_planted_defect_is_noticed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, defect: Defect[Shop]
) -> None:
    must_find(defect, shop, monkeypatch)


def test_the_example_of_rfc_8291() -> None:
    body = encrypted(
        RFC_TEXT, RFC_POINT, RFC_AUTH, salt=decoded(RFC_SALT), sender=private_key(RFC_SENDER)
    )
    assert unpadded(body) == RFC_BODY
    assert read(private_key(RFC_RECEIVER), decoded(RFC_AUTH), decoded(RFC_BODY)) == RFC_TEXT
    assert unpadded(push_encryption.point(private_key(RFC_RECEIVER))) == RFC_POINT


@settings(max_examples=50, deadline=None)
@given(text=st.binary(min_size=1, max_size=MAX_TEXT).filter(lambda each: each[-1] not in (0, 2)))
def test_one_browser_alone_reads_a_body(text: bytes) -> None:
    body = encrypted(text, RFC_POINT, RFC_AUTH)
    assert len(body) <= 4_096
    assert read(private_key(RFC_RECEIVER), decoded(RFC_AUTH), body) == text
    assert text not in body or len(text) < 4
    with pytest.raises(InvalidTag):
        read(private_key(RFC_SENDER), decoded(RFC_AUTH), body)
    assert encrypted(text, RFC_POINT, RFC_AUTH)[:16] != body[:16]


def test_a_word_says_for_whom_until_when_and_from_whom() -> None:
    own = Vapid(private_key(VAPID_KEY), "mailto:shop@example.com")
    header = own.header("https://push.example", datetime(2026, 6, 1, tzinfo=UTC))
    token = header.partition("t=")[2].partition(",")[0]
    head, claims, signature = token.split(".")
    assert json.loads(decoded(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(decoded(claims)) == {
        "aud": "https://push.example",
        "exp": 1_780_272_000,
        "sub": "mailto:shop@example.com",
    }
    assert len(decoded(signature)) == 64
    assert header.endswith(f"k={RFC_POINT}")


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", unpadded(b"\xff" * 32)])
def test_a_key_that_is_none_is_one_sentence(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("VAPID_PRIVATE_KEY", text)
    with pytest.raises(UsageError, match="VAPID_PRIVATE_KEY"):
        handed_over(opened(shop), row(shop, shop.fake.subscribe()))


def test_a_number_that_is_no_key_is_refused() -> None:
    with pytest.raises(BadKeyError):
        private_key(unpadded(b"\0" * 32))


def test_it_says_that_it_sends_messages(shop: Shop) -> None:
    assert isinstance(opened(shop), SendsMessages)
    assert sends_messages("web_push")
    assert opened(shop).stays_in(Path())
    assert not opened(shop, services=list(module.SERVICES)).stays_in(Path())
    assert opened(shop).try_out("device", {}, "k").reason == "subscribe_a_browser"


def test_neither_endpoint_nor_keys_stand_in_an_error(shop: Shop) -> None:
    browser = shop.fake.subscribe()
    for kind in ("401", "503", "html", "lost_ack", "redirect"):
        shop.fake.faults.plan(Fault(kind, where="POST", times=1))
        try:
            handed_over(opened(shop), row(shop, browser))
        except RegularsError as error:
            for secret in (browser.id, *browser.keys.values(), VAPID_KEY):
                assert secret not in str(error)


def test_a_subject_is_needed(shop: Shop) -> None:
    with pytest.raises(UsageError, match="give `subject`"):
        opened(shop, subject="")
