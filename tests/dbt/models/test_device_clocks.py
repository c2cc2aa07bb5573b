"""When a thing happened, whatever the visitor's device takes for now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.dbt.scenes import event
from tests.dbt.world import World

EVENTS = ("--select", "+int_web_events", "--exclude", "path:tests")
RECEIVED = "2026-05-10 12:00:00"

# Device's time, when it says that it sent, when it happened, whether its clock is off.
CLOCKS = {
    "right": ("2026-05-10 11:59:50", "2026-05-10 11:59:59", "2026-05-10 11:59:50", False),
    "years-behind": ("2016-01-01 00:00:10", "2016-01-01 00:00:40", "2026-05-10 11:59:30", True),
    "two-years-ahead": ("2028-05-10 12:00:00", "2028-05-10 12:00:05", "2026-05-10 11:59:55", True),
    "ahead-unsent": ("2028-05-10 12:00:00", None, RECEIVED, True),
    "ahead-after-sending": ("2028-05-10 12:00:00", "2028-05-10 11:00:00", RECEIVED, True),
    # An event that waited for a network, sent by a clock that is right
    "kept-offline": ("2026-05-02 08:00:00", "2026-05-10 11:59:59", "2026-05-02 08:00:00", False),
    # Set right by whoever exported it: nothing happens after it was sent
    "set-right": ("2026-05-10 11:59:30", "2016-01-01 00:00:40", "2026-05-10 11:59:30", False),
    "set-right-ahead": ("2026-05-10 11:59:30", "2028-01-01 00:00:40", "2026-05-10 11:59:30", False),
    "unsent": ("2016-01-01 00:00:10", None, "2016-01-01 00:00:10", False),
}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One event of each device."""
    world = World(Path(tmp_path_factory.mktemp("clocks")), "2026-06-01 00:00:00")
    world.add(
        "raw_web.events",
        [
            event(number, "10 12:00", name)
            | {"occurred_at": said, "sent_at": sent, "received_at": RECEIVED}
            for number, (name, (said, sent, _, _)) in enumerate(CLOCKS.items())
        ],
    )
    world.build(*EVENTS)
    with world.warehouse() as connection:
        yield connection


@pytest.mark.parametrize("name", CLOCKS)
def test_a_visit_is_when_it_was_whatever_the_clock_says(
    events: duckdb.DuckDBPyConnection, name: str
) -> None:
    found = events.execute(
        "select occurred_at::varchar, is_clock_skewed from intermediate.int_web_events "
        "where visitor_id = ?",
        [name],
    ).fetchall()
    assert found == [CLOCKS[name][2:]]
