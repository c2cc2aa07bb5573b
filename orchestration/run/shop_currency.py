"""Whether the settings' currency can be the shop's: a look at raw before anything is modelled.

Belongs here: the one refusal that spares a shop a run in which every amount is unknown. Does not
belong here: converting (dbt_project, int_order_conversions) and single orders of other currencies.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingestion.config import CONFIG_NAME, Settings
from ingestion.duckdb import connect
from ingestion.errors import UsageError
from ingestion.landing.currencies import CURRENCIES

# An order that names no currency is taken for one in the shop's own.
TABLES = ("raw_orders.orders", "raw_orders.order_lines", "raw_shopify.orders")
RATES = "raw_rates.rates"


def refuse_another_currency(raw: Path, settings: Settings) -> None:
    """Stop where every order there is, is in one currency, and the settings say another.

    With dated rates for that currency every amount can be known, so that is fine.

    Raises:
        UsageError: how many orders, in which currency, and what to write.
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
    raise UsageError(
        f"{which} in {currency}, the settings say {shop}; no amount could be known.",
        f'Set [shop] currency = "{currency}" in {CONFIG_NAME} and run again; or, if the shop counts'
        f" in {shop}, put dated rates of {currency} into rates/.",
    )


def _orders_by_currency(connection: duckdb.DuckDBPyConnection, shop: str) -> dict[str, int]:
    there = [table for table in TABLES if _exists(connection, table)]
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
    if not _exists(connection, RATES):
        return False
    query = f"select 1 from {RATES} where upper(trim(currency)) = ? and rate > 0 limit 1"
    return connection.execute(query, [currency]).fetchone() is not None


def _exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    schema, _, name = table.partition(".")
    query = "select 1 from duckdb_tables() where schema_name = ? and table_name = ?"
    return connection.execute(query, [schema, name]).fetchone() is not None
