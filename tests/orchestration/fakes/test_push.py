"""The fake of a push service: each rule of its table is enforced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from orchestration.destinations.push_encryption import Vapid, encrypted, private_key
from orchestration.fakes.push import VAPID_KEY, Push, create
from orchestration.fakes.server import served_fake
from tests.orchestration.fakes.served import Hand

OWN = Vapid(private_key(VAPID_KEY), "mailto:shop@example.com")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Push, Hand, str]]:
    clock = Hand()
    fake = create(0, clock)
    with served_fake(fake) as address:
        yield fake, clock, address


@pytest.fixture
def push(served: tuple[Push, Hand, str]) -> Push:
    served[0].begin_anew(0)
    return served[0]


def _word(served: tuple[Push, Hand, str], audience: str = "", ahead: float = 12) -> str:
    at: datetime = served[1].at + timedelta(hours=ahead)
    return OWN.header(audience or served[2], at)


def _post(served: tuple[Push, Hand, str], browser: dict[str, Any], **headers: str) -> int:
    keys = browser["keys"]
    body = encrypted(b'{"title": "x"}', keys["p256dh"], keys["auth"])
    own = {"ttl": "60", "content-encoding": "aes128gcm", "authorization": _word(served)}
    return httpx.post(browser["endpoint"], content=body, headers={**own, **headers}).status_code


def _subscribe(served: tuple[Push, Hand, str], key: str = "") -> dict[str, Any]:
    found: dict[str, Any] = httpx.post(f"{served[2]}/_subscribe", json={"key": key}).json()
    return found


def test_a_notice_is_read_by_its_browser(served: tuple[Push, Hand, str], push: Push) -> None:
    browser = _subscribe(served, OWN.public)
    assert _post(served, browser) == 201
    assert push.state()["shown"] == 1
    other = _subscribe(served)
    assert _post(served, {**other, "keys": browser["keys"]}) == 201
    assert push.state() == {
        "subscriptions": 2, "gone": 0, "taken": 2, "shown": 1, "unreadable": 1, "refused": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "status", "headers"),
    [
        ("ttl", 400, {"ttl": ""}),
        ("urgency", 400, {"urgency": "now"}),
        ("topic", 400, {"topic": "x" * 33}),
        ("encoding", 400, {"content-encoding": "aesgcm"}),
        ("vapid", 401, {"authorization": ""}),
        ("vapid", 401, {"authorization": "vapid t=a.b.c, k=d"}),
    ],
)
def test_a_notice_that_breaks_a_rule_is_refused(
    served: tuple[Push, Hand, str], push: Push, rule: str, status: int, headers: dict[str, str]
) -> None:
    assert _post(served, _subscribe(served), **headers) == status
    assert push.refused == {rule: 1}


def test_a_word_is_for_one_service_and_a_day(served: tuple[Push, Hand, str], push: Push) -> None:
    browser = _subscribe(served)
    other = _word(served, "https://push.example")
    assert _post(served, browser, authorization=other) == 401
    assert _post(served, browser, authorization=_word(served, ahead=25)) == 401
    assert _post(served, browser, authorization=_word(served, ahead=-1)) == 401
    assert push.refused == {"audience": 1, "expiry": 2}


def test_another_shops_key_is_refused(served: tuple[Push, Hand, str], push: Push) -> None:
    assert _post(served, _subscribe(served, "another")) == 403
    assert push.refused == {"own_key": 1}


def test_what_is_gone_is_gone_but_at_apples(served: tuple[Push, Hand, str], push: Push) -> None:
    browser = _subscribe(served)
    assert httpx.delete(browser["endpoint"]).status_code == 204
    assert _post(served, browser) == 410
    push.is_apples = True
    assert _post(served, browser) == 201
    assert push.state()["shown"] == 0


def test_a_body_is_no_longer_than_a_record(served: tuple[Push, Hand, str], push: Push) -> None:
    browser = _subscribe(served)
    own = {"ttl": "60", "content-encoding": "aes128gcm", "authorization": _word(served)}
    answer = httpx.post(browser["endpoint"], content=b"x" * 4_097, headers=own)
    assert answer.status_code == 413
    assert not push.posts
