"""Households of the pretend shop against its truth, which says who lives with whom."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.end_to_end.conftest import DemoHome

# A customer is the person, and lives in the home, that most of its identifiers truly belong to.
TRUTH = """
create table people as
select customer_id, mode(person_id order by person_id) as person,
    mode(household_id order by household_id) as home
from shop.marts.bridge_customer_identifiers
join read_parquet('{truth}/identifiers/*.parquet') using (identifier_type, identifier_value)
group by customer_id
"""
COUNTS = """
select count(*), count(*) filter (where people_a.home = people_b.home)
from shop.marts.bridge_customer_households as a
join shop.marts.bridge_customer_households as b
    on a.household_id = b.household_id and a.customer_id < b.customer_id
join people as people_a on people_a.customer_id = a.customer_id
join people as people_b on people_b.customer_id = b.customer_id
"""
# Who ordered online told the shop where they live
THERE = """
with housed as (
    select people.*, household_id from people
    semi join (from shop.marts.fct_orders where order_source = 'shopify' and status <> 'test')
        as orders using (customer_id)
    left join shop.marts.bridge_customer_households using (customer_id)
)
select count(*), count(*) filter (where a.household_id = b.household_id)
from housed as a join housed as b
    on a.home = b.home and a.person <> b.person and a.customer_id < b.customer_id
"""


@pytest.fixture
def truth(demo_home: DemoHome) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{demo_home.root / 'published.duckdb'}' as shop (read_only)")
        connection.execute(TRUTH.format(truth=demo_home.root / "demo" / "truth"))
        yield connection


def test_people_of_a_household_live_together(truth: duckdb.DuckDBPyConnection) -> None:
    found, right = truth.execute(COUNTS).fetchone() or (0, 0)
    assert found > 20
    assert right / found >= 0.98


def test_people_who_live_together_and_ordered_are_a_household(
    truth: duckdb.DuckDBPyConnection,
) -> None:
    there, found = truth.execute(THERE).fetchone() or (0, 0)
    assert there > 20
    assert found / there >= 0.95


def test_a_household_merges_nobody(truth: duckdb.DuckDBPyConnection) -> None:
    (mixed,) = truth.execute(
        "select count(*) from shop.marts.dim_households where member_count < 2"
    ).fetchone() or (None,)
    assert mixed == 0
