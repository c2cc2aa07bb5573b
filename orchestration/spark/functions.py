"""Our functions on Spark: what `ingestion/functions/registration.py` gives a DuckDB session.

Belongs here: the same Python, called on Arrow arrays. Does not belong here: any rule about values
(ingestion/functions), and how SQL calls a function (dbt_project/macros/engine).
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ingestion.functions.components import components_of
from ingestion.functions.identifiers import match_identifier
from ingestion.functions.partition import refused_edges

NUMBERS = pa.list_(pa.int64())
PLACED = pa.list_(pa.struct([("node", pa.int64()), ("component", pa.int64())]))
REFUSED = pa.list_(NUMBERS)


def register(spark: Any) -> None:
    """Make the functions callable by the session's SQL.

    They are deterministic, but Spark may not move or merge their calls: a call costs more than
    what stands around it.
    """
    from pyspark.sql.functions import arrow_udf  # noqa: PLC0415 - the extra `spark`

    functions = (
        ("match_identifier", matching_forms, "string"),
        ("components_of", placed_nodes, "array<struct<node: bigint, component: bigint>>"),
        ("refused_edges", refused_places, "array<array<bigint>>"),
    )
    for name, function, kind in functions:
        spark.udf.register(name, arrow_udf(function, kind))


def matching_forms(types: pa.Array, values: pa.Array, countries: pa.Array) -> pa.Array:
    """The matching form of each value; NULL for none."""
    rows = zip(types.to_pylist(), values.to_pylist(), countries.to_pylist(), strict=True)
    return pa.array([match_identifier(*row) for row in rows], pa.string())


def placed_nodes(one: pa.Array, other: pa.Array) -> pa.Array:
    """Per row, every node of its edges with its component."""
    return components_of(one, other).cast(PLACED)


def refused_places(
    edges: pa.Array, apart: pa.Array, counted: pa.Array, limits: pa.Array
) -> pa.Array:
    """Per row, the places of the edges that are given up, and why; NULL where one is missing."""
    rows = zip(*(column.to_pylist() for column in (edges, apart, counted, limits)), strict=True)
    return pa.array(
        [None if None in row else refused_edges(*row) for row in rows],
        REFUSED,
    )
