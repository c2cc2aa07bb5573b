"""`regulars demo --shops 2`: two shops, two currencies, and one person who buys in both."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.conftest import Regulars

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, regulars: Regulars) -> Path:
    root = tmp_path_factory.mktemp("two") / "demo"
    done = regulars("demo", "--people", "300", "--shops", "2", "--home", root)
    assert done.code == 0, done.out + done.err
    return root


def test_each_shops_orders_come_to_what_was_paid_in_its_own_currency(home: Path) -> None:
    with duckdb.connect(str(home / "published.duckdb"), read_only=True) as con:
        found = con.execute(
            """select currency, count(*), sum(total_sales) from marts.fct_orders
            where shop_id = 'outlet' and status = 'placed' group by 1"""
        ).fetchall()
        told = con.execute(
            f"""select currency, count(*), sum(total)
            from '{home}/demo/truth/second_shop_orders/*.parquet'
            where not is_cancelled and not is_returned group by 1"""
        ).fetchall()
        assert found == told
        first = con.execute(
            f"""select count(*), bool_and(o.currency = t.currency)
            from marts.fct_orders o join '{home}/demo/truth/orders/*.parquet' t using (order_id)
            where o.shop_id = 'shop' and o.sales_channel <> 'store'"""
        ).fetchone()
        all_of_it = con.execute(
            f"select count(*) from '{home}/demo/truth/orders/*.parquet' where is_online"
        ).fetchone()
    assert first == (*all_of_it, True)


def test_who_buys_in_both_is_one_person(home: Path) -> None:
    with duckdb.connect(str(home / "published.duckdb"), read_only=True) as con:
        rows = con.execute(
            f"""select t.person_id, list(distinct o.customer_id) filter (where o.shop_id = 'shop'),
                list(distinct o.customer_id) filter (where o.shop_id = 'outlet')
            from (
                select person_id, order_id from '{home}/demo/truth/orders/*.parquet'
                union all
                select person_id, order_id from '{home}/demo/truth/second_shop_orders/*.parquet'
            ) t
            join '{home}/demo/truth/second_shop/*.parquet' s using (person_id)
            join marts.fct_orders o using (order_id)
            where s.buys_in_both and o.customer_id is not null group by 1"""
        ).fetchall()
    in_both = [(set(first), set(second)) for _, first, second in rows if first and second]
    assert len(in_both) >= 4
    # A receipt without a name is nobody's, in whichever shop
    joined = [second <= first for first, second in in_both]
    assert sum(joined) >= len(joined) - 1
