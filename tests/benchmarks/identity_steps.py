"""The steps of the identity bench, each one process: what ours costs, and the product's SQL for it.

Belongs here: the order of statements around SQL that dbt compiled from the models. Does not belong
here: measuring (measure), telling (identity_page), or any SQL that finds components.

The dictionary is the model `int_identifier_values`, texts become integers by
`int_identity_evidence_keyed`, the components are `int_identity_components_before_cuts`; the bench
gives them its pairs as evidence. Texts are given in their matching form, so `match_identifier` has
nothing to do.
Run as a module: `python -m tests.benchmarks.identity_steps STEP FOLDER`; the folder has what
`identity_edges` wrote and compiled/.
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

from ingestion.functions.registration import register_components

Connection = duckdb.DuckDBPyConnection

# The identifier types in the order of trust, as in macros/identity.sql; a test compares.
TRUST = (
    *("shopify_customer_id", "orders_customer_id", "login", "email", "loyalty_id"),
    *("klaviyo_profile_id", "payment_card", "phone", "publisher_login", "push_token"),
    "device",
)

DICTIONARY, COMPONENTS = "int_identifier_values", "int_identity_components_before_cuts"
KEYED = "int_identity_evidence_keyed"
MODELS = (DICTIONARY, KEYED, COMPONENTS)
ANEW, AGAIN = "anew", "again"
STATE = "state"
EDGES, KEYED_EDGES = "edges.parquet", "keyed_edges.parquet"
EVIDENCE, DAY_EVIDENCE = "evidence.parquet", "day_evidence.parquet"
_NOT_IDENTIFIERS = (
    *("source_system", "rule", "evidence_rank", "source_record_id"),
    *("observed_at", "last_seen_at", "observation_count", "person_name", "previous_login"),
)
_TYPES = (
    "identifier_type varchar, raw_value varchar, identifier_value varchar, identifier_key bigint"
)


def compile_models(folder: Path) -> None:
    """Write the SQL of the models as dbt renders it, for a first run and for a later one."""
    from ingestion.settings_file import load_settings
    from orchestration.home.layout import Home
    from orchestration.run.dbt import DBT_PROJECT, dbt_executable, vars_argument

    shutil.rmtree(folder / "home", ignore_errors=True)
    home = Home(folder / "home").create()
    for database in (home.raw, home.warehouse):
        duckdb.connect(str(database)).close()
    for when in (ANEW, AGAIN):
        command = [dbt_executable(), "--quiet", "compile", "--select", *MODELS]
        command += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
        command += ["--target-path", str(home.dbt / "target"), "--log-path", str(home.dbt / "logs")]
        command += vars_argument(load_settings())
        environment = {**os.environ, "REGULARS_HOME": str(home.root)}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        (folder / "compiled").mkdir(exist_ok=True)
        for model in MODELS:
            (found,) = (home.dbt / "target" / "compiled").rglob(f"{model}.sql")
            (folder / "compiled" / f"{model}_{when}.sql").write_text(
                found.read_text("utf-8"), "utf-8"
            )
        with duckdb.connect(str(home.warehouse)) as connection:
            connection.execute("create schema if not exists intermediate")
            connection.execute(f"create table if not exists intermediate.{DICTIONARY} ({_TYPES})")


class Identities:
    """A warehouse with the dictionary, the edges as integers and everybody's component."""

    def __init__(self, folder: Path, connection: Connection, evidence: str) -> None:
        """`evidence` is the SQL of the pairs that this step reads, after "from"."""
        self._folder, self._con = folder, connection
        connection.execute("create temp macro match_identifier(type, value, country) as value")
        register_components(connection)
        connection.execute("create schema if not exists warehouse.intermediate")
        connection.execute("create schema if not exists warehouse.staging")
        # Read once, as Splink's are; the models read theirs from a table
        connection.execute(
            f"create table memory.main.evidence as select {', '.join(TRUST)} from {evidence}"
        )
        nothing = ", ".join(f"null as {name}" for name in _NOT_IDENTIFIERS)
        connection.execute(
            "create or replace view warehouse.intermediate.int_identity_evidence as "
            f"select {nothing}, * from memory.main.evidence"
        )
        connection.execute(
            "create or replace view warehouse.staging.stg_identity_rules__identity_rules as "
            "select null as type_a, null as value_a, null as type_b, null as value_b where false"
        )
        connection.execute("create schema if not exists warehouse.seeds")
        connection.execute(
            "create or replace view warehouse.seeds.country_names as "
            "select null::varchar as country_name, null::varchar as country_code where false"
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
        """The pairs as integers."""
        keys = ", ".join(TRUST)
        self._con.execute(
            f"create table {table} as "
            f"select least({keys}) as key_a, greatest({keys}) as key_b from ({self._model(KEYED)})"
        )

    def solve(self, links: str) -> str:
        """The SQL of the components of some links."""
        self._con.execute(
            "create or replace view int_identity_edges_checked as "
            f"select *, null::varchar as refusal_reason from ({links})"
        )
        return self._model(COMPONENTS)

    def write_names(self, file: str) -> None:
        """Write what identifiers are called beside their component."""
        self._con.execute(f"""
            copy (
                select
                    identifiers.identifier_type || '|' || identifiers.raw_value as identifier,
                    components.component
                from components
                inner join {DICTIONARY} as identifiers
                    on components.node = identifiers.identifier_key
            ) to '{self._folder / file}' (format parquet)
        """)


@contextmanager
def opened(
    folder: Path, database: str | Path, evidence: str = EVIDENCE, condition: str = "true"
) -> Iterator[tuple[Connection, Identities]]:
    """A warehouse of the bench, with the pairs of a file that meet a condition."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as warehouse")
        file = f"read_parquet('{folder / evidence}') where {condition}"
        yield connection, Identities(folder, connection, file)


def _build(folder: Path, name: str, database: str | Path, condition: str = "true") -> None:
    """Everything that has no result yet, from what the warehouse holds."""
    with opened(folder, database, condition=condition) as (connection, identities):
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


def keep(folder: Path) -> None:
    """From `rebuild`: its edges as integers, and a warehouse with its dictionary and no more.

    Not part of any figure.
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach '{folder}/rebuild.duckdb' as known (read_only)")
        connection.execute(f"attach '{_cleared(folder, 'reread')}' as reread")
        connection.execute("create schema reread.intermediate")
        connection.execute(
            f"create table reread.intermediate.{DICTIONARY} as from known.intermediate.{DICTIONARY}"
        )
        connection.execute(
            "copy (select key_a as identifier_l, key_b as identifier_r "
            f"from known.intermediate.links) to '{folder / KEYED_EDGES}' "
            "(format parquet, compression zstd)"
        )


def warm(folder: Path) -> None:
    """The components of edges whose texts a kept dictionary has turned into integers."""
    with opened(folder, ":memory:", condition="false") as (connection, identities):
        connection.execute(
            "create table links as select identifier_l as key_a, identifier_r as key_b "
            f"from read_parquet('{folder / KEYED_EDGES}')"
        )
        connection.execute(f"create table components as {identities.solve('from links')}")
        connection.execute(
            "copy (select node as identifier, component from components) "
            f"to '{folder}/warm.parquet' (format parquet)"
        )


def reread(folder: Path) -> None:
    """Everything from texts again, each looked up in the dictionary of an earlier run."""
    _build(folder, "reread", folder / "reread.duckdb")


def look_up(folder: Path) -> None:
    """The texts of the last percent as integers, the new ones learnt."""
    with opened(folder, folder / f"{STATE}.duckdb", DAY_EVIDENCE) as (_, identities):
        identities.learn_texts()
        identities.key_edges("new_links")


def day(folder: Path) -> None:
    """One percent more edges: whom they touch is solved again, the rest is kept."""
    database = folder / f"{STATE}.duckdb"
    with opened(folder, database, condition="false") as (connection, identities):
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
        connection.execute(f"copy solved to '{folder}/day.parquet' (format parquet)")


def named(connection: Connection, database: Path, found: str | None = None) -> str:
    """The SQL of everybody's component by what they are called in a warehouse of the bench.

    `found` is the SQL of rows of (identifier, component) with the warehouse's integers, after
    "from"; without it, the warehouse's own components.
    """
    connection.execute(f"attach if not exists '{database}' as {database.stem} (read_only)")
    kept = f"{database.stem}.intermediate"
    return f"""
        select
            identifiers.identifier_type || '|' || identifiers.raw_value as identifier,
            found.component
        from {found or f"(select node as identifier, component from {kept}.components)"} as found
        inner join {kept}.{DICTIONARY} as identifiers
            on found.identifier = identifiers.identifier_key
    """


STEPS: dict[str, Callable[[Path], None]] = {
    step.__name__: step for step in (cold, rebuild, keep, warm, reread, prepare, look_up, day)
}


if __name__ == "__main__":
    STEPS[sys.argv[1]](Path(sys.argv[2]))
