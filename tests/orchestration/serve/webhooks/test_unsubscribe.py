"""One click unsubscribes, a scanner that follows the link does not, and nobody can make a link."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ingestion.errors import UsageError
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import grant_consent
from orchestration.ops.store import open_store
from orchestration.serve.webhooks import unsubscribe
from tests.orchestration.serve.webhooks.calls import NOW, URL_BASE, Door, Sent

CLICK = Sent(
    "",
    b"List-Unsubscribe=One-Click",
    (("Content-Type", "application/x-www-form-urlencoded"),),
)
PERSON = "jane@shop.example"


def address(door: Door, person: str = PERSON, channel: str = "email", purpose: str = "*") -> str:
    with open_store(door.home) as store:
        link = unsubscribe.link(
            *(store, URL_BASE, "email", person),
            channel=channel,
            purpose=purpose,
            default_country="GB",
        )
    return link.removeprefix(URL_BASE)


def grant(door: Door) -> None:
    with open_store(door.home) as store:
        grant_consent(
            store,
            identifier_type="email",
            identifier_value=PERSON,
            channel="email",
            purpose="marketing",
            source="newsletter",
            wording_version="v1",
            at=door.at,
            default_country="GB",
        )


def test_a_click_is_in_force_and_another_one_is_answered_alike(door: Door) -> None:
    grant(door)
    path = address(door)
    door.at = NOW + timedelta(minutes=1)
    assert door.ask(replace(CLICK, path=path)).status == 200
    assert door.is_silenced("email", PERSON)
    assert door.ask(replace(CLICK, path=path)).status == 200
    assert len(door.files("consents/unsubscribe")) == 1


def test_who_comes_back_and_clicks_the_same_link_again_has_left_again(door: Door) -> None:
    path = address(door)
    door.ask(replace(CLICK, path=path))
    door.at = NOW + timedelta(hours=1)
    grant(door)
    assert not door.is_silenced("email", PERSON)
    door.at = NOW + timedelta(hours=2)
    door.ask(replace(CLICK, path=path))
    assert door.is_silenced("email", PERSON)


def test_a_hundred_scanners_that_follow_the_link_unsubscribe_nobody(door: Door) -> None:
    path = address(door)
    for number in range(100):
        method = ("GET", "HEAD")[number % 2]
        agent = (("User-Agent", f"scanner {number}"), ("Accept", "*/*"))
        answer = door.ask(Sent(path, headers=agent, method=method))
        assert answer.status == 200
    page = door.ask(Sent(path, method="GET"))
    assert "<form method=post>" in page.text
    assert "<button>Unsubscribe</button>" in page.text
    assert "Corner shop" in page.text
    assert PERSON not in page.text
    assert page.headers["referrer-policy"] == "no-referrer", "the link is a secret of one person"
    assert not door.files()
    assert not door.refusals()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b""),
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=one-click"),
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click&a=1"),
        ("application/x-www-form-urlencoded", b"a=List-Unsubscribe%3DOne-Click"),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("multipart/form-data", b"List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=b", b"--b--"),
    ],
)
def test_a_post_that_is_no_click_changes_nothing(door: Door, kind: str, body: bytes) -> None:
    sent = Sent(address(door), body, (("Content-Type", kind),))
    assert door.ask(sent).status == 400
    assert not door.refusals()


def test_a_mail_program_may_send_the_click_as_a_form_in_parts(door: Door) -> None:
    part = b'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click'
    body = b"--b\r\n" + part + b"\r\n--b--\r\n"
    sent = Sent(address(door), body, (("Content-Type", "multipart/form-data; boundary=b"),))
    assert door.ask(sent).status == 200
    assert door.is_silenced("email", PERSON)


def test_other_kinds_of_body_and_other_methods_are_refused(door: Door) -> None:
    path = address(door)
    for kind in ("application/json", "text/plain", ""):
        assert door.ask(Sent(path, CLICK.body, (("Content-Type", kind),))).status == 415
    for method in ("PUT", "DELETE", "PATCH"):
        assert door.ask(replace(CLICK, path=path, method=method)).status == 405
    assert door.ask(replace(CLICK, path=path, body=b"x" * 20_000)).status == 413
    assert not door.refusals()


def test_a_link_shows_nothing_of_whom_it_is_for_and_is_another_each_time(door: Door) -> None:
    first, second = address(door), address(door)
    assert first != second
    token = first.removeprefix(unsubscribe.PATH)
    sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert b"jane" not in sealed
    assert "jane" not in first


def test_ten_thousand_forged_links_unsubscribe_nobody(door: Door, tmp_path: Path) -> None:
    chance = random.Random(20_261_129)
    token = address(door).removeprefix(unsubscribe.PATH)
    other = Door(Home(tmp_path / "other").create())
    foreign = address(other).removeprefix(unsubscribe.PATH)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    def forged() -> Iterator[str]:
        for last in alphabet:  # the same bytes in another spelling, where bits are left over
            yield token[:-1] + last
        yield from (foreign, token + "=", token + "A", token[1:], token.swapcase(), token[::-1])
        while True:
            at = chance.randrange(len(token))
            yield token[:at] + chance.choice(alphabet) + token[at + 1 :]
            yield token[:at]
            length = chance.randrange(1, 200)
            yield "".join(chance.choices(alphabet, k=length))
            yield base64.urlsafe_b64encode(chance.randbytes(length)).decode().rstrip("=")

    async def ask() -> int:
        asked = 0
        for each in forged():
            if each in (token, ""):
                continue
            answer = await door.answer(replace(CLICK, path=unsubscribe.PATH + each))
            assert answer.status == 404
            asked += 1
            if asked == 10_000:
                return asked
        return asked

    assert asyncio.run(ask()) == 10_000
    assert not door.files()
    assert not door.refusals()
    assert door.ask(replace(CLICK, path=unsubscribe.PATH + token)).status == 200


def test_links_of_a_restored_home_still_work(door: Door) -> None:
    path = address(door)
    assert Door(door.home).ask(replace(CLICK, path=path)).status == 200


@contextmanager
def _a_run(home: Home) -> Iterator[None]:
    """Another process's hold on the home, for as long as this is open."""
    pid = os.fork()
    if pid == 0:
        lock._locks.clear()
        with lock.hold(home.lock):
            (home.root / "held").touch()
            while (home.root / "held").exists():
                time.sleep(0.05)
        os._exit(0)
    while not (home.root / "held").exists():
        time.sleep(0.01)
    try:
        yield
    finally:
        (home.root / "held").unlink()
        os.waitpid(pid, 0)


def test_the_gate_sees_a_click_within_a_second_also_while_a_run_holds_the_home(door: Door) -> None:
    grant(door)
    door.at = NOW + timedelta(minutes=1)
    path = address(door)
    door.ask(replace(CLICK, path=address(door, "warm@shop.example")))
    with _a_run(door.home):
        assert lock.is_busy(door.home.lock)
        assert not door.is_silenced("email", PERSON)
        began = time.monotonic()
        assert door.ask(replace(CLICK, path=path)).status == 200
        assert door.is_silenced("email", PERSON)
        assert time.monotonic() - began < 1.0


def test_a_link_needs_a_public_address_and_words_that_are_known(door: Door) -> None:
    with open_store(door.home) as store:

        def link(base: str = URL_BASE, person: str = PERSON, channel: str = "email") -> str:
            words = {"channel": channel, "purpose": "*", "default_country": "GB"}
            return unsubscribe.link(store, base, "email", person, **words)

        assert link().startswith(f"{URL_BASE}/unsubscribe/")
        for base in ("", "http://hooks.shop.example"):
            with pytest.raises(UsageError, match="public address"):
                link(base)
        for wrong in ({"person": "no address"}, {"channel": "pigeon"}):
            with pytest.raises(UsageError, match="none that we know"):
                link(**wrong)
