"""What people take is as the truth says: rhythms, substitutes, brands given up, price and stock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from ingestion.demo import catalogue, choices, effects
from ingestion.demo.calendar import DAY
from ingestion.demo.later import Later
from ingestion.demo.world import World, make_world
from ingestion.demo.write_days import write_until

# Every line that was sold, online and at the tills, with its product as the catalogue has it.
SOLD = """
create view products as
select distinct product_id, sku, brand, substitute_group from '{shop}/input/products/products.csv';
create view lines as
select o->>'$.id' as id, o->>'$.createdAt' as placed,
    unnest(from_json(o->'$.lineItems.nodes', '["json"]')) as line
from (select line::json as o from read_csv('{shop}/api/shopify/orders/*.jsonl',
    columns = {{'line': 'text'}}, header = false, quote = '', escape = '', delim = '\x01'));
create view sold as
select t.person_id, t.ordered_at, t.order_id, p.* from (
    select split_part(id, '/', 5) as order_id, line->>'$.sku' as sku from lines
    union all
    select receipt_no, sku from read_csv('{shop}/input/orders/till/*.csv', all_varchar = true)
) join products p using (sku)
join '{shop}/truth/orders/*.parquet' t using (order_id) where not t.is_test;
"""


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(8_000, seed=1)


@pytest.fixture
def con(shop: Path) -> Iterator[Any]:
    with duckdb.connect() as session:
        session.execute(SOLD.format(shop=shop))
        yield session


def test_products_are_bought_again_in_their_real_rhythm(shop: Path, con: Any) -> None:
    gaps = """
        with days as (select distinct person_id, product_id, ordered_at from sold),
        gaps as (
            select product_id, date_diff('hour', lag(ordered_at) over (
                partition by person_id, product_id order by ordered_at), ordered_at) / 24 as gap
            from days
        )
        select r.is_as_stated, r.replenish_after_days, r.real_days, median(g.gap), count(*)
        from gaps g join '{shop}/truth/rhythms/*.parquet' r using (product_id)
        where g.gap > 0 and g.gap < 2 * r.replenish_after_days group by all
    """
    rows = con.execute(gaps.format(shop=shop)).fetchall()
    shares = con.execute(
        f"select avg(is_as_stated::int), count(*) from '{shop}/truth/rhythms/*.parquet'"
    ).fetchone()
    assert shares == (0.8, 50)
    for as_stated, stated, real, found, count in rows:
        assert count > 20
        assert found == pytest.approx(real, rel=0.3)
        assert as_stated == (stated == real)
        if not as_stated:
            assert abs(found - real) < abs(found - stated)


def test_nothing_is_sold_while_it_is_out_of_stock_and_its_substitute_is(
    shop: Path, con: Any
) -> None:
    out = f"""
        select s.product_id, s.since, least(s.until, timestamp '2026-07-01') as until
        from '{shop}/truth/shelf/*.parquet' s where not s.in_stock and s.since < '2026-07-01'
    """
    sold = con.execute(
        f"""select count(*) from ({out}) o join sold s
        on s.product_id = o.product_id and s.ordered_at >= o.since and s.ordered_at < o.until"""
    ).fetchone()
    assert sold == (0,)
    # Orders a day of the substitutes, while the others are out of stock and the rest of the time
    within, outside = con.execute(
        f"""select sum(orders) filter (where is_out) / sum(days) filter (where is_out),
            sum(orders) filter (where not is_out) / sum(days) filter (where not is_out)
        from (
            select o.product_id, e.is_out, count(*) as orders,
                any_value(if(e.is_out, date_diff('day', o.since, o.until),
                    540 - date_diff('day', o.since, o.until))) as days
            from ({out}) o
            join '{shop}/truth/substitutes/*.parquet' u using (product_id)
            join sold s on s.product_id = u.substitute_id
            cross join lateral (select s.ordered_at between o.since and o.until as is_out) e
            group by all
        )"""
    ).fetchone()
    assert within > 1.4 * outside


def test_substitutes_are_of_one_group_and_each_product_has_one(shop: Path) -> None:
    rows = duckdb.sql(f"select * from '{shop}/truth/substitutes/*.parquet'").fetchall()
    group = {product.product_id: product.substitute_group for product in catalogue.products()}
    assert len(rows) == len(group)
    for own, other, told in rows:
        assert own != other
        assert told == group[own] == group[other]


def test_a_bad_review_ends_the_brand(shop: Path, con: Any) -> None:
    """Who gave one may stay; who changed buys the brand no more, and another instead."""
    before, after, taken_before, taken_after, people = con.execute(
        f"""select avg((brand = brand_left)::int) filter (where ordered_at <= switched_at),
            avg((brand = brand_left)::int) filter (where ordered_at > switched_at),
            avg((brand = brand_taken)::int) filter (where ordered_at <= switched_at),
            avg((brand = brand_taken)::int) filter (where ordered_at > switched_at),
            count(distinct person_id) filter (where ordered_at > switched_at)
        from sold join '{shop}/truth/brand_switches/*.parquet' using (person_id)"""
    ).fetchone()
    assert people > 30
    assert before > 0.25
    assert after == 0
    assert taken_after > taken_before + 0.15
    reviewed = con.execute(
        f"""select count(*), count(f.score) filter (where f.score <= {choices.BAD_SCORE}
            and p.brand = b.brand_left)
        from '{shop}/truth/brand_switches/*.parquet' b
        join '{shop}/truth/people/*.parquet' t using (person_id)
        left join '{shop}/input/feedback/*.csv' f on f.identifier_value = t.best_email
            and f.kind = 'review' and f.occurred_at = b.switched_at
        left join products p on p.product_id = f.product_id"""
    ).fetchone()
    assert reviewed[0] == reviewed[1]


def test_six_cases_in_ten_are_closed_as_the_truth_says(shop: Path, con: Any) -> None:
    cases = con.execute(
        f"""select count(*), count(c.closed_at), count(f.kind),
            count(f.kind) filter (where f.closed_at is not distinct from c.closed_at),
            min(c.closed_at - c.occurred_at) >= interval 3 day,
            max(c.closed_at - c.occurred_at) <= interval 45 day
        from '{shop}/truth/cases/*.parquet' c
        join '{shop}/truth/people/*.parquet' t using (person_id)
        left join '{shop}/input/feedback/*.csv' f on f.identifier_value = t.best_email
            and f.kind = c.kind and f.occurred_at = c.occurred_at"""
    ).fetchone()
    count, closed, *in_files, is_after, is_soon = cases
    assert count > 200
    assert 0.5 < closed / count < 0.7
    assert in_files == [count, count]
    assert is_after
    assert is_soon
    others = con.execute(
        f"""select count(closed_at) from '{shop}/input/feedback/*.csv'
        where kind not in ('complaint', 'support') and not (kind = 'review' and score <= 2)"""
    ).fetchone()
    assert others == (0,)


def test_prices_and_stock_are_in_the_files_as_they_changed(shop: Path, con: Any) -> None:
    rows = con.execute(
        f"""select count(*), count(s.product_id), count(*) filter (where p.price < l.price),
            count(*) filter (where p.in_stock and not l.in_stock)
        from (select *, row_number() over (partition by product_id order by updated_at) as n
            from '{shop}/input/products/products.csv') p
        left join (select *, row_number() over (partition by product_id order by updated_at) as n
            from '{shop}/input/products/products.csv') l
            on l.product_id = p.product_id and l.n = p.n - 1
        left join '{shop}/truth/shelf/*.parquet' s on s.product_id = p.product_id
            and coalesce(s.since, '2024-01-01') <= p.updated_at and s.until > p.updated_at
            and s.price_gbp = p.price and s.in_stock = p.in_stock"""
    ).fetchone()
    assert rows[0] == rows[1] > len(catalogue.products())
    assert rows[2] > 5
    assert rows[3] > 5
    api = con.execute(
        f"""select json_extract_string(line, '$.totalInventory') = '0', count(*)
        from read_csv('{shop}/api/shopify/products/*.jsonl', columns = {{'line': 'text'}},
            header = false, quote = '', escape = '', delim = '\x01') group by 1 order by 1"""
    ).fetchall()
    out = sum(index % 17 == 5 for index in range(len(catalogue.products())))
    assert api == [(False, len(catalogue.products()) - out), (True, out)]


def test_what_was_paid_is_the_price_of_the_moment(shop: Path, con: Any) -> None:
    unlike = con.execute(
        f"""with paid as (
            select (line->>'$.originalUnitPriceSet.shopMoney.amount')::decimal(18, 2) as price,
                line->>'$.sku' as sku, cast(placed as timestamp) as sold_at
            from lines where line->>'$.originalUnitPriceSet.shopMoney.currencyCode' = 'GBP'
        )
        select count(*) filter (where paid.price <> p.price), count(*) filter (where p.n > 1)
        from paid asof join (
            select *, row_number() over (partition by sku order by updated_at) as n
            from '{shop}/input/products/products.csv'
        ) p on p.sku = paid.sku and p.updated_at <= paid.sold_at"""
    ).fetchone()
    assert unlike[0] == 0
    assert unlike[1] > 0


def test_who_had_looked_at_a_product_orders_it_for_its_new_state(shop: Path, con: Any) -> None:
    """The truth counts the orders; in the data the product sells more often in those days."""
    for place, kind in enumerate(effects.SHELF_KINDS):
        people, orders = con.execute(
            f"""select sum(exposed_people), sum(extra_orders)
            from '{shop}/truth/effects/*.parquet' where kind = ?""",
            [kind],
        ).fetchone()
        assert people > 300
        # A share of those who look do not buy here, have left, or buy nothing online or at all.
        assert 0.35 < orders / people / effects.SHELF_EFFECT[place] < 1.1
        caused = con.execute(
            f"""select count(distinct order_id), count(distinct order_id) filter (
                where s.product_id = t.caused_by)
            from '{shop}/truth/orders/*.parquet' t join sold s using (order_id)
            where t.caused_by_kind = ? and not t.is_cancelled""",
            [kind],
        ).fetchone()
        assert caused[0] == orders
        assert caused[1] > 0.9 * orders


def test_the_days_that_follow_keep_to_it(world: World, tmp_path: Path) -> None:
    block, shelf = Later(world).block(0), world.shelf
    orders, lines = block.orders, block.lines
    moment = orders.placed[lines.order]
    own = ~orders.is_test[lines.order]
    assert shelf.in_stock(lines.product[own], moment[own]).all()
    since = np.full(len(block.people), np.iinfo(np.int64).max)
    since[block.switches.person] = block.switches.since
    left = np.full(len(block.people), -1)
    left[block.switches.person] = block.switches.left
    person = orders.person[lines.order]
    brand = lines.product % len(catalogue.BRANDS)
    assert not (own & (moment > since[person]) & (brand == left[person])).any()
    assert (block.switches.since >= world.calendar.end).any()
    before = world.block(0)
    assert np.array_equal(lines.product[: len(before.lines.product)], before.lines.product)
    small = make_world(60, 2)
    write_until(small, tmp_path, 10)
    (changed,) = (tmp_path / "input" / "products").glob("day-*.csv")
    back = duckdb.sql(f"select product_id, in_stock from '{changed}'").fetchall()
    assert changed.name == "day-2026-07-10.csv"
    returns = {
        (int(catalogue.products()[each.product].product_id), True)
        for each in small.shelf.changes
        if each.moment == small.calendar.end + 9 * DAY
    }
    assert set(back) == returns


def test_searches_find_as_much_as_the_truth_says_and_some_nothing(shop: Path, con: Any) -> None:
    counts = "select results, count(*) from ({}) group by all order by all"
    written = f"""
        select distinct on (line->>'$.messageId') (line->>'$.properties.results')::bigint as results
        from (select line::json as line from read_csv('{shop}/input/web/**/*.jsonl.gz',
            columns = {{'line': 'text'}}, header = false, quote = '', escape = '', delim = '\x01',
            ignore_errors = true)
            where line like '%"event":"Products Searched"%' and json_valid(line))
    """
    truth = f"select results from '{shop}/truth/searches/*.parquet'"
    results = con.execute(counts.format(truth)).fetchall()
    assert con.execute(counts.format(written)).fetchall() == results
    assert results[0][0] == 0
