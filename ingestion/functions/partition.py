"""Which edges to give up so that things that must stay apart do, and no component has too many.

Belongs here: the one-at-a-time part of identity that SQL cannot say. Does not belong here: what
connects people or keeps them apart (dbt_project/models/intermediate/identity).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import merge
from typing import Final

APART: Final = 1
TOO_MANY: Final = 2
_DAY: Final = 86_400_000_000


def refused_edges(
    edges: Sequence[Sequence[int]],
    apart: Iterable[Sequence[int]],
    counted: Iterable[Sequence[int]] = (),
    limits: Sequence[Sequence[int]] = (),
) -> list[list[int]]:
    """The edges that are refused: each one's place, from 1, and why (`APART` or `TOO_MANY`).

    Edges are taken in their order, the strongest first. One that would bring two nodes of `apart`
    into one component, or a component beyond a limit, is refused and every other is used: a weaker
    edge never displaces a stronger one.

    Args:
        edges: pairs of nodes, strongest first; a third number that is not 0 says that a person made
            the edge by hand, which no limit refuses.
        apart: pairs of nodes that must not end in one component.
        counted: [node, limit, moment]: the node counts for that limit (its place in `limits`, from
            1) since that moment (microseconds).
        limits: [most, days]: a component has at most so many nodes that count, within any so many
            days, or ever where days is 0.
    """
    kept_apart: defaultdict[int, set[int]] = defaultdict(set)
    for a, b in apart:
        kept_apart[a].add(b)
        kept_apart[b].add(a)
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

    def component(of: int) -> list[int]:
        return members[of] or [of]

    refused = []
    for position, (a, b, *by_hand) in enumerate(edges, start=1):
        one, other = root(a), root(b)
        if one == other:
            continue
        smaller, larger = sorted((one, other), key=lambda top: len(component(top)))
        if any(
            root(other_side) == larger
            for node in component(smaller)
            for other_side in kept_apart.get(node, ())
        ):
            refused.append([position, APART])
            continue
        together = {
            limit: list(merge(moments[larger].get(limit, []), moments[smaller].get(limit, [])))
            for limit in moments[larger].keys() | moments[smaller].keys()
        }
        too_many = (
            _are_too_many(holders, *limits[limit - 1]) for limit, holders in together.items()
        )
        if not any(by_hand) and any(too_many):
            refused.append([position, TOO_MANY])
            continue
        moments[larger] = together
        members[larger] = component(larger) + component(smaller)
        parent[smaller] = larger
    return refused


def _are_too_many(moments: Sequence[int], most: int, days: int) -> bool:
    """Whether more than `most` of the moments, in order, lie within `days` of one another."""
    if not days:
        return len(moments) > most
    return any(
        moments[position + most] - first <= days * _DAY
        for position, first in enumerate(moments[:-most])
    )
