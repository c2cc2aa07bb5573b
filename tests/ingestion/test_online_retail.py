"""Half a million real order lines: the counted truths of UCI Online Retail, day by day or at once.

Data: UCI Online Retail (id 352, CC BY 4.0), not part of this repository.
"""

from __future__ import annotations

import shutil
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.faults  # half a million rows

MAPPING = """
columns: {order_id: InvoiceNo, ordered_at: InvoiceDate, customer_ref: CustomerID, sku: StockCode,
          product_name: Description, quantity: Quantity, unit_price: UnitPrice, country: Country}
clean: {customer_ref: integer_text}
returns: {when: "order_id starts with C or quantity < 0"}
currency: GBP
timezone: Europe/London
sales_channel: online
"""


def test_the_counted_truths(shop: Any, make: Any, online_retail: Path) -> None:
    shop.write("orders/mapping.yml", MAPPING)
    for file in sorted(online_retail.glob("*.csv.gz")):
        (shop.input / "orders" / file.name).symlink_to(file)
    started = time.process_time()
    counts = shop.run("orders")["order_lines"]
    cpu_seconds = time.process_time() - started
    assert make.four(counts) == (541_909, 541_909, 0, 0)
    (row,) = shop.query(
        """
        select count(distinct order_id), count(distinct customer_ref),
            count(distinct sku), count(distinct country),
            count(*) filter (customer_ref is null), count(*) filter (order_id like 'C%'),
            count(*) filter (quantity < 0), round(sum(quantity * unit_price)),
            count(distinct _file), count(*) filter (customer_ref like '%.%'),
            count(*) filter (unit_price < 0), min(ordered_at)::varchar
        from raw_orders.order_lines
        """
    )
    assert row == (
        25_900, 4_372, 4_070, 38, 135_080, 9_288, 10_624, Decimal(9_747_748), 305, 0, 2,
        "2010-12-01 08:26:00",
    )  # fmt: skip
    kept = "customer_ref is not null and quantity > 0 and unit_price > 0"
    (row,) = shop.query(
        "select count(*), count(distinct customer_ref), count(distinct order_id), "
        f"sum(quantity * unit_price) from raw_orders.order_lines where {kept}"
    )
    assert row == (397_884, 4_338, 18_532, Decimal("8911407.904"))
    (repeats,) = shop.query(
        """
        select sum(n - 1) from (
            select count(*) as n from raw_orders.order_lines
            group by order_id, sku, product_name, quantity, ordered_at, unit_price, customer_ref,
                country
        )
        """
    )
    assert repeats == (5_268,)
    assert make.four(shop.run("orders")["order_lines"]) == (0, 0, 0, 0)
    assert cpu_seconds < 60  # waits for memory count, so a busy machine needs more


def test_thirty_days_one_by_one_equal_one_load(
    tmp_path: Path, make: Any, online_retail: Path
) -> None:
    files = sorted(online_retail.glob("*.csv.gz"))[:30]
    daily, once = make.Shop(tmp_path / "daily"), make.Shop(tmp_path / "once")
    for shop in (daily, once):
        shop.write("orders/mapping.yml", MAPPING)
    received = 0
    for file in files:
        for shop in (daily, once):
            shutil.copy2(file, shop.input / "orders" / file.name)
        counts = daily.run("orders")["order_lines"]
        assert counts.loaded == counts.received
        received += counts.received
    assert make.four(once.run("orders")["order_lines"]) == (received, received, 0, 0)
    table = "select * exclude (_run_id, _dlt_load_id) from raw_orders.order_lines order by _row_id"
    assert daily.query(table) == once.query(table)
