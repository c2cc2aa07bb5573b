"""The first activation of a pair: since when a segment goes to a destination, and its baseline.

Where being added is being contacted, a segment that begins to be sent would contact everybody whom
it has collected so far. Unless its file says that this is meant (`first_activation: send`), whoever
is a member by then is its baseline: there, not sent. Whoever joins later is sent, also one of them
who left and joined again.

Belongs here: recording the moment, and who was a member by then. Does not belong here: what follows
for a wish (decision.py), a plan or a sync.

Moments are those of published files (`as_of`), as the stays of members are: one time line, whatever
the machine's clock said at the sync.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from ingestion.vocabulary import SEND_AT_FIRST
from orchestration.activation.people import Target
from orchestration.ops import schema
from orchestration.ops.store import insert_new, to_micros

Pair = tuple[str, str]  # destination, segment
ALWAYS = -1  # of a pair that was sent before moments were recorded: nobody is its baseline


def record_first_activation(
    connection: Connection, target: Target, as_of: datetime, at: datetime
) -> None:
    """Record that a pair is synced, where this is its first time.

    Args:
        connection: the store's, in a transaction that also begins the sync.
        target: the pair.
        as_of: of the published file that is sent.
        at: the moment of the sync.
    """
    row = {
        "destination": target.destination,
        "segment": target.segment,
        "as_of": to_micros(as_of),
        "activated_at": to_micros(at),
    }
    insert_new(connection, schema.first_activations, [row])


def first_activations(connection: Connection) -> dict[Pair, int]:
    """Of every pair that was ever synced, what was published then, in microseconds."""
    table = schema.first_activations.c
    rows = connection.execute(select(table.destination, table.segment, table.as_of))
    return {(row[0], row[1]): ALWAYS if row[2] is None else row[2] for row in rows}


def baselines(
    connection: Connection, words: Mapping[str, str], pairs: Iterable[Target], as_of: datetime
) -> dict[str, dict[str, int]]:
    """By segment and channel the moment up to which its members get nothing there.

    Of several destinations on a channel the first to be activated counts; one where being added
    contacts nobody is for all members, so that none is told here.

    Args:
        connection: the store's.
        words: what each segment's file says of a first activation.
        pairs: all that the shop sends, or would send.
        as_of: of the published file: the moment of a pair that was never synced.
    """
    known = first_activations(connection)
    moments: dict[tuple[str, str], list[int]] = defaultdict(list)
    for pair in pairs:
        moments[pair.segment, pair.channel].append(_baseline_of(pair, words, known, as_of))
    until_by_segment: dict[str, dict[str, int]] = defaultdict(dict)
    for (segment, channel), until in moments.items():
        if min(until) > ALWAYS:
            until_by_segment[segment][channel] = min(until)
    return until_by_segment


def baseline_until(
    connection: Connection, target: Target, words: Mapping[str, str], as_of: datetime
) -> int:
    """Up to which moment a pair's members are its baseline: when it was first synced, or now.

    `ALWAYS` where it has none. Arguments as above.
    """
    return _baseline_of(target, words, first_activations(connection), as_of)


def _baseline_of(
    pair: Target, words: Mapping[str, str], known: Mapping[Pair, int], as_of: datetime
) -> int:
    if not pair.messages_on_add or words.get(pair.segment) == SEND_AT_FIRST:
        return ALWAYS
    return known.get((pair.destination, pair.segment), to_micros(as_of))
