"""A shop whose money is not the settings' is told so before anything is modelled."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings, Shop
from ingestion.errors import UnfitSettingsError
from ingestion.files.folder import InputFolder
from orchestration.home.layout import Home
from orchestration.run.shop_currency import refuse_another_currency, refuse_mapped_currency

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
    with pytest.raises(UnfitSettingsError) as told:
        refuse_another_currency(raw, settings("GBP"))
    assert told.value.message.startswith("All 1,200 orders are in EUR, the settings say GBP")
    assert 'currency = "EUR"' in told.value.hint
    assert told.value.exit_code == 2
    refuse_another_currency(raw, settings("EUR"))


def test_orders_of_several_sources_are_looked_at_together(tmp_path: Path) -> None:
    orders: Orders = {"raw_orders.orders": [("a", "JPY")], "raw_shopify.orders": [("b", "JPY")]}
    raw = raw_with(tmp_path, orders)
    with pytest.raises(UnfitSettingsError, match="All 2 orders are in JPY"):
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
    with pytest.raises(UnfitSettingsError, match="The only order is in EUR"):
        refuse_another_currency(raw, settings("GBP"))


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8")
    return folder


LINES = "order,at,sku,qty,price\n1,2026-01-01,s,1,9.99\n"
MAPPING = """\
columns: {order_id: order, ordered_at: at, sku: sku, quantity: qty, unit_price: price}
currency: EUR
"""
DOCUMENT = '{"id": 1, "currency": "eur", "created_at": "2026-01-01T00:00:00Z", "line_items": []}\n'
LINE_FILES = {"orders/a.csv": LINES, "orders/mapping.yml": MAPPING}


@pytest.mark.parametrize(
    ("files", "said_by"),
    [
        (LINE_FILES, "orders/mapping.yml"),
        ({"orders/a.jsonl": DOCUMENT}, "orders/a.jsonl"),
        ({**LINE_FILES, "orders/a.jsonl": DOCUMENT}, "orders/"),
    ],
)
def test_a_first_run_is_refused_before_it_reads_where_the_files_say_it(
    tmp_path: Path, files: dict[str, str], said_by: str
) -> None:
    home, folder = Home(tmp_path / "home"), write(tmp_path / "in", files)
    with pytest.raises(UnfitSettingsError) as told:
        refuse_mapped_currency(home, settings("GBP"), InputFolder.at(folder))
    assert told.value.message.startswith("The orders are in EUR, as ")
    assert said_by in told.value.message
    assert 'currency = "EUR"' in told.value.hint
    assert told.value.exit_code == 2
    assert not home.root.exists()
    refuse_mapped_currency(home, settings("EUR"), InputFolder.at(folder))


@pytest.mark.parametrize(
    "files",
    [
        {"orders/a.csv": LINES},
        {**LINE_FILES, "orders/a.jsonl": DOCUMENT.replace("eur", "GBP")},
        {**LINE_FILES, "rates/a.csv": "date,currency,rate\n2026-01-01,EUR,0.8\n"},
        {
            "orders/a.csv": LINES,
            "orders/mapping.yml": MAPPING.replace("{order", "{currency: sku, order"),
        },
        {**LINE_FILES, "orders/notes.xls": "?"},
    ],
)
def test_what_the_files_leave_open_is_not_refused_before_it_is_read(
    tmp_path: Path, files: dict[str, str]
) -> None:
    folder = write(tmp_path / "in", files)
    refuse_mapped_currency(Home(tmp_path / "home"), settings("GBP"), InputFolder.at(folder))
