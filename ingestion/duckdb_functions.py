"""What SQL cannot say, as functions that SQL can call.

Belongs here: registering `ingestion.identifiers` and `ingestion.partition` on a DuckDB connection;
`ingestion.dbt_plugin` does so for every model run. Does not belong here: any rule about values;
those live in `ingestion.identifiers`, so that models, consent facts and the send gate can never
disagree.

The functions run in Python, about a million values in ten seconds, so models call them once per
distinct value and keep the answer (`int_identifier_values`).
"""

from __future__ import annotations

import duckdb
from duckdb.func import FunctionNullHandling
from duckdb.sqltypes import BIGINT, VARCHAR

from ingestion.identifiers import match_identifier
from ingestion.partition import refused_ties


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `match_identifier` and `refused_ties` callable, with the arguments they have here."""
    connection.create_function(
        "match_identifier",
        match_identifier,
        [VARCHAR, VARCHAR, VARCHAR],
        VARCHAR,
        null_handling=FunctionNullHandling.SPECIAL,
    )
    numbers = duckdb.list_type(duckdb.list_type(BIGINT))
    connection.create_function("refused_ties", refused_ties, [numbers] * 4, numbers)
