"""Requests that somebody changed on the way, or made without the secret: none is accepted.

What a sender does not sign cannot be told apart by anybody and is not changed here: Shopify's topic
and id (a body under a wrong topic is refused for its form, a repeated one is kept once), the
spelling of Twilio's form, whatever stands beside a write key of Segment's Spec.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from tests.orchestration.serve.webhooks import calls
from tests.orchestration.serve.webhooks.calls import Door, Sent
from tests.orchestration.serve.webhooks.test_senders import EVENT, TRACK, state

SEED = 20_261_129
VALID = (
    calls.sendgrid(EVENT, EVENT | {"sg_event_id": "e2", "email": "john@shop.example"}),
    calls.shopify("customers_email_marketing_consent/update", state("unsubscribed")),
    calls.reply("please STOP", ProfileName="Jane", NumMedia="0"),
    calls.klaviyo(calls.klaviyo_event("marked_email_as_spam", "jane@shop.example")),
    calls.standard([calls.consent("jane@shop.example")]),
    calls.segment({"batch": [TRACK | {"type": "track"}]}, "/v1/batch"),
)
PROOFS = {
    "sendgrid": (
        "X-Twilio-Email-Event-Webhook-Signature",
        "X-Twilio-Email-Event-Webhook-Timestamp",
    ),
    "shopify": ("X-Shopify-Hmac-Sha256",),
    "twilio": ("X-Twilio-Signature",),
    "klaviyo": ("Klaviyo-Signature", "Klaviyo-Timestamp"),
    "loyalty": ("webhook-id", "webhook-timestamp", "webhook-signature"),
    "segment": ("X-Signature",),
}
Change = Callable[[Sent, random.Random], Sent]


def _proof(sent: Sent, chance: random.Random) -> str:
    return chance.choice(PROOFS[sent.path.split("/")[2]])


def _changed_text(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    kinds = (
        text[:at] + chance.choice("AZaz019+/=-_ .,") + text[at + 1 :],
        text[:at] + text[at + 1 :],
        text[:at] + text[at] + text[at:],
        text.swapcase(),
        text[::-1],
        text[: max(1, len(text) // 2)],
        text + chance.choice(("=", "A", "0", ".", "%00")),
        chance.choice(("", "v1,", "0", "null", "true", "-1", "=" * 44)),
    )
    return chance.choice(kinds)


def change_proof(sent: Sent, chance: random.Random) -> Sent:
    name = _proof(sent, chance)
    return sent.with_header(name, _changed_text(dict(sent.headers)[name], chance))


def drop_proof(sent: Sent, chance: random.Random) -> Sent:
    name = _proof(sent, chance)
    return replace(sent, headers=tuple(each for each in sent.headers if each[0] != name))


def repeat_proof(sent: Sent, chance: random.Random) -> Sent:
    name = _proof(sent, chance)
    again = (name, chance.choice((dict(sent.headers)[name], "x")))
    return replace(sent, headers=chance.choice(((*sent.headers, again), (again, *sent.headers))))


def respell_signature(sent: Sent, chance: random.Random) -> Sent:
    """The very bytes of the signature in another spelling or alphabet."""
    name = next(n for n in PROOFS[sent.path.split("/")[2]] if "ature" in n or "Hmac" in n)
    text = dict(sent.headers)[name]
    bare = text.removeprefix("v1,")
    try:
        content = base64.b64decode(bare, validate=True)
    except ValueError:
        content = bytes.fromhex(bare)
    spelt = (
        base64.b64encode(content).decode(),
        base64.urlsafe_b64encode(content).decode(),
        base64.b64encode(content).decode().rstrip("="),
        content.hex(),
        content.hex().upper(),
        f"sha256={content.hex()}",
        bare[:10] + "\t" + bare[10:],
        f"v2,{bare}",
        f"v1;{bare}",
    )
    return sent.with_header(name, chance.choice([each for each in spelt if each != text]))


def change_body(sent: Sent, chance: random.Random) -> Sent:
    body = bytearray(sent.body)
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        at = chance.randrange(len(body))
        body[at] ^= 1 << chance.randrange(8)
    return replace(sent, body=bytes(body))


def cut_body(sent: Sent, chance: random.Random) -> Sent:
    at = chance.randrange(len(sent.body))
    return replace(sent, body=chance.choice((sent.body[:at], sent.body[at + 1 :])))


def stretch_body(sent: Sent, chance: random.Random) -> Sent:
    extra = chance.choice((b" ", b"\n", b"\0", b"x", b"&Body=no", b"[]", b"\xff", sent.body))
    return replace(sent, body=chance.choice((sent.body + extra, extra + sent.body)))


def recode_body(sent: Sent, chance: random.Random) -> Sent:
    text = sent.body.decode()
    coded = chance.choice(("utf-16", "utf-32", "utf-8-sig", "utf-16-be"))
    return replace(sent, body=text.encode(coded))


def someone_else(sent: Sent, chance: random.Random) -> Sent:
    """Another person in the same body, with the signature as it was."""
    number = f"{chance.randrange(10**6):06}"
    body = sent.body.replace(b"jane", f"v{number}".encode()).replace(
        b"447700900123", number.encode()
    )
    return replace(sent, body=body.replace(b"device-1", number.encode()))


def from_another(sent: Sent, chance: random.Random) -> Sent:
    """A sound request, sent to another sender's address."""
    other = chance.choice([each.path for each in VALID if each.path != sent.path])
    return replace(sent, path=other)


def signed_by_another(sent: Sent, chance: random.Random) -> Sent:
    """All headers of a sound request of somebody else beside one's own kind of body."""
    other = chance.choice([each for each in VALID if each.path != sent.path])
    kind = [each for each in sent.headers if each[0] == "Content-Type"]
    return replace(sent, headers=(*kind, *(e for e in other.headers if e[0] != "Content-Type")))


def by_address(sent: Sent, chance: random.Random) -> Sent:
    """Twilio signs the address."""
    if "twilio" not in sent.path:
        return change_proof(sent, chance)
    return replace(sent, query=chance.choice(("a=1", "&", "x", "MessageSid=SM1")))


CHANGES: tuple[Change, ...] = (
    *(change_proof, drop_proof, repeat_proof, respell_signature, change_body, cut_body),
    *(stretch_body, recode_body, someone_else, from_another, signed_by_another, by_address),
)


def _is_same(changed: Sent, sent: Sent) -> bool:
    """Whether nothing that is signed changed; the spelling of Twilio's form is not."""

    def meaning(each: Sent) -> object:
        body: object = each.body
        if "twilio" in each.path:
            body = frozenset(parse_qsl(each.body.decode("latin-1"), keep_blank_values=True))
        signed = {name for names in PROOFS.values() for name in names}
        headers = sorted((n, v.strip()) for n, v in each.headers if n in signed)
        return each.path, each.query, body, headers

    return meaning(changed) == meaning(sent)


async def _ask_all(door: Door, count: int) -> Counter[tuple[str, int]]:
    chance = random.Random(SEED)
    answers: Counter[tuple[str, int]] = Counter()
    asked = 0
    while asked < count:
        sent, change = chance.choice(VALID), chance.choice(CHANGES)
        changed = change(sent, chance)
        if _is_same(changed, sent):
            continue
        asked += 1
        answer = await door.answer(changed)
        answers[change.__name__, answer.status] += 1
        assert answer.status >= 400, (change.__name__, changed)
    return answers


def test_of_ten_thousand_changed_requests_none_is_accepted(door: Door) -> None:
    count = int(os.environ.get("REGULARS_MUTATIONS", "10000"))
    answers = asyncio.run(_ask_all(door, count))
    assert answers.total() == count
    assert {change for change, _ in answers} == {change.__name__ for change in CHANGES}
    assert {status for _, status in answers} <= {400, 401, 404, 415}
    assert not door.files()
    assert not door.refusals()
    for sent in VALID:
        assert door.ask(sent).status < 300, "the unchanged ones are accepted by the same server"


@pytest.mark.parametrize(
    "proof",
    [
        "Basic c2VnbWVudC1rZXk=",
        "Basic c2VnbWVudC1rZXk6",
        "Bearer segment-key",
        "basic c2VnbWVudC1rZXk6",
        "Basic  c2VnbWVudC1rZXk6",
    ],
)
def test_a_write_key_is_taken_in_its_one_spelling(door: Door, proof: str) -> None:
    sent = calls.segment(TRACK, "/v1/track", signed=False).with_header("Authorization", proof)
    is_right = proof == dict(calls.segment(TRACK, signed=False).headers)["Authorization"]
    assert (door.ask(sent).status == 202) == is_right
