"""How far the pretend shop may go: asked on every channel, answered, changed, with its truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.demo import write_days
from ingestion.demo.world import World, make_world
from ingestion.demo.write import write_demo
from ingestion.vocabulary import CHANNELS, LEVELS


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(600, seed=1)


def table(shop: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        con.execute(
            f"create view said as from read_csv('{shop}/input/consents/levels/*.csv', "
            "filename = true, union_by_name = true)"
        )
        con.execute(f"create view truth as from '{shop}/truth/levels/*.parquet'")
        return con.execute(query).fetchall()


def test_every_channel_is_asked_about_and_answered_in_every_way(shop: Path) -> None:
    asked = table(shop, "select distinct channel from said where status = 'requested'")
    assert {channel for (channel,) in asked} == set(CHANNELS)
    levels = table(shop, "select distinct level from said where level is not null")
    assert {level for (level,) in levels} == set(LEVELS)
    wrong = "select * from said where (level = 'none') <> (status in ('denied', 'revoked'))"
    assert table(shop, f"{wrong} and status <> 'requested'") == []


def test_nobody_answers_who_was_not_asked(shop: Path) -> None:
    assert table(
        shop,
        """
        select channel, identifier_value from said group by all
        having count(*) filter (where status = 'requested') <> 1
            or arg_min(status, occurred_at) <> 'requested'
        """,
    ) == []  # fmt: skip


def test_the_truth_is_the_last_answer_and_silence_is_none(shop: Path) -> None:
    said = table(
        shop,
        """
        select channel, identifier_value, arg_max(level, occurred_at) filter (where level <> '')
        from said group by all order by all
        """,
    )
    known = table(shop, "select channel, identifier_value, level from truth order by 1, 2, 3")
    assert said == known
    assert 0.2 < sum(level is None for *_, level in known) / len(known) < 0.6
    changed = "select 1 from said where level is not null group by identifier_value, channel"
    assert table(shop, f"{changed} having count(*) > 1"), "somebody changes their mind"


def test_later_days_go_on_asking_and_say_nothing_twice(world: World, tmp_path: Path) -> None:
    write_demo(world, tmp_path)
    write_days.write_until(world, tmp_path, 10)
    days = table(
        tmp_path,
        """
        select count(*) filter (where contains(filename, 'day-')),
            count(*) - count(distinct (channel, identifier_value, occurred_at)),
            count(*) filter (where contains(filename, 'part-') and occurred_at >= '2026-07-01')
        from said
        """,
    )
    assert days[0][0] > 0
    assert days[0][1:] == (0, 0)
