"""What each seller of advertising says that it sold, by the rule that it counts with.

Data flow: tables of a block -> claims/part-BBB.parquet -> the claims in spend/.
Does not belong here: what advertising sold in truth (effects), or what it cost (write_folders).

Each seller counts by itself and takes cancelled orders and full prices, so one order is claimed
several times; display advertising counts every online order, as everybody was shown something.
"""

from __future__ import annotations

from pathlib import Path

from ingestion.demo.tables import Connection, copy_table

SHOWN_TO_ALL = "display"
# Days after a visit from it in which a seller counts every order of that person.
COUNTS_WITHIN = {"paid_search": 30, "paid_social": 28, "affiliate": 45}

_RULES = ", ".join(f"('{channel}', {days})" for channel, days in COUNTS_WITHIN.items())
_CLAIMS = f"""
with online as (
    select o.o, o.person, o.placed,
        o.placed - (o.placed - getvariable('claims_since')) % 86400 as day,
        sum(in_gbp(l.price * l.quantity, o.currency)) + any_value(in_gbp(o.shipping, o.currency))
            as pence
    from orders o join lines l on l.order_row = o.o
    where o.is_online and not o.is_test group by all
),
rules as (select s.code, r.* from (values {_RULES}) as r(channel, days)
    join sources s on s.name = r.channel),
candidates as (select * from online, rules),
clicked as (
    select c.day, c.channel, c.pence
    from candidates c asof join visits v
        on v.person = c.person and v.source = c.code and v.start <= c.placed
    where v.start > c.placed - c.days * 86400
),
claimed as (
    select day, '{SHOWN_TO_ALL}' as channel, pence from online union all select * from clicked
)
select day, channel, count(*) as orders, round(sum(pence))::bigint as pence
from claimed group by all order by all
"""


def write_block_claims(con: Connection, folder: Path, block: int, since: int) -> None:
    """Write what is claimed of the block's orders, by days that begin as `since` does."""
    con.execute(f"set variable claims_since = {since}")
    copy_table(con, _CLAIMS, folder / f"part-{block:03d}.parquet")


def gather_claims(con: Connection, folder: Path) -> None:
    """Make `claims` of all blocks' files."""
    con.execute(
        f"""create or replace temp table claims as
        select day, channel, sum(orders)::bigint as orders, sum(pence)::bigint as pence
        from '{folder}/*.parquet' group by all"""
    )
