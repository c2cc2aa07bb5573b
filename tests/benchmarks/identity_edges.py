"""The graph of the identity bench: which identifiers of the pretend shop stand on one record.

Data flow: the world's blocks -> edges.parquet (pairs of texts, as a clustering library wants them),
evidence.parquet (the same pairs as evidence, a column per identifier type, as the models want them)
and day_evidence.parquet (of these the last percent, by when a pair was first seen).
Belongs here: the pairs. Does not belong here: solving them.

On each record the most trusted identifier ties the others, as the models tie them. Values that
several people use (kiosks, family cards, placeholders) tie nobody here, because the models refuse
them before anything is clustered. Run as a module:
`python -m tests.benchmarks.identity_edges PEOPLE FOLDER`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ingestion.demo.tables import Connection, connection, load_block
from ingestion.demo.world import make_world
from ingestion.demo.write_klaviyo import prepare
from ingestion.demo.write_truth import find_sightings
from tests.benchmarks.identity_steps import DAY_EVIDENCE, EDGES, EVIDENCE, TRUST

DAY_SHARE = 0.01

_PAIRS = f"""
with records as (
    select 'order ' || o as record, placed as happened from orders
    union all
    select 'visit ' || v, start from visits
    union all
    select 'contact ' || n, created from contacts
    union all
    select 'consent ' || c, occurred from consents
    union all
    select 'profile ' || e, created from profile_facts
),
trusted as (
    select
        record,
        happened,
        identifier_type as type,
        identifier_value as value,
        list_position({list(TRUST)}, identifier_type) as trust
    from sightings
    inner join records using (record)
    where not is_shared
),
tied as (
    select
        happened,
        type as type_b,
        value as value_b,
        first_value(type) over by_trust as type_a,
        first_value(value) over by_trust as value_a
    from trusted
    window by_trust as (partition by record order by trust, value)
)
select type_a, value_a, type_b, value_b, min(happened) as first_seen
from tied
where (type_a, value_a) <> (type_b, value_b)
group by all
"""


def write_edges(people: int, folder: Path, seed: int = 0) -> None:
    """Write every pair of a shop of this many people once, and those of the last day again."""
    world = make_world(people, seed)
    with connection() as con:
        for block in world.blocks():
            load_block(con, world, block)
            prepare(con, world.calendar.start, world.calendar.end)
            find_sightings(con)
            _append(con)
        # By hash: in the order of the blocks every person's edges would lie together
        con.execute(f"""
            create temp table mixed as
            with dated as (
                select * exclude (first_seen), min(first_seen) as first_seen from edges group by all
            )
            select
                *,
                first_seen > (
                    select quantile_disc(first_seen, {1 - DAY_SHARE}) from dated
                ) as is_day
            from dated
            order by hash(value_b, value_a, type_b, type_a)
        """)
        _write(con, f"{_PAIRED} from mixed", folder / EDGES)
        _write(con, f"{_TYPED} from mixed", folder / EVIDENCE)
        _write(con, f"{_TYPED} from mixed where is_day", folder / DAY_EVIDENCE)


_PAIRED = """
select type_a || '|' || value_a as identifier_l, type_b || '|' || value_b as identifier_r, is_day
"""
# A record names at most one identifier of a type, so no pair has two of one
_TYPED = f"""
select {
    ", ".join(
        f"case '{name}' when type_a then value_a when type_b then value_b end as {name}"
        for name in TRUST
    )
}, is_day
"""


def _write(con: Connection, edges: str, path: Path) -> None:
    con.execute(f"copy ({edges}) to '{path}' (format parquet, compression zstd)")


def _append(con: Connection) -> None:
    con.execute(f"create temp table if not exists edges as {_PAIRS} limit 0")
    con.execute(f"insert into edges {_PAIRS}")


if __name__ == "__main__":
    write_edges(int(sys.argv[1]), Path(sys.argv[2]))
