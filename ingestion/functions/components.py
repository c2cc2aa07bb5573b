"""The connected components of edges between integers, as arrays.

Belongs here: the one function, on Arrow lists, so that an engine hands over all its edges at once.
Does not belong here: which edges there are, or that a component is a person; those are models
(`dbt_project/models/intermediate/identity`). Why not in SQL: docs/decisions/0012.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

SPARSE = 8  # beyond so many numbers per edge, numbers are renamed before an array of all is made


def components_of(one: Any, other: Any) -> Any:
    """Per row, every node of its edges with its component.

    Args:
        one: Arrow lists of integers from 0, one end of each edge.
        other: the other ends, in the same order.

    Returns:
        Arrow lists of {node, component}: the distinct nodes, smallest first; the component of a
        node is the smallest node that it is connected with.
    """
    solved = [_solve(a, b) for a, b in zip(_lists(one), _lists(other), strict=True)]
    ends = np.cumsum([0, *(len(nodes) for nodes, _ in solved)])
    nodes = np.concatenate([_NONE, *(nodes for nodes, _ in solved)])
    components = np.concatenate([_NONE, *(components for _, components in solved)])
    rows = pa.StructArray.from_arrays([pa.array(nodes), pa.array(components)], _FIELDS)
    return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), rows)


_FIELDS = ("node", "component")
_NONE = np.empty(0, np.int64)


def _lists(column: Any) -> list[Any]:
    """The lists of a column as arrays of numpy, not copied where there is one."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return [chunk[row].values.to_numpy() for chunk in chunks for row in range(len(chunk))]


def _solve(a: Any, b: Any) -> tuple[Any, Any]:
    """The nodes of one graph, smallest first, and the component of each."""
    if not len(a):
        return _NONE, _NONE
    if max(a.max(), b.max()) > SPARSE * len(a):
        names, renamed = np.unique(np.concatenate([a, b]), return_inverse=True)
        return names, names[_smallest(renamed[: len(a)], renamed[len(a) :])]
    present = np.zeros(max(a.max(), b.max()) + 1, np.bool_)
    present[a] = present[b] = True
    nodes = np.flatnonzero(present)
    return nodes, _smallest(a, b)[nodes]


def _smallest(a: Any, b: Any) -> Any:
    """For every number up to the greatest, the smallest that it is connected with.

    By hooking and jumping (Shiloach and Vishkin, "An O(log n) parallel connectivity algorithm",
    1982): whatever has a smaller neighbour is hooked to the smallest, everything then jumps to the
    end of its chain of hooks, and edges within one chain are done. What is left are edges between
    ends. Two rounds leave each graph at most half of its ends, so a long chain takes few rounds
    too.
    """
    ends = np.arange(max(a.max(), b.max()) + 1)
    while len(a):
        np.minimum.at(ends, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(ends, further := ends[ends]):
            ends = further
        a, b = ends[a], ends[b]
        apart = a != b
        a, b = a[apart], b[apart]
    return ends
