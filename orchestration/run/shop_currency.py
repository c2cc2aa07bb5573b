"""Whether the settings' currency can be the shop's: a look at the files, then at raw.

Belongs here: the one refusal that spares a shop a run in which every amount is unknown, before
anything is read where the files say it themselves, else before anything is modelled. Does not
belong here: converting (dbt_project, int_order_conversions) and single orders of other currencies.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from ingestion.config import CONFIG_NAME, Settings
from ingestion.duckdb import connect, has_table
from ingestion.errors import UnfitSettingsError
from ingestion.files.folder import UNKNOWN, InputFile, InputFolder
from ingestion.landing.currencies import CURRENCIES
from ingestion.registry import is_enabled
from ingestion.sources.orders.mapping import MAPPING_FILE, read_mapping
from orchestration.home.layout import Home

# An order that names no currency is taken for one in the shop's own.
TABLES = ("raw_orders.orders", "raw_orders.order_lines", "raw_shopify.orders")
RATES = "raw_rates.rates"
# More than this is not looked through twice.
LOOKED_THROUGH_BYTES = 50_000_000
_CURRENCY = re.compile(rb'"currency"\s*:\s*"\s*([A-Za-z]{3})\s*"')


def refuse_mapped_currency(home: Home, settings: Settings, folder: InputFolder) -> None:
    """Stop a first run before it reads where the order files can only be in one other currency.

    What the files leave open, such as a column of currencies, the look at raw finds out.

    Raises:
        UnfitSettingsError: which currency, who says so, and what to write.
    """
    if home.raw.exists() or is_enabled("shopify", settings):
        return
    if folder.files("rates"):
        return
    currency, said_by = _said_by_files(folder, folder.files("orders"))
    shop = settings.shop.currency
    if currency in CURRENCIES and currency != shop:
        raise UnfitSettingsError(
            f"The orders are in {currency}, as {said_by} says, and the settings say {shop}; no"
            " amount could be known. Nothing was read.",
            _remedy(currency, shop),
        )


def _said_by_files(folder: InputFolder, files: list[InputFile]) -> tuple[str, str]:
    """The one currency that all order files are in, and which file says so; empty if unclear."""
    if any(file.problem or file.format == UNKNOWN for file in files):
        return "", ""
    lines = [file for file in files if file.format != "json"]
    currencies = {}
    if lines:
        text = folder.text(MAPPING_FILE)
        for shop in {file.shop for file in lines}:
            mapping = read_mapping(text, shop) if text is not None else None
            if mapping is None or not mapping.currency or "currency" in mapping.columns:
                return "", ""
            currencies[mapping.currency] = MAPPING_FILE
    left = LOOKED_THROUGH_BYTES
    for file in files:
        if file in lines:
            continue
        if file.codec or file.size > left:
            return "", ""
        left -= file.size
        with folder.open(file) as stream:
            currencies |= {
                code.decode().upper(): file.path for code in _CURRENCY.findall(stream.read())
            }
    return next(iter(currencies.items())) if len(currencies) == 1 else ("", "")


def refuse_another_currency(raw: Path, settings: Settings) -> None:
    """Stop where every order there is, is in one currency, and the settings say another.

    With dated rates for that currency every amount can be known, so that is fine.

    Raises:
        UnfitSettingsError: how many orders, in which currency, and what to write.
    """
    shop = settings.shop.currency
    with connect(raw, read_only=True) as connection:
        counts = _orders_by_currency(connection, shop)
        if len(counts) != 1 or shop in counts:
            return
        [(currency, orders)] = counts.items()
        if currency not in CURRENCIES or _has_rates(connection, currency):
            return
    which = "The only order is" if orders == 1 else f"All {orders:,} orders are"
    raise UnfitSettingsError(
        f"{which} in {currency}, the settings say {shop}; no amount could be known.",
        _remedy(currency, shop),
    )


def _remedy(currency: str, shop: str) -> str:
    return (
        f'Set [shop] currency = "{currency}" in {CONFIG_NAME} and run again; or, if the shop counts'
        f" in {shop}, put dated rates of {currency} into rates/."
    )


def _orders_by_currency(connection: duckdb.DuckDBPyConnection, shop: str) -> dict[str, int]:
    there = [table for table in TABLES if has_table(connection, *table.split("."))]
    if not there:
        return {}
    orders = " union all ".join(f"select order_id, currency from {table}" for table in there)
    rows = connection.execute(
        f"select coalesce(upper(nullif(trim(currency), '')), ?), count(distinct order_id)"
        f" from ({orders}) group by 1",
        [shop],
    ).fetchall()
    return {str(currency): int(count) for currency, count in rows}


def _has_rates(connection: duckdb.DuckDBPyConnection, currency: str) -> bool:
    if not has_table(connection, *RATES.split(".")):
        return False
    query = f"select 1 from {RATES} where upper(trim(currency)) = ? and rate > 0 limit 1"
    return connection.execute(query, [currency]).fetchone() is not None
