"""The pretend shop's clock: it moves with what is published, by whole days, and never back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.errors import UsageError
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.ops.runs import Run, start_run
from orchestration.ops.store import open_store
from orchestration.run.pretend_clock import asked_moment, day_of, next_moment, shop_moment, world_of

FIRST = datetime(2026, 7, 1)
DAY = timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    claim(made, "demo", {"people": 50, "seed": 4, "as_of": FIRST.isoformat(), "cards": False})
    return made


def publish(home: Home, moment: datetime) -> None:
    home.published.unlink(missing_ok=True)
    with duckdb.connect(str(home.published)) as connection:
        connection.execute("create schema ops")
        connection.execute("create table ops.build (build_id text, run_id text, as_of timestamp)")
        connection.execute("insert into ops.build values ('b', 'r', ?)", [moment])


def begin(home: Home, moment: datetime) -> None:
    table = pa.table({"run_id": ["r"], "as_of": [moment]})
    pq.write_table(table, home.ops_export / "run_context.parquet")


def test_the_first_run_is_at_the_first_moment_however_often_it_is_begun(home: Home) -> None:
    assert next_moment(home) == shop_moment(home) == FIRST
    begin(home, FIRST)
    assert next_moment(home) == FIRST


def test_what_is_published_moves_the_clock_and_what_is_only_begun_does_not(home: Home) -> None:
    publish(home, FIRST)
    assert (shop_moment(home), next_moment(home)) == (FIRST, FIRST + DAY)
    begin(home, FIRST + DAY)
    assert (shop_moment(home), next_moment(home)) == (FIRST, FIRST + DAY)
    publish(home, FIRST + DAY)
    assert (shop_moment(home), next_moment(home)) == (FIRST + DAY, FIRST + 2 * DAY)
    assert day_of(home, next_moment(home)) == 2


def test_in_a_restored_home_the_clock_stands_where_it_stood(home: Home) -> None:
    """A backup holds neither the published file nor what ops wrote for the models."""
    with open_store(home) as store:
        for number in (0, 2, 1):
            run = Run(f"run{number}", FIRST + number * DAY, "test")
            start_run(store, run, started_at=FIRST)
    assert shop_moment(home) == next_moment(home) == FIRST + 2 * DAY
    home.ops.write_bytes(b"no store")
    assert next_moment(home) == FIRST


def test_without_a_published_file_that_can_be_read_the_clock_does_not_go_back(home: Home) -> None:
    publish(home, FIRST + 3 * DAY)
    begin(home, FIRST + 3 * DAY)
    home.published.write_bytes(b"no store at all" * 1000)
    assert shop_moment(home) == next_moment(home) == FIRST + 3 * DAY
    home.published.unlink()
    assert next_moment(home) == FIRST + 3 * DAY


def test_after_a_year_the_clock_stands(home: Home) -> None:
    publish(home, FIRST + 365 * DAY)
    assert next_moment(home) == FIRST + 365 * DAY


def test_a_moment_that_is_asked_for_is_a_day_from_now_on(home: Home) -> None:
    publish(home, FIRST + 2 * DAY)
    for days in (2, 3, 30):
        assert asked_moment(home, FIRST + days * DAY) == FIRST + days * DAY
    with pytest.raises(UsageError, match=r"stands at 2026-07-03T00:00:00Z, and its clock does not"):
        asked_moment(home, FIRST + DAY)
    with pytest.raises(UsageError, match=r"moves by whole days") as refused:
        asked_moment(home, datetime(2026, 7, 5, 10, 30))
    assert refused.value.hint == "Give for example 2026-07-05T00:00:00Z."
    with pytest.raises(UsageError, match=r"ends at 2027-07-01T00:00:00Z"):
        asked_moment(home, FIRST + 366 * DAY)


def test_the_world_is_made_again_as_it_was(home: Home) -> None:
    world = world_of(home)
    assert (world.people, world.seed, world.as_of.replace(tzinfo=None)) == (50, 4, FIRST)
    assert world.troubles.hidden_card == 1.0


def test_a_shop_is_as_old_as_its_mark_says_and_older_marks_mean_eighteen_months(
    home: Home, tmp_path: Path
) -> None:
    assert world_of(home).months == 18
    facts = {"people": 50, "seed": 4, "months": 36, "as_of": FIRST.isoformat(), "cards": True}
    older = Home(tmp_path / "older")
    claim(older, "demo", facts)
    assert world_of(older).months == 36
