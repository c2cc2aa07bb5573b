"""Texts and push messages of the pretend shop: where allowed, silent after a stop, with truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from ingestion.demo import programmes
from ingestion.demo.calendar import DAY
from ingestion.demo.later import Later
from ingestion.demo.world import World, make_world
from ingestion.demo.write import write_demo
from ingestion.duckdb import literal
from ingestion.landing.replies import OPT_OUT, VERDICT


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(1_500, seed=1)


def table(shop: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        for name in ("messages", "consents"):
            con.execute(
                f"create view {name} as select * from read_csv('{shop}/input/{name}/*.csv')"
            )
        for name in ("programmes", "consents", "holdouts"):
            con.execute(f"create view true_{name} as select * from '{shop}/truth/{name}/*.parquet'")
        return con.execute(query).fetchall()


def test_every_step_that_a_sender_tells_is_there(shop: Path) -> None:
    steps = table(shop, "select distinct channel, event from messages")
    text = {"sent", "delivered", "failed", "clicked", "replied"}
    push = {"sent", "delivered", "failed", "opened", "clicked"}
    assert {("sms", event) for event in text} | {("push", event) for event in push} <= set(steps)
    twice = "select message_id from messages group by message_id, event having count(*) > 1"
    assert table(shop, twice) == []


def test_a_text_goes_to_a_number_that_said_yes_and_not_yet_no(shop: Path) -> None:
    unasked = table(
        shop,
        """
        select count(*) from messages m where m.channel = 'sms' and m.event = 'sent' and (
            not exists (
                from consents c where c.channel = 'sms' and c.status = 'granted'
                    and c.identifier_value = m.identifier_value and c.occurred_at < m.occurred_at)
            or exists (
                from consents c where c.channel = 'sms' and c.status = 'revoked'
                    and c.identifier_value = m.identifier_value
                    and c.occurred_at < m.occurred_at - interval 1 hour))
        """,
    )
    assert unasked == [(0,)]


def test_a_push_message_goes_to_a_browser_that_allowed_it_before(world: World) -> None:
    block = world.block(0)
    sent, (_, pushed) = programmes.send(
        block, programmes.campaigns(world.calendar, world.calendar.end)
    )
    push = sent.channel == programmes.PUSH
    assert push.any()
    assert (sent.sent[push] > pushed.since[sent.person[push]]).all()
    assert (sent.address[push] == pushed.address[sent.person[push]]).all()


def test_after_a_stop_there_is_silence_and_the_truth_says_so(shop: Path) -> None:
    stops = f"""
        with stops as (
            select channel, identifier_value, min(occurred_at) as stopped_at from messages
            where event = 'unsubscribed' or {VERDICT.replace("{v}", "text")} = {literal(OPT_OUT)}
            group by all
        )
    """
    (count, again) = table(
        shop,
        stops
        + """
        select count(distinct s.identifier_value), count(m.message_id)
        from stops s left join messages m
            on m.channel = s.channel and m.identifier_value = s.identifier_value
            and m.event = 'sent' and m.occurred_at > s.stopped_at
        """,
    )[0]
    assert count > 5
    assert again == 0
    said = table(shop, stops + "select distinct t.status from stops s join true_consents t "
        "using (channel, identifier_value)")  # fmt: skip
    assert said == [("revoked",)]


def test_other_answers_are_no_stop(shop: Path) -> None:
    verdicts = dict(
        table(
            shop,
            f"select text, {VERDICT.replace('{v}', 'text')} from messages where text is not null",
        )
    )
    assert set(verdicts) == {*programmes.STOPS, *programmes.ANSWERS}
    assert all(
        (verdict == OPT_OUT) == (text in programmes.STOPS) for text, verdict in verdicts.items()
    )


def test_the_truth_counts_what_the_files_say(shop: Path) -> None:
    counted = table(
        shop,
        """
        select campaign_id, count(*) filter (where event = 'sent'),
            count(*) filter (where event = 'failed')
        from messages group by 1 order by 1
        """,
    )
    known = table(
        shop,
        "select campaign_id, people, failed from true_programmes where people > 0 order by 1",
    )
    assert counted == known
    assert table(shop, "select distinct extra_orders from true_programmes") == [(0,)]


def test_a_year_later_the_first_campaigns_are_as_they_were(world: World) -> None:
    later = Later(world)
    now = programmes.campaigns(world.calendar, world.calendar.end)
    then = programmes.campaigns(world.calendar, later.calendar.end)
    early = [row for row, each in enumerate(then) if each.sent < world.calendar.end]
    assert [then[row] for row in early] == now
    before, _ = programmes.send(world.block(0), now)
    after, _ = programmes.send(later.block(0), then)
    kept = after.sent < world.calendar.end
    for name, column in vars(before).items():
        if name != "campaign":
            np.testing.assert_array_equal(column, vars(after)[name][kept], name)
    new = after.sent[~kept]
    assert set(after.channel[~kept]) == {programmes.SMS, programmes.PUSH}
    assert new.min() < world.calendar.end + 2 * DAY, "the second day brings the first"


@pytest.mark.parametrize("people", [1, 3])
def test_a_shop_of_few_has_its_campaigns(people: int, tmp_path: Path) -> None:
    write_demo(make_world(people, seed=4), tmp_path)
    assert table(tmp_path, "select count(*) > 50 from true_programmes") == [(True,)]
    sent = table(tmp_path, "select count(*) from messages where event = 'sent'")
    assert sent == table(tmp_path, "select sum(people)::bigint from true_programmes")
