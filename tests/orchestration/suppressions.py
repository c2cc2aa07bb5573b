"""Suppressions written by hand: the product takes its own from what sources say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from orchestration.ops.permission.consents import append_facts, receipt_id
from orchestration.ops.store import Store, to_micros


@dataclass(frozen=True)
class Suppression:
    """One reason why an identifier must not be contacted on a channel."""

    identifier_type: str
    identifier_value: str
    channel: str
    purpose: str
    reason: str
    occurred_at: datetime
    source: str

    @property
    def suppression_id(self) -> str:
        """The same reason at the same time from the same source is one row."""
        return receipt_id("suppression", *(str(value) for value in asdict(self).values()))


def record_suppressions(
    store: Store, suppressions: Iterable[Suppression], *, recorded_at: datetime
) -> int:
    """Append suppressions; returns how many were new."""
    recorded = to_micros(recorded_at)
    rows = [
        {
            "suppression_id": suppression.suppression_id,
            **asdict(suppression),
            "occurred_at": to_micros(suppression.occurred_at),
            "recorded_at": recorded,
        }
        for suppression in suppressions
    ]
    with store.write() as connection:
        return append_facts(connection, (), rows)[1]
