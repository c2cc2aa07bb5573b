"""The pretend shop lives on: a day adds its rows and changes nothing that was said before."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ingestion.demo import write_days
from ingestion.demo.calendar import DAY
from ingestion.demo.later import Later, known_at
from ingestion.demo.troubles import Troubles
from ingestion.demo.world import World, make_world
from ingestion.demo.write import write_demo

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
DAYS = 6


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(600, 3, AS_OF)


@pytest.fixture(scope="module")
def first(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    write_demo(world, folder)
    return folder


@pytest.fixture(scope="module")
def lived(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Moved on day by day."""
    folder = tmp_path_factory.mktemp("lived")
    write_demo(world, folder)
    for day in range(1, DAYS + 1):
        write_days.write_until(world, folder, day)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def klaviyo(folder: Path, name: str) -> dict[str, tuple]:
    rows = duckdb.sql(f"select * from '{folder}/api/klaviyo/{name}/*.parquet'").fetchall()
    return {row[0]: row for row in rows}


def shopify(folder: Path, name: str) -> dict[str, dict]:
    paths = (folder / "api" / "shopify" / name).glob("*.jsonl")
    nodes = [json.loads(line) for path in paths for line in path.open(encoding="utf-8")]
    return {node["id"]: node for node in nodes}


def rows(folder: Path, where: str) -> list[dict[str, str]]:
    found = []
    for path in sorted((folder / "input" / where).glob("day-*.csv")):
        with path.open(newline="", encoding="utf-8") as stream:
            found += list(csv.DictReader(stream))
    return found


def test_no_file_of_before_changes_and_each_day_has_its_own(first: Path, lived: Path) -> None:
    before, after = contents(first / "input"), contents(lived / "input")
    assert before.items() <= after.items()
    assert all("/day-2026-07-0" in name for name in after.keys() - before.keys())
    days = {name[-18:-13] for name in after if name.endswith("-000.jsonl.gz") and "/day-" in name}
    assert days == {f"07-0{day}" for day in range(1, DAYS + 1)}, "somebody visits every day"
    assert contents(first / "truth") == contents(lived / "truth")


def test_days_at_once_are_the_days_one_by_one(world: World, lived: Path, tmp_path: Path) -> None:
    write_demo(world, tmp_path)
    write_days.write_until(world, tmp_path, DAYS)
    assert contents(tmp_path) == contents(lived)


def test_a_day_cut_short_is_written_again_the_same(
    world: World, lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_demo(world, tmp_path)

    move, remove, moved = Path.replace, shutil.rmtree, []

    def third_move_fails(path: Path, target: Path) -> Path:
        moved.append(path)
        if len(moved) == 3:
            raise KeyboardInterrupt
        return move(path, target)

    def api_stays(path: Path, **how: bool) -> None:
        remove(path, **how)
        if path.name == "api":
            raise KeyboardInterrupt

    for owner, name, cut in ((Path, "replace", third_move_fails), (shutil, "rmtree", api_stays)):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, cut)
            with pytest.raises(KeyboardInterrupt):
                write_days.write_until(world, tmp_path, DAYS)
    write_days.write_until(world, tmp_path, DAYS)
    assert contents(tmp_path) == contents(lived)


def test_every_new_row_is_of_its_day(lived: Path) -> None:
    for path in sorted((lived / "input" / "web").rglob("day-*.gz")):
        day = path.name[4:14]
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            received = [json.loads(line)["receivedAt"] for line in lines]
        assert received
        # A second delivery is the same line as the first, up to three days later
        assert all("2026-07-01" <= moment[:10] <= day for moment in received)
        assert any(moment.startswith(day) for moment in received)
    moments = (("consents", "occurred_at"), ("payments", "paid_at"), ("messages", "occurred_at"))
    for where, column in moments:
        assert rows(lived, where), where
        assert all("2026-07-01T" <= row[column] < "2026-07-07T" for row in rows(lived, where))
    assert all(row["sold_at"] >= "2026-07-01 01" for row in rows(lived, "orders/till"))
    assert {row["date"] for row in rows(lived, "rates")} == {
        f"2026-07-0{day}" for day in range(1, DAYS + 1)
    }


def test_the_apis_know_more_and_say_nothing_else_of_before(first: Path, lived: Path) -> None:
    end = int(AS_OF.timestamp())
    before, after = klaviyo(first, "events"), klaviyo(lived, "events")
    assert before.items() <= after.items()
    new = [after[key] for key in after.keys() - before.keys()]
    assert new
    assert all(end <= row[3] < end + DAYS * DAY for row in new)
    assert klaviyo(first, "campaigns").items() < klaviyo(lived, "campaigns").items()
    old, now = shopify(first, "orders"), shopify(lived, "orders")
    assert old.keys() < now.keys()
    changed = [key for key in now if now[key] != old.get(key)]
    assert all("2026-07-01T" <= now[key]["updatedAt"] < "2026-07-07T01" for key in changed)


def test_at_the_first_moment_a_shop_that_lives_on_is_the_shop_that_was_made(world: World) -> None:
    base, known = world.block(0), known_at(Later(world).block(0), world.calendar.end)
    for name in ("orders", "lines", "messages", "subscriptions", "consents", "feedback", "events"):
        before, now = vars(getattr(base, name)), vars(getattr(known, name))
        for column, values in before.items():
            np.testing.assert_array_equal(now[column], values, f"{name}.{column}")


def test_in_a_year_people_buy_leave_the_list_answer_and_send_back() -> None:
    world = make_world(600, 3, AS_OF, Troubles(returned=0.5, unsubscribe=0.02))
    later = Later(world)
    base, whole = world.block(0), later.block(0)
    known = known_at(whole, later.calendar.end)
    assert len(known.orders) > 1.3 * len(base.orders)
    refunded = known.orders.refunded[: len(base.orders)]
    assert ((refunded > 0) & (base.orders.refunded == 0)).any(), "an order of before comes back"
    gone = known.subscriptions.ended[: len(base.subscriptions.person)]
    assert ((gone >= world.calendar.end) & (gone < later.calendar.end)).any()
    assert len(known.feedback.person) > len(base.feedback.person)
    assert (whole.ids.device_value[len(base.ids.device_value) :]).size, "strangers come"
    assert len(set(whole.ids.device_value)) == len(whole.ids.device_value)


def test_the_first_moment_is_served_again_when_it_is_asked_for(
    world: World, first: Path, tmp_path: Path
) -> None:
    write_demo(world, tmp_path)
    write_days.write_until(world, tmp_path, 2)
    write_days.write_until(world, tmp_path, 0)
    assert klaviyo(tmp_path, "events") == klaviyo(first, "events")
    assert shopify(tmp_path, "orders") == shopify(first, "orders")
