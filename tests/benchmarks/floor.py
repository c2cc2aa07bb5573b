"""Runs floor.sql: the same tables from the same raw data, by plain SQL in one process.

Who is who is read from the warehouse that the models made, so the models come first.

Belongs here: opening the stores the way dbt does (same threads) and running the script. Does not
belong here: any SQL that makes a table (floor.sql).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from ingestion.config import Settings
from ingestion.demo.catalogue import SHOP_DOMAIN
from orchestration.home.layout import Home
from orchestration.run.dbt import DBT_PROJECT

SCRIPT = Path(__file__).with_name("floor.sql")
# As in dbt_project/profiles.yml
THREADS = 2
STORAGE = "v1.5.0"


def floor_path(home: Home) -> Path:
    """Where the floor's tables are written."""
    return home.root / "floor.duckdb"


def build_floor(home: Home, settings: Settings, as_of: datetime) -> None:
    """Make every table of the floor anew.

    The script is written for the pretend shop's settings; another zone, currency or web host would
    need another script, which is what the models spare.
    """
    assert settings.shop.timezone == "Europe/London"
    assert settings.shop.currency == "GBP"
    assert settings.shop.hosts == (SHOP_DOMAIN,)
    path = floor_path(home)
    path.unlink(missing_ok=True)
    config = {
        "autoinstall_known_extensions": "false",
        "threads": str(THREADS),
        "storage_compatibility_version": STORAGE,
    }
    with duckdb.connect(str(path), config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{home.raw}' as raw (read_only)")
        connection.execute(f"attach '{home.warehouse}' as product (read_only)")
        connection.execute(f"set variable seeds = '{DBT_PROJECT / 'seeds'}'")
        connection.execute(f"set variable exports = '{home.ops_export}'")
        connection.execute(f"set variable as_of = timestamp '{as_of.isoformat(sep=' ')}'")
        connection.execute(SCRIPT.read_text("utf-8"))
