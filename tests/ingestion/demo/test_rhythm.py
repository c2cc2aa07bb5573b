"""Rhythm, value and leaving are planted, and not as a fitted model would have them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from ingestion.demo import catalogue
from ingestion.demo.calendar import DAY, is_sale
from ingestion.demo.effects import order_pence
from ingestion.demo.later import Later
from ingestion.demo.people import GAP_SHAPES
from ingestion.demo.world import Block, World, make_world
from ingestion.demo.write import write_demo


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(10_000, 1)


@pytest.fixture(scope="module")
def block(world: World) -> Block:
    return world.block(0)


@pytest.fixture(scope="module")
def later(world: World) -> Block:
    return Later(world).block(0)


def test_gaps_are_as_regular_as_each_buyer_is(world: World, block: Block) -> None:
    """An exponential gap varies by as much as its mean: only one shape of four does."""
    people, orders = block.people, block.orders
    spread = []
    for shape in GAP_SHAPES:
        own = (orders.cause < 0) & (people.gap_shape[orders.person] == shape)
        own &= people.order_rate[orders.person] > 1 / 25
        person, at = orders.person[own], world.calendar.busy(orders.placed[own])
        rows = np.lexsort((at, person))
        same = np.diff(person[rows]) == 0
        gaps = np.diff(at[rows])[same] * people.order_rate[person[rows][1:][same]]
        spread.append(gaps.std() / gaps.mean())
    assert spread[0] > 1.25
    assert 0.9 < spread[1] < 1.1
    assert spread[2] < 0.65
    assert spread[3] < 0.45


def test_frequent_buyers_spend_less_at_a_time_and_stay_longer(block: Block) -> None:
    people, orders = block.people, block.orders
    pence = order_pence(orders, block.lines)
    quartiles = np.quantile(people.order_rate[people.buyer], [0.25, 0.75])
    part = np.searchsorted(quartiles, people.order_rate)
    seldom, often = (pence[part[orders.person] == each].mean() for each in (0, 2))
    assert seldom > 1.2 * often
    stay = people.leaves - np.maximum(people.joined, block.orders.placed.min())
    medians = [np.median(stay[people.buyer & (part == each)]) for each in (0, 2)]
    assert medians[1] > 1.1 * medians[0]


def test_people_leave_when_the_truth_says_also_after_the_first_moment(
    world: World, block: Block, later: Block
) -> None:
    end, people = world.calendar.end, block.people
    assert (people.leaves[people.buyer] > end + 365 * DAY).any()
    soon = people.buyer & (people.leaves > end) & (people.leaves < end + 180 * DAY)
    assert soon.sum() > 100
    new = later.orders.placed >= end
    # An order at the till is of the day, and gets one of its open hours.
    over = later.orders.placed[new] - people.leaves[later.orders.person[new]]
    assert over.max() < DAY
    assert np.isin(np.flatnonzero(soon), later.orders.person[new]).any()


def test_the_latent_value_is_what_the_next_year_is_worth(block: Block, later: Block) -> None:
    pence = order_pence(later.orders, later.lines)
    own = (np.arange(len(pence)) >= len(block.orders)) & (later.orders.cause < 0)
    found = np.bincount(later.orders.person[own], pence[own] / 100, len(block.people))
    planted = np.where(block.people.known, block.people.latent_value, 0.0)
    assert found.sum() == pytest.approx(planted.sum(), rel=0.05)
    best = np.argsort(planted)[-500:]
    assert found[best].sum() == pytest.approx(planted[best].sum(), rel=0.1)


def test_sales_bring_orders_with_discounts_and_a_lull_follows(world: World, block: Block) -> None:
    orders = block.orders
    days = np.arange(world.calendar.start, world.calendar.end, DAY)
    daily = np.histogram(orders.placed, np.append(days, world.calendar.end))[0]
    last = np.flatnonzero(is_sale(days))[-1]
    usual = daily[last - 40 : last - 10].mean()
    assert daily[last - 6 : last + 1].mean() > 1.25 * usual
    assert daily[last + 1 : last + 15].mean() < usual
    discounted, in_sale = orders.discount_percent > 0, is_sale(orders.placed)
    assert discounted[in_sale].mean() > 0.65
    assert discounted[~in_sale].mean() < 0.25


def test_the_truth_has_leaving_rhythm_and_seasons(tmp_path: Path) -> None:
    write_demo(make_world(300, 2), tmp_path)
    is_after, shapes = duckdb.sql(
        f"""select max(left_at) > timestamp '2026-07-01', count(distinct gap_shape)
        from '{tmp_path}/truth/people/*.parquet' where is_active"""
    ).fetchall()[0]
    assert is_after
    assert shapes == len(GAP_SHAPES)
    busy, calm = (
        row[0]
        for row in duckdb.sql(
            f"""select avg(business) from '{tmp_path}/truth/seasons/*.parquet'
            group by is_sale order by is_sale desc"""
        ).fetchall()
    )
    assert busy > 1.4 * calm


def test_products_that_go_together_are_bought_together_and_others_are_not(block: Block) -> None:
    lines, partner = block.lines, catalogue.complement_of()
    first = np.flatnonzero(lines.place == 0)
    second = np.minimum(first + 1, len(lines.place) - 1)
    has_two = lines.place[second] == 1
    own, other = lines.product[first[has_two]], lines.product[second[has_two]]
    taken = other[partner[own] >= 0] == partner[own][partner[own] >= 0]
    assert taken.mean() == pytest.approx(catalogue.COMPLEMENT_CHANCE, abs=0.03)
    # The same places of a department that nothing was planted for
    candles, outdoor = (catalogue.CATEGORIES.index(name) * 10 for name in ("candles", "outdoor"))
    calm = (own >= candles) & (own < candles + 10)
    assert (other[calm] == own[calm] - candles + outdoor).mean() < 0.05


def test_the_truth_names_what_goes_together(tmp_path: Path) -> None:
    write_demo(make_world(50, 2), tmp_path)
    rows = duckdb.sql(f"select * from '{tmp_path}/truth/complements/*.parquet'").fetchall()
    shelf = catalogue.products()
    assert (shelf[0].product_id, shelf[30].product_id) in {(own, other) for own, other, _ in rows}
    assert len(rows) == 10 * len(catalogue.COMPLEMENTS)
