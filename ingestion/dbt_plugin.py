"""The dbt-duckdb plugin that gives every model run our functions (see dbt_project/profiles.yml).

Belongs here: what dbt calls. Does not belong here: the functions (`ingestion.duckdb_functions`),
which others use without dbt.
"""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from ingestion.duckdb_functions import register


class Plugin(BasePlugin):
    """dbt-duckdb calls this once for the connection that all threads share."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register our functions."""
        register(conn)
