"""CSV cut into records, each with the line of the file it begins on.

Arrow cuts, quoted line breaks included, and hands back records with too few or too many fields
instead of stopping; what is added here is the numbering, so that a person finds the line.

Belongs here: delimiters, headers, records. Does not belong here: encodings of values, meanings.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from ingestion.folder import WHOLE_LIMIT, BrokenFileError

BLOCK_BYTES = 32 * 1024 * 1024
BLANK = " \t\r\n\x0b\x0c\x00"


@dataclass(frozen=True)
class CsvRecords:
    """Some records: columns of bytes, the line of each, and the broken ones among them."""

    columns: list[Any]
    lines: Any
    broken: list[tuple[int, str]]


def csv_header(start: bytes) -> tuple[tuple[str, ...], str]:
    """The header's names and the delimiter, which is the one it uses most.

    Raises:
        BrokenFileError: what should be a header cannot be read as one.
    """
    head = start[: 1024 * 1024]
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error as error:
        raise BrokenFileError("unreadable_file", "its first line is no CSV header") from error
    return tuple(name.strip() for name in names), delimiter


def csv_records(
    start: bytes, stream: IO[bytes], width: int, delimiter: str
) -> Iterator[CsvRecords]:
    """All records after the header. `start` is what was already read of `stream`."""
    numbering = _Numbering()
    reader = _open(_Chained(start, stream), start, width, delimiter, numbering)
    is_first = True
    try:
        for batch in reader:
            lines, broken = numbering.take(batch)
            filled = _is_filled(batch.columns)
            if is_first:
                filled[0] = False  # the header
                is_first = False
            columns = batch.columns
            if not filled.all():
                columns = [column.filter(pa.array(filled)) for column in columns]
            yield CsvRecords(columns, lines[filled], broken)
    except pa.ArrowInvalid as error:
        # What follows cannot be cut into records, for example after a quote left open.
        numbering.broken.append((numbering.record, str(error)[:200]))
    yield CsvRecords([pa.array([], pa.binary())] * width, np.array([], np.int64), numbering.rest())


@dataclass
class _Numbering:
    """Counts records, broken ones included, and the line breaks inside them."""

    record: int = 1
    extra_lines: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)

    def on_invalid(self, row: Any) -> str:
        """Called by Arrow for a record with too few or too many fields."""
        self.broken.append((row.number, row.text))
        return "skip"

    def take(self, batch: Any) -> tuple[Any, list[tuple[int, str]]]:
        """Lines of the batch's records, and the broken records that lie among them."""
        broken = {number for number, _ in self.broken}
        candidates = np.arange(self.record, self.record + batch.num_rows + len(broken))
        records = candidates[~np.isin(candidates, list(broken))][: batch.num_rows]
        following = int(records[-1]) + 1 if len(records) else self.record
        passed = [item for item in self.broken if item[0] < following]
        self.broken = [item for item in self.broken if item[0] >= following]
        numbers = np.concatenate([records, np.array([n for n, _ in passed], np.int64)])
        breaks = np.concatenate([_breaks(batch), np.array([_count(t) for _, t in passed], int)])
        order = np.argsort(numbers, kind="stable")
        before = np.empty_like(breaks)
        before[order] = np.cumsum(breaks[order]) - breaks[order]
        lines = numbers + self.extra_lines + before
        self.extra_lines += int(breaks.sum())
        self.record = following
        placed = zip(lines[len(records) :].tolist(), (text for _, text in passed), strict=True)
        return lines[: len(records)], [item for item in placed if item[1].strip(BLANK)]

    def rest(self) -> list[tuple[int, str]]:
        """Broken records after the last good one."""
        lines = []
        for number, text in self.broken:
            if text.strip(BLANK):
                lines.append((number + self.extra_lines, text))
            self.extra_lines += _count(text)
        return lines


class _Chained(io.RawIOBase):
    """Bytes already read, then the rest of the stream."""

    def __init__(self, start: bytes, stream: IO[bytes]) -> None:
        super().__init__()
        self._start: io.BytesIO | None = io.BytesIO(start)
        self._stream = stream

    def readable(self) -> bool:
        """Arrow asks first."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        if self._start is not None:
            block = self._start.read(size)
            if block:
                return block
            self._start = None
        return self._stream.read(size)


def _open(stream: Any, start: bytes, width: int, delimiter: str, numbering: _Numbering) -> Any:
    names = [f"c{index}" for index in range(width)]
    whole = len(start) <= WHOLE_LIMIT
    return pa_csv.open_csv(
        pa.BufferReader(start) if whole else pa.PythonFile(stream, mode="r"),
        read_options=pa_csv.ReadOptions(
            use_threads=False,
            column_names=names,
            # A file that fits is one block, so that no quoted value straddles two.
            block_size=max(len(start) + 1, 1024) if whole else BLOCK_BYTES,
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=numbering.on_invalid,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.binary() for name in names},
            strings_can_be_null=False,
        ),
    )


def _is_filled(columns: list[Any]) -> Any:
    """Which records hold anything; an empty line is no row."""
    filled = np.zeros(len(columns[0]), dtype=bool)
    for column in columns:
        filled |= pc.not_equal(column, b"").to_numpy(zero_copy_only=False)
        if filled.all():
            break
    return filled


def _breaks(batch: Any) -> Any:
    counts = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        counts += pc.count_substring(column, b"\n").to_numpy(zero_copy_only=False)
    return counts


def _count(text: str) -> int:
    return text.rstrip("\n").count("\n")
