"""The Parquet file that the models read of the channels' effects.

Belongs here: columns, files and which touches make a path. Does not belong here: the chain.

Data flow: warehouse.duckdb (marts.fct_touchpoints, read-only) ->
`$REGULARS_HOME/science/channel_effects.parquet`.
"""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa

from ingestion.config import Shop
from ingestion.duckdb import connect
from orchestration.home.layout import Home
from orchestration.science.attribution.markov import Ints, removal_effects, transitions
from orchestration.science.parquet import today_of, write_tables

EFFECTS = "channel_effects"
FILES = (EFFECTS,)
READS = ("fct_touchpoints",)
# As fct_attribution has it, a direct visit counts only where there is nothing else.
TOUCHES = """
with paths as (
    select *, dense_rank() over (order by customer_id, orders_before, is_counted) as path,
        bool_and(marketing_channel = 'direct')
            over (partition by customer_id, orders_before, is_counted) as is_direct
    from marts.fct_touchpoints
)
select path, marketing_channel, order_id is not null as converts
from paths
where is_direct or marketing_channel <> 'direct'
order by path, occurred_at, touchpoint_id
"""
DIGITS = 9


def write_effects(home: Home, as_of: datetime, shop: Shop) -> dict[str, str | int]:
    """Work out what each channel changes and write the file.

    Args:
        home: whose.
        as_of: the run's "now", naive UTC.
        shop: whose day it is.

    Returns:
        How many channels, paths, and paths that led to an order there are.
    """
    with connect(home.warehouse, read_only=True) as connection:
        touches = connection.execute(TOUCHES).fetchnumpy()
    channels, channel = np.unique(touches["marketing_channel"].astype(str), return_inverse=True)
    table = effect_table(
        channels.tolist(),
        np.asarray(touches["path"], dtype=np.int64),
        channel.astype(np.int64),
        np.asarray(touches["converts"], dtype=np.bool_),
        today_of(as_of, shop),
    )
    write_tables(home, {EFFECTS: table})
    path_count = int(np.unique(touches["path"]).size)
    orders = table["credited_orders"].to_pylist()
    return {"channels": len(channels), "paths": path_count, "orders": round(sum(orders))}


def effect_table(
    channels: list[str], path: Ints, channel: Ints, converts: np.ndarray, today: date
) -> pa.Table:
    """One row per channel: its removal effect, its share of all orders, and the paths it is in."""
    effects = np.zeros(0)
    if channels:
        effects = removal_effects(transitions(path, channel, converts, len(channels)))
    shares = effects / effects.sum() if effects.sum() > 0 else effects
    order_count = np.unique(path[converts]).size
    in_paths = [np.unique(path[channel == number]).size for number in range(len(channels))]
    converting = [
        np.unique(path[(channel == number) & converts]).size for number in range(len(channels))
    ]
    return pa.table(
        {
            "marketing_channel": pa.array(channels, pa.string()),
            "as_of_date": pa.array([today] * len(channels), pa.date32()),
            "removal_effect": pa.array(effects.round(DIGITS), pa.float64()),
            "credited_share": pa.array(shares.round(DIGITS), pa.float64()),
            "credited_orders": pa.array((shares * order_count).round(DIGITS), pa.float64()),
            "path_count": pa.array(in_paths, pa.int64()),
            "converting_path_count": pa.array(converting, pa.int64()),
        }
    )
