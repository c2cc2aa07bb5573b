"""Likely duplicates that share no identifier, by probability: proposed for review, never merged.

Method: Splink's Fellegi-Sunter model on DuckDB (the optional extra `duplicates`). Names, postcode,
birthday and the letters before the @ are compared among people whom one of `BLOCKS` brings
together. How often two strangers agree is measured on random pairs; how often two records of one
person agree is learnt by expectation maximisation; what was never seen keeps Splink's default.

Data flow: published.duckdb -> review/likely_duplicates.parquet (two ids, a weight, a probability).

It abstains below `MIN_PEOPLE` named people: too few to learn from. Pairs that a person has parted
by rule are left out. Does not belong here: merging. A must_link rule does that, by a person's hand.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ingestion.duckdb import connect, literal
from ingestion.errors import RegularsError, UsageError
from orchestration.home.layout import OWNER_ONLY, Home

MIN_PEOPLE = 500
SEED = 7
RANDOM_PAIRS = 1e6
MEMORY = "2GB"
# A name alone never brings two together: a postcode, a birthday or a mailbox stands beside it.
BLOCKS = (
    ("last_name", "postcode"),
    ("first_name", "postcode"),
    ("first_name", "last_name", "birthday"),
    ("last_name", "mailbox"),
)
# Pairs that are taken for one person to guess how many there are at all, and the share they make
SURE = ("first_name", "last_name", "postcode")
SURE_SHARE = 0.6
TRAINING_BLOCKS = (("first_name", "last_name"), ("postcode",))
# More namesakes than this in one block are left out: they would be compared all with all
MAX_BLOCK = 50

PEOPLE = """
create table named as
select customer_id as unique_id,
    lower(strip_accents(trim(first_name))) as first_name,
    lower(strip_accents(trim(last_name))) as last_name,
    nullif(regexp_replace(upper(postcode), '[^A-Z0-9]', '', 'g'), '') as postcode,
    cast(birthday as varchar) as birthday,
    nullif(regexp_replace(lower(split_part(email, '@', 1)), '[^a-z]', '', 'g'), '') as mailbox
from shop.marts.dim_customers
left join shop.marts.customer_contact_details using (customer_id)
where is_known and length(trim(first_name)) > 1 and length(trim(last_name)) > 1
"""
PARTED = """
create table parted as
select least(a.customer_id, b.customer_id) as customer_a,
    greatest(a.customer_id, b.customer_id) as customer_b
from shop.marts.fct_identity_edges as e
join shop.marts.bridge_customer_identifiers as a
    on a.identifier_type = e.identifier_a_type and a.identifier_value = e.identifier_a_value
join shop.marts.bridge_customer_identifiers as b
    on b.identifier_type = e.identifier_b_type and b.identifier_value = e.identifier_b_value
where e.refusal_reason = 'cannot_link' and a.customer_id <> b.customer_id
"""
REVIEW = """
create table review as
select least(unique_id_l, unique_id_r) as customer_a,
    greatest(unique_id_l, unique_id_r) as customer_b,
    round(max(match_weight), 2) as match_weight,
    round(max(match_probability), 6) as match_probability,
    any_value(build_id) as build_id,
    any_value(as_of) as as_of
from {predicted} cross join shop.ops.build
group by 1, 2
having (customer_a, customer_b) not in (select (customer_a, customer_b) from parted)
order by match_weight desc, customer_a, customer_b
"""


@dataclass(frozen=True)
class Proposal:
    """What was found: where it stands, how many people were compared, the strongest pairs."""

    file: Path
    people: int
    pairs: int
    strongest: tuple[tuple[str, str, float, float], ...]


def propose_duplicates(home: Home, min_weight: float, show: int = 20) -> Proposal:
    """Write the review table of the published file's people; nothing else changes.

    Raises:
        UsageError: the optional extra is not installed.
        RegularsError: nothing is published, or too few people to learn from.
    """
    splink = _splink()
    if not home.published.exists():
        raise RegularsError(f"Nothing is published in {home.root} yet.", "`regulars run` first.")
    with connect(at_most=MEMORY) as connection:
        home.review.mkdir(mode=0o700, exist_ok=True)
        connection.execute(f"attach {literal(home.published)} as shop (read_only)")
        connection.execute(PEOPLE)
        connection.execute(PARTED)
        people = _one(connection, "select count(*) from named")
        if people < MIN_PEOPLE:
            raise RegularsError(
                f"{people:,} people have a full name, fewer than the {MIN_PEOPLE:,} it takes to"
                " learn how often strangers agree.",
                "marts.qa_identity_under_merging names the likely pairs of a small shop.",
            )
        _leave_out_crowds(connection)
        if not _has_pairs(connection, SURE):
            raise RegularsError(
                "No two people have one name and one postcode, so there is nothing to learn from.",
                "Load contacts with postcodes, or orders with addresses.",
            )
        predicted = _predict(splink, connection, min_weight)
        connection.execute(REVIEW.format(predicted=predicted))
        pairs = _one(connection, "select count(*) from review")
        strongest = connection.execute(
            "select customer_a, customer_b, match_weight, match_probability from review limit ?",
            [show],
        ).fetchall()
        file = _write(connection, home)
    return Proposal(file, people, pairs, tuple(strongest))


def _splink() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("splink")
    except ImportError as error:
        raise UsageError(
            "Splink, which compares people by probability, is not installed.",
            "Install the extra: `pip install -e '.[duplicates]'`.",
        ) from error


def _leave_out_crowds(connection: duckdb.DuckDBPyConnection) -> None:
    """The people to compare; a trait that brings too many together is emptied for them."""
    connection.execute("create table people as from named")
    for block in BLOCKS:
        trait = block[-1]
        known = " and ".join(f"{name} is not null" for name in block)
        connection.execute(
            f"update people set {trait} = null where ({', '.join(block)}) in ("
            f"select ({', '.join(block)}) from named where {known}"
            f" group by all having count(*) > {MAX_BLOCK})"
        )


def _has_pairs(connection: duckdb.DuckDBPyConnection, block: tuple[str, ...]) -> bool:
    known = " and ".join(f"{name} is not null" for name in block)
    query = f"from people where {known} group by {', '.join(block)} having count(*) > 1"
    return _one(connection, f"select count(*) from (select 1 {query})") > 0


def _predict(splink: Any, connection: duckdb.DuckDBPyConnection, min_weight: float) -> str:
    """Train on these people and compare them; the name of the table of pairs."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    comparisons = importlib.import_module("splink.internals.comparison_library")
    block_on = splink.block_on
    settings = splink.SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            comparisons.JaroWinklerAtThresholds("first_name", [0.92]),
            comparisons.JaroWinklerAtThresholds("last_name", [0.92]),
            comparisons.LevenshteinAtThresholds("postcode", [1]),
            comparisons.LevenshteinAtThresholds("birthday", [1]),
            comparisons.JaroWinklerAtThresholds("mailbox", [0.92]),
        ],
        blocking_rules_to_generate_predictions=[block_on(*block) for block in BLOCKS],
        retain_matching_columns=False,
    )
    api = splink.DuckDBAPI(connection)
    linker = splink.Linker(api.register("people"), settings, log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match(
        [block_on(*SURE)], recall=SURE_SHARE
    )
    # One thread samples the same pairs every time
    connection.execute("set threads = 1")
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    for block in (block for block in TRAINING_BLOCKS if _has_pairs(connection, block)):
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*block), max_pairs=RANDOM_PAIRS
        )
    connection.execute("reset threads")
    table = linker.inference.predict(threshold_match_weight=min_weight, warning_mode="never")
    return str(table.physical_name)


def _write(connection: duckdb.DuckDBPyConnection, home: Home) -> Path:
    """Swap the file in whole; ids and weights alone, and still its owner's only."""
    file = home.review / "likely_duplicates.parquet"
    beside = file.with_suffix(".part")
    connection.execute(f"copy review to {literal(beside)} (format parquet)")
    beside.chmod(OWNER_ONLY)
    beside.replace(file)
    return file


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
