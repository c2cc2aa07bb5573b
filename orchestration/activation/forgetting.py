"""Forgetting somebody: the tombstones first, then erasing in every store and at destinations.

Belongs here: the order of what is done. Does not belong here: asking whether (`commands/forget`,
the pages), erasing (`orchestration/erasure`), telling destinations (`removal`), or what a tombstone
means (`ops/tombstones`, the gate).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ingestion.config import Settings
from orchestration.activation.delivery import moment
from orchestration.activation.removal import tell_destinations
from orchestration.destinations import check_destinations
from orchestration.erasure.elsewhere import ask_to_erase
from orchestration.erasure.erase import carry_out
from orchestration.erasure.other_case import with_other_case
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops import tombstones
from orchestration.ops.store import Store
from orchestration.ops.tombstones import Erasable, Erasure, Key
from orchestration.run.run import clock
from orchestration.who.subject import readable

DEFAULT_REASON = "asked to be forgotten"

Receipt = Mapping[str, Any]


def request_erasure(
    home: Home, store: Store, ids: Sequence[str], keys: Sequence[Key], reason: str
) -> Erasable:
    """Write the tombstones: from now on the gate refuses these ids and identifiers.

    Returns: what will be erased, with what stays because it is somebody else's in another case.
    """
    with readable(home) as published:
        asked = with_other_case(published, Erasable(tuple(ids), tuple(keys)))
    with store.write() as connection:
        tombstones.request(connection, asked, reason=reason.strip() or DEFAULT_REASON, at=clock())
    return asked


def are_open(store: Store) -> bool:
    """Whether anybody was forgotten and not yet erased everywhere."""
    with store.read() as connection:
        return bool(tombstones.open_erasures(connection))


def carry_out_all(home: Home, store: Store, settings: Settings, wait: float) -> list[Receipt]:
    """Carry out what is not done yet, the last request and any that was stopped before.

    Args:
        home: the shop's home.
        store: its operational store.
        settings: the shop's.
        wait: seconds for a run that is at work; the next one carries them out before anything else.

    Raises:
        BusyError: a run holds the home for longer.
    """
    if not are_open(store):
        return []
    with lock.hold(home.lock, wait):
        check_destinations(settings, home)
        with store.read() as connection:
            erasures = tombstones.open_erasures(connection)
        return [_carry_out(home, store, erasure, settings) for erasure in erasures]


def _carry_out(home: Home, store: Store, erasure: Erasure, settings: Settings) -> Mapping[str, Any]:
    ids: Sequence[str] = erasure.subject.ids if erasure.subject else ()
    at = moment(home) if home.published.exists() else clock()
    answers = tell_destinations(store, home, settings, ids, at=at)
    receipt = {**erasure.receipt, "destinations": {**_destination_answers(erasure), **answers}}
    with store.write() as connection:
        tombstones.note_receipt(connection, erasure.erasure_id, receipt)
        (now,) = (
            each
            for each in tombstones.open_erasures(connection)
            if each.erasure_id == erasure.erasure_id
        )
    return carry_out(
        home,
        store,
        now,
        country=settings.shop.default_country,
        location=settings.input,
        at=clock(),
        ask=partial(ask_to_erase, home, settings),
    )


def _destination_answers(erasure: Erasure) -> dict[str, str]:
    return dict(erasure.receipt.get("destinations", {}))
