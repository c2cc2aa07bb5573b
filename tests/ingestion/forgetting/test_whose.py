"""Whose a raw row is, where shops count alike and where an older version loaded the row."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb
import pytest

from ingestion.forgetting.raw_rows import Key, take_out

PAYLOAD = """'{"customer": {"id": 4400}}'"""


def _of(number: str, keys: Collection[Key]) -> set[Key]:
    return set(keys) & {("shopify_customer_id", number)}


@pytest.mark.parametrize(("number", "left"), [("4400", {"o"}), ("outlet:4400", {"m"})])
def test_a_customer_number_is_one_shops_own(tmp_path: Path, number: str, left: set[str]) -> None:
    raw = tmp_path / "raw.duckdb"
    with duckdb.connect(str(raw)) as connection:
        connection.execute("create schema raw_orders")
        connection.execute(
            f"create table raw_orders.orders as select 'm' as _row_id, null::varchar as id_scope,"
            f" {PAYLOAD} as payload union all select 'o', 'outlet', {PAYLOAD}"
        )
    take_out(raw, lambda keys: _of(number, keys), "GB")
    with duckdb.connect(str(raw)) as connection:
        kept = "select _row_id from raw_orders.orders where payload like '%4400%'"
        assert {row[0] for row in connection.execute(kept).fetchall()} == left


def test_what_was_loaded_before_there_were_several_shops_is_found(tmp_path: Path) -> None:
    raw = tmp_path / "raw.duckdb"
    with duckdb.connect(str(raw)) as connection:
        connection.execute("create schema raw_orders")
        connection.execute(
            f"create table raw_orders.orders as select 'm' as _row_id, {PAYLOAD} as payload"
        )
    assert take_out(raw, lambda keys: _of("4400", keys), "GB").total() == 1
    with duckdb.connect(str(raw)) as connection:
        kept = "select count(*) from raw_orders.orders where payload like '%4400%'"
        assert connection.execute(kept).fetchone() == (0,)
