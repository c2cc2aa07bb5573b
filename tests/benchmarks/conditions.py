"""What conditions cost: a draft of a segment, and many conditions at once, on made-up people.

`python -m tests.benchmarks.conditions --people 200000`

Belongs here: rows by the hundred thousand and the clock. Does not belong here: right answers
(tests/orchestration/segments/test_conditions.py).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from tests.orchestration.segments.published import AS_OF, HEAD, Published
from tests.orchestration.segments.test_conditions import ANSWERS

DRAFT = (
    "{{ members(all=[ordered(at_least=2, within_days=365), last_order(older_than_days=60)],"
    " none=[in_segment('at_risk'), got_message(within_days=7)]) }}"
)
ROWS = {
    "dim_customers": "select 'c' || i as customer_id, i % 4 > 0 as is_known, 'GB' as country_code,"
    " 0 as order_count, {as_of} - to_days(cast(i % 900 as int)) as first_seen_at from people",
    "fct_orders": "select 'o' || n as order_id, 'shop' as order_source,"
    " 'c' || (n * 7 % {people}) as customer_id, true as is_kept, true as is_counted,"
    " 50 as net_sales_shop, 'web' as sales_channel, {as_of} - to_days(cast(n % 700 as int))"
    " as ordered_at, cast({as_of} - to_days(cast(n % 700 as int)) as date) as ordered_date"
    " from range({people} * 3) as numbers(n)",
    "fct_order_lines": "select order_id || '-1' as order_line_id, order_id, order_source,"
    " 'Kitchen' as category, 'Regular' as brand, 'mug' as product_id, 'MUG' as sku,"
    " 'goods' as line_kind, false as is_return_line, 1 as quantity from marts.fct_orders",
    "fct_customer_order_summary": "select customer_id, count(*) as order_count,"
    " sum(net_sales_shop) as lifetime_net_sales, max(ordered_at) as last_ordered_at,"
    " min(ordered_at) as first_ordered_at, max(ordered_date) as last_ordered_date,"
    " min(ordered_date) as first_ordered_date, 180 as overdue_after_days,"
    " date_diff('day', max(ordered_date), date '{day}') as days_since_last_order"
    " from marts.fct_orders group by customer_id",
    "fct_web_sessions": "select 's' || n as session_id, 'c' || (n * 11 % {people}) as customer_id,"
    " 1 as customer_visit_number, 'direct' as marketing_channel,"
    " {as_of} - to_hours(cast(n % 9000 as int)) as started_at"
    " from range({people} * 5) as numbers(n)",
    "fct_messages": "select 'm' || n as message_id, 'c' || (n * 13 % {people}) as customer_id,"
    " 'email' as channel, 'offer' as message_kind,"
    " {as_of} - to_hours(cast(n % 9000 as int)) as sent_at"
    " from range({people} * 25) as numbers(n)",
    "fct_interactions": "select n as interaction_id, 'c' || (n * 17 % {people}) as customer_id,"
    " case n % 9 when 0 then 'review' else 'product_viewed' end as kind, 'web' as channel,"
    " {as_of} - to_hours(cast(n % 9000 as int)) as occurred_at"
    " from range({people} * 40) as numbers(n)",
}


def main(people: int) -> None:
    """Print the CPU and the wall seconds of each step."""
    shop = Published()
    shop.connection.execute(f"create temp table people as select i from range({people}) as t(i)")
    words = {"as_of": f"timestamp '{AS_OF}'", "day": AS_OF.date(), "people": people}
    for table, sql in ROWS.items():
        filled = sql.format(**words)
        shop.connection.execute(f"insert into marts.{table} by name {filled}")
    _timed("a draft of four conditions", lambda: shop.trial.run("tried", HEAD + DRAFT))
    calls = ", ".join(call for call in ANSWERS if not call.startswith("in_segment"))
    every = HEAD + "{{ members(any=[" + calls + "]) }}"
    _timed(f"{len(ANSWERS) - 1} conditions", lambda: shop.trial.run("tried", every))
    [rows] = shop.trial.rows("select count(*) as n from int_condition_results")
    print(f"{people:,} people, {rows['n']:,} rows of conditions")


def _timed(name: str, step: Callable[[], object]) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    step()
    print(f"{name}: {time.process_time() - cpu:.1f} CPU s, {time.perf_counter() - wall:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=200_000)
    main(parser.parse_args().people)
