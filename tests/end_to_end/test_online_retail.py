"""Half a million real order lines, held against truths nobody here wrote."""

from __future__ import annotations

import os
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from tests.end_to_end.conftest import DemoHome, Regulars

pytestmark = pytest.mark.faults  # half a million rows

MAPPING = """\
columns: {order_id: InvoiceNo, ordered_at: InvoiceDate, customer_ref: CustomerID, sku: StockCode,
          product_name: Description, quantity: Quantity, unit_price: UnitPrice, country: Country}
clean: {customer_ref: integer_text}
returns: {when: "order_id starts with C or quantity < 0"}
currency: GBP
timezone: Europe/London
sales_channel: online
"""
GROSS = {
    "12346": (326, 1, Decimal("77183.60")),
    "12347": (3, 7, Decimal("4310.00")),
    "14646": (2, 73, Decimal("280206.02")),
    "17850": (373, 34, Decimal("5391.21")),
    "18287": (43, 3, Decimal("1837.28")),
}


def input_folder(root: Path, shared_data: Path, first: int = 0, last: int | None = None) -> Path:
    orders = root / "orders"
    orders.mkdir(parents=True, exist_ok=True)
    (orders / "mapping.yml").write_text(MAPPING, "utf-8")
    for file in sorted((shared_data / "online_retail").glob("*.csv.gz"))[first:last]:
        shutil.copy(file, orders / file.name)
    return root


@pytest.fixture(scope="module")
def online_retail(
    tmp_path_factory: pytest.TempPathFactory, shared_data: Path, regulars: Regulars
) -> DemoHome:
    folder = tmp_path_factory.mktemp("uci")
    done = regulars(
        *("run", "--input", input_folder(folder / "input", shared_data)),
        *("--as-of", "2011-12-10", "--home", folder / "home"),
    )
    assert done.code == 0, done.out + done.err
    return DemoHome(folder / "home", done.out)


def test_every_line_has_an_outcome(online_retail: DemoHome) -> None:
    ((received, loaded, quarantined, duplicate),) = online_retail.query(
        "select rows_received, rows_loaded, rows_quarantined, rows_duplicate from ops.runs"
    )
    assert received == 541_909
    assert received == loaded + quarantined + duplicate


def test_counts_are_the_published_truths(online_retail: DemoHome) -> None:
    assert online_retail.query(
        "select count(distinct customer_id) from marts.fct_orders where customer_id is not null"
    ) == [(4_372,)]
    assert online_retail.query("select count(*) from marts.fct_orders") == [(25_900,)]


def test_gross_rfm_is_exact(online_retail: DemoHome) -> None:
    rows = online_retail.query(
        "select b.identifier_value, r.recency_days, r.frequency, r.gross_monetary"
        " from marts.fct_customer_rfm r"
        " join marts.bridge_customer_identifiers b using (customer_id)"
        " where r.as_of_date = date '2011-12-10'"
        " and b.identifier_type = 'orders_customer_id'"
        f" and b.identifier_value in ({', '.join(repr(key) for key in GROSS)})"
    )
    found = {value: (recency, frequency, gross) for value, recency, frequency, gross in rows}
    assert found == GROSS
    ((customers, orders, gross),) = online_retail.query(
        "select count(*), sum(frequency), sum(gross_monetary) from marts.fct_customer_rfm"
        " where as_of_date = date '2011-12-10'"
    )
    assert (customers, orders, gross) == (4_338, 18_532, Decimal("8911407.904"))


def test_who_returned_everything_is_no_champion(online_retail: DemoHome) -> None:
    ((net, group),) = online_retail.query(
        "select r.monetary, r.rfm_segment from marts.fct_customer_rfm r"
        " join marts.bridge_customer_identifiers b using (customer_id)"
        " where r.as_of_date = date '2011-12-10' and b.identifier_value = '12346'"
    )
    assert net == 0
    assert group not in ("champions", "loyal", "active", "previously_loyal")
    assert online_retail.query(
        "select count(*) from segments.seg_vip v"
        " join marts.bridge_customer_identifiers b using (customer_id)"
        " where b.identifier_value = '12346'"
    ) == [(0,)]


def test_web_and_email_tables_are_empty_but_there(online_retail: DemoHome) -> None:
    for table in ("fct_web_sessions", "fct_messages"):
        assert online_retail.query(f"select count(*) from marts.{table}") == [(0,)]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not os.environ.get("REGULARS_SOAK"), reason="half an hour: make soak")
def test_daily_loads_equal_one_load(shared_data: Path, regulars: Regulars, tmp_path: Path) -> None:
    """Thirty runs, a day each. Raw and models have shorter tests of the same in every suite."""
    count = 30
    days = sorted((shared_data / "online_retail").glob("*.csv.gz"))[:count]
    daily, at_once = DemoHome(tmp_path / "daily", ""), DemoHome(tmp_path / "once", "")
    growing = tmp_path / "input"
    for number in range(count):
        input_folder(growing, shared_data, number, number + 1)
        as_of = f"{days[number].name[:10]}T23:00:00Z"
        done = regulars("run", "--input", growing, "--as-of", as_of, "--home", daily.root)
        assert done.code == 0, done.out + done.err
    done = regulars("run", "--input", growing, "--as-of", as_of, "--home", at_once.root)
    assert done.code == 0, done.out + done.err
    differing = [
        name
        for (name, one), (_, other) in zip(
            *(
                home.query(
                    "select table_name, digest from ops.build_tables"
                    " where table_name like 'marts.%' or table_name like 'segments.%'"
                    " order by all"
                )
                for home in (daily, at_once)
            ),
            strict=True,
        )
        if one != other
    ]
    # What was known when has a history of its own: daily runs saw people come, enter and leave.
    assert set(differing) <= {
        "marts.fct_segment_memberships",
        "marts.customer_identifier_history",
        "marts.fct_identity_changes",
    }
