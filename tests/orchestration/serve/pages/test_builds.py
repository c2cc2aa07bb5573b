"""A request reads one build from its first figure to its last, whatever is published meanwhile."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.home.scratch import SERVING
from orchestration.serve.pages.builds import Builds

ALWAYS, SWAPS = 20, 10


def publish(home: Home, number: int) -> None:
    """Swap in a build whose every table says its number."""
    beside = home.root / "next.duckdb"
    with duckdb.connect(str(beside)) as connection:
        connection.execute("create schema ops; create schema marts")
        connection.execute(
            f"create table ops.build as select 'b{number}' as build_id, 'r' as run_id,"
            " timestamp '2026-06-01' as as_of"
        )
        connection.execute(f"create table marts.one as select {number} as number")
        connection.execute(f"create table marts.two as select {number} as number")
    beside.replace(home.published)


def left(home: Home) -> list[Path]:
    return [path for path in home.root.iterdir() if path.name.startswith(f".{SERVING}")]


def test_requests_in_flight_through_swaps_each_read_one_build(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish(home, 0)
    builds, is_over = Builds(home, "UTC"), threading.Event()
    mixed: list[object] = []
    seen: dict[int, float] = {}

    def ask() -> None:
        while not is_over.is_set():
            with builds.reading() as (connection, build):
                first = connection.execute("select number from marts.one").fetchall()
                time.sleep(0.01)
                second = connection.execute("select number from marts.two").fetchall()
                ((number,),) = first
                if first != second or build.build_id != f"b{number}":
                    mixed.append((build.build_id, first, second))
                seen.setdefault(number, time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(ALWAYS)]
    for thread in threads:
        thread.start()
    published = {}
    for number in range(1, SWAPS + 1):
        time.sleep(0.1)
        publish(home, number)
        published[number] = time.monotonic()
    deadline = time.monotonic() + 20
    while SWAPS not in seen and time.monotonic() < deadline:
        time.sleep(0.01)
    is_over.set()
    for thread in threads:
        thread.join()
    assert mixed == []
    assert seen[SWAPS] - published[SWAPS] <= 2
    assert left(home) == [], "no build but the published one has a name on the disk"
    builds.close()


def test_an_old_build_is_closed_once_nobody_reads_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish(home, 0)
    builds = Builds(home, "UTC")
    with builds.reading() as (old, _):
        publish(home, 1)
        with builds.reading() as (new, _):
            assert new.execute("select number from marts.one").fetchone() == (1,)
        assert old.execute("select number from marts.one").fetchone() == (0,)
    with pytest.raises(duckdb.Error):
        old.execute("select 1")
    builds.close()


def test_a_build_reaches_no_other_file_and_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / f".{SERVING}-left").mkdir()
    (tmp_path / "secret.csv").write_text("a\n1\n", "utf-8")
    with pytest.raises(RegularsError), Builds(home, "UTC").reading():
        pass
    publish(home, 0)
    builds = Builds(home, "UTC")
    assert left(home) == []
    with builds.reading() as (connection, _):
        for statement in (
            f"from read_csv('{tmp_path}/secret.csv')",
            "create table marts.three (a int)",
            "set enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
    builds.close()
