"""Which ties to give up so that things that must stay apart do.

Belongs here: the one-at-a-time part of identity that SQL cannot say. Does not belong here: what
ties people together or keeps them apart (dbt_project/models/intermediate/identity).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence


def refused_ties(ties: Sequence[Sequence[int]], apart: Iterable[Sequence[int]]) -> list[int]:
    """The places, from 1, of the ties that are refused.

    Ties are taken in their order, the strongest first. One that would bring two nodes of `apart`
    into one part is refused and every other is used: a weaker tie never displaces a stronger one.

    Args:
        ties: pairs of nodes, strongest first.
        apart: pairs of nodes that must not end in one part.
    """
    parent: dict[int, int] = {}
    enemies: defaultdict[int, set[int]] = defaultdict(set)
    for a, b in apart:
        enemies[a].add(b)
        enemies[b].add(a)
    members: defaultdict[int, list[int]] = defaultdict(list)

    def root(node: int) -> int:
        while (above := parent.get(node, node)) != node:
            parent[node] = parent.get(above, above)
            node = above
        return node

    def part(of: int) -> list[int]:
        return members[of] or [of]

    refused = []
    for place, (a, b) in enumerate(ties, start=1):
        one, other = root(a), root(b)
        if one == other:
            continue
        smaller, larger = sorted((one, other), key=lambda top: len(part(top)))
        if any(root(enemy) == larger for node in part(smaller) for enemy in enemies.get(node, ())):
            refused.append(place)
            continue
        members[larger] = part(larger) + part(smaller)
        parent[smaller] = larger
    return refused
