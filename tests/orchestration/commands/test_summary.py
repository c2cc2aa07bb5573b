"""The closing words of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import StringIO

import duckdb
import pytest
from rich.console import Console

from orchestration.commands.summary import print_summary
from orchestration.home.layout import Home
from orchestration.report.health import read_earlier

pytestmark = pytest.mark.slow


def said(home: Home, ignored: Mapping[str, Sequence[str]]) -> str:
    """What the summary prints."""
    out = Console(file=StringIO(), width=180, markup=False)
    print_summary(home, out, ignored)
    return out.file.getvalue()  # type: ignore[attr-defined]


def test_ignored_columns_are_all_named(publish_day: Callable[..., Home]) -> None:
    many = [f"column {number}" for number in range(30)]
    text = said(publish_day(), {"orders/order_lines": many, "rates/rates": ["ann@shop.example"]})
    told = " ".join(text.split())
    assert f"30 unknown columns ignored in orders/order_lines: {', '.join(many)}." in told
    assert "1 unknown column ignored in rates/rates: [address]." in text


EARLIER_RUNS = """
create table ops.build as select '20260703T000000Z-0005' as run_id;
create table ops.runs as from (values
    ('20260701T000000Z-0001', 'failed'), ('20260701T000000Z-0002', 'succeeded'),
    ('20260702T000000Z-0003', 'failed'), ('20260702T000000Z-0004', 'failed'),
    ('20260703T000000Z-0005', 'succeeded')) as t (run_id, status);
create table ops.run_sources as from (values
    ('20260701T000000Z-0001', 'web', 10), ('20260702T000000Z-0003', 'web', 1499000),
    ('20260702T000000Z-0003', 'orders', 1000), ('20260702T000000Z-0004', 'web', 0),
    ('20260703T000000Z-0005', 'web', 7)) as t (run_id, source, rows_loaded);
"""


def test_rows_of_runs_that_did_not_publish_are_counted() -> None:
    """Those since the last publication; not the runs before it, nor this one's own."""
    with duckdb.connect() as connection:
        connection.execute("create schema ops")
        connection.execute(EARLIER_RUNS)
        assert read_earlier(connection) == (1_500_000, 1)
        connection.execute("delete from ops.runs where status = 'failed'")
        assert read_earlier(connection) == (0, 0)


def test_sales_of_nobody_are_told_with_their_money(publish_day: Callable[..., Home]) -> None:
    text = said(publish_day(), {})
    assert "Sales of nobody: 2 orders, 30.50 GBP net, because of 1 identifier" in text


def test_a_shop_without_any_address_is_told_so(publish_day: Callable[..., Home]) -> None:
    assert "No email address" not in said(publish_day(), {})
    gone = (
        "delete from marts.bridge_customer_identifiers where identifier_type in ('email', 'phone')"
    )
    assert "No email address and no phone number" in said(publish_day(after=[gone]), {})


def test_every_column_of_the_tables_has_a_name(publish_day: Callable[..., Home]) -> None:
    [header] = [line for line in said(publish_day(), {}).splitlines() if "Segment" in line]
    assert all(name.strip() for name in header.strip("┃ ").split("┃"))


def test_without_any_nothing_is_said_of_them(publish_day: Callable[..., Home]) -> None:
    assert "ignored" not in said(publish_day(), {})


def test_what_became_of_the_people_of_earlier_runs_is_said(
    publish_day: Callable[..., Home],
) -> None:
    moves = (
        "create table ops.identity_metrics as select build.run_id, metric, kind, value "
        "from ops.build, (values ('carried_over', 'known', 4), ('carried_over', 'anonymous', 1200),"
        " ('born', 'known', 2), ('merged', 'all', 1), ('gone', 'all', 3))"
        " as t (metric, kind, value)"
    )
    home = publish_day()
    assert "Since earlier runs" not in said(home, {}), "a first run has none"
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(moves)
    told = " ".join(said(home, {}).split())
    assert (
        "Since earlier runs: 1,204 carried over, 2 new, 1 merged into others, 0 split off, "
        "3 of whom no row is left." in told
    )
