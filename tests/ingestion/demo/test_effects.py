"""What is planted can be seen in the data, by comparisons that could come out wrong."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from ingestion.demo import browsing, mailing
from ingestion.demo.calendar import DAY
from ingestion.demo.effects import CHANNEL_EFFECT, LETTER
from ingestion.demo.world import Block, make_world
from ingestion.demo.write import write_demo


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    """Large enough for effects of a few percent."""
    return [make_world(25_000, seed).block(0) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def block(blocks: list[Block]) -> Block:
    return blocks[0]


def orders_after(block: Block, person: Any, moment: Any, first: int, last: int) -> Any:
    """How many orders each person placed within these seconds after the moment."""
    scale = 1 << 33
    keys = np.sort(block.orders.person * scale + block.orders.placed)
    low, high = person * scale + moment + first, person * scale + moment + last
    return np.searchsorted(keys, high) - np.searchsorted(keys, low)


def difference(blocks: list[Block], letters: list[mailing.Campaign]) -> tuple[float, float]:
    """Orders per person mailed less those per person left out, and its standard error."""
    treated, held = [], []
    for block, letter in product(blocks, letters):
        rows = block.exposures["campaign"] == letter.index
        person, first = np.unique(block.exposures["person"][rows], return_index=True)
        arm = block.exposures["is_treated"][rows][first] == 1
        buyer = block.people.buyer[person] & (block.people.left[person] > letter.sent)
        count = orders_after(block, person, letter.sent, 0, 10 * DAY)
        treated.append(count[arm & buyer])
        held.append(count[~arm & buyer])
    mailed, left_out = np.concatenate(treated), np.concatenate(held)
    error = np.sqrt(mailed.var() / len(mailed) + left_out.var() / len(left_out))
    return float(mailed.mean() - left_out.mean()), float(error)


def letters_with(sign: int) -> list[mailing.Campaign]:
    calendar = make_world(1).calendar
    return [
        letter
        for letter in mailing.campaigns(calendar)
        if letter.experiment is not None and np.sign(letter.extra_orders) == sign
    ]


def test_a_letter_that_sells_is_seen_against_those_left_out(blocks: list[Block]) -> None:
    lift, error = difference(blocks, letters_with(1))
    assert lift > 4 * error
    planted = np.mean([letter.extra_orders for letter in letters_with(1)])
    assert abs(lift - planted) < 3 * error


def test_a_letter_without_effect_shows_none(blocks: list[Block]) -> None:
    lift, error = difference(blocks, letters_with(0))
    assert abs(lift) < 3 * error


def test_one_letter_keeps_people_from_ordering(blocks: list[Block]) -> None:
    (letter,) = letters_with(-1)
    lift, error = difference(blocks, [letter])
    assert lift < -2 * error
    assert set(blocks[0].prevented.cause.tolist()) == {LETTER + letter.index}


def test_a_visit_from_a_channel_sells_what_is_planted_and_no_more(block: Block) -> None:
    visits = block.visits
    rows = (visits.person >= 0) & (visits.order < 0)
    rows &= block.people.buyer[visits.person] & (block.people.left[visits.person] > visits.start)
    rows &= block.people.joined[visits.person] <= visits.start
    count = orders_after(block, visits.person, visits.start, DAY, 7 * DAY)

    def rate(source: str) -> tuple[float, float]:
        mine = count[rows & (visits.source == browsing.SOURCES.index(source))]
        return float(mine.mean()), float(mine.var() / len(mine))

    # Kiosk and caused visits have no source; people who look for the shop are like the rest.
    base, base_variance = rate("organic_search")
    for source, planted in CHANNEL_EFFECT.items():
        if source == "direct":
            continue
        found, variance = rate(source)
        error = np.sqrt(variance + base_variance)
        assert abs(found - base - planted) < 3.5 * error + 0.1 * planted, source
        if planted >= 0.05:
            assert found - base > 2 * error, source


def test_the_truth_counts_what_each_cause_sold(tmp_path: Path) -> None:
    write_demo(make_world(2_000, 1), tmp_path)
    effects = {
        (kind, name): rest
        for kind, name, *rest in duckdb.sql(
            f"select * from '{tmp_path}/truth/effects/*.parquet'"
        ).fetchall()
    }
    orders = duckdb.sql(
        f"""select caused_by_kind, caused_by, count(*) from '{tmp_path}/truth/orders/*.parquet'
        where caused_by is not null and not is_cancelled group by all"""
    ).fetchall()
    assert orders
    for kind, name, count in orders:
        people, extra, revenue = effects[kind, name]
        assert extra == count
        assert people >= count / 3
        assert revenue > 5 * count
    for name in ("paid_search", "display", "organic_search", "direct"):
        assert effects["channel", name][1:] == [0, 0]
    letters = [rest for (kind, _), rest in effects.items() if kind == "campaign"]
    assert sum(extra < 0 for _, extra, _ in letters) == 1
    assert sum(extra == 0 for _, extra, _ in letters) >= len(letters) // 3
    assert effects["channel", "email"][1] == sum(extra for _, extra, _ in letters)


def test_sellers_of_advertising_claim_more_than_the_shop_sold(tmp_path: Path) -> None:
    write_demo(make_world(2_000, 1), tmp_path)
    claimed = dict(
        duckdb.sql(
            f"""select marketing_channel, sum(claimed_orders)::bigint
            from '{tmp_path}/input/spend/spend.csv' where claimed_orders > 0 group by all"""
        ).fetchall()
    )
    truth = f"'{tmp_path}/truth/orders/*.parquet' where is_online and not is_test"
    placed, kept = duckdb.sql(
        f"select count(*), count(*) filter (where not is_cancelled) from {truth}"
    ).fetchall()[0]
    assert claimed["display"] == placed > kept
    caused = dict(
        duckdb.sql(
            f"""select name, extra_orders from '{tmp_path}/truth/effects/*.parquet'
            where kind = 'channel'"""
        ).fetchall()
    )
    assert claimed.keys() == {"display", "paid_search", "paid_social", "affiliate"}
    assert all(orders > 2 * caused[channel] for channel, orders in claimed.items())
    assert not (tmp_path / "claims").exists()
