"""A segment that begins to be sent: its members get nothing, and whoever joins later does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import duckdb
import pytest
from sqlalchemy import delete, select

from ingestion import config
from orchestration.activation.contact_day import read_contact_day
from orchestration.activation.delivery import DeliveryContext
from orchestration.activation.ledger import broken_laws
from orchestration.activation.moments import stopped
from orchestration.activation.people import Target, targets
from orchestration.activation.plan import Plan, build_plan
from orchestration.activation.sync import MAX_ROUNDS, sync
from orchestration.destinations import messages_on_add
from orchestration.ops import schema
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop, busy

pytestmark = pytest.mark.slow

TEXTS = replace(TARGET, destination="texts", messages_on_add=True)
DAY = timedelta(days=1)
WHO = ("old1", "old2")


@pytest.fixture
def lost(shop: Shop) -> Shop:
    """A segment with two members, and one who joins the day after."""
    for one in (*WHO, "new"):
        shop.add(one, f"{one}@a.example", member=one in WHO)
        shop.grant(f"{one}@a.example")
    stays(shop, dict.fromkeys(WHO, NOW - 30 * DAY))
    shop.publish()
    return shop


def stays(shop: Shop, entered: dict[str, datetime], segment: str = "vip") -> None:
    rows = [[segment, one, at, None] for one, at in entered.items()]
    others = shop.rows.get("marts.fct_segment_memberships", [])
    shop.rows["marts.fct_segment_memberships"] = [
        *(row for row in others if row[0] != segment),
        *rows,
    ]


def joins(shop: Shop, one: str, at: datetime) -> None:
    """Somebody joins with the run of a moment, which is published."""
    shop.members[one] = "because"
    entered = {row[1]: row[2] for row in shop.rows["marts.fct_segment_memberships"]}
    stays(shop, entered | {one: at})
    publish(shop, at)


def publish(shop: Shop, as_of: datetime) -> None:
    shop.publish()
    with duckdb.connect(str(shop.home.published)) as connection:
        connection.execute("update ops.build set as_of = ?", [as_of])


def plan(shop: Shop, target: Target = TEXTS, at: datetime = NOW) -> Plan:
    return build_plan(shop.store, shop.home, target, at=at)


def send(
    shop: Shop, receiver: Receiver, target: Target = TEXTS, at: datetime = NOW
) -> dict[str, int]:
    sent = sync(shop.store, shop.home, target, receiver, at=at, wait=lambda _: None).sent
    assert broken_laws(shop.store) == []
    return {operation: count for operation, count in sent.items() if count}


def held_back(shop: Shop) -> list[tuple[str, str, str]]:
    table = schema.held_back.c
    with shop.store.read() as connection:
        query = select(table.customer_id, table.destination, table.reason).order_by(*table)
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def test_members_of_the_first_day_are_there_and_not_sent(lost: Shop) -> None:
    made, receiver = plan(lost), Receiver("texts")
    assert (made.changes, made.held_back_counts) == ((), {"baseline": 2})
    assert send(lost, receiver) == {}
    assert not receiver.log
    assert sorted(held_back(lost)) == [(one, "texts", "baseline") for one in WHO]


def test_whoever_joins_later_is_sent_and_nobody_else(lost: Shop) -> None:
    receiver = Receiver("texts")
    send(lost, receiver)
    joins(lost, "new", NOW + DAY)
    assert send(lost, receiver, at=NOW + DAY) == {"added": 1}
    assert receiver.members.keys() == {"new"}
    assert send(lost, receiver, at=NOW + 2 * DAY) == {}


def test_whoever_left_and_came_again_is_sent(lost: Shop) -> None:
    receiver = Receiver("texts")
    send(lost, receiver)
    joins(lost, "old1", NOW + 9 * DAY)
    assert send(lost, receiver, at=NOW + 9 * DAY) == {"added": 1}
    assert receiver.members.keys() == {"old1"}


def test_a_plain_audience_is_filled(lost: Shop) -> None:
    receiver = Receiver("list")
    assert send(lost, receiver, replace(TEXTS, messages_on_add=False)) == {"added": 2}
    assert receiver.members.keys() == set(WHO)


def test_a_file_that_says_send_sends_to_all(lost: Shop) -> None:
    say(lost, "send")
    assert send(lost, Receiver("texts")) == {"added": 2}


def say(shop: Shop, word: str) -> None:
    with duckdb.connect(str(shop.home.published)) as connection:
        connection.execute("update marts.dim_segments set first_activation = ?", [word])


def test_the_word_may_change_later(lost: Shop) -> None:
    receiver = Receiver("texts")
    send(lost, receiver)
    say(lost, "send")
    assert plan(lost).counts["added"] == 2, "the shop says so now"
    assert send(lost, receiver) == {"added": 2}
    say(lost, "baseline")
    assert plan(lost).changes == (), "whoever was sent stays"
    assert plan(lost).unchanged_count == 2


def test_a_file_of_an_earlier_version_has_a_baseline(lost: Shop) -> None:
    with duckdb.connect(str(lost.home.published)) as connection:
        connection.execute("alter table marts.dim_segments drop column first_activation")
    assert plan(lost).held_back_counts == {"baseline": 2}


def test_an_empty_first_day_is_one(lost: Shop) -> None:
    receiver, members = Receiver("texts"), dict(lost.members)
    lost.members.clear()
    stays(lost, {})
    lost.publish()
    assert send(lost, receiver) == {}
    lost.members.update(members)
    stays(lost, dict.fromkeys(WHO, NOW + DAY))
    publish(lost, NOW + DAY)
    assert send(lost, receiver, at=NOW + DAY) == {"added": 2}


def test_a_pair_that_is_renamed_begins_again_and_nobody_gets_it_twice(lost: Shop) -> None:
    send(lost, Receiver("texts"))
    joins(lost, "new", NOW + DAY)
    assert send(lost, Receiver("texts"), at=NOW + DAY) == {"added": 1}
    renamed = replace(TEXTS, destination="other")
    assert send(lost, Receiver("other"), renamed, at=NOW + 2 * DAY) == {}
    assert plan(lost, renamed, NOW + 2 * DAY).held_back_counts == {"baseline": 3}


def test_a_store_from_before_the_first_activation_begins_again(lost: Shop) -> None:
    """As after a restore of an old backup, or `ops begin-anew`: rather nothing than twice."""
    send(lost, Receiver("texts"))
    joins(lost, "new", NOW + DAY)
    send(lost, Receiver("texts"), at=NOW + DAY)
    with lost.store.write() as connection:
        for table in (schema.deliveries, schema.held_back, schema.outbox, schema.sync_runs):
            connection.execute(delete(table))
        for table in (schema.audience_states, schema.first_activations):
            connection.execute(delete(table))
    assert plan(lost, at=NOW + 2 * DAY).held_back_counts == {"baseline": 3}


def test_a_pair_of_before_moments_were_recorded_has_no_baseline(lost: Shop) -> None:
    send(lost, Receiver("texts"))
    with lost.store.write() as connection:
        connection.execute(schema.first_activations.update().values(as_of=None))
    assert plan(lost).counts["added"] == 2


def test_who_was_sent_and_merges_with_the_baseline_stays(lost: Shop) -> None:
    receiver = Receiver("texts")
    send(lost, receiver)
    joins(lost, "new", NOW + DAY)
    send(lost, receiver, at=NOW + DAY)
    lost.people["old1"] = [*lost.people["old1"], *lost.people.pop("new")]
    del lost.members["new"]
    lost.aliases = {"new": "old1"}
    stays(lost, dict.fromkeys(WHO, NOW - 30 * DAY))
    publish(lost, NOW + 2 * DAY)
    made = plan(lost, at=NOW + 2 * DAY)
    assert made.moved == (("new", "old1"),)
    assert made.counts["removed"] == 0
    assert made.held_back_counts == {"baseline": 1}


def test_who_is_split_off_the_baseline_is_of_it(lost: Shop) -> None:
    """Their stay under the new id is as old as the one that they had before."""
    send(lost, Receiver("texts"))
    lost.people["half"] = [("email", "half@a.example")]
    lost.grant("half@a.example")
    lost.rows["marts.fct_identity_changes"] = [["split", "half", "old1", NOW + DAY]]
    joins(lost, "half", NOW + DAY)
    assert plan(lost, at=NOW + DAY).held_back_counts == {"baseline": 3}
    joins(lost, "half", NOW + 9 * DAY)
    assert plan(lost, at=NOW + 9 * DAY).counts["added"] == 1, "a stay of its own"


def test_one_word_for_several_destinations(lost: Shop) -> None:
    """Where a plain audience has them too, only the one that contacts them waits."""
    files = replace(TEXTS, destination="files", messages_on_add=False)
    assert send(lost, Receiver("files"), files) == {"added": 2}
    assert plan(lost).held_back_counts == {"baseline": 2}
    assert send(lost, Receiver("texts")) == {}


def test_a_first_try_that_fails_is_gone_on_with(lost: Shop) -> None:
    say(lost, "send")
    receiver = Receiver("texts", answers=[busy()] * MAX_ROUNDS)
    assert send(lost, receiver) == {}
    assert send(lost, receiver, at=NOW + DAY) == {"added": 2}


def test_the_baseline_takes_nobodys_day(lost: Shop) -> None:
    """Another segment is heard where the one that goes first has nothing to send."""
    lost.limits = {"contacts_per_day": 1}
    lost.further = {"news": {"priority": 9, "message_kind": "newsletter"}}
    lost.rows["segments.seg_news"] = [[one, "reads", "{}"] for one in WHO]
    lost.publish()
    day = replace(read_contact_day(lost.home), pairs=(TEXTS,))
    with lost.store.read() as connection:
        judged = day.judge(connection, NOW)
    for one in WHO:
        assert str(judged.verdicts[one]["vip"].reason) == "baseline"
        assert judged.verdicts[one]["vip"].outcome == "dropped"
        assert judged.verdicts[one]["news"].outcome == "chosen"


def test_where_the_settings_say_that_adding_contacts(lost: Shop) -> None:
    """A file that a program of the shop's sends to; the plans and the day know it."""
    settings = config.Settings(
        destinations={"receiver": config.Destination(messages_on_add=True, send=True)}
    )
    assert [each.messages_on_add for each in targets(lost.home, settings)] == [True]
    context = DeliveryContext(lost.home, settings, lost.store, stopped(NOW), asked="yes")
    assert context.plan(targets(lost.home, settings)[0]).held_back_counts == {"baseline": 2}
    assert context.wishes(None) == [("vip", "email", "dropped", "baseline")] * 2


def test_a_destination_that_sends_messages_contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not messages_on_add(config.Destination(), "vip")
    monkeypatch.setattr("orchestration.destinations.sends_messages", lambda kind: kind == "file")
    assert messages_on_add(config.Destination(), "vip")


def test_a_list_of_klaviyo_contacts_and_a_property_does_not(lost: Shop) -> None:
    options = {"lists": {"vip": "L1st"}}
    made = {
        name: config.Destination(kind="klaviyo", options=more)
        for name, more in (("lists", options), ("receiver", {}))
    }
    settings = config.Settings(
        destinations=made, segments={"vip": config.Segment(destinations=["lists", "receiver"])}
    )
    told = {each.destination: each.messages_on_add for each in targets(lost.home, settings)}
    assert told == {"lists": True, "receiver": False}
