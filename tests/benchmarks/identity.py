"""`make bench`, who is who: the components of the pretend shop's identifiers, beside Splink's.

For each size: write the edges of that many people, let Splink cluster them, then solve them with
the SQL of the models: from nothing, in memory as Splink does (cold), the same on a file that the
next day starts from (rebuild), and every text looked up again in a kept dictionary (reread). Where
the dictionary was kept, edges are integers: these too are given to Splink and to the models (warm).
On a warehouse that has the rest, the last percent: its texts (look_up), then its edges (day). Each
step is a process of its own, taken three times, and the cheapest counts: a busy machine makes any
one of them dearer. All must find the same components; a difference fails the bench.

A process first starts Python and imports what it needs, Splink's no less than ours. What that takes
is measured by the same steps on next to no edges, shown, and left out of the ratios.

Splink is not needed: without `--splink-python`, an interpreter that has it, its row is left out.
Run as a module: `python -m tests.benchmarks.identity [--people N ...] [--splink-python PATH]`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import duckdb
from rich.console import Console

from ingestion.config import REPOSITORY
from tests.benchmarks.identity_page import Graph, exponent, identity_page
from tests.benchmarks.identity_steps import (
    DAY_EVIDENCE,
    EDGES,
    KEYED_EDGES,
    STATE,
    compile_models,
    named,
)
from tests.benchmarks.measure import Cost, machine, measure, measure_command

SIZES = (200_000, 1_000_000)
NEXT_TO_NONE = 300  # people
TIMES = 3
STEP = "tests.benchmarks.identity_steps"


class NotEqualError(Exception):
    """Two ways found different components, so no figure would mean anything."""


class IdentityBench:
    """One size's measurements in a folder of its own."""

    def __init__(self, people: int, folder: Path, splink: Path | None, out: Console) -> None:
        """Nothing is written before the first step."""
        self.graph = Graph(people)
        self._folder, self._splink, self._out = folder, splink, out

    def run(self) -> Graph:
        """Write the edges, solve them in every way, compare what was found."""
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = str(self._folder)
        self._take("edges", "tests.benchmarks.identity_edges", str(self.graph.people), folder)
        compile_models(self._folder)
        for _ in range(TIMES):
            self._cluster_with_splink("splink", EDGES)
            for step in ("cold", "rebuild", "keep"):
                self._take(step, STEP, step, folder)
            self._cluster_with_splink("splink_keyed", KEYED_EDGES)
            for step in ("warm", "reread", "prepare", "look_up", "day"):
                self._take(step, STEP, step, folder)
        with duckdb.connect() as connection:
            self._compare(connection)
            self._count(connection)
        return self.graph

    def _cluster_with_splink(self, name: str, edges: str) -> None:
        if not self._splink:
            return
        script = Path(__file__).with_name("identity_splink.py")
        log = self._folder / f"{name}.log"
        command = [str(self._splink), str(script)]
        command += [str(self._folder / edges), str(self._folder / f"{name}.parquet")]
        self._note(name, measure_command(command, log, {}))
        self.graph.versions = log.read_text("utf-8").strip().splitlines()[-1]

    def _take(self, name: str, *arguments: str) -> None:
        self._note(name, measure(arguments, self._folder / f"{name}.log", {}))

    def _note(self, name: str, cost: Cost) -> None:
        known = self.graph.costs.get(name, cost)
        self.graph.costs[name] = min(known, cost, key=lambda one: one.cpu)
        self._out.print(
            f"{self.graph.people:>9,} {name:<16} {cost.cpu:8.1f} CPU s {cost.wall:8.1f} s "
            f"{cost.peak_mb:8,.0f} MB"
        )

    def _compare(self, connection: duckdb.DuckDBPyConnection) -> None:
        names = ["cold", "rebuild", "reread", *(["splink"] if self._splink else [])]
        for name in names:
            connection.execute(f"create view {name} as from '{self._folder}/{name}.parquet'")
        keyed = ["warm", *(["splink_keyed"] if self._splink else [])]
        for name in keyed:
            found = named(connection, self._folder / "rebuild.duckdb", self._file(name))
            connection.execute(f"create view {name} as {found}")
        day = named(connection, self._folder / f"{STATE}.duckdb")
        connection.execute(f"create view day as {day}")
        for name in [*names[1:], *keyed, "day"]:
            assert_same(connection, "cold", name)

    def _file(self, name: str) -> str:
        return f"'{self._folder}/{name}.parquet'"

    def _count(self, connection: duckdb.DuckDBPyConnection) -> None:
        row = connection.execute(
            "select count(*), count(distinct component), "
            f"(select count(*) from '{self._folder / EDGES}'), "
            f"(select count(*) from '{self._folder / DAY_EVIDENCE}'), "
            f"(select count(*) from {self._file('day')}) from cold"
        ).fetchone()
        assert row is not None
        graph = self.graph
        graph.identifiers, graph.components, graph.edges, graph.new_edges, graph.touched = row


def assert_same(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> None:
    """Whether two tables of (identifier, component) put the same identifiers together.

    Raises:
        NotEqualError: they do not, or not of the same identifiers.
    """
    row = connection.execute(f"""
        select
            count(*) filter (where a.identifier is null or b.identifier is null),
            count(*) - count(distinct coalesce(a.identifier, b.identifier)),
            count(distinct (a.component, b.component)) - count(distinct a.component),
            count(distinct (a.component, b.component)) - count(distinct b.component)
        from {one} as a
        full outer join {other} as b on a.identifier = b.identifier
    """).fetchone()
    if row != (0, 0, 0, 0):
        raise NotEqualError(f"{one} and {other} differ: missing, twice, split, merged = {row}")


def main(arguments: list[str]) -> int:
    """Measure every size, print and write its part of the page."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.identity", description=__doc__
    )
    parser.add_argument("--people", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "performance.md")
    parser.add_argument("--work", type=Path, help="keep everything here; else a temporary folder")
    parser.add_argument("--splink-python", type=Path, help="an interpreter that has Splink")
    chosen = parser.parse_args(arguments)
    out = Console(highlight=False, soft_wrap=True)
    out.print(machine())
    if not chosen.splink_python:
        out.print("Without --splink-python Splink is not measured.")
    start, *graphs = [
        _measured(people, chosen.work, chosen.splink_python, out)
        for people in (NEXT_TO_NONE, *chosen.people)
    ]
    for graph in graphs:
        graph.start = start.costs
    if (grown := exponent(graphs)) is not None:
        out.print(f"Growth exponent of rebuild: {grown:.2f}")
    old = chosen.out.read_text("utf-8") if chosen.out.exists() else ""
    chosen.out.write_text(identity_page(old, machine(), graphs), "utf-8")
    out.print(f"Written: {chosen.out}")
    return 0


def _measured(people: int, work: Path | None, splink: Path | None, out: Console) -> Graph:
    folder = work or Path(tempfile.mkdtemp(prefix="regulars-identity-"))
    try:
        return IdentityBench(people, folder / str(people), splink, out).run()
    finally:
        if not work:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
