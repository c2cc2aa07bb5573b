"""The steps of the identity bench, each one process: what ours costs, and the product's SQL for it.

Belongs here: the order of statements around SQL that dbt compiled from the models. Does not belong
here: measuring (measure), telling (identity_page), or any SQL that finds components.

The dictionary is the model `int_identifier_values`, which reads pairs of the identifier rules; the
bench gives it the edges as these. The components are the model `int_identity_drafts`. Texts are
given in their matching form, so `match_identifier` has nothing to do. Run as a module:
`python -m tests.benchmarks.identity_steps STEP FOLDER`; the folder has edges.parquet and compiled/.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingestion.duckdb_functions import register_components

Connection = duckdb.DuckDBPyConnection

# The identifier types in the order of trust, as in macros/identity.sql; a test compares.
TRUST = (
    *("shopify_customer_id", "orders_customer_id", "login", "email", "loyalty_id"),
    *("klaviyo_profile_id", "payment_card", "phone", "device"),
)

DICTIONARY, COMPONENTS = "int_identifier_values", "int_identity_drafts"
ANEW, AGAIN = "anew", "again"
STATE = "state"
_TYPES = (
    "identifier_type varchar, raw_value varchar, identifier_value varchar, identifier_key bigint"
)


def compile_models(folder: Path) -> None:
    """Write the SQL of the two models as dbt renders it, for a first run and for a later one."""
    from ingestion.config import load_settings
    from orchestration.home import Home
    from orchestration.transformation import DBT_PROJECT, dbt_executable, vars_argument

    shutil.rmtree(folder / "home", ignore_errors=True)
    home = Home(folder / "home").create()
    for database in (home.raw, home.warehouse):
        duckdb.connect(str(database)).close()
    for when in (ANEW, AGAIN):
        command = [dbt_executable(), "--quiet", "compile", "--select", DICTIONARY, COMPONENTS]
        command += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
        command += ["--target-path", str(home.dbt / "target"), "--log-path", str(home.dbt / "logs")]
        command += vars_argument(load_settings())
        environment = {**os.environ, "REGULARS_HOME": str(home.root)}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        (folder / "compiled").mkdir(exist_ok=True)
        for model in (DICTIONARY, COMPONENTS):
            (found,) = (home.dbt / "target" / "compiled").rglob(f"{model}.sql")
            (folder / "compiled" / f"{model}_{when}.sql").write_text(
                found.read_text("utf-8"), "utf-8"
            )
        with duckdb.connect(str(home.warehouse)) as connection:
            connection.execute("create schema if not exists intermediate")
            connection.execute(f"create table if not exists intermediate.{DICTIONARY} ({_TYPES})")


class Identities:
    """A warehouse with the dictionary, the edges as integers and everybody's component."""

    def __init__(self, folder: Path, connection: Connection, edges: str) -> None:
        """`edges` is the condition on the file's rows that this step reads."""
        self._folder, self._con = folder, connection
        evidence = ", ".join(f"null::varchar as {name}" for name in TRUST)
        connection.execute("create temp macro match_identifier(type, value, country) as value")
        register_components(connection)
        connection.execute("create schema if not exists warehouse.intermediate")
        connection.execute("create schema if not exists warehouse.staging")
        connection.execute(
            "create or replace view warehouse.intermediate.int_identity_evidence as "
            f"select {evidence} where false"
        )
        # Read once, as Splink's are; the models read theirs from a table
        connection.execute(
            "create table memory.main.edges as "
            f"select type_a, value_a, type_b, value_b from read_parquet('{folder}/edges.parquet') "
            f"where {edges}"
        )
        connection.execute(
            "create or replace view warehouse.staging.stg_identity_rules__identity_rules as "
            "from memory.main.edges"
        )
        connection.execute("use warehouse.intermediate")

    def _model(self, name: str, when: str = ANEW) -> str:
        return (self._folder / "compiled" / f"{name}_{when}.sql").read_text("utf-8")

    def learn_texts(self) -> None:
        """Give every text its integer; those of earlier runs keep theirs."""
        known = self._con.execute(
            f"select count(*) from duckdb_tables() where table_name = '{DICTIONARY}'"
        ).fetchone()
        if known == (1,):
            self._con.execute(f"insert into {DICTIONARY} {self._model(DICTIONARY, AGAIN)}")
        else:
            self._con.execute(f"create table {DICTIONARY} as {self._model(DICTIONARY)}")

    def key_edges(self, table: str) -> None:
        """The edges as integers."""
        self._con.execute(f"""
            create table {table} as
            select
                least(values_a.identifier_key, values_b.identifier_key) as key_a,
                greatest(values_a.identifier_key, values_b.identifier_key) as key_b
            from staging.stg_identity_rules__identity_rules as edges
            inner join {DICTIONARY} as values_a
                on edges.type_a = values_a.identifier_type and edges.value_a = values_a.raw_value
            inner join {DICTIONARY} as values_b
                on edges.type_b = values_b.identifier_type and edges.value_b = values_b.raw_value
        """)

    def solve(self, links: str) -> str:
        """The SQL of the components of some links."""
        self._con.execute(
            "create or replace view int_identity_links_checked as "
            f"select *, null::varchar as refusal_reason from ({links})"
        )
        return self._model(COMPONENTS)

    def write_names(self, file: str, condition: str = "true") -> None:
        """Write what identifiers are called beside their component."""
        self._con.execute(f"""
            copy (
                select
                    identifiers.identifier_type || '|' || identifiers.raw_value as identifier,
                    components.component
                from components
                inner join {DICTIONARY} as identifiers
                    on components.node = identifiers.identifier_key
                where {condition}
            ) to '{self._folder / file}' (format parquet)
        """)


@contextmanager
def opened(
    folder: Path, database: str | Path, edges: str = "true"
) -> Iterator[tuple[Connection, Identities]]:
    """A warehouse of the bench."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as warehouse")
        yield connection, Identities(folder, connection, edges)


def _build(folder: Path, name: str, database: str | Path, edges: str = "true") -> None:
    """Everything that has no result yet, from what the warehouse holds."""
    with opened(folder, database, edges) as (connection, identities):
        identities.learn_texts()
        identities.key_edges("links")
        connection.execute(f"create table components as {identities.solve('from links')}")
        identities.write_names(f"{name}.parquet")


def _cleared(folder: Path, name: str) -> Path:
    database = folder / f"{name}.duckdb"
    database.unlink(missing_ok=True)
    return database


def prepare(folder: Path) -> None:
    """What the day before leaves: dictionary, edges, components. Not part of any figure."""
    _build(folder, STATE, _cleared(folder, STATE), "not is_day")


def cold(folder: Path) -> None:
    """Everything from texts, nothing known before and nothing kept: what Splink does."""
    _build(folder, "cold", ":memory:")


def rebuild(folder: Path) -> None:
    """Everything from texts, and kept for the next day: what the models do."""
    _build(folder, "rebuild", _cleared(folder, "rebuild"))


def keep_dictionary(folder: Path) -> None:
    """A warehouse with the dictionary of `rebuild` and nothing else."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{folder}/rebuild.duckdb' as known (read_only)")
        connection.execute(f"attach '{_cleared(folder, 'warm')}' as warm")
        connection.execute("create schema warm.intermediate")
        connection.execute(
            f"create table warm.intermediate.{DICTIONARY} as from known.intermediate.{DICTIONARY}"
        )


def warm(folder: Path) -> None:
    """Everything, with the dictionary of an earlier run."""
    _build(folder, "warm", folder / "warm.duckdb")


def day(folder: Path) -> None:
    """One percent more: whom it touches is solved again, the rest is kept."""
    with opened(folder, folder / f"{STATE}.duckdb", "is_day") as (connection, identities):
        identities.learn_texts()
        identities.key_edges("new_links")
        connection.execute("insert into links from new_links")
        connection.execute("""
            create temp table scope as
            with changed as (
                select key_a as identifier_key from new_links
                union
                select key_b from new_links
            )
            from changed
            union
            select node
            from components
            where component in (
                select component from components inner join changed on node = identifier_key
            )
        """)
        links = "from links where key_a in (from scope)"
        connection.execute(f"create temp table solved as {identities.solve(links)}")
        connection.execute("delete from components where node in (from scope)")
        connection.execute("insert into components from solved")
        identities.write_names("day.parquet", "components.node in (from scope)")
        connection.execute("drop table new_links")


def named(connection: Connection, database: Path) -> str:
    """The SQL of everybody's component in a warehouse of the bench, by what they are called."""
    connection.execute(f"attach '{database}' as kept (read_only)")
    return f"""
        select
            identifiers.identifier_type || '|' || identifiers.raw_value as identifier,
            components.component
        from kept.intermediate.components
        inner join kept.intermediate.{DICTIONARY} as identifiers
            on components.node = identifiers.identifier_key
    """


STEPS: dict[str, Callable[[Path], None]] = {
    step.__name__: step for step in (prepare, cold, rebuild, keep_dictionary, warm, day)
}


if __name__ == "__main__":
    STEPS[sys.argv[1]](Path(sys.argv[2]))
