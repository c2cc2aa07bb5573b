"""Every destination that can be asked whom it has, asked; what it said is kept as counts.

Belongs here: the asking, and the rows of `activity.fct_audience_sizes`. Does not belong here: the
comparison (`reconcile`), making it right (the next sync does), what is printed (`doctor`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from ingestion.config import Settings
from ingestion.errors import RegularsError
from orchestration.activation.delivery import moment
from orchestration.activation.reconcile import Drift, Size, reconcile, sizes_told
from orchestration.destinations import open_destination
from orchestration.destinations.base import TellsAddresses, TellsAudienceSizes, TellsMembers
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import Store, has_store, open_store, to_micros, upsert


@dataclass(frozen=True)
class Asked:
    """What one destination said of each segment that was ever delivered to it.

    `sizes`: of one that says how many it has, and not who. `error`: why it was not compared; then
    there is neither.
    """

    destination: str
    drifts: tuple[Drift, ...] = ()
    sizes: tuple[Size, ...] = ()
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
        if not isinstance(destination, TellsMembers | TellsAddresses | TellsAudienceSizes):
            continue
        if busy:
            yield Asked(name, error=SyncGoesOnError())
            continue
        try:
            with open_store(home) as store:
                asked = _ask(store, name, destination)
                _record(store, asked, at)
        except RegularsError as error:
            yield Asked(name, error=error)
        else:
            yield asked


def _ask(
    store: Store, name: str, destination: TellsMembers | TellsAddresses | TellsAudienceSizes
) -> Asked:
    if isinstance(destination, TellsMembers | TellsAddresses):
        return Asked(name, tuple(reconcile(store, name, destination)))
    return Asked(name, sizes=tuple(sizes_told(store, name, destination)))


def _record(store: Store, asked: Asked, at: datetime) -> None:
    compared = ((each, len(each.missing), len(each.surplus), None) for each in asked.drifts)
    counted = ((each, None, None, each.matched_percent) for each in asked.sizes)
    rows = [
        {
            "destination": asked.destination,
            "segment": each.segment,
            "asked_at": to_micros(at),
            "held_count": each.held,
            "ledger_count": each.known,
            "missing_count": missing,
            "surplus_count": surplus,
            "matched_percent": matched,
        }
        for each, missing, surplus, matched in chain[
            tuple[Drift | Size, int | None, int | None, int | None]
        ](compared, counted)
    ]
    with store.write() as connection:
        upsert(connection, schema.audience_sizes, rows)
