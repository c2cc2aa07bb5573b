"""How a store of an earlier version becomes one of this version (Alembic).

A new table or column is two things: its declaration in `schema.py`, and a file in `versions/` that
adds it, with the next number; `schema.REVISION` names the latest. A test compares where the files
lead with the declaration. Changes that SQLite cannot make in place use `op.batch_alter_table`.

Belongs here: carrying the steps out, within a transaction that the caller has begun. Does not
belong here: opening the store, its lock or its copy (`store.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from orchestration.ops.schema import VERSION_TABLE


def steps() -> ScriptDirectory:
    """Every step that this code knows."""
    config = Config()
    here = Path(__file__).parent
    config.set_main_option("script_location", str(here))
    config.set_main_option("version_locations", str(here / "versions"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def known() -> set[str]:
    """The revisions that this code knows."""
    return {step.revision for step in steps().walk_revisions()}


def upgrade(connection: Connection, to: str = "head") -> None:
    """Carry out the steps that the store lacks, all of them within the caller's transaction.

    Args:
        connection: to the store, in a transaction.
        to: the revision to stop at; the latest by default.
    """
    scripts = steps()

    def missing(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs(to, revision)

    options = {"fn": missing, "version_table": VERSION_TABLE, "render_as_batch": True}
    context = MigrationContext.configure(connection, opts=options)
    with Operations.context(context):
        context.run_migrations()
