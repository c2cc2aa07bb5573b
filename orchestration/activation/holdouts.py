"""Who is held out: contacted by no segment or not by one, so that what contacts do can be told.

Belongs here: the draw, pure. Does not belong here: what holding out means (decision.py) and what a
comparison of the groups shows.

A person is drawn by a hash of the id under which they were first known: the survivor of a merge
keeps its own draw, and whoever is split off keeps that of the person they were part of. The draw is
a number between 0 and 1, and a share holds out whoever lies below it, so a larger share only adds
people and a smaller one only lets some go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

_DIGITS = 13  # hexadecimal digits that a double holds exactly


def is_held_out(origin: str, holdout: str, share: float, salt: str) -> bool:
    """Whether the person first known as `origin` is held out of a segment, or of all (`global`)."""
    return share > 0 and draw(origin, holdout, salt) < share


def draw(origin: str, holdout: str, salt: str) -> float:
    """The person's number for this holdout, from 0 up to 1."""
    digest = hashlib.sha256(f"{salt}\n{holdout}\n{origin}".encode()).hexdigest()
    return int(digest[:_DIGITS], 16) / float(16**_DIGITS)


def origin_of(customer_id: str, split_from: Mapping[str, str]) -> str:
    """The id under which the person was first known, following every split back."""
    seen = {customer_id}
    while (earlier := split_from.get(customer_id)) is not None and earlier not in seen:
        seen.add(earlier)
        customer_id = earlier
    return customer_id
