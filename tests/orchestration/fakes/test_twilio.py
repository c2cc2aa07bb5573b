"""Twilio's fake: each rule of its table is enforced."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from orchestration.fakes.faults import Fault
from orchestration.fakes.server import served_fake
from orchestration.fakes.twilio import ACCOUNT, PATH, SENDER, SERVICE, TOKEN, Twilio, create
from tests.orchestration.fakes.served import Hand

GOOD = {"To": "+447700900001", "From": SENDER, "Body": "Hello"}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Twilio, Hand, str]]:
    clock = Hand()
    fake = create(0, clock)
    with served_fake(fake) as address:
        yield fake, clock, address


@pytest.fixture
def twilio(served: tuple[Twilio, Hand, str]) -> Twilio:
    served[0].begin_anew(0)
    return served[0]


@pytest.fixture
def client(served: tuple[Twilio, Hand, str], twilio: Twilio) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[2], auth=(ACCOUNT, TOKEN)) as client:
        yield client


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("to", {"To": "07700900001"}),
        ("to", {"To": ""}),
        ("mobile", {"To": "+442079460000"}),
        ("country", {"To": "+79161234567"}),
        ("from", {"From": ""}),
        ("own_sender", {"From": "+15005550001"}),
        ("body", {"Body": " "}),
        ("body_letters", {"Body": "x" * 1601}),
        ("opted_out", {"To": "+447700900009"}),
    ],
)
def test_a_message_that_breaks_a_rule_is_refused(
    twilio: Twilio, client: httpx.Client, rule: str, change: dict[str, str]
) -> None:
    twilio.no_mobiles.add("+442079460000")
    client.post("/_reply", json={"from": "+447700900009", "body": " stop "})
    answer = client.post(f"{PATH}.json", data={**GOOD, **change})
    assert (answer.status_code, answer.json()["code"]) == (
        400,
        int(next(each for each in twilio.rules if each.name == rule).answer.split()[1]),
    )
    assert twilio.refused == {rule: 1}
    assert not twilio.texts


def test_the_same_message_twice_is_two(twilio: Twilio, client: httpx.Client) -> None:
    sids = {client.post(f"{PATH}.json", data=GOOD).json()["sid"] for _ in range(2)}
    assert len(sids) == len(twilio.texts) == 2


def test_a_message_goes_its_way(
    served: tuple[Twilio, Hand, str], twilio: Twilio, client: httpx.Client
) -> None:
    form = {**GOOD, "MessagingServiceSid": SERVICE, "From": ""}
    sid = client.post(f"{PATH}.json", data=form).json()["sid"]
    seen = []
    for _ in range(3):
        seen.append(client.get(f"{PATH}/{sid}.json").json()["status"])
        served[1].move(twilio.job_seconds)
    assert seen == ["queued", "sent", "delivered"]
    assert twilio.state()["messages"] == {"delivered": 1}
    assert client.delete(f"{PATH}/{sid}.json").status_code == 204
    assert client.get(f"{PATH}/{sid}.json").status_code == 404


def test_start_undoes_stop(twilio: Twilio, client: httpx.Client) -> None:
    for word in ("Stop", "START"):
        client.post("/_reply", json={"from": GOOD["To"], "body": word})
    assert client.post(f"{PATH}.json", data=GOOD).status_code == 201


def test_pages_are_read_to_their_end(twilio: Twilio, client: httpx.Client) -> None:
    for _ in range(5):
        client.post(f"{PATH}.json", data=GOOD)
    link, found = f"{PATH}.json?PageSize=2&To=%2B447700900001", []
    while link:
        page = client.get(link).json()
        found += page["messages"]
        link = page["next_page_uri"]
    assert len(found) == 5
    assert client.get(f"{PATH}.json?PageSize=1001").status_code == 400


def test_without_the_token_nothing_is_done(twilio: Twilio, client: httpx.Client) -> None:
    answer = client.post(f"{PATH}.json", data=GOOD, auth=(ACCOUNT, "other"))
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    twilio.faults.plan(Fault("429", times=1, wait=7))
    answer = client.post(f"{PATH}.json", data=GOOD)
    assert (answer.json()["code"], answer.headers["retry-after"]) == (20429, "7")
    assert not twilio.texts
