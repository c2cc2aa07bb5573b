"""A shop whose money is not the settings' is told so before anything is modelled."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings, Shop
from ingestion.errors import UsageError
from orchestration.run.shop_currency import refuse_another_currency

Orders = dict[str, list[tuple[str, str | None]]]


def raw_with(folder: Path, orders: Orders, rates: tuple[str, ...] = ()) -> Path:
    path = folder / "raw.duckdb"
    with duckdb.connect(str(path)) as connection:
        for table, rows in orders.items():
            connection.execute(f"create schema if not exists {table.partition('.')[0]}")
            connection.execute(f"create table {table} (order_id varchar, currency varchar)")
            for row in rows:
                connection.execute(f"insert into {table} values (?, ?)", row)
        connection.execute("create schema raw_rates")
        connection.execute(
            "create table raw_rates.rates (date date, currency varchar, rate double)"
        )
        for currency in rates:
            row = ["2026-01-01", currency, 0.8]
            connection.execute("insert into raw_rates.rates values (?, ?, ?)", row)
    return path


def settings(currency: str) -> Settings:
    return Settings(shop=Shop(currency=currency))


@pytest.mark.parametrize("table", ["raw_orders.orders", "raw_orders.order_lines"])
def test_all_orders_in_one_other_currency(tmp_path: Path, table: str) -> None:
    orders = [(f"o{number}", "eur ") for number in range(1200)]
    raw = raw_with(tmp_path, {table: [*orders, ("o1", "EUR")]})
    with pytest.raises(UsageError) as told:
        refuse_another_currency(raw, settings("GBP"))
    assert told.value.message.startswith("All 1,200 orders are in EUR, the settings say GBP")
    assert 'currency = "EUR"' in told.value.hint
    assert told.value.exit_code == 2
    refuse_another_currency(raw, settings("EUR"))


def test_orders_of_several_sources_are_looked_at_together(tmp_path: Path) -> None:
    orders: Orders = {"raw_orders.orders": [("a", "JPY")], "raw_shopify.orders": [("b", "JPY")]}
    raw = raw_with(tmp_path, orders)
    with pytest.raises(UsageError, match="All 2 orders are in JPY"):
        refuse_another_currency(raw, settings("USD"))
    with duckdb.connect(str(raw)) as connection:
        connection.execute("insert into raw_shopify.orders values ('c', 'USD')")
    refuse_another_currency(raw, settings("USD"))


@pytest.mark.parametrize(
    ("orders", "rates"),
    [
        ([], ()),
        ([("a", "GBP")], ()),
        ([("a", "EUR"), ("b", "SEK")], ()),
        ([("a", "EUR"), ("b", None)], ()),
        ([("a", "EUR"), ("b", " ")], ()),
        ([("a", "EUR")], ("EUR",)),
        ([("a", "XXQ")], ()),
    ],
    ids=["none", "its own", "two others", "unnamed", "blank", "rates", "no currency at all"],
)
def test_everything_else_goes_on(
    tmp_path: Path, orders: list[tuple[str, str | None]], rates: tuple[str, ...]
) -> None:
    raw = raw_with(tmp_path, {"raw_orders.orders": orders}, rates)
    refuse_another_currency(raw, settings("GBP"))


def test_rates_of_a_third_currency_do_not_help(tmp_path: Path) -> None:
    raw = raw_with(tmp_path, {"raw_orders.orders": [("a", "EUR")]}, ("USD",))
    with pytest.raises(UsageError, match="The only order is in EUR"):
        refuse_another_currency(raw, settings("GBP"))
