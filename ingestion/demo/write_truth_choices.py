"""The truth about which products people take, as Parquet: rhythms, substitutes, brands, stock.

Data flow: the catalogue and the shelf -> truth/{complements,substitutes,rhythms,shelf}/;
tables of a block -> truth/brand_switches/.
Does not belong here: how people choose (choices), or what a changed state sells (effects).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from ingestion.demo import catalogue
from ingestion.demo.tables import Connection, copy_table, create_table

_BRANDS = ", ".join(f"'{brand}'" for brand in catalogue.BRANDS)
BRAND_SWITCHES = f"""
select p.person_id, ([{_BRANDS}])[s.left + 1] as brand_left,
    ([{_BRANDS}])[s.taken + 1] as brand_taken, moment(s.since) as switched_at
from switches s join people p on p.p = s.person order by p.p
"""

_FIXED = {
    "complements": f"""
        select a.product_id, b.product_id as complement_id,
            {catalogue.COMPLEMENT_CHANCE} as chance
        from own_products o join products a on a.index = o.own
        join products b on b.index = o.complement order by o.own""",
    "substitutes": """
        select a.product_id, b.product_id as substitute_id, a.substitute_group
        from own_products o join products a on a.index = o.own
        join products b on b.index = o.substitute order by o.own""",
    "rhythms": """
        select p.product_id, p.replenish_after_days, o.real_days,
            o.real_days = p.replenish_after_days as is_as_stated
        from own_products o join products p on p.index = o.own
        where o.real_days > 0 order by o.own""",
    "shelf": """
        select p.product_id, moment(nullif(s.since, 0)) as since, moment(s.until) as until,
            (s.price / 100)::decimal(18, 2) as price_gbp, s.price < p.price as is_dropped,
            s.in_stock
        from product_states s join products p using (index) order by index, s.since""",
}


def write_fixed_choices(con: Connection, folder: Path) -> None:
    """Write what is the same for every block."""
    columns = {
        "own": np.arange(len(catalogue.products())),
        "complement": catalogue.complement_of(),
        "substitute": catalogue.substitute_of(),
        "real_days": catalogue.real_days(),
    }
    create_table(con, "own_products", pa.table(columns))
    for name, query in _FIXED.items():
        copy_table(con, query, folder / name / "part-000.parquet")
