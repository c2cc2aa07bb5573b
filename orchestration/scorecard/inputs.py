"""What the scorecard reads: the truth, the published file and the evidence in the warehouse.

Belongs here: opening, checking and copying each into temporary tables of one connection in memory.
Does not belong here: what is measured on them (measures) or made of them (rivals).

Data flow: demo/truth/{identifiers,people} -> truth, people
published.duckdb marts.{bridge_customer_identifiers,dim_customers} -> found, golden
warehouse.duckdb intermediate.{int_identity_evidence,int_identifier_values}
-> records, sightings, identifiers
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingestion.duckdb import literal
from ingestion.errors import RegularsError, UsageError
from ingestion.vocabulary import IDENTIFIER_TYPES
from orchestration.home.layout import Home
from orchestration.home.lock import hold
from orchestration.published.reader import open_locked, open_published
from orchestration.scorecard.measures import Connection

# A trouble of families is two: a device that they share, and a card that they pay with.
_TRUTH = """
create or replace temp table truth as
with rows as (
    select person_id, identifier_type, identifier_value, evidence_group, is_shared,
        case
            when trouble = 'family' and identifier_type = 'device' then 'family_device'
            when trouble = 'family' then 'household_card'
            else trouble
        end as trouble
    from read_parquet({identifiers})
),
named_people as (
    select person_id, row_number() over (order by person_id) as person
    from (select distinct person_id from rows)
),
named_values as (
    select identifier_type, identifier_value, count(distinct person_id) as owners,
        row_number() over (order by identifier_type, identifier_value) as value
    from rows group by identifier_type, identifier_value
),
named_groups as (
    select evidence_group, row_number() over (order by evidence_group) as evidence
    from (select distinct evidence_group from rows where evidence_group is not null)
)
select person_id, person, identifier_type, identifier_value, value, evidence, trouble,
    not is_shared and owners = 1 as is_exclusive
from rows
join named_people using (person_id)
join named_values using (identifier_type, identifier_value)
left join named_groups using (evidence_group)
"""
_PEOPLE = """
create or replace temp table people as
select owners.person, best_email
from read_parquet({people})
join (select distinct person_id, person from truth) as owners using (person_id)
"""


def require_truth(home: Home) -> None:
    """Refuse a home whose people nobody knows.

    Raises:
        UsageError: the home has no pretend shop.
    """
    for name in ("identifiers", "people"):
        if not any((home.demo / "truth").glob(f"{name}/*.parquet")):
            raise UsageError(
                "This home has no pretend shop, so nobody knows who is who.",
                "`regulars demo` makes one.",
            )


def load_truth(board: Connection, home: Home) -> None:
    """Copy the pretend shop's truth into `truth` and `people`.

    Raises:
        UsageError: the truth has no evidence groups or cannot be read.
    """
    folder = home.demo / "truth"
    try:
        board.execute(_TRUTH.format(identifiers=literal(folder / "identifiers" / "*.parquet")))
        board.execute(_PEOPLE.format(people=literal(folder / "people" / "*.parquet")))
    except duckdb.Error as error:
        raise UsageError(
            "The truth of this pretend shop was written by another version or is damaged.",
            "Make the shop again with `regulars demo` in a new home.",
        ) from error


_BRIDGE = """
select identifier_type, identifier_value, customer_id from marts.bridge_customer_identifiers
"""
_GOLDEN = "select customer_id, email from marts.dim_customers"


def load_published(board: Connection, home: Home) -> None:
    """Copy who the published file says is who into `found`, and best emails into `golden`.

    Raises:
        RegularsError: nothing is published yet.
    """
    with open_published(home) as published:
        _copy(published, _BRIDGE, board, "found")
        _copy(published, _GOLDEN, board, "golden")


def load_before(board: Connection, path: Path) -> None:
    """Copy who another published file says is who into `found_before`.

    Raises:
        UsageError: there is no such file, or it is no published file.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", "Name an older published.duckdb.")
    try:
        with open_locked(path) as published:
            _copy(published, _BRIDGE, board, "found_before")
    except duckdb.Error as error:
        raise UsageError(
            f"{path} is no published file.", "Name an older published.duckdb."
        ) from error


_BATCH = 100_000
_VALUES = """
select distinct identifier_key as identifier, identifier_type, identifier_value
from intermediate.int_identifier_values where identifier_key is not null
"""
# Numbered in time, with a total order, because one of the rivals goes through them in turn.
_RECORDS = """
select
    row_number() over (
        order by e.observed_at, e.source_system, e.rule, e.source_record_id, e.last_seen_at, {keys}
    ) as record,
    e.last_seen_at,
    {columns}
from intermediate.int_identity_evidence as e
{joins}
"""
_JOIN = """
left join intermediate.int_identifier_values as {name}_values
    on {name}_values.identifier_type = '{name}' and {name}_values.raw_value = e.{name}
"""
_SIGHTINGS = """
create or replace temp table sightings as
select record, identifier
from (unpivot records on {types} into name identifier_type value identifier)
"""


def load_evidence(board: Connection, home: Home) -> None:
    """Copy the evidence that rules work on, in integers.

    `records` is one row per record: its number in time, `last_seen_at` and one column per
    identifier type; `sightings` the same as (record, identifier); `identifiers` what each integer
    stands for. The home's lock is held, because only one process may have the warehouse open.

    Raises:
        RegularsError: the warehouse is gone or has no evidence.
        BusyError: a run is working in the home.
    """
    with hold(home.lock):
        if not home.warehouse.exists():
            raise RegularsError(
                f"There is no warehouse in {home.root}, so rivals have no evidence to work on.",
                "The next `regulars run` or `regulars demo` builds it again.",
            )
        try:
            with open_locked(home.warehouse) as warehouse:
                _copy(warehouse, _VALUES, board, "identifiers")
                _copy(warehouse, _records_query(), board, "records")
        except duckdb.Error as error:
            raise RegularsError(
                "The warehouse does not hold the evidence that this version compares.",
                "The next `regulars run` or `regulars demo` builds it again.",
            ) from error
    list_sightings(board)


def list_sightings(board: Connection) -> None:
    """Make `sightings` from `records`: one row per record and identifier."""
    board.execute(_SIGHTINGS.format(types=", ".join(IDENTIFIER_TYPES)))


def _records_query() -> str:
    keys = [f"{name}_values.identifier_key" for name in IDENTIFIER_TYPES]
    return _RECORDS.format(
        keys=", ".join(keys),
        columns=", ".join(
            f"{key} as {name}" for key, name in zip(keys, IDENTIFIER_TYPES, strict=True)
        ),
        joins="".join(_JOIN.format(name=name) for name in IDENTIFIER_TYPES),
    )


def _copy(source: Connection, query: str, board: Connection, name: str) -> None:
    """The answer of one database as a table of another, in streams; they share nothing else."""
    board.register("incoming", source.execute(query).to_arrow_reader(_BATCH))
    board.execute(f"create or replace temp table {name} as select * from incoming")
    board.unregister("incoming")
