"""Cuts a pretend shop's input in two at a moment: everything before it, and the rest as one day.

Belongs here: copying rows to one side or the other by the time they carry; nothing is changed in
them. Files without times (products, rates, the mapping) go to the earlier side whole.

Run as a module: `python -m tests.benchmarks.split INPUT EARLIER LATER SHARE`; prints the moment.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import itertools
import re
import shutil
import sys
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

SAMPLE = 7  # every so many lines are enough to find the moment
BROKEN = (EOFError, OSError, zlib.error)
# The field of each folder that says when its row came into the world.
TIMES = {
    "web": "timestamp",
    "email": "timestamp",
    "orders": "created_at",
    "payments": "paid_at",
    "consents": "occurred_at",
    "feedback": "occurred_at",
    "contacts": "created_at",
}


def cut_at(folder: Path, share: float) -> datetime:
    """The whole second before which all but the last `share` of web events lie (naive UTC)."""
    pattern = _time_of(TIMES["web"])
    found: list[str] = []
    for path in sorted((folder / "web").rglob("*.jsonl.gz")):
        with contextlib.suppress(*BROKEN), gzip.open(path, "rb") as lines:
            moments = (pattern.search(line) for line in itertools.islice(lines, 0, None, SAMPLE))
            found += [moment.group(1).decode().strip('"') for moment in moments if moment]
    found.sort()
    return _moment(found[int(len(found) * (1 - share))]).replace(microsecond=0)


def split(folder: Path, earlier: Path, later: Path, cut: datetime) -> None:
    """Write both sides; `later` gets only rows at or after `cut`."""
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        place = path.relative_to(folder)
        field = TIMES.get(place.parts[0])
        if field is None or path.suffix == ".yml":
            _copy(path, earlier / place)
        elif path.suffix == ".csv":
            _split_csv(path, earlier / place, _renamed(later / place), field, cut)
        else:
            _split_lines(path, earlier / place, _renamed(later / place), field, cut)


def _time_of(field: str) -> re.Pattern[bytes]:
    return re.compile(rf'"{field}" *: *("[^"]*"|[0-9.]+)'.encode())


def _renamed(path: Path) -> Path:
    """A file of its own, so that both sides can lie in one folder."""
    return path.with_name(f"day-{path.name}")


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def _split_lines(path: Path, earlier: Path, later: Path, field: str, cut: datetime) -> None:
    pattern = _time_of(field)

    def is_later(line: bytes) -> bool:
        found = pattern.search(line)
        return found is not None and _moment(found.group(1).decode().strip('"')) >= cut

    try:
        with gzip.open(path, "rb") as source:
            _write_sides(source, earlier, later, is_later, head=b"")
    except BROKEN:
        _copy(path, earlier)  # a damaged archive is part of the shop; quarantine is for it


def _split_csv(path: Path, earlier: Path, later: Path, field: str, cut: datetime) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    if not lines:
        return
    header = next(csv.reader([lines[0].decode()]))
    position = next((i for i, name in enumerate(header) if name == field), None)
    if position is None:
        position = next(i for i, name in enumerate(header) if re.search(r"(_at|date|time)$", name))

    def is_later(line: bytes) -> bool:
        row = next(csv.reader(io.StringIO(line.decode())))
        return bool(row[position]) and _moment(row[position]) >= cut

    _write_sides(lines[1:], earlier, later, is_later, head=lines[0])


def _write_sides(
    lines: Iterator[bytes] | list[bytes] | gzip.GzipFile,
    earlier: Path,
    later: Path,
    is_later: Callable[[bytes], bool],
    head: bytes,
) -> None:
    sides: dict[bool, list[bytes]] = {False: [], True: []}
    for line in lines:
        sides[is_later(line)].append(line)
    for target, side in ((earlier, sides[False]), (later, sides[True])):
        if side:
            target.parent.mkdir(parents=True, exist_ok=True)
            content = head + b"".join(side)
            packed = gzip.compress(content, 1, mtime=0) if target.suffix == ".gz" else content
            target.write_bytes(packed)


def _moment(text: str) -> datetime:
    """ISO 8601 with or without a zone, or seconds since 1970, as naive UTC."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return datetime.fromtimestamp(float(text), UTC).replace(tzinfo=None)
    moment = datetime.fromisoformat(text.strip())
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def main(arguments: list[str]) -> int:
    """Split and print the moment."""
    folder, earlier, later = (Path(argument) for argument in arguments[:3])
    cut = cut_at(folder, float(arguments[3]))
    split(folder, earlier, later, cut)
    sys.stdout.write(f"{cut.isoformat()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
