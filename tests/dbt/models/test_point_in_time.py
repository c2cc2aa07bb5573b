"""A day that is over, built again later, is the day as it was published then (RELIABILITY B11)."""

from __future__ import annotations

import os
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.models.test_increments import commit
from tests.dbt.scenes import event, identify, order
from tests.dbt.scenes_timeline import mail
from tests.dbt.world import World

pytestmark = pytest.mark.faults  # one build for each day, and one for each day looked back at

FIRST = date(2026, 3, 1)
# 90 daily runs, and 30 of their days built again; a few where time is dear
DAYS, EVERY = (90, 3) if os.environ.get("REGULARS_SOAK") else (4, 2)
BUILT = (
    *("--select", "+customer_360", "+fct_interactions", "+int_identity_registry_next"),
    *("+int_identity_moves_next", "--exclude-resource-type", "test"),
    *("--exclude-resource-type", "unit_test"),
)
# What only the runs of a home know: under which id somebody was known to them, and since when
OF_RUNS = {"marts.customer_aliases", "marts.customer_identifier_history"}
Tables = dict[str, list[tuple[Any, ...]]]


def published(world: World) -> Tables:
    """Every table of the marts and segments, in a fixed order."""
    with world.warehouse() as con:
        names = con.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_catalog = 'warehouse' and table_schema in ('marts', 'segments')"
            " order by all"
        ).fetchall()
        return {name: con.execute(f"from {name} order by all").fetchall() for (name,) in names}


def a_day(world: World, number: int) -> None:
    """What came in on one day, all of it of that day: visits, an order, mail, a device's owner."""
    day = FIRST + timedelta(number)

    def at(clock: str, row: dict[str, Any]) -> dict[str, Any]:
        moment = f"{day} {clock}:00"
        return row | {key: moment for key in ("occurred_at", "received_at") if key in row}

    key, who = 1000 + 20 * number, f"c{number // 4}"
    seen = event(key, "01 09:00", f"pc-{who}", None, "Product Viewed")
    world.add(
        "raw_web.events",
        [
            at("09:00", seen | {"properties": {"product_id": f"p{number % 3}"}}),
            at("09:05", event(key + 1, "01 09:05", f"new-{number}", None)),
            at("10:00", identify(key + 2, "01 10:00", f"pc-{who}", who, email=f"{who}@day.example"))
            if number % 4 == 2
            else at("10:00", event(key + 2, "01 10:00", f"pc-{who}", None)),
        ],
    )
    bought = order(str(number), "01 12:00:00", email=f"c{number // 8}@day.example")
    times = ("created_at", "processed_at", "updated_at")
    world.add("raw_orders.orders", [bought | dict.fromkeys(times, f"{day} 12:00:00")])
    world.add(
        "raw_email.events",
        [
            at("07:00", mail(key, "delivered", "01 07:00:00", f"m{number}", "c0@day.example")),
            at("08:00", mail(key + 1, "open", "01 08:00:00", f"m{number}", "c0@day.example")),
        ],
    )


@pytest.mark.timeout(7200)
def test_days_built_again_from_raw_are_what_was_published_on_them(tmp_path: Path) -> None:
    """Also the last one, which one build reaches as well as a run a day does."""
    world = World(tmp_path / "daily", f"{FIRST} 23:00:00")
    then: dict[str, Tables] = {}
    for number in range(DAYS):
        world.new_load()
        world.set_as_of(f"{FIRST + timedelta(number)} 23:00:00")
        a_day(world, number)
        world.build(*BUILT)
        commit(world)
        if (number + 1) % EVERY == 0:
            then[world.as_of] = published(world)
    assert len(then) == DAYS // EVERY
    for as_of, expected in then.items():
        again = World(tmp_path / as_of[:10], as_of)
        shutil.copy(world.home / "raw.duckdb", again.home / "raw.duckdb")
        again.build(*BUILT)
        found = published(again)
        assert found.keys() == expected.keys()
        differing = {name for name, rows in expected.items() if found[name] != rows}
        assert differing <= OF_RUNS, as_of
        shutil.rmtree(again.home)
    assert len(expected["marts.fct_orders"]) == DAYS
