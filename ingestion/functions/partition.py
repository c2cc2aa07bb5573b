"""Which ties to give up so that things that must stay apart do, and no part becomes a crowd.

Belongs here: the one-at-a-time part of identity that SQL cannot say. Does not belong here: what
ties people together or keeps them apart (dbt_project/models/intermediate/identity).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import merge
from typing import Final

APART: Final = 1
CROWD: Final = 2
_DAY: Final = 86_400_000_000


def refused_ties(
    ties: Sequence[Sequence[int]],
    apart: Iterable[Sequence[int]],
    counted: Iterable[Sequence[int]] = (),
    limits: Sequence[Sequence[int]] = (),
) -> list[list[int]]:
    """The ties that are refused: each one's place, from 1, and why (`APART` or `CROWD`).

    Ties are taken in their order, the strongest first. One that would bring two nodes of `apart`
    into one part, or a part beyond a limit, is refused and every other is used: a weaker tie never
    displaces a stronger one.

    Args:
        ties: pairs of nodes, strongest first; a third number that is not 0 says that a person made
            the tie by hand, which no limit refuses.
        apart: pairs of nodes that must not end in one part.
        counted: [node, limit, moment]: the node counts for that limit (its place in `limits`, from
            1) since that moment (microseconds).
        limits: [most, days]: a part has at most so many nodes that count, within any so many days,
            or ever where days is 0.
    """
    enemies: defaultdict[int, set[int]] = defaultdict(set)
    for a, b in apart:
        enemies[a].add(b)
        enemies[b].add(a)
    moments: defaultdict[int, dict[int, list[int]]] = defaultdict(dict)
    for node, limit, moment in counted:
        moments[node][limit] = [moment]
    parent: dict[int, int] = {}
    members: defaultdict[int, list[int]] = defaultdict(list)

    def root(node: int) -> int:
        while (above := parent.get(node, node)) != node:
            parent[node] = parent.get(above, above)
            node = above
        return node

    def part(of: int) -> list[int]:
        return members[of] or [of]

    refused = []
    for place, (a, b, *by_hand) in enumerate(ties, start=1):
        one, other = root(a), root(b)
        if one == other:
            continue
        smaller, larger = sorted((one, other), key=lambda top: len(part(top)))
        if any(root(enemy) == larger for node in part(smaller) for enemy in enemies.get(node, ())):
            refused.append([place, APART])
            continue
        together = {
            limit: list(merge(moments[larger].get(limit, []), moments[smaller].get(limit, [])))
            for limit in moments[larger].keys() | moments[smaller].keys()
        }
        crowds = (_is_crowd(found, *limits[limit - 1]) for limit, found in together.items())
        if not any(by_hand) and any(crowds):
            refused.append([place, CROWD])
            continue
        moments[larger] = together
        members[larger] = part(larger) + part(smaller)
        parent[smaller] = larger
    return refused


def _is_crowd(moments: Sequence[int], most: int, days: int) -> bool:
    """Whether more than `most` of the moments, in order, lie within `days` of one another."""
    if not days:
        return len(moments) > most
    return any(
        moments[place + most] - first <= days * _DAY for place, first in enumerate(moments[:-most])
    )
