"""Splink's own clustering of the bench's edges, as a program of its own.

Data flow: edges.parquet -> Splink's `cluster_pairwise_predictions_at_threshold` -> clusters.parquet
Run by an interpreter that has Splink: `python identity_splink.py EDGES CLUSTERS`. Imports nothing
of ours.
"""

from __future__ import annotations

import importlib
import sys


def main(edges: str, clusters: str) -> None:
    """Every identifier with the cluster that Splink gives it."""
    splink = importlib.import_module("splink")
    clustering = importlib.import_module("splink.clustering")
    duckdb = importlib.import_module("duckdb")
    connection = duckdb.connect()
    connection.execute(
        f"create table edges as select identifier_l, identifier_r from read_parquet('{edges}')"
    )
    connection.execute(
        "create table nodes as select identifier_l as identifier from edges "
        "union select identifier_r from edges"
    )
    api = splink.DuckDBAPI(connection)
    found = clustering.cluster_pairwise_predictions_at_threshold(
        api.register("nodes"), api.register("edges"), api, "identifier"
    )
    connection.execute(
        f"copy (select identifier, cluster_id as component from {found.physical_name}) "
        f"to '{clusters}' (format parquet)"
    )
    print(f"splink {splink.__version__}, duckdb {duckdb.__version__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
