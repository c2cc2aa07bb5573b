"""The graph of the identity bench: which identifiers of the pretend shop stand on one record.

Data flow: the world's blocks -> edges.parquet (every edge) and its part `day` (the last percent).
Belongs here: pairs of texts, as a clustering library wants them. Does not belong here: solving
them.

On each record the most trusted identifier ties the others, as the models tie them. Values that
several people use (kiosks, family cards, placeholders) tie nobody here, because the models refuse
them before anything is clustered. Run as a module:
`python -m tests.benchmarks.identity_edges PEOPLE FILE`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ingestion.demo.tables import Connection, connection, load_block
from ingestion.demo.world import make_world
from ingestion.demo.write_klaviyo import prepare
from ingestion.demo.write_truth import find_sightings
from tests.benchmarks.identity_steps import TRUST

DAY_SHARE = 0.01

_PAIRS = f"""
with trusted as (
    select
        block() || record as record,
        identifier_type as type,
        identifier_value as value,
        list_position({list(TRUST)}, identifier_type) as trust
    from sightings
    where not is_shared
),
tied as (
    select
        type as type_b,
        value as value_b,
        first_value(type) over by_trust as type_a,
        first_value(value) over by_trust as value_a
    from trusted
    window by_trust as (partition by record order by trust, value)
)
select distinct type_a, value_a, type_b, value_b
from tied
where (type_a, value_a) <> (type_b, value_b)
"""


def write_edges(people: int, path: Path, seed: int = 0) -> None:
    """Write every edge of a shop of this many people, block by block, each pair once."""
    world = make_world(people, seed)
    with connection() as con:
        for block in world.blocks():
            load_block(con, world, block)
            prepare(con, world.calendar.start, world.calendar.end)
            find_sightings(con)
            _append(con)
        # By hash: in the order of the blocks every person's edges would lie together
        con.execute(f"""
            copy (
                select
                    type_a || '|' || value_a as identifier_l,
                    type_b || '|' || value_b as identifier_r,
                    *,
                    hash(type_a, value_a, type_b, value_b) % 10000
                        < {round(DAY_SHARE * 10_000)} as is_day
                from (select distinct * from edges)
                order by hash(value_b, value_a, type_b, type_a)
            ) to '{path}' (format parquet, compression zstd)
        """)


def _append(con: Connection) -> None:
    con.execute(f"create temp table if not exists edges as {_PAIRS} limit 0")
    con.execute(f"insert into edges {_PAIRS}")


if __name__ == "__main__":
    write_edges(int(sys.argv[1]), Path(sys.argv[2]))
