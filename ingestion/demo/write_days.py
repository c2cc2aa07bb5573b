"""Writing the days after the pretend shop's first moment: each day's files, and the APIs as of now.

Data flow: blocks with the year behind them -> input/<folder>/…day-YYYY-MM-DD-BBB.* (what came in on
that day), api/ (everything that the systems know by now).
Does not belong here: what happens on a day (later), or which day it is (the home's clock).

A day's files are made beside the input and moved there when all are whole, so a day cut short is
written again, the same bytes under the same names.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ingestion.demo import (
    write_checkouts,
    write_claims,
    write_folders,
    write_klaviyo,
    write_levels,
    write_offers,
    write_programmes,
    write_shopify,
    write_web,
)
from ingestion.demo.calendar import DAY, SHOP_ZONE
from ingestion.demo.later import Later, known_at
from ingestion.demo.tables import Connection, connection, copy_table, load_block
from ingestion.demo.world import Block, World

_DAY = "day"  # in api/: the day as of which it answers; absent on the first


def write_until(world: World, folder: Path, day: int) -> None:
    """Let the shop's files and APIs be as they are `day` days after its first moment."""
    later = Later(world)
    missing = [each for each in range(1, day + 1) if not _written(folder, each).exists()]
    is_current = _day_of(folder / "api") == day
    if is_current and not missing:
        return
    beside = folder / "next"
    shutil.rmtree(beside, ignore_errors=True)
    moment = world.calendar.end + day * DAY
    with connection() as con:
        for index in range(world.block_count):
            whole = later.block(index)
            _write_files(con, later, whole, missing, beside)
            _write_api_block(con, later, known_at(whole, moment), moment, beside / "api")
        write_klaviyo.write_api_fixed(con, beside / "api" / "klaviyo", world.calendar.start)
        write_shopify.write_api_fixed(con, beside / "api" / "shopify", world.calendar.start, moment)
        if missing:
            write_claims.gather_claims(con, beside / "claims")
        for each in missing:
            _write_fixed_files(con, later, each, beside / "input")
    (beside / "api" / _DAY).write_text(f"{day}\n", "utf-8")
    for path in sorted(each for each in (beside / "input").rglob("*") if each.is_file()):
        target = folder / "input" / path.relative_to(beside / "input")
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    for each in missing:
        _written(folder, each).parent.mkdir(exist_ok=True)
        _written(folder, each).touch()
    shutil.rmtree(folder / "api", ignore_errors=True)
    (beside / "api").rename(folder / "api")
    shutil.rmtree(beside)


def _written(folder: Path, day: int) -> Path:
    """The file that is there once every file of the day is in the input."""
    return folder / "days" / f"{day:03d}"


def _day_of(api: Path) -> int | None:
    """The day as of which the APIs answer; None where they are not whole."""
    if not api.exists():
        return None
    return int((api / _DAY).read_text("utf-8")) if (api / _DAY).exists() else 0


def _write_files(
    con: Connection, later: Later, whole: Block, days: Sequence[int], beside: Path
) -> None:
    if not days:
        return
    folder = beside / "input"
    load_block(con, later.world, whole, later.span, later.letters)
    write_programmes.prepare(con, later.world, whole, later.span.end)
    write_levels.prepare(con, later.world, later.span.end)
    write_offers.prepare(con, later.world, later.span.end)
    write_web.prepare(con)
    for day in days:
        since, until = _bounds(later.world, day)
        name = _name(since)
        web = folder / "web" / f"{_moment(since):%Y}" / f"{_moment(since):%m}"
        web.mkdir(parents=True, exist_ok=True)
        write_web.write_span(con, web / f"{name}-{whole.index:03d}.jsonl.gz", since, until)
        bounds = [_moment(since), _moment(until)]
        local = [f"{each.astimezone(ZoneInfo(SHOP_ZONE)):%F %T}" for each in bounds]
        iso = [f"{each:%FT%TZ}" for each in bounds]
        for where, query, column in write_folders.DATED:
            low, high = local if column == "sold_at" else iso
            came = f"select * from ({query}) where {column} >= '{low}' and {column} < '{high}'"
            _copy_some(con, came, folder / where / f"{name}-{whole.index:03d}.csv")
    write_claims.write_block_claims(con, beside / "claims", whole.index, later.world.calendar.start)


def _write_fixed_files(con: Connection, later: Later, day: int, folder: Path) -> None:
    since, until = _bounds(later.world, day)
    con.execute(f"set variable since = {since}")
    con.execute(f"set variable until = {until}")
    for where, query in write_folders.DAILY:
        copy_table(con, query, folder / where / f"{_name(since)}.csv")
    _copy_some(con, write_folders.PRODUCTS_CHANGED, folder / "products" / f"{_name(since)}.csv")


def _write_api_block(
    con: Connection, later: Later, known: Block, moment: int, folder: Path
) -> None:
    letters = [letter for letter in later.letters if letter.sent < moment]
    load_block(con, later.world, known, later.span, letters)
    write_web.prepare(con)
    write_klaviyo.prepare(con, later.world.calendar.start, later.world.calendar.end)
    write_klaviyo.write_api_block(con, folder / "klaviyo", known.index)
    write_shopify.write_api_block(con, folder / "shopify", known.index)
    write_checkouts.write_api_block(con, folder / "shopify", known.index, moment)


def _copy_some(con: Connection, query: str, path: Path) -> None:
    """A file, where there is a row to write."""
    if con.execute(f"select 1 from ({query}) limit 1").fetchone():
        copy_table(con, query, path)


def _bounds(world: World, day: int) -> tuple[int, int]:
    since = world.calendar.end + (day - 1) * DAY
    return since, since + DAY


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _name(since: int) -> str:
    return f"day-{_moment(since):%Y-%m-%d}"
