"""The identity bench as a part of docs/performance.md, between marks of its own.

Belongs here: the table, the ratios and the words that never change. What people write around the
marks is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.measure import Cost

START = "<!-- identity figures: written by make bench -->"
END = "<!-- end of identity figures -->"
HEAD = "## Who is who, beside Splink"
STEPS = (
    ("splink", "Splink's clustering of texts"),
    ("cold", "cold: dictionary, links, components, in memory too"),
    ("rebuild", "rebuild: the same on disk, kept for the next day"),
    ("reread", "every text looked up again in the kept dictionary"),
    ("splink_keyed", "Splink's clustering of integers"),
    ("warm", "warm: the dictionary was kept, edges are its integers"),
    ("look_up", "the texts of the last 1 % looked up, the new ones learnt"),
    ("day", "day: its edges as integers, whom they touch solved again"),
)
RATIOS = (
    ("cold / Splink, CPU", ("cold",), "splink", "≤ 0.33"),
    ("rebuild / Splink, CPU", ("rebuild",), "splink", ""),
    ("texts looked up again / Splink, CPU", ("reread",), "splink", ""),
    ("warm / Splink of integers, CPU", ("warm",), "splink_keyed", "≤ 0.125"),
    ("day / rebuild, CPU", ("day",), "rebuild", "≤ 0.05"),
    ("day and its texts / rebuild, CPU", ("look_up", "day"), "rebuild", "≤ 0.05"),
)
MEMORY = ("cold / Splink, memory", "cold", "splink", "≤ 0.50")


@dataclass
class Graph:
    """Everything measured on the edges of one number of people.

    `start` is what the same steps cost on next to no edges.
    """

    people: int
    identifiers: int = 0
    edges: int = 0
    components: int = 0
    new_edges: int = 0
    touched: int = 0
    versions: str = ""
    costs: dict[str, Cost] = field(default_factory=dict)
    start: dict[str, Cost] = field(default_factory=dict)

    def work(self, *steps: str) -> float | None:
        """The CPU seconds of steps beyond those that they take to start; none if one is missing."""
        if any(step not in self.costs for step in steps):
            return None
        started = sum(self.start[step].cpu for step in steps if step in self.start)
        return sum(self.costs[step].cpu for step in steps) - started


def identity_page(old: str, machine: str, graphs: Sequence[Graph]) -> str:
    """The page with new figures; everything outside the marks stays as it was."""
    figures = "\n".join([START, *_figures(machine, graphs), END])
    if START in old and END in old:
        before, _, rest = old.partition(START)
        return f"{before}{figures}{rest.partition(END)[2]}"
    return f"{old.rstrip()}\n\n{HEAD}\n\n{figures}\n".lstrip()


def exponent(graphs: Sequence[Graph], step: str = "rebuild") -> float | None:
    """How CPU grows with people, from the smallest graph to the biggest: 1 is in proportion."""
    worked = sorted((g.people, work) for g in graphs if (work := g.work(step)))
    if len({people for people, _ in worked}) < 2:
        return None
    (few, small), *_, (many, big) = worked
    return math.log(big / small) / math.log(many / few)


def _figures(machine: str, graphs: Sequence[Graph]) -> Iterator[str]:
    people = " ".join(str(graph.people) for graph in graphs)
    versions = next((graph.versions for graph in graphs if graph.versions), "")
    yield f"Machine: {machine}{f'; beside it {versions}' if versions else ''}.\n"
    yield (
        f"Again: `.venv/bin/python -m tests.benchmarks.identity --people {people}"
        f"{' --splink-python PATH' if versions else ''}`.\n"
    )
    for graph in graphs:
        yield from _graph(graph)
    if (grown := exponent(graphs)) is not None:
        sizes = sorted(graph.people for graph in graphs)
        yield (
            f"Growth of rebuild's CPU from {sizes[0]:,} to {sizes[-1]:,} people: "
            f"exponent {grown:.2f} (aim ≤ 1.2).\n"
        )


def _graph(graph: Graph) -> Iterator[str]:
    yield f"### Edges of {graph.people:,} people\n"
    yield (
        f"{graph.edges:,} edges, {graph.new_edges:,} of them the day's; {graph.identifiers:,} "
        f"identifiers in {graph.components:,} components, {graph.touched:,} in those that the day "
        "touches.\n"
    )
    yield "| step | CPU s | of it starting | wall s | peak MB |"
    yield "|---|---:|---:|---:|---:|"
    for key, words in STEPS:
        if cost := graph.costs.get(key):
            start = f"{graph.start[key].cpu:.1f}" if key in graph.start else ""
            yield f"| {words} | {cost.cpu:.1f} | {start} | {cost.wall:.1f} | {cost.peak_mb:,.0f} |"
        else:
            yield f"| {words} | not measured | | | |"
    yield ""
    yield "| ratio, without starting | value | aim |"
    yield "|---|---:|---:|"
    for words, parts, whole, aim in RATIOS:
        if (one := graph.work(*parts)) is not None and (other := graph.work(whole)):
            yield f"| {words} | {one / other:.2f} | {aim} |"
    words, part, whole, aim = MEMORY
    if part in graph.costs and whole in graph.costs:
        ratio = graph.costs[part].peak_mb / graph.costs[whole].peak_mb
        yield f"| {words} | {ratio:.2f} | {aim} |"
    yield ""
