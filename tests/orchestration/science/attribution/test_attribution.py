"""Removal effects of channels: published answers, another way to the same answer, odd shops."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.config import Shop
from orchestration.home.layout import Home
from orchestration.science.attribution.files import EFFECTS, effect_table, write_effects
from orchestration.science.attribution.markov import Transitions, removal_effects, transitions
from tests.orchestration.science.attribution.oracle import CHANNELS, paths

TODAY = dt.date(2026, 3, 31)
AS_OF = dt.datetime(2026, 3, 31, 12)
TOUCHPOINTS = """
create table marts.fct_touchpoints (touchpoint_id text, customer_id text, marketing_channel text,
    occurred_at timestamp, orders_before bigint, is_counted boolean, order_id text)
"""


def chain(paths: list[tuple[str, bool]], channels: str) -> Transitions:
    """The chain of paths as ("abc", whether an order followed)."""
    path = [number for number, (steps, _) in enumerate(paths) for _ in steps]
    channel = [channels.index(step) for steps, _ in paths for step in steps]
    converts = [led for steps, led in paths for _ in steps]
    return transitions(np.array(path), np.array(channel), np.array(converts), len(channels))


def test_the_worked_example_of_the_textbooks() -> None:
    """Three paths, as explained at analyzecore.com/2016/08/03 (marketing attribution with R)."""
    effects = removal_effects(chain([("abc", True), ("a", False), ("bc", False)], "abc"))
    assert effects.tolist() == pytest.approx([0.5, 1, 1], abs=1e-12)
    assert (effects / effects.sum()).tolist() == pytest.approx([0.2, 0.4, 0.4], abs=1e-12)


# ChannelAttribution 2.2.5, by simulation of paths of any length (`make oracles`)
ORACLE = {"alpha": 0.44904, "beta": 0.51855, "gamma": 0.45404, "delta": 0.44851, "epsilon": 0.45730}


def test_it_is_what_channelattribution_finds_by_simulation() -> None:
    drawn = paths(3000)
    path = [number for number, (steps, _) in enumerate(drawn) for _ in steps]
    channel = [CHANNELS.index(step) for steps, _ in drawn for step in steps]
    converts = [led for steps, led in drawn for _ in steps]
    chain = transitions(np.array(path), np.array(channel), np.array(converts), len(CHANNELS))
    effects = dict(zip(CHANNELS, removal_effects(chain), strict=True))
    assert effects == pytest.approx(ORACLE, abs=0.02)
    assert max(effects, key=lambda name: effects[name]) == "beta"


def by_steps(chain: Transitions, removed: int | None) -> float:
    """The rate of conversion by following people step by step until nobody is on the way."""
    out = chain.between.sum(axis=1) + chain.converted + chain.ended
    there = chain.first / chain.first.sum()
    converted = 0.0
    while there.sum() > 1e-15:
        if removed is not None:
            there[removed] = 0
        rates = np.divide(there, out, out=np.zeros_like(there), where=out > 0)
        converted += float(rates @ chain.converted)
        there = rates @ chain.between
    return converted


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.text("abcd", min_size=1, max_size=6), st.booleans()), min_size=1, max_size=30
    )
)
def test_it_is_what_following_people_step_by_step_gives(paths: list[tuple[str, bool]]) -> None:
    counted = chain(paths, "abcd")
    effects = removal_effects(counted)
    with_all = by_steps(counted, None)
    for channel, effect in enumerate(effects):
        without = by_steps(counted, channel)
        expected = 1 - without / with_all if with_all > 1e-14 else 0
        assert effect == pytest.approx(expected, abs=1e-9)


def test_a_channel_that_all_paths_need_has_the_whole_effect() -> None:
    effects = removal_effects(chain([("ab", True), ("cb", True), ("c", False)], "abc"))
    assert effects[1] == pytest.approx(1)
    assert 0 < effects[0] < 1


@pytest.mark.parametrize("paths", [[("ab", False)], [("a", False), ("b", False)]])
def test_where_nobody_ordered_no_channel_has_an_effect(paths: list[tuple[str, bool]]) -> None:
    assert removal_effects(chain(paths, "ab")).tolist() == [0, 0]


def shop_with(home: Path, rows: list[tuple[object, ...]]) -> list[dict[str, object]]:
    home.mkdir(exist_ok=True)
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(TOUCHPOINTS)
        for row in rows:
            connection.execute(
                "insert into marts.fct_touchpoints values (?, ?, ?, ?, ?, ?, ?)", row
            )
    write_effects(Home(home), AS_OF, Shop())
    return pq.read_table(home / "science" / f"{EFFECTS}.parquet").to_pylist()


def test_a_shop_without_touches_has_no_effects(tmp_path: Path) -> None:
    assert shop_with(tmp_path, []) == []


def test_a_direct_visit_is_a_step_only_where_there_is_nothing_else(tmp_path: Path) -> None:
    rows = shop_with(
        tmp_path,
        [
            ("1", "ada", "email", AS_OF, 0, True, "order-1"),
            ("2", "ada", "direct", AS_OF, 0, True, "order-1"),
            ("3", "ben", "direct", AS_OF, 0, True, "order-2"),
            ("4", "ben", "email", AS_OF, 1, False, None),
        ],
    )
    found = {row["marketing_channel"]: row for row in rows}
    assert found["direct"]["path_count"] == 1
    assert (found["email"]["path_count"], found["email"]["converting_path_count"]) == (2, 1)
    assert sum(row["credited_orders"] for row in rows) == pytest.approx(2)
    assert {row["as_of_date"] for row in rows} == {TODAY}


def test_effects_are_numbers_whatever_the_paths() -> None:
    table = effect_table(["email"], np.zeros(1, int), np.zeros(1, int), np.zeros(1, bool), TODAY)
    assert table.to_pylist()[0]["removal_effect"] == 0
