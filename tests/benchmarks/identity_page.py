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
    ("splink", "Splink's clustering"),
    ("cold", "cold: dictionary, links, components"),
    ("warm", "warm: the dictionary was kept"),
    ("day", "day: 1 % more edges, everything kept"),
)
RATIOS = (
    ("cold / Splink, CPU", "cold", "splink", "cpu", "≤ 0.33"),
    ("cold / Splink, memory", "cold", "splink", "peak_mb", "≤ 0.50"),
    ("warm / Splink, CPU", "warm", "splink", "cpu", "≤ 0.125"),
    ("day / cold, CPU", "day", "cold", "cpu", "≤ 0.05"),
)


@dataclass
class Graph:
    """Everything measured on the edges of one number of people."""

    people: int
    identifiers: int = 0
    edges: int = 0
    components: int = 0
    new_edges: int = 0
    versions: str = ""
    costs: dict[str, Cost] = field(default_factory=dict)


def identity_page(old: str, machine: str, graphs: Sequence[Graph]) -> str:
    """The page with new figures; everything outside the marks stays as it was."""
    figures = "\n".join([START, *_figures(machine, graphs), END])
    if START in old and END in old:
        before, _, rest = old.partition(START)
        return f"{before}{figures}{rest.partition(END)[2]}"
    return f"{old.rstrip()}\n\n{HEAD}\n\n{figures}\n".lstrip()


def exponent(graphs: Sequence[Graph], step: str = "cold") -> float | None:
    """How CPU grows with people, from the smallest graph to the biggest: 1 is in proportion."""
    ordered = sorted((g for g in graphs if step in g.costs), key=lambda graph: graph.people)
    if len({graph.people for graph in ordered}) < 2:
        return None
    small, big = ordered[0], ordered[-1]
    return math.log(big.costs[step].cpu / small.costs[step].cpu) / math.log(
        big.people / small.people
    )


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
            f"Growth of cold's CPU from {sizes[0]:,} to {sizes[-1]:,} people: "
            f"exponent {grown:.2f} (aim ≤ 1.2).\n"
        )


def _graph(graph: Graph) -> Iterator[str]:
    yield f"### Edges of {graph.people:,} people\n"
    yield (
        f"{graph.edges:,} edges, {graph.new_edges:,} of them the day's; {graph.identifiers:,} "
        f"identifiers in {graph.components:,} components.\n"
    )
    yield "| step | CPU s | wall s | peak MB |"
    yield "|---|---:|---:|---:|"
    for key, words in STEPS:
        if cost := graph.costs.get(key):
            yield f"| {words} | {cost.cpu:.1f} | {cost.wall:.1f} | {cost.peak_mb:,.0f} |"
        else:
            yield f"| {words} | not measured | | |"
    yield ""
    yield "| ratio | value | aim |"
    yield "|---|---:|---:|"
    for words, part, whole, what, aim in RATIOS:
        if part in graph.costs and whole in graph.costs:
            ratio = getattr(graph.costs[part], what) / getattr(graph.costs[whole], what)
            yield f"| {words} | {ratio:.2f} | {aim} |"
    yield ""
