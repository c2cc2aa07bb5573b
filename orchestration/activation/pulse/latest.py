"""Which segments the latest pulse judged, so that a release leaves them to the next one.

Belongs here: that note in the operational store. Does not belong here: judging them (triggers.py).

A release knows what is published alone, and would give back what a pulse has brought up to date.
Where pulses have stopped, as by a schedule that is switched off, it releases everything again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from orchestration.ops import schema
from orchestration.ops.store import to_micros, upsert

JUDGED = "pulse_judged"  # of the store's meta
RECENT = timedelta(minutes=15)


def note_judged(connection: Connection, segments: Iterable[str], at: datetime) -> None:
    """Remember what a pulse judged, and when."""
    value = {"segments": sorted(segments), "at": to_micros(at)}
    upsert(connection, schema.meta, [{"key": JUDGED, "value": json.dumps(value)}])


def judged_lately(connection: Connection, at: datetime) -> frozenset[str]:
    """The segments that a pulse has judged a short while before this moment."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == JUDGED)
    known = json.loads(connection.execute(query).scalar() or "{}")
    moment = to_micros(at)
    if not known or not to_micros(at - RECENT) <= known["at"] <= moment:
        return frozenset()
    return frozenset(known["segments"])
