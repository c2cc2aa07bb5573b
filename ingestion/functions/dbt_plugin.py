"""The dbt-duckdb plugin of every model run (see dbt_project/profiles.yml).

It gives models our functions, holds them to the memory that the settings allow, and keeps what an
engine quotes of a row out of all that dbt writes.

Belongs here: what dbt calls. Does not belong here: the functions (`registration.py`), which others
use without dbt.
"""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from ingestion.duckdb import limit_memory
from ingestion.functions.registration import register
from ingestion.redaction.dbt import leave_out_rows


class Plugin(BasePlugin):
    """dbt-duckdb calls this once for the connection that all threads share."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register our functions; before the first row is read, mind what dbt writes of rows and
        how much memory the settings allow."""
        leave_out_rows()
        limit_memory(conn)
        register(conn)
