"""What SQL cannot say, as functions that SQL can call.

Belongs here: registering `identifiers`, `components` and `partition` on a DuckDB connection;
`dbt_plugin` does so for every model run. Does not belong here: any rule about values; those live in
`identifiers`, so that models, consent facts and the send gate can never disagree.

`match_identifier` runs in Python, about a million values in ten seconds, so models call it once per
distinct value and keep the answer (`int_identifier_values`).
"""

from __future__ import annotations

import duckdb
from duckdb.func import FunctionNullHandling, PythonUDFType
from duckdb.sqltypes import BIGINT, VARCHAR

from ingestion.functions.components import components_of
from ingestion.functions.identifiers import match_identifier
from ingestion.functions.partition import refused_edges


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions callable, with the arguments they have here."""
    connection.create_function(
        "match_identifier",
        match_identifier,
        [VARCHAR, VARCHAR, VARCHAR],
        VARCHAR,
        null_handling=FunctionNullHandling.SPECIAL,
    )
    register_components(connection)
    numbers = duckdb.list_type(duckdb.list_type(BIGINT))
    connection.create_function("refused_edges", refused_edges, [numbers] * 4, numbers)


def register_components(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `components_of` callable; it takes and gives Arrow, without an object per number."""
    numbers = duckdb.list_type(BIGINT)
    result_type = duckdb.list_type(duckdb.struct_type({"node": BIGINT, "component": BIGINT}))
    connection.create_function(
        "components_of", components_of, [numbers, numbers], result_type, type=PythonUDFType.ARROW
    )
