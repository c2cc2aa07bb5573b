"""The destination `sms` against Twilio's fake, and planted defects that its checks find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ingestion.errors import RegularsError, UsageError
from orchestration.destinations import sends_messages
from orchestration.destinations import sms as module
from orchestration.destinations.base import (
    Identifiers,
    Outcome,
    RetryLaterError,
    Row,
    SendsMessages,
    Withdrawal,
)
from orchestration.destinations.http import AccessRefusedError, AnswerError, HttpClient
from orchestration.destinations.sms import SmsDestination
from orchestration.fakes.faults import Fault
from orchestration.fakes.twilio import ACCOUNT, SENDER, SERVICE, Twilio, create
from tests.orchestration.destinations.checking import Checks, handed_over, opened_as, said
from tests.orchestration.destinations.defects import (
    Defect,
    Patch,
    all_as_added,
    must_find,
    replaced,
)
from tests.orchestration.fakes.served import Hand, Served, emptied, server_of


class Shop(Served[Twilio]):
    """The fake, its clock, where it is, and what it holds."""

    @property
    def sent(self) -> list[tuple[str, str]]:
        """To whom what was sent, in order."""
        return [(each.to, each.body) for each in self.fake.texts.values()]


server = server_of(create, Shop)


@pytest.fixture
def shop(server: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    server.clock.at = Hand().at
    return emptied(server, monkeypatch)


def opened(shop: Shop, **options: Any) -> SmsDestination:
    base = {"base_url": shop.address, "account_sid": ACCOUNT, "sender": SENDER}
    found = opened_as(SmsDestination, "sms", {**base, **options})
    found._now = shop.clock
    return found


def number(index: int) -> str:
    return f"+4477009000{index:02d}"


def row(index: int, operation: str = "added", text: str = "Hello") -> Row:
    payload = {"customer_id": f"c{index}", "phone": number(index), "message": text}
    return Row(f"k{index}", f"c{index}", 1, operation, payload)  # type: ignore[arg-type]


CHECKS = Checks[Shop]()
check = CHECKS.add
TEXTS = ["Fern: 7 % off & more + \u20ac5 = {{ x }}", "Zoë 😀\nline", "a" * 1_530]


@check
def sends_word_for_word(shop: Shop) -> None:
    rows = [row(index, text=text) for index, text in enumerate(TEXTS)]
    outcomes = handed_over(opened(shop), *rows)
    assert {each.status for each in outcomes} == {"accepted"}
    assert shop.sent == [(number(index), text) for index, text in enumerate(TEXTS)]
    assert len({each.ticket for each in outcomes}) == len(TEXTS)


@check
def sends_additions_alone(shop: Shop) -> None:
    done = handed_over(opened(shop), row(1, "removed"), row(2, "updated"), row(3))
    assert [status for status, _ in said(done)] == ["delivered", "delivered", "accepted"]
    assert [to for to, _ in shop.sent] == [number(3)]


@check
def asks_until_it_is_at_its_end(shop: Shop) -> None:
    destination = opened(shop)
    shop.fake.landlines.add(number(2))
    one, two = handed_over(destination, row(1), row(2))
    answers = []
    for seconds in (0, 2, 2):
        shop.clock.move(seconds)
        answers.append(
            [
                said(list(destination.ask("vip", sent.ticket, [row(index)])))[0]
                for index, sent in ((1, one), (2, two))
            ]
        )
    assert answers == [
        [("accepted", ""), ("accepted", "")],
        [("accepted", ""), ("rejected", "landline")],
        [("delivered", ""), ("rejected", "landline")],
    ]


@check
def believes_a_carrier_that_says_no_more(shop: Shop) -> None:
    shop.fake.job_seconds = 3_600 * 20
    destination = opened(shop)
    [sent] = handed_over(destination, row(1))
    shop.clock.move(3_600 * 21)
    assert said(list(destination.ask("vip", sent.ticket, [row(1)]))) == [("accepted", "")]
    shop.clock.move(3_600 * 4)
    assert said(list(destination.ask("vip", sent.ticket, [row(1)]))) == [("delivered", "")]


@check
def hears_who_replied_stop(shop: Shop) -> None:
    shop.fake.opted_out.add(number(1))
    refused, other = handed_over(opened(shop), row(1), row(2))
    assert said([refused, other]) == [("rejected", "opted_out"), ("accepted", "")]
    assert other.withdrawal is None
    assert refused.withdrawal == Withdrawal(
        "phone", number(1), "sms", "*", "unsubscribed", datetime(2026, 6, 1, 12)
    )


@check
def sends_nothing_after_a_lost_answer(shop: Shop) -> None:
    shop.fake.faults.plan(Fault("lost_ack", where="POST", after=1, times=1))
    done = handed_over(opened(shop), row(1), row(2), row(3))
    assert [status for status, _ in said(done)] == ["accepted", "unknown", "retry"]
    assert [to for to, _ in shop.sent] == [number(1), number(2)]


@check
def keeps_what_was_sent_before_a_throttle(shop: Shop) -> None:
    shop.fake.faults.plan(Fault("429", where="POST", after=1, times=1, wait=7))
    done = handed_over(opened(shop), row(1), row(2))
    assert [status for status, _ in said(done)] == ["accepted", "retry"]
    shop.fake.faults.plan(Fault("429", where="POST", times=1, wait=7))
    with pytest.raises(RetryLaterError) as caught:
        handed_over(opened(shop), row(3))
    assert caught.value.wait_seconds == 7
    assert [to for to, _ in shop.sent] == [number(1)]


@check
def tells_an_error_of_the_account_from_one_of_a_message(shop: Shop) -> None:
    shop.fake.no_mobiles.add(number(1))
    russian = replace(row(2), payload={**row(2).payload, "phone": "+79161234567"})
    done = handed_over(opened(shop), row(1), russian, row(3, text=""))
    assert said(done) == [
        ("rejected", "no_mobile_number"),
        ("rejected", "country_not_enabled"),
        ("rejected", "no_message"),
    ]
    try:
        handed_over(opened(shop, sender="+15005550007"), row(3))
    except AnswerError as error:
        assert "21606" in error.message
    else:
        raise AssertionError("an error of the account was taken for one of a message")
    assert shop.sent == []


@check
def deletes_whatever_is_kept_of_a_number(shop: Shop) -> None:
    destination = opened(shop)
    for _ in range(3):
        handed_over(destination, row(1), row(2))
    people = [Identifiers("one", {"phone": (number(1),)}), Identifiers("two", {"email": ("a",)})]
    assert said(list(destination.erase(people))) == [("delivered", ""), ("delivered", "")]
    assert {to for to, _ in shop.sent} == {number(2)}


@CHECKS.each()
def test_it_keeps_to_its_page(shop: Shop, check: Callable[[Shop], None]) -> None:
    check(shop)


_call = HttpClient.call
_one_by_one = module.send_one_by_one


def _repeats(client: HttpClient, *given: Any, **more: Any) -> Any:
    client.repeatable = True
    try:
        return _call(client, *given, **more)
    except RetryLaterError:
        return _call(client, *given, **more)


def _cuts(client: HttpClient, *given: Any, **more: Any) -> Any:
    form = more.get("form")
    return _call(client, *given, **{**more, "form": form and {**form, "Body": form["Body"][:160]}})


def _forgets(rows: Any, send: Any) -> list[Outcome]:
    return [each for each in _one_by_one(rows, send) if each.status != "retry"]


DEFECTS: dict[str, tuple[Patch, str]] = {
    "a lost answer is tried again": (
        replaced(HttpClient, "call", _repeats),
        "sends_nothing_after_a_lost_answer",
    ),
    "texts are cut": (replaced(HttpClient, "call", _cuts), "sends_word_for_word"),
    "removals are messages": (
        replaced(SmsDestination, "deliver", all_as_added(SmsDestination.deliver)),
        "sends_additions_alone",
    ),
    "an opt-out is an error of the account": (
        replaced(module, "OF_A_MESSAGE", {}),
        "hears_who_replied_stop",
    ),
    "an opt-out is told to nobody": (
        replaced(SmsDestination, "_withdrawal", lambda *_: None),
        "hears_who_replied_stop",
    ),
    "queued is delivered": (
        replaced(module, "ARRIVED", ("queued", "sent", "delivered")),
        "asks_until_it_is_at_its_end",
    ),
    "undelivered is delivered": (
        replaced(module, "ARRIVED", ("delivered", "undelivered")),
        "asks_until_it_is_at_its_end",
    ),
    "undelivered is asked for ever": (replaced(module, "LOST", ()), "asks_until_it_is_at_its_end"),
    "a carrier is asked for ever": (
        replaced(SmsDestination, "_is_all", lambda *_: False),
        "believes_a_carrier_that_says_no_more",
    ),
    "a carrier is believed at once": (
        replaced(SmsDestination, "_is_all", lambda *_: True),
        "believes_a_carrier_that_says_no_more",
    ),
    "what follows a lost answer has no outcome": (
        replaced(module, "send_one_by_one", _forgets),
        "sends_nothing_after_a_lost_answer",
    ),
    "an account's error is a row's": (
        replaced(module, "OF_A_MESSAGE", {**module.OF_A_MESSAGE, 21606: "no_sender"}),
        "tells_an_error_of_the_account_from_one_of_a_message",
    ),
    "messages of a number are not looked for": (
        replaced(SmsDestination, "_messages", lambda *_: iter(())),
        "deletes_whatever_is_kept_of_a_number",
    ),
    "nothing is sent": (
        replaced(SmsDestination, "send", lambda _, key, *__: Outcome(key, "accepted", ticket="x")),
        "sends_word_for_word",
    ),
}


@CHECKS.each_defect(DEFECTS)
def test_a_planted_defect_is_noticed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, defect: Defect[Shop]
) -> None:
    must_find(defect, shop, monkeypatch)


def test_all_pages_of_a_number_are_deleted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    destination = opened(shop)
    for _ in range(5):
        handed_over(destination, row(1))
    destination.erase([Identifiers("one", {"phone": (number(1),)})])
    assert shop.sent == []


def test_a_messaging_service_sends_too(shop: Shop) -> None:
    handed_over(opened(shop, sender=SERVICE), row(1))
    [text] = shop.fake.texts.values()
    assert text.sender == SERVICE


def test_a_wrong_token_is_one_sentence(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "wrong")
    with pytest.raises(AccessRefusedError, match="refused the key") as caught:
        handed_over(opened(shop), row(1))
    assert "TWILIO_AUTH_TOKEN" in caught.value.hint


@pytest.mark.parametrize("missing", ["account_sid", "sender"])
def test_what_is_missing_is_named(shop: Shop, missing: str) -> None:
    with pytest.raises(UsageError, match=f"give `{missing}`"):
        opened(shop, **{missing: ""})


def test_it_says_that_it_sends_messages(shop: Shop) -> None:
    assert isinstance(opened(shop), SendsMessages)
    assert sends_messages("sms")
    assert not sends_messages("file")
    assert opened(shop).try_out(number(1), "Hello", "k").status == "accepted"


def test_no_number_stands_in_an_error(shop: Shop) -> None:
    for kind in ("401", "404", "503", "html", "lost_ack"):
        shop.fake.faults.plan(Fault(kind, where="POST", times=1))
        try:
            handed_over(opened(shop), row(1))
        except RegularsError as error:
            assert number(1)[1:] not in str(error)
            assert "Hello" not in str(error)
