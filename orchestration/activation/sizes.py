"""Every destination that can be asked whom it has, asked; what it said is kept as counts.

Belongs here: the asking, and the rows of `activity.fct_audience_sizes`. Does not belong here: the
comparison (`reconcile`), making it right (the next sync does), what is printed (`doctor`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingestion.config import Settings
from ingestion.errors import RegularsError
from orchestration.activation.delivery import moment
from orchestration.activation.reconcile import Drift, reconcile
from orchestration.destinations import open_destination
from orchestration.destinations.base import TellsAddresses, TellsMembers
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import Store, has_store, open_store, to_micros, upsert


@dataclass(frozen=True)
class Asked:
    """What one destination said of each segment that was ever delivered to it.

    `error`: why it was not compared; then there are no drifts.
    """

    destination: str
    drifts: tuple[Drift, ...] = ()
    error: RegularsError | None = None


class SyncGoesOnError(RegularsError):
    """A destination is not compared while rows are on their way to it."""

    def __init__(self) -> None:
        """The next time does."""
        super().__init__("A sync goes on; not compared.", "Ask later.")


def ask_destinations(home: Home, settings: Settings) -> Iterator[Asked]:
    """Ask each destination that is on and can tell; its answer is in the store before it is told.

    Args:
        home: whose store knows what was sent.
        settings: which destinations there are.
    """
    if not (has_store(home) and home.published.exists()):
        return  # nothing was ever sent
    at = moment(home)
    busy = lock.is_busy(home.sending_lock)
    for name, chosen in sorted(settings.destinations.items()):
        destination = open_destination(name, chosen, home) if chosen.enabled else None
        if not isinstance(destination, TellsMembers | TellsAddresses):
            continue
        if busy:
            yield Asked(name, error=SyncGoesOnError())
            continue
        try:
            with open_store(home) as store:
                drifts = reconcile(store, name, destination)
                _record(store, name, drifts, at)
        except RegularsError as error:
            yield Asked(name, error=error)
        else:
            yield Asked(name, tuple(drifts))


def _record(store: Store, name: str, drifts: Sequence[Drift], at: datetime) -> None:
    rows = [
        {
            "destination": name,
            "segment": drift.segment,
            "asked_at": to_micros(at),
            "held_count": drift.held,
            "ledger_count": drift.known,
            "missing_count": len(drift.missing),
            "surplus_count": len(drift.surplus),
        }
        for drift in drifts
    ]
    with store.write() as connection:
        upsert(connection, schema.audience_sizes, rows)
