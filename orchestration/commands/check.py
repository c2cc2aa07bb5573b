"""`regulars check`: what a run would make of the files of a folder and the tables of databases.

Belongs here: layout. Does not belong here: reading and judging (ingestion/check).
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable
from itertools import groupby
from time import monotonic
from typing import Any

from rich.console import Console

from ingestion.check import FileLook, InputLook, Problem, TableLook, look_through
from ingestion.config import Settings
from ingestion.files.folder import InputFolder
from ingestion.input_folder import open_input
from ingestion.landing.batch import PULLED
from ingestion.landing.limits import what_to_do
from ingestion.registry import accepted_words, databases
from ingestion.vocabulary import or_list
from orchestration.words.amounts import counted
from orchestration.words.plain_text import shown_name

NAMED_FILES = 3
NAMED_COLUMNS = 30
SHOWN_PROBLEMS = 5


def check(location: str, settings: Settings, out: Console, *, as_json: bool) -> bool:
    """Look through the folder and the databases, and print what is there.

    Returns:
        Whether a run would read all of it to its end.

    Raises:
        NoInputError: there is nothing readable.
    """
    started = monotonic()
    if location or not databases(settings).on():
        folder = open_input(location, settings)
    else:
        folder = dataclasses.replace(InputFolder.nowhere(), zone=settings.shop.timezone)
    look = look_through(folder, settings)
    if as_json:
        json.dump(dataclasses.asdict(look), sys.stdout, indent=2, default=_plain)
        sys.stdout.write("\n")
        return not look.stops
    for files in _alike(look.files):
        _print_files(files, out)
    _print_end(look, settings, out)
    out.print(f"Nothing was changed. Done in {monotonic() - started:.1f} s.")
    return not look.stops


def _alike(files: list[FileLook]) -> Iterable[list[FileLook]]:
    """Files that are the same but for their rows; one with a row put aside stands alone."""

    def kind(file: FileLook) -> tuple[Any, ...]:
        alone = file.path if any(look.put_aside for look in file.tables) else ""
        columns = (file.used, file.kept, file.unused)
        return (file.taken_for == "", file.taken_for, file.advice, alone, *columns)

    for _, group in groupby(sorted(files, key=lambda file: (kind(file), file.path)), key=kind):
        yield list(group)


def _print_files(files: list[FileLook], out: Console) -> None:
    more = f" and {len(files) - NAMED_FILES:,} more" if len(files) > NAMED_FILES else ""
    names = ", ".join(file.path for file in files[:NAMED_FILES])
    out.print(f"{names}{more}", style="bold")
    first = files[0]
    out.print(f"  taken for: {first.taken_for or 'nothing that is read'}")
    if first.advice or not first.taken_for:
        out.print(f"  {first.advice or 'See docs/formats.md.'}")
    by_table: dict[str, list[TableLook]] = {}
    for file in files:
        for look in file.tables:
            by_table.setdefault(look.table, []).append(look)
    for table, looks in by_table.items():
        _print_table(table, looks, out)
    if first.tables:
        _print_columns("used", first.used, out)
        _print_columns("kept as stated traits", first.kept, out)
        _print_columns("not used", first.unused, out)


def _print_table(table: str, looks: list[TableLook], out: Console) -> None:
    rows = sum(look.rows for look in looks)
    aside = sum(look.put_aside for look in looks)
    days = [day for look in looks for day in (look.first, look.last) if day]
    when = f"; {min(days)} to {max(days)}" if days else ""
    currencies = sorted(set().union(*(look.currencies for look in looks)))
    money = f"; {', '.join(currencies)}" if currencies else ""
    noun = "row" if rows == 1 else "rows"
    out.print(f"  {table}: {rows:,} {noun}, {aside:,} would be put aside{when}{money}")
    problems = [problem for look in looks for problem in look.problems]
    source, _, name = table.partition("/")
    for problem in problems[:SHOWN_PROBLEMS]:
        out.print(f"    {problem.rows:,} {_in_words(problem)}{_hint(source, name, problem)}")
    if len(problems) > SHOWN_PROBLEMS:
        out.print(f"    and {len(problems) - SHOWN_PROBLEMS:,} more reasons")
    emptied = ", ".join(
        f"{column} {sum(look.emptied[column] for look in looks):,}"
        for column in dict.fromkeys(name for look in looks for name in look.emptied)
    )
    if emptied:
        out.print(f"    values that cannot be read and would be left empty: {emptied}")


def _hint(source: str, table: str, problem: Problem) -> str:
    """What to write, or to do, about a problem; empty where the reason says it."""
    words = accepted_words(source, table, problem.field)
    if problem.reason == "unknown_value" and words:
        return f"; write {or_list(words)}"
    todo = what_to_do(source, problem.reason)
    return f"; {todo}" if todo else ""


def _in_words(problem: Problem) -> str:
    where = f" in {shown_name(problem.field)}" if problem.field else ""
    shape = f", like {problem.example}" if problem.example else ""
    return f"{problem.reason}{where}: first at {problem.location}{shape}"


def _print_columns(what: str, columns: tuple[str, ...], out: Console) -> None:
    if columns:
        more = len(columns) - NAMED_COLUMNS
        names = ", ".join(map(shown_name, columns[:NAMED_COLUMNS]))
        out.print(f"  {what}: {names}" + (f" and {more:,} more" if more > 0 else ""))


def _print_end(seen: InputLook, settings: Settings, out: Console) -> None:
    looks = [look for file in seen.files for look in file.tables]
    rows, aside = sum(look.rows for look in looks), sum(look.put_aside for look in looks)
    tables = sum(file.path.startswith(PULLED) for file in seen.files)
    files = counted(len(seen.files) - tables, "files")
    files += f", {counted(tables, 'tables')} of databases" if tables else ""
    out.print(f"{files}, {counted(rows, 'rows')}, {aside:,} would be put aside.")
    ordered = [look for look in looks if look.table.startswith("orders/") and look.rows]
    currencies = sorted(set().union(*(look.currencies for look in ordered)))
    if currencies and settings.shop.currency not in currencies:
        out.print(
            f"The orders are in {', '.join(currencies)}, the settings say "
            f"{settings.shop.currency}: set [shop] currency, or put dated rates into rates/."
        )
    for sentence in seen.stops:
        out.print(f"A run would stop: {sentence}")


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set) else str(value)
