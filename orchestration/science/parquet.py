"""The Parquet files that the science leaves for the models: written whole, or not there.

Belongs here: files, days and columns as every step has them. Does not belong here: what stands in
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ingestion.config import Shop
from orchestration.home.layout import Home
from orchestration.home.whole_file import whole_file


def today_of(as_of: datetime, shop: Shop) -> date:
    """The shop's day of a moment (naive UTC)."""
    return as_of.replace(tzinfo=UTC).astimezone(shop.zone).date()


def day_number(day: date) -> int:
    """Days since 1970-01-01, as the methods count them."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def day_of(number: int) -> date:
    """The day of such a number."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + number)


def write_tables(home: Home, tables: Mapping[str, pa.Table]) -> None:
    """Write each table to its file, whole and renamed."""
    home.science.mkdir(mode=0o700, exist_ok=True)
    for name, table in tables.items():
        with whole_file(home.science / f"{name}.parquet") as stream:
            pq.write_table(table, stream)


def remove_tables(home: Home, names: Iterable[str]) -> None:
    """Take the files of these tables away; models then see them empty."""
    for name in names:
        (home.science / f"{name}.parquet").unlink(missing_ok=True)


def figures(values: NDArray[np.float64]) -> pa.Array:
    """A column of numbers, in which NaN is NULL."""
    return pa.array(values, pa.float64(), mask=np.isnan(values))
