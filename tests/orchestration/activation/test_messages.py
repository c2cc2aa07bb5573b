"""One message per person and stay, whatever happens; nothing is changed or taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from orchestration.activation.messages import close_messages
from orchestration.activation.people import Target
from orchestration.activation.plan import Plan, build_plan
from orchestration.activation.resolution import resolve
from orchestration.activation.sync import SyncReport
from orchestration.destinations.base import (
    Acknowledgement,
    Batch,
    DestinationFailedError,
    Idempotency,
    Outcome,
    Withdrawal,
)
from orchestration.messages.compose import Writer
from orchestration.messages.templates import SMS, MessageTemplate
from orchestration.ops import schema
from tests.orchestration.activation.shop import NOW, Receiver, Shop, busy, sync_at

pytestmark = pytest.mark.slow

SOURCE = "{{ first_name }}, {{ reason }}"
ENTERED = NOW - timedelta(days=2)


def _target(full: str | None = SOURCE, plain: str | None = None) -> Target:
    files = [
        text and MessageTemplate("offer", SMS, bool(number), {"text": text}, frozenset())
        for number, text in enumerate((full, plain))
    ]
    own = Writer("offer", SMS, "marketing", "Fern", template=files[0] or None)
    return Target("vip", "texts", SMS, "marketing", writer=replace(own, plain=files[1] or None))


@dataclass
class Texts(Receiver):
    """Sends texts: a row that comes twice is a second text."""

    name: str = "texts"
    idempotency: Idempotency = Idempotency.NONE
    acknowledgement: Acknowledgement = Acknowledgement.UNKNOWABLE

    @property
    def said(self) -> list[str]:
        """Every text that left, in order."""
        return [str(row.payload["message"]) for row in self.log]


@pytest.fixture
def texts(shop: Shop) -> Shop:
    shop.channel = "sms"
    for number, name in enumerate(("c1", "c2")):
        shop.add(name, f"phone:+4479460000{number}")
        shop.grant(f"+4479460000{number}", kind="phone")
    _publish(shop)
    return shop


def _publish(shop: Shop, entered: datetime = ENTERED) -> None:
    stays = [["vip", one, entered, None] for one in shop.members]
    shop.rows["marts.fct_segment_memberships"] = stays
    shop.publish()


def _sync(
    shop: Shop, receiver: Receiver, target: Target | None = None, at: datetime = NOW
) -> SyncReport:
    return sync_at(shop, target or _target(), receiver, at)


def _plan(shop: Shop, target: Target | None = None, at: datetime = NOW) -> Plan:
    return build_plan(shop.store, shop.home, target or _target(), at=at)


def test_what_is_planned_is_what_is_sent_to_the_letter(texts: Shop) -> None:
    plan, receiver = _plan(texts), Texts()
    assert [change.payload for change in plan.changes] == [
        {
            "customer_id": name,
            "phone": f"+4479460000{number}",
            "segment": "vip",
            "message": f"Fern: First {name}, because Reply STOP to opt out.",
        }
        for number, name in enumerate(("c1", "c2"))
    ]
    assert _sync(texts, receiver).plan_hash == plan.plan_hash
    assert [row.payload for row in receiver.log] == [change.payload for change in plan.changes]


def test_nothing_is_changed_or_taken_back(texts: Shop) -> None:
    receiver = Texts()
    _sync(texts, receiver)
    texts.members["c1"] = "something else"
    del texts.members["c2"]
    _publish(texts)
    report = _sync(texts, receiver)
    assert (report.planned, report.unchanged) == (0, 1)
    assert len(receiver.said) == 2


def test_one_stay_is_one_message_and_the_next_stay_another(texts: Shop) -> None:
    receiver = Texts()
    for day in range(3):
        _sync(texts, receiver, at=NOW + timedelta(days=day))
    assert len(receiver.said) == 2
    gone = dict(texts.members)
    texts.members.clear()
    _publish(texts)
    _sync(texts, receiver, at=NOW + timedelta(days=4))
    texts.members |= gone
    _publish(texts, entered=NOW + timedelta(days=5))
    at = NOW + timedelta(days=6)
    _sync(texts, receiver, at=at)
    _sync(texts, receiver, at=at)
    assert len(receiver.said) == 4


def test_a_stay_that_began_anew_between_two_syncs_is_decided_anew(texts: Shop) -> None:
    receiver = Texts()
    _sync(texts, receiver)
    _publish(texts, entered=NOW + timedelta(hours=2))
    night = NOW.replace(hour=23)
    for _ in range(2):
        report = _sync(texts, receiver, at=night)
    assert report.held_back == {"quiet_hours": 2}
    assert len(receiver.said) == 2
    _sync(texts, receiver, at=NOW + timedelta(days=1))
    assert len(receiver.said) == 4


def test_somebody_back_from_another_segment_is_not_told_again(texts: Shop) -> None:
    receiver = Texts()
    _sync(texts, receiver)
    texts.further["first"] = {"channel": "email", "priority": 0}
    texts.rows["segments.seg_first"] = [["c1", "because", "{}"]]
    texts.people["c1"] = [*texts.people["c1"], ("email", "c1@example.com")]
    texts.grant("c1@example.com", channel="email")
    _publish(texts)
    assert _plan(texts).held_back_counts == {"other_segment": 1}
    _sync(texts, receiver, at=NOW + timedelta(days=1))
    texts.further.clear()
    _publish(texts)
    _sync(texts, receiver, at=NOW + timedelta(days=2))
    assert len(receiver.said) == 2


def test_a_place_that_got_lost_is_no_second_message(texts: Shop) -> None:
    """As where the ledger alone says it, such as after `sync --resolve` of another version."""
    receiver = Texts()
    _sync(texts, receiver)
    with texts.store.write() as connection:
        connection.execute(update(schema.audience_states).values(is_member=False))
    _sync(texts, receiver)
    assert len(receiver.said) == 2


def test_merged_people_are_told_once(texts: Shop) -> None:
    receiver = Texts()
    _sync(texts, receiver)
    texts.add("c9", "phone:+44794600000", "phone:+447946000009")
    texts.grant("+447946000009", kind="phone")
    texts.members.pop("c1")
    texts.people.pop("c1")
    texts.aliases["c1"] = "c9"
    _publish(texts)
    for day in range(2):
        _sync(texts, receiver, at=NOW + timedelta(days=day))
    assert len(receiver.said) == 2


def test_what_was_not_taken_is_sent_later_and_once(texts: Shop) -> None:
    receiver = Texts(answers=[busy(3_600)])
    assert _sync(texts, receiver).left == {"pending": 2}
    with texts.store.write() as connection:
        connection.execute(schema.destination_pauses.delete())
    _sync(texts, receiver)
    _sync(texts, receiver)
    assert len(receiver.said) == 2


def test_a_message_of_unknown_fate_waits_for_a_person(texts: Shop) -> None:
    receiver = Texts(answers=[DestinationFailedError("broke", "off")])
    with pytest.raises(DestinationFailedError):
        _sync(texts, receiver)
    for day in range(3):
        assert _sync(texts, receiver, at=NOW + timedelta(days=day)).left == {"unknown": 2}
    assert receiver.said == []
    with texts.store.read() as connection:
        keys = sorted(connection.execute(schema.outbox.select()).mappings(), key=str)
    resolve(texts.store, keys[0]["idempotency_key"], "lost", by="Ada", at=NOW)
    resolve(texts.store, keys[1]["idempotency_key"], "arrived", by="Ada", at=NOW)
    _sync(texts, receiver, at=NOW + timedelta(days=3))
    _sync(texts, receiver, at=NOW + timedelta(days=4))
    assert len(receiver.said) == 1


def test_a_refused_message_is_refused_for_the_stay(texts: Shop) -> None:
    receiver = Texts(answers=["rejected"])
    assert _sync(texts, receiver).left == {"dead": 2}
    for day in range(3):
        assert _sync(texts, receiver, at=NOW + timedelta(days=day)).left == {"dead": 2}
    assert receiver.said == []
    _publish(texts, entered=NOW + timedelta(days=4))
    at = NOW + timedelta(days=5)
    assert _sync(texts, receiver, at=at).left == {}
    _sync(texts, receiver, at=at)
    assert len(receiver.said) == 2


def test_a_refusal_that_an_answer_tells_of_is_in_force_at_once(texts: Shop) -> None:
    @dataclass
    class Refused(Texts):
        def deliver(self, batch: Batch) -> list[Outcome]:
            return [
                Outcome(
                    row.key,
                    "rejected",
                    "opted_out",
                    withdrawal=Withdrawal(
                        "phone", row.payload["phone"], "sms", "*", "unsubscribed", NOW
                    ),
                )
                for row in batch.rows
            ]

    _sync(texts, Refused())
    assert _plan(texts).held_back_counts == {"unsubscribed": 2}


def test_quiet_hours_and_the_cap_hold_as_for_others(texts: Shop) -> None:
    night = NOW.replace(hour=23)
    assert _plan(texts, at=night).held_back_counts == {"quiet_hours": 2}
    texts.limits["contacts_per_day"] = 0
    _publish(texts)
    assert _plan(texts).held_back_counts == {"contact_cap": 2}
    assert _sync(texts, Texts()).sent["added"] == 0


def test_without_a_template_nothing_is_sent_and_the_plan_says_so(texts: Shop) -> None:
    plan, receiver = _plan(texts, _target(None)), Texts()
    assert plan.changes == ()
    assert "messages/offer.sms.j2" in plan.problem
    assert plan.held_back_counts == {"no_message": 2}
    _sync(texts, receiver, _target(None))
    assert receiver.log == []


def test_whoever_lacks_what_it_says_gets_the_plain_variant_or_nothing(texts: Shop) -> None:
    level = [["c1", "none"], ["c2", "segment"]]
    texts.rows["marts.customer_personalisation"] = level
    _publish(texts)
    assert _plan(texts).held_back_counts == {"no_message": 1}
    said = {
        each.customer_id: each.payload["message"]
        for each in _plan(texts, _target("{{ first_name }}", "Hello.")).changes
    }
    assert said == {
        "c1": "Fern: Hello. Reply STOP to stop.",
        "c2": "Fern: First c2 Reply STOP to opt out.",
    }


def test_whoever_is_forgotten_has_nothing_open(texts: Shop) -> None:
    receiver = Texts(answers=[DestinationFailedError("broke", "off")])
    with pytest.raises(DestinationFailedError):
        _sync(texts, receiver)
    with texts.store.write() as connection:
        close_messages(connection, _target(), ["c1"])
        rows = connection.execute(schema.outbox.select()).mappings().all()
    assert {row["customer_id"]: row["payload"] is None for row in rows} == {"c1": True, "c2": False}


def test_folder_is_beside_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration.messages.templates import messages_folder

    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "regulars.toml"))
    assert messages_folder() == tmp_path / "messages"
