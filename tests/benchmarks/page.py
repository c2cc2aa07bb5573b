"""The figures as a page for docs/performance.md.

Belongs here: the tables and the words that never change. What people write about the figures stands
outside the marked part of the page and is kept when the figures are replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tests.benchmarks.measure import Cost

if TYPE_CHECKING:
    from tests.benchmarks.bench import Size

START, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"
STEPS = (
    ("ingest", "ingest: files to raw"),
    ("permission", "consent facts, export for dbt"),
    ("parse", "dbt parse (once per checkout)"),
    ("models", "models, from nothing"),
    ("models_without_identity", "of these, all but who is who"),
    ("build", "models and data tests, from nothing"),
    ("publish", "candidate, every check, swap"),
    ("sync", "plan, gate, deliver all segments"),
    ("day: ingest", "1 % more: ingest"),
    ("day: permission", "1 % more: consent facts, export"),
    ("day: build", "1 % more: models and data tests"),
    ("day: publish", "1 % more: candidate, checks, swap"),
    ("day: sync", "1 % more: plan, gate, deliver"),
    ("decision", "one day's decision, 40 segments"),
    ("floor", "floor: hand-written SQL"),
    ("day: floor", "1 % more: floor, all of it again"),
)
HEAD = """# Performance

How fast Regulars is, measured by `make bench`, beside the *floor*: DuckDB SQL written by hand
(`tests/benchmarks/floor.sql`) that makes the same tables from the same raw rows in one process,
without dbt, tests, documentation or incremental state. Who is who it reads from the product.
"""


def page(old: str, machine: str, sizes: Sequence[Size]) -> str:
    """The page with new figures; everything outside the marks stays as it was."""
    figures = "\n".join([START, *_figures(machine, sizes), END])
    if START in old and END in old:
        before, _, rest = old.partition(START)
        return f"{before}{figures}{rest.partition(END)[2]}"
    return f"{old or HEAD}\n{figures}\n"


def _figures(machine: str, sizes: Sequence[Size]) -> Iterator[str]:
    people = " ".join(str(size.people) for size in sizes)
    yield f"Machine: {machine}.\n"
    yield f'Again: `make bench ARGS="--people {people}"`.\n'
    for size in sizes:
        yield from _size(size)


def _size(size: Size) -> Iterator[str]:
    yield f"## {size.people:,} people\n"
    if size.rows:
        yield ", ".join(f"{count:,} {name}" for name, count in size.rows.items()) + ".\n"
    else:
        yield "Models and floor alone, each once (`--models-only`).\n"
    yield "| step | CPU s | wall s | peak MB |"
    yield "|---|---:|---:|---:|"
    for key, words in STEPS:
        if cost := size.costs.get(key):
            yield f"| {words} | {cost.cpu:.1f} | {cost.wall:.1f} | {cost.peak_mb:,.0f} |"
    yield ""
    yield from _ratios(size)
    yield from _equality(size)


def _ratios(size: Size) -> Iterator[str]:
    costs = size.costs
    yield "| ratio of CPU | value | aim |"
    yield "|---|---:|---:|"
    for words, part, whole, aim in (
        ("models without who is who / floor", "models_without_identity", "floor", "≤ 1.5"),
        ("models / floor, which solves no identity", "models", "floor", ""),
        ("models and data tests / floor", "build", "floor", ""),
        ("1 % day's models and tests / build", "day: build", "build", "≤ 0.10"),
    ):
        if part in costs and whole in costs:
            yield f"| {words} | {_ratio(costs[part], costs[whole])} | {aim} |"
    yield ""


def _ratio(part: Cost, whole: Cost) -> str:
    return f"{part.cpu / whole.cpu:.2f}" if whole.cpu else "-"


def _equality(size: Size) -> Iterator[str]:
    for when, comparison in size.comparisons.items():
        equal = [d for d in comparison.differences if d.is_equal]
        rows = sum(d.rows for d in equal)
        yield (
            f"{when}, floor and product agree on {len(equal)} of {len(comparison.differences)} "
            f"tables, {rows:,} rows, every column the floor makes."
        )
        for different in comparison.differences:
            if not different.is_equal:
                yield (
                    f"- `{different.table}`: {different.only_floor:,} rows only in the floor, "
                    f"{different.only_product:,} only in the product."
                )
        yield ""
    slowest = ", ".join(f"`{name}` {seconds:.1f} s" for name, seconds in size.slowest)
    if slowest:
        yield f"Slowest of the build: {slowest}.\n"
