"""CSV cut into records, each with the line of the file it begins on.

Arrow cuts, quoted line breaks included, and hands back records with too few or too many fields
instead of stopping; what is added here is the numbering, so that a person finds the line, and the
guard against quotes that were left open. Such a quote swallows the lines that follow as one value.
Where quotes do not stand as RFC 4180 has them, records are cut by ourselves: a quoted value that
spans lines and does not end well costs its first line only, and reading goes on with the next.

Belongs here: delimiters, headers, records. Does not belong here: encodings of values, meanings.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from ingestion.files.folder import BrokenFileError, after_this_line

BLOCK_BYTES = 32 * 1024 * 1024
# No value spans more than this; a quote that is open for longer was left open.
RECORD_LIMIT = 1024 * 1024
HEAD_BYTES = 1024 * 1024
# After so many quotes left open in one block no value of it may span lines: the time is bounded.
OPEN_QUOTES_LIMIT = 1000
BLANK = " \t\r\n\x0b\x0c\x00"
QUOTE, NEWLINE, RETURN = ord('"'), ord("\n"), ord("\r")
_SEP_LINE = re.compile(rb'"?sep=([,;\t|])"?[ ,;\t|]*(?:\r\n|\n|\r(?!\n))', re.IGNORECASE)
# No header holds such signs; UTF-16 read as if it were UTF-8 does in every alphabet.
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")
NO_TEXT = "the text (UTF-16 or binary)"
_VALUE = re.compile(r"\S[@＠]\S|\+?[0-9][0-9 ()./:-]{6,}[0-9]")
_QUOTED = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"')


@dataclass(frozen=True)
class CsvRecords:
    """Some records: columns of bytes, the line of each, and the broken ones among them."""

    columns: list[Any]
    lines: Any
    broken: list[tuple[int, str]]


def occurrences(texts: Any, sign: bytes | str) -> Any:
    """How often each of the texts, none of them NULL, holds the sign."""
    return pc.count_substring(texts, sign).to_numpy(zero_copy_only=False)


def chosen(columns: list[Any], kept: Any) -> list[Any]:
    """The values of each column where `kept` is true."""
    mask = pa.array(kept)
    return [column.filter(mask) for column in columns]


def without_sep_line(start: bytes) -> tuple[bytes, str]:
    """The bytes after a first line such as `sep=;`, which tells Excel the sign, and that sign."""
    sep_line = _SEP_LINE.match(start)
    return (start[sep_line.end() :], sep_line[1].decode()) if sep_line else (start, "")


def csv_header(start: bytes, sep: str = "") -> tuple[tuple[str, ...], str]:
    """The header's names and the delimiter: the one that is said, else that it uses most.

    Raises:
        BrokenFileError: what should be a header cannot be read as one, or is in no encoding that
            is read.
    """
    head = start[:HEAD_BYTES].lstrip(b"\r\n")
    text = _decoded_lines(head)
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    if _NO_TEXT.search(first):
        raise BrokenFileError("wrong_encoding", NO_TEXT)
    delimiter = sep or delimiter_of(first)
    try:
        names = _first_row(text, delimiter)
    except csv.Error:  # a quote left open must not make a header of the whole file
        try:
            names = _first_row(first, delimiter, strict=False)
        except csv.Error as error:
            raise BrokenFileError("unreadable_file", "its first line is no CSV header") from error
    return tuple(name.strip() for name in names), delimiter


def delimiter_of(header: str) -> str:
    """The sign that a header uses most."""
    return max(",;\t|", key=header.count)


def is_headless(names: tuple[str, ...]) -> bool:
    """Whether what should be names holds an address, a number to call or a date: it is a row."""
    return any(_VALUE.search(name) for name in names)


def _decoded_lines(head: bytes) -> str:
    """The lines, each by its own encoding where they are not all UTF-8."""
    whole = head[: head.rfind(b"\n") + 1] or head  # the last one may be cut off within a sign
    try:
        return whole.decode()
    except UnicodeDecodeError:
        return "\n".join(_decoded(line) for line in head.split(b"\n"))


def _decoded(line: bytes) -> str:
    """A line as UTF-8, else as Windows-1252, else somehow: it may be cut off or no header."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def _first_row(text: str, delimiter: str, *, strict: bool = True) -> list[str]:
    lines = io.StringIO(text, newline="")
    return next(csv.reader(lines, delimiter=delimiter, strict=strict), [])


def csv_records(
    start: bytes,
    stream: IO[bytes],
    width: int,
    delimiter: str,
    first_line: int = 1,
    *,
    has_quotes: bool = True,
) -> Iterator[CsvRecords]:
    """All records after the header. `start` is what was already read of `stream`, from the header
    on, which stands on `first_line`. Without `has_quotes` a quote is a sign like any other."""
    cutter = _Cutter(width, delimiter.encode(), first_line, has_quotes=has_quotes)
    only_returns = b"\n" not in start[:HEAD_BYTES]  # as old Macs end their lines
    rest, block = b"", start
    while block:
        following = stream.read(BLOCK_BYTES)
        data = rest + (block.replace(b"\r", b"\n") if only_returns else block)
        used, records = cutter.cut(data, is_last=not following)
        yield from records
        if following and used == len(data) and not data.endswith(b"\n"):
            following = after_this_line(following, stream)  # of a line without an end
            cutter.line += 1
        rest, block = data[used:], following


@dataclass
class _Cutter:
    """Cuts one block after the other; knows the line it has come to."""

    width: int
    delimiter: bytes
    line: int = 1
    is_first: bool = True
    has_quotes: bool = True

    def cut(self, data: bytes, *, is_last: bool) -> tuple[int, list[CsvRecords]]:
        """The records that end in this block, and how much of it they are."""
        used = (
            _end_of_records(data, self.delimiter, is_last=is_last)
            if self.has_quotes
            else _end_of_lines(data, is_last=is_last)
        )
        if used is not None and (is_last or len(data) - used <= RECORD_LIMIT):
            records = self._by_arrow(data[:used])
            if records is not None:
                return self._done(data, used, records)
        used, columns, lines, broken = _by_hand(
            data, self.width, self.delimiter, self.line, is_last=is_last
        )
        arrays = [pa.array(column, pa.binary()) for column in columns]
        numbers = np.array(lines, np.int64)
        shown = [(line, text.decode("utf-8", "backslashreplace")) for line, text in broken]
        return self._done(data, used, [CsvRecords(arrays, numbers, shown)])

    def _done(
        self, data: bytes, used: int, records: list[CsvRecords]
    ) -> tuple[int, list[CsvRecords]]:
        """Drop the header, which is the first record of all, and count the lines."""
        if self.is_first:
            first = [int(some.lines[0]) for some in records if len(some.lines)]
            first += [line for some in records for line, _ in some.broken]
            if first:
                records = [_without_line(some, min(first)) for some in records]
                self.is_first = False
        self.line += data.count(b"\n", 0, used)
        return used, records

    def _by_arrow(self, data: bytes) -> list[CsvRecords] | None:
        """The records of a piece with sound quotes; None where one of them swallowed others."""
        if not data:
            return []
        numbering = _Numbering(self.line)
        parts = []
        try:
            for batch in _open(
                data, self.width, self.delimiter, numbering, has_quotes=self.has_quotes
            ):
                breaks = [occurrences(column, b"\n") for column in batch.columns]
                lines, broken = numbering.take(batch, sum(breaks))
                if _any_swallowed(batch, breaks, self.width, self.delimiter):
                    return None
                columns = batch.columns
                filled = _is_filled(columns)
                if not filled.all():
                    columns = chosen(columns, filled)
                parts.append(CsvRecords(columns, lines[filled], broken))
        except pa.ArrowInvalid:
            return None
        nothing = [pa.array([], pa.binary())] * self.width
        parts.append(CsvRecords(nothing, np.array([], np.int64), numbering.rest()))
        torn = (text for some in parts for _, text in some.broken)
        if any(_has_swallowed(text.encode(), self.width, self.delimiter) for text in torn):
            return None
        return parts


@dataclass
class _Numbering:
    """Counts records, broken ones included, and the line breaks inside them."""

    first_line: int
    record: int = 1
    extra_lines: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)

    def on_invalid(self, row: Any) -> str:
        """Called by Arrow for a record with too few or too many fields."""
        self.broken.append((row.number, row.text))
        return "skip"

    def take(self, batch: Any, inside: Any) -> tuple[Any, list[tuple[int, str]]]:
        """Lines of the batch's records, and the broken records that lie among them.

        Args:
            batch: the records.
            inside: the line breaks inside each.
        """
        broken = {number for number, _ in self.broken}
        candidates = np.arange(self.record, self.record + batch.num_rows + len(broken))
        records = candidates[~np.isin(candidates, list(broken))][: batch.num_rows]
        following = int(records[-1]) + 1 if len(records) else self.record
        passed = [item for item in self.broken if item[0] < following]
        self.broken = [item for item in self.broken if item[0] >= following]
        numbers = np.concatenate([records, np.array([n for n, _ in passed], np.int64)])
        breaks = np.concatenate([inside, np.array([_count(t) for _, t in passed], int)])
        order = np.argsort(numbers, kind="stable")
        before = np.empty_like(breaks)
        before[order] = np.cumsum(breaks[order]) - breaks[order]
        lines = numbers + self.extra_lines + before + self.first_line - 1
        self.extra_lines += int(breaks.sum())
        self.record = following
        placed = zip(lines[len(records) :].tolist(), (text for _, text in passed), strict=True)
        return lines[: len(records)], [item for item in placed if item[1].strip(BLANK)]

    def rest(self) -> list[tuple[int, str]]:
        """Broken records after the last good one."""
        lines = []
        for number, text in self.broken:
            if text.strip(BLANK):
                lines.append((number + self.extra_lines + self.first_line - 1, text))
            self.extra_lines += _count(text)
        return lines


def _open(
    data: bytes, width: int, delimiter: bytes, numbering: _Numbering, *, has_quotes: bool
) -> Any:
    names = [f"c{index}" for index in range(width)]
    return pa_csv.open_csv(
        pa.BufferReader(data),
        read_options=pa_csv.ReadOptions(
            use_threads=False,
            column_names=names,
            # One block, so that no quoted value straddles two.
            block_size=max(len(data) + 1, 1024),
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter.decode(),
            quote_char='"' if has_quotes else False,
            newlines_in_values=has_quotes,
            ignore_empty_lines=False,
            invalid_row_handler=numbering.on_invalid,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.binary() for name in names},
            strings_can_be_null=False,
        ),
    )


def _end_of_records(data: bytes, delimiter: bytes, *, is_last: bool) -> int | None:
    """Where the last whole record ends, if every quote stands where RFC 4180 has it; else None."""
    codes = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(codes == QUOTE)
    if not len(quotes):
        return _end_of_lines(data, is_last=is_last)
    ends = (delimiter[0], NEWLINE, RETURN, QUOTE)
    opening, closing = quotes[0::2], quotes[1::2]
    before = codes[opening[opening > 0] - 1]
    after = codes[closing[closing + 1 < len(codes)] + 1]
    if not (np.isin(before, ends).all() and np.isin(after, ends).all()):
        return None
    if is_last:
        return None if len(quotes) % 2 else len(data)
    newlines = np.flatnonzero(codes == NEWLINE)
    outside = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    return int(outside[-1]) + 1 if len(outside) else 0


def _end_of_lines(data: bytes, *, is_last: bool) -> int:
    """Where the last whole line ends."""
    return len(data) if is_last else data.rfind(b"\n") + 1


def _by_hand(
    data: bytes, width: int, delimiter: bytes, line: int, *, is_last: bool
) -> tuple[int, list[list[bytes]], list[int], list[tuple[int, bytes]]]:
    """Records cut one by one: how far it came, the values by column, their lines, the broken."""
    columns: list[list[bytes]] = [[] for _ in range(width)]
    lines: list[int] = []
    broken: list[tuple[int, bytes]] = []
    position, left_open = 0, 0
    while position < len(data):
        end = data.find(b"\n", position)
        if end < 0 and not is_last and len(data) - position <= RECORD_LIMIT:
            break
        end = len(data) if end < 0 else end
        values: list[bytes] | None
        text, after = data[position:end], end + 1
        if b'"' not in text:
            values = text.rstrip(b"\r").split(delimiter)
        else:
            limit = end if left_open > OPEN_QUOTES_LIMIT else position + RECORD_LIMIT
            values, after = _record(data, position, delimiter, limit)
            if values is None and not is_last and len(data) - position <= RECORD_LIMIT:
                break  # it may end in the next block
            if values is not None and after > len(data) and not is_last:
                break
            if values is None or _spans_others(data[position:after], values, width, delimiter):
                left_open += 1
                values, after = None, end + 1
        if values is not None and len(values) == width:
            if any(values):
                lines.append(line)
                for column, value in zip(columns, values, strict=True):
                    column.append(value)
        elif data[position : after - 1].strip(BLANK.encode()):
            broken.append((line, data[position : after - 1].rstrip(b"\r")[:RECORD_LIMIT]))
        line += data.count(b"\n", position, after)
        position = after
    return min(position, len(data)), columns, lines, broken


def _record(
    data: bytes, position: int, delimiter: bytes, limit: int
) -> tuple[list[bytes] | None, int]:
    """The values of the record that begins here, and where the next one begins.

    None where a quoted value that spans lines does not end before `limit`, or ends in the middle
    of a value, as it does where the quote that ends it was meant to begin another.
    """
    values: list[bytes] = []
    while True:
        value = b""
        if data[position : position + 1] == b'"':
            quoted = _QUOTED.match(data, position, limit)
            if quoted is None:
                return None, position
            value, position = quoted[1].replace(b'""', b'"'), quoted.end()
            following = data[position : position + 1]
            if b"\n" in value and following not in (delimiter, b"\n", b"\r", b" ", b""):
                return None, position
        newline = data.find(b"\n", position)
        newline = len(data) if newline < 0 else newline
        stop = data.find(delimiter, position, newline)
        if stop < 0:
            values.append(value + data[position:newline].rstrip(b"\r"))
            return values, newline + 1
        values.append(value + data[position:stop])
        position = stop + 1


def _spans_others(text: bytes, values: list[bytes], width: int, delimiter: bytes) -> bool:
    """Whether a record of several lines is rather several records with a quote left open."""
    if b"\n" not in text.rstrip(b"\r\n"):
        return False
    if len(values) != width:
        return _has_swallowed(text, width, delimiter)
    return any(_holds_records(value, width, delimiter) for value in values)


def _any_swallowed(batch: Any, breaks: list[Any], width: int, delimiter: bytes) -> bool:
    """Whether a value of the batch holds whole records; `breaks` counts its lines by column."""
    for column, counts in zip(batch.columns, breaks, strict=True):
        for index in np.flatnonzero(counts > 1):
            if _holds_records(column[int(index)].as_py(), width, delimiter):
                return True
    return False


def _holds_records(value: bytes, width: int, delimiter: bytes) -> bool:
    """Whether a value's inner lines, two or more, have as many fields as the file, three or more.

    Text of several lines does not; with two fields a comma in each line is enough, so those pass.
    """
    inner = value.split(b"\n")[1:-1]
    return (
        width > 2 and len(inner) > 1 and all(line.count(delimiter) == width - 1 for line in inner)
    )


def _has_swallowed(text: bytes, width: int, delimiter: bytes) -> bool:
    """Whether a broken record of several lines has lines that are records of the file's width."""
    inner = text.strip(b"\r\n").split(b"\n")[1:-1]
    return bool(inner) and all(line.count(delimiter) == width - 1 for line in inner)


def _without_line(records: CsvRecords, line: int) -> CsvRecords:
    """The records without the one that begins on `line`."""
    kept = records.lines != line
    broken = [item for item in records.broken if item[0] != line]
    if kept.all():
        return CsvRecords(records.columns, records.lines, broken)
    return CsvRecords(chosen(records.columns, kept), records.lines[kept], broken)


def _is_filled(columns: list[Any]) -> Any:
    """Which records hold anything; an empty line is no row."""
    filled = np.zeros(len(columns[0]), dtype=bool)
    for column in columns:
        filled |= pc.not_equal(column, b"").to_numpy(zero_copy_only=False)
        if filled.all():
            break
    return filled


def _count(text: str) -> int:
    return text.rstrip("\n").count("\n")
