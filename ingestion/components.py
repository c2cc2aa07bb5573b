"""Who hangs together: the connected components of pairs of integers, by scipy.

Belongs here: the one function, on Arrow lists, so that an engine hands over all its pairs at once.
Does not belong here: which pairs there are, or that a component is a person; those are models
(`dbt_project/models/intermediate/identity`). Why not in SQL: docs/decisions/0012.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

SPARSE = 8  # beyond so many numbers per pair, numbers are renamed before an array of all is made


def components_of(one: Any, other: Any) -> Any:
    """Per row, the nodes of its pairs and then their components, in one list.

    Args:
        one: Arrow lists of integers from 0, one end of each pair.
        other: the other ends, in the same order.

    Returns:
        Arrow lists: the distinct nodes, smallest first, followed by as many components; the
        component of a node is the smallest node that it hangs together with.
    """
    rows = zip(_lists(one), _lists(other), strict=True)
    solved = [_solve(a, b) for a, b in rows]
    ends = np.cumsum([0, *map(len, solved)])
    numbers = np.concatenate(solved) if solved else np.empty(0, np.int64)
    return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), pa.array(numbers, pa.int64()))


def _lists(column: Any) -> list[Any]:
    """The lists of a column as arrays of numpy, not copied where there is one."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return [chunk[row].values.to_numpy() for chunk in chunks for row in range(len(chunk))]


def _solve(a: Any, b: Any) -> Any:
    # Half a second, which a dbt command that solves nothing need not wait
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not len(a):
        return np.empty(0, np.int64)
    names = None
    if max(a.max(), b.max()) > SPARSE * len(a):
        names, renamed = np.unique(np.concatenate([a, b]), return_inverse=True)
        a, b = renamed[: len(a)], renamed[len(a) :]
    size = int(max(a.max(), b.max())) + 1
    pairs = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(size, size))
    count, labels = connected_components(pairs, directed=False)
    present = np.zeros(size, np.bool_)
    present[a] = present[b] = True
    nodes = np.flatnonzero(present)
    found = labels[nodes]
    smallest = np.empty(count, np.int64)
    smallest[found[::-1]] = nodes[::-1]  # the smallest is written last and stays
    both = np.concatenate([nodes, smallest[found]])
    return both if names is None else names[both]
