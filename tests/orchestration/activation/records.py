"""What the ledger and the outbox hold, read back for claims about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, func, select

from orchestration.ops import schema
from orchestration.ops.store import Store


def records_of(store: Store, table: Table, customer_id: str) -> list[Mapping[str, Any]]:
    """A person's rows of a table (`deliveries`, `held_back`, `outbox`), in the order of its key."""
    query = select(table).where(table.c.customer_id == customer_id)
    with store.read() as connection:
        ordered = query.order_by(*table.primary_key)
        return [dict(row) for row in connection.execute(ordered).mappings()]


def state_counts(store: Store) -> dict[str, int]:
    """Rows of the outbox by state."""
    states = schema.outbox.c.state
    with store.read() as connection:
        rows = connection.execute(select(states, func.count()).group_by(states)).tuples()
        return dict(rows.all())
