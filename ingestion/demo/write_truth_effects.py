"""The truth about what makes people order, as Parquet: letters, channels, seasons and sales.

Data flow: tables of a block -> truth/effects/part-BBB.parquet; the calendar -> truth/seasons/.
Sums are over the block's people: the shop's are the sums over all parts.
Does not belong here: how effects are drawn (effects).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from ingestion.demo import effects
from ingestion.demo.calendar import DAY, Calendar, is_sale
from ingestion.demo.tables import Connection, copy_table, create_table

_CHANNELS = effects.CHANNEL * effects.KIND_SIZE
_CAUSES = f"""
create or replace temp table causes as
select index as code, '{effects.KINDS[effects.LETTER]}' as kind, campaign_id as name from campaigns
union all
select {_CHANNELS} + code, '{effects.KINDS[effects.CHANNEL]}', name from sources
union all
select {effects.SHELF * effects.KIND_SIZE} + place, kind, product_id
from shelf_changes c join products p on p.index = c.product
"""

# An order that is cancelled is no extra order; what was prevented counts against its letter.
# The channel `email` is all letters together.
_EFFECTS = f"""
with sold as (
    select o.cause, count(distinct o.o) as orders,
        sum(in_gbp(l.price * l.quantity - l.discount, o.currency)) as pence
    from orders o join lines l on l.order_row = o.o
    where o.cause >= 0 and o.cancelled = 0 group by all
    union all
    select cause, -count(*), -sum(pence) from prevented group by all
),
extra as (select cause, sum(orders) as orders, sum(pence) as pence from sold group by all),
letters as (
    select c.index as cause, count(distinct x.person) as people
    from campaigns c left join exposures x on x.campaign = c.index and x.is_treated = 1 group by all
),
mailed as (select count(distinct person) as people from exposures where is_treated = 1),
visited as (
    select {_CHANNELS} + s.code as cause, s.name, count(distinct v.person) as people
    from sources s left join visits v on v.source = s.code and v.person >= 0 group by all
),
exposed as (
    select cause, people from letters union all select cause, people from visited
    where name <> 'email'
    union all select cause, count(distinct person) from watchers group by all
)
select k.kind, k.name, e.people as exposed_people,
    coalesce(x.orders, 0)::bigint as extra_orders,
    (coalesce(x.pence, 0) / 100)::decimal(18, 2) as extra_revenue_gbp
from exposed e join causes k on k.code = e.cause left join extra x on x.cause = e.cause
union all
select '{effects.KINDS[effects.CHANNEL]}', 'email', any_value(m.people),
    coalesce(sum(x.orders), 0)::bigint, (coalesce(sum(x.pence), 0) / 100)::decimal(18, 2)
from mailed m left join (select * from extra where cause < {_CHANNELS}) x on true
order by all
"""


def write_block_effects(con: Connection, folder: Path, block: int) -> None:
    """Write the block's effects; also makes `causes`, the name of each order's cause."""
    con.execute(_CAUSES)
    copy_table(con, _EFFECTS, folder / "effects" / f"part-{block:03d}.parquet")


def write_seasons(con: Connection, folder: Path, calendar: Calendar) -> None:
    """Write each day of the calendar: its business beside an average day, and whether in a sale."""
    days = np.arange(calendar.start, calendar.end, DAY)
    business = np.diff(calendar.busy(np.append(days, days[-1] + DAY)))
    seasons = pa.table({"day": days, "business": business, "is_sale": is_sale(days)})
    create_table(con, "seasons", seasons)
    query = "select moment(day)::date as date, business, is_sale from seasons order by day"
    copy_table(con, query, folder / "seasons" / "part-000.parquet")
