"""Intervals found in pretend shops, in drawn ones and where there is nothing to find."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from ingestion.config import Shop
from ingestion.demo import catalogue
from ingestion.demo.world import make_world
from orchestration.home.layout import Home
from orchestration.science.purchases import Purchases
from orchestration.science.replenishment.files import INTERVALS, write_intervals
from orchestration.science.replenishment.gaps import gaps_on
from orchestration.science.replenishment.judging import (
    LEAST_REPEAT_BUYERS,
    LOSES,
    NO_RHYTHM,
    TOO_FEW_REPEAT_BUYERS,
    Findings,
    findings,
)
from orchestration.science.replenishment.rhythm import fit

DAY = 86_400
NOTHING = np.full(1, np.nan)
ONE = np.zeros(1, dtype=np.int64)


def purchases(rows: list[tuple[int, int, int]]) -> Purchases:
    """Purchases as (person, product, day)."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Purchases(table[:, 0], table[:, 1], table[:, 2])


def drawn(days: float, people: int, returning: float, seed: int = 1) -> Purchases:
    """People who begin over two years and come back around `days`; some stay away for good."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        day = int(rng.integers(0, 700))
        while day < 730:
            rows.append((person, 0, day))
            if rng.random() > returning:
                break
            day += max(1, round(days * np.exp(0.12 * rng.standard_normal())))
    return purchases(rows)


def pretend_purchases(people: int, seed: int) -> Purchases:
    """What the pretend shop's people kept, by true person and number of the product."""
    block = make_world(people, seed, months=18).block(0)
    orders, lines = block.orders, block.lines
    kept = ((orders.cancelled == 0) & ~orders.is_test)[lines.order]
    order = lines.order[kept]
    return Purchases(
        orders.person[order].astype(np.int64),
        lines.product[kept].astype(np.int64),
        (orders.placed[order] // DAY).astype(np.int64),
    )


def declared_days() -> np.ndarray:
    days = [product.replenish_after_days for product in catalogue.products()]
    return np.array([np.nan if each is None else each for each in days], dtype=np.float64)


def test_gaps_count_days_and_waits_that_are_not_over() -> None:
    gaps = gaps_on(
        purchases([(0, 0, 5), (0, 0, 5), (0, 0, 15), (0, 1, 9), (1, 0, 20), (1, 0, 31)]), 30
    )
    assert gaps.days.tolist() == [10, 15, 21, 10]
    assert gaps.is_over.tolist() == [True, False, False, False]
    assert gaps.repeat_buyers(2).tolist() == [1, 0]


def test_people_who_have_not_come_back_lengthen_the_rhythm_of_a_young_shop() -> None:
    """After 80 days only the fastest of a product of 60 days are back."""
    rng = np.random.default_rng(4)
    starts = rng.integers(0, 75, 4_000)
    back = starts + np.rint(60 * np.exp(0.15 * rng.standard_normal(4_000))).astype(int)
    rows = [(n, 0, int(day)) for n, day in enumerate(starts)]
    rows += [(n, 0, int(day)) for n, day in enumerate(back) if day <= 80]
    gaps = gaps_on(purchases(rows), 80)
    seen = float(np.median(gaps.days[gaps.is_over]))
    found = float(fit(gaps, 1, 20).days[0])
    assert seen <= 57
    assert abs(found - 60) < abs(seen - 60)
    assert found == pytest.approx(60, rel=0.05)


@pytest.mark.parametrize("days", [14, 60, 180])
def test_a_drawn_rhythm_is_found_and_used_without_a_declared_one(days: int) -> None:
    found = findings(drawn(days, 400, 0.7), 730, NOTHING, ONE)
    assert found.reasons == [None]
    assert found.days[0] == pytest.approx(days, rel=0.1)


def test_gaps_without_a_rhythm_are_none() -> None:
    rng = np.random.default_rng(3)
    rows = [
        (person, 0, int(day))
        for person in range(300)
        for day in np.cumsum(1 + rng.exponential(60, 12))
        if day <= 730
    ]
    assert findings(purchases(rows), 730, NOTHING, ONE).reasons == [NO_RHYTHM]


def test_a_declared_interval_stays_where_the_found_one_is_not_better() -> None:
    shop = drawn(60, 400, 0.7)
    assert findings(shop, 730, np.array([60.0]), ONE).reasons == [LOSES]
    assert findings(shop, 730, np.array([30.0]), ONE).reasons == [None]


def test_few_repeat_buyers_prove_nothing() -> None:
    found = findings(drawn(60, 25, 0.6), 730, NOTHING, ONE)
    assert found.repeat_buyers[0] < LEAST_REPEAT_BUYERS
    assert found.reasons == [TOO_FEW_REPEAT_BUYERS]


def test_a_category_speaks_for_its_products_together() -> None:
    many = drawn(40, 400, 0.7)
    spread = Purchases(many.person, many.person % 20, many.day)
    alone = findings(spread, 730, np.full(20, np.nan), np.arange(20))
    together = findings(spread, 730, np.full(20, np.nan), np.zeros(20, dtype=np.int64))
    assert not alone.is_used.any()
    assert together.reasons == [None]
    assert together.days[0] == pytest.approx(40, rel=0.1)


@pytest.mark.parametrize("rows", [[], [(0, 0, 3)], [(0, 0, 3), (1, 0, 3), (2, 0, 3)]])
def test_a_shop_of_nobody_and_of_one_day_has_no_interval(rows: list[tuple[int, int, int]]) -> None:
    found = findings(purchases(rows), 30, NOTHING, ONE)
    assert found.reasons == [TOO_FEW_REPEAT_BUYERS]
    assert np.isnan(found.days).all()


def planted(people: int, seed: int) -> tuple[Findings, np.ndarray]:
    """What is found in a pretend shop, and which products with a rhythm have 30 repeat buyers."""
    bought = pretend_purchases(people, seed)
    every = np.arange(len(catalogue.products()))
    found = findings(bought, int(bought.day.max()), declared_days(), every)
    return found, (found.repeat_buyers >= 30) & (catalogue.real_days() > 0)


def test_the_planted_rhythm_is_found_within_a_tenth() -> None:
    """Of products with 30 repeat buyers, nine in ten: three shops together, and the largest."""
    shops = [planted(people, seed) for people, seed in ((8_000, 3), (8_000, 4), (16_000, 5))]
    real = np.where(catalogue.real_days() > 0, catalogue.real_days(), np.nan)
    close = [np.abs(found.days / real - 1)[enough] <= 0.1 for found, enough in shops]
    assert sum(map(len, close)) >= 100
    assert np.concatenate(close).mean() >= 0.9
    assert close[-1].mean() >= 0.9
    # Of seventy products that are not used up one may look as if it were
    for found, _ in shops:
        assert found.is_used[np.isnan(real)].sum() <= 1
    found, enough = shops[-1]
    wrong = enough & (declared_days() != real)
    assert found.is_used[wrong].mean() >= 0.8


TABLES = """create schema marts;
create table marts.dim_products (product_id text, category text, replenish_after_days bigint);
create table marts.fct_orders (
    order_id text, order_source text, ordered_date date, is_kept boolean);
create table marts.fct_order_lines (order_id text, order_source text, customer_id text,
    product_id text, line_kind text, is_return_line boolean, quantity decimal(18,4),
    returned_quantity decimal(18,4))"""


def home_of(root: Path, products: str, bought: Purchases) -> Home:
    home = Home(root / "home").create()
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(TABLES)
        if products:
            connection.execute(f"insert into marts.dim_products values {products}")
        rows = [
            (f"o{n}", f"c{person}", f"p{product}", dt.date(2024, 7, 1) + dt.timedelta(int(day)))
            for n, (person, product, day) in enumerate(
                zip(bought.person, bought.product, bought.day, strict=True)
            )
        ]
        for order, customer, product, day in rows:
            connection.execute(
                "insert into marts.fct_orders values (?, 's', ?, true)", [order, day]
            )
            connection.execute(
                "insert into marts.fct_order_lines values (?, 's', ?, ?, 'goods', false, 1, 0)",
                [order, customer, product],
            )
    return home


AS_OF = dt.datetime(2026, 7, 1, 12)


def test_the_file_says_the_interval_its_basis_and_the_proof(tmp_path: Path) -> None:
    products = "('p0', 'tea', 30), ('p1', 'tea', null), ('p2', null, 45), ('p3', null, null)"
    home = home_of(tmp_path, products, drawn(60, 250, 0.7))
    assert write_intervals(home, AS_OF, Shop()) == {"product": 1, "category": 1, "declared": 1}
    rows = pq.read_table(home.science / f"{INTERVALS}.parquet").to_pylist()
    assert [(row["product_id"], row["basis"]) for row in rows] == [
        ("p0", "product"), ("p1", "category"), ("p2", "declared"), ("p3", None)
    ]  # fmt: skip
    assert rows[0]["interval_days"] == pytest.approx(60, abs=3)
    assert rows[0]["found_right_count"] > rows[0]["declared_right_count"]
    assert [row["interval_days"] for row in rows[2:]] == [45, None]
    assert {row["as_of_date"] for row in rows} == {AS_OF.date()}


def test_an_empty_shop_writes_an_empty_table_and_a_second_run_the_same_bytes(
    tmp_path: Path,
) -> None:
    empty = home_of(tmp_path / "empty", "", purchases([]))
    assert write_intervals(empty, AS_OF, Shop()) == {"product": 0, "category": 0, "declared": 0}
    assert pq.read_table(empty.science / f"{INTERVALS}.parquet").num_rows == 0
    home = home_of(tmp_path / "other", "('p0', 'tea', 30)", drawn(60, 60, 0.7))
    write_intervals(home, AS_OF, Shop())
    first = (home.science / f"{INTERVALS}.parquet").read_bytes()
    write_intervals(home, AS_OF, Shop())
    assert (home.science / f"{INTERVALS}.parquet").read_bytes() == first
