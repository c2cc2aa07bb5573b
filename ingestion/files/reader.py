"""Readers: the bytes of JSON Lines, JSON arrays, CSV and Parquet as batches of text, none lost.

Every record becomes a row of text with its file and line; a record whose form is broken becomes a
`Reject` with its text. Types and meanings come later (`fields.py`), so one bad value never costs
the rest of its file. Lines are cut by ourselves rather than by a CSV or JSON reader: those stop at
a bad line, or skip it without its text.

Belongs here: forms of files. Does not belong here: what a column means, counting, loading.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import IO, Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingestion.duckdb import connect
from ingestion.files.beginning import first_line
from ingestion.files.csv_records import (
    NO_TEXT,
    chosen,
    csv_header,
    csv_records,
    is_headless,
    occurrences,
    without_sep_line,
)
from ingestion.files.excel import excel_text
from ingestion.files.folder import (
    DOCUMENT,
    KEPT_LIMIT,
    TEXT,
    WHOLE_LIMIT,
    BrokenFileError,
    InputFile,
    InputFolder,
    after_this_line,
)
from ingestion.landing.batch import RawBatch, Reject
from ingestion.landing.json_keys import with_declared_keys

CHUNK_BYTES = 32 * 1024 * 1024
BATCH_ROWS = 250_000
BATCH_BYTES = 64 * 1024 * 1024
DOCUMENT_ENDINGS = (".json", ".json.gz", ".json.zst")
WHITESPACE = " \t\r\n\x0b\x0c"
# A line that goes on for longer, or holds lists within lists for deeper, is no record of anything.
LINE_LIMIT = 64 * 1024 * 1024
DEPTH_LIMIT = 200
DOCUMENT_BYTES = 256 * 1024  # of a document of our own making
DOCUMENT_FILE_LIMIT = 512 * 1024 * 1024
KEPT_OF_A_BAD_LINE = 65_536
_of_this_thread = threading.local()
# An address, or a number that stands alone in its line.
_PERSON = re.compile(rb"[^\s@]@[^\s@]|(?m:^[^\w+]*\+?[0-9][0-9 ()./-]{6,}[0-9]\W*$)")
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NO_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")


class FileSurvey(Protocol):
    """What a file says as a whole, and what that makes of its batches (`survey.py`)."""

    def look(self, file: InputFile, batches: Iterator[RawBatch]) -> Callable[[RawBatch], RawBatch]:
        """Read as many batches as it takes; how the file's batches are to be completed.

        Raises:
            BrokenFileError: the file as a whole cannot be understood.
        """


class FileTranslation(Protocol):
    """What a file's rows are in another layout (`recognised/`)."""

    def headers_of(self, line: str) -> tuple[str, ...]:
        """The headers of a file that begins with this line and has none itself."""

    def batches(self, batches: Iterator[RawBatch]) -> Iterator[RawBatch]:
        """The rows in that layout."""


@dataclass
class Reader:
    """Reads files one after the other and hands out batches of a useful size.

    Args:
        folder: where the files are.
        check_header: called with each CSV or Parquet header; raises `BrokenFileError` to refuse.
        rejects: filled with broken records while reading.
        rows: rows seen per file, rejects included.
        broken: the reason per file that could not be used.
        headed: CSV and Parquet files with a header that was not refused.
        keeps_refused: keep the text of files that are refused whole, as far as it can be read, and
            refuse those without a header.
        recoded: rows per file that were not UTF-8 and were read as Windows-1252.
        envelopes: keys under which a document may hold rows instead of being one.
        document_keys: keys of every row; a document that has them all is a row.
        declared_keys: keys of documents by their normal form, where another spelling is read too.
        read_document: makes a row of a file that is one document of our own making; raises
            `BrokenFileError` for one that is none.
        survey: looks at each CSV or Parquet file as a whole before its rows are handed out.
        translation: puts each file's rows into another layout before anything looks at them.
    """

    folder: InputFolder
    check_header: Callable[[InputFile, tuple[str, ...]], None]
    rejects: list[Reject] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    headed: set[str] = field(default_factory=set)
    keeps_refused: bool = False
    recoded: Counter[str] = field(default_factory=Counter)
    survey: FileSurvey | None = None
    envelopes: tuple[str, ...] = ()
    document_keys: tuple[str, ...] = ()
    translation: FileTranslation | None = None
    read_document: Callable[[str], dict[str, Any]] | None = None
    declared_keys: Mapping[str, str] = field(default_factory=dict)
    _unpacked: Counter[str] = field(default_factory=Counter)

    def batches(self, files: list[InputFile]) -> Iterator[RawBatch]:
        """All rows of `files`; small files of one form share a batch."""
        waiting: list[RawBatch] = []
        rows = size = 0
        for file in files:
            for batch in self._read(file):
                if waiting and not _are_alike(waiting[0], batch):
                    yield _joined(waiting)
                    waiting, rows, size = [], 0, 0
                waiting.append(batch)
                rows, size = rows + batch.table.num_rows, size + batch.table.nbytes
                if rows >= BATCH_ROWS or size >= BATCH_BYTES:
                    yield _joined(waiting)
                    waiting, rows, size = [], 0, 0
        if waiting:
            yield _joined(waiting)

    def _read(self, file: InputFile) -> Iterator[RawBatch]:
        forms = {
            "json": self._json,
            "csv": self._csv,
            "parquet": self._parquet,
            DOCUMENT: self._document,
            TEXT: self._text,
        }
        self.rows.setdefault(file.path, 0)
        rejects_before = len(self.rejects)
        try:
            with self.folder.open(file) as stream:
                for batch in self._completed(file, forms[file.format](file, stream)):
                    self.rows[file.path] += batch.table.num_rows
                    yield batch
        except BrokenFileError as error:
            self.broken[file.path] = error.reason
            text = self.folder.readable_start(file) if self.keeps_refused else ""
            self.rejects.append(Reject(file.path, 0, error.reason, error.detail, text))
        self.rows[file.path] += len(self.rejects) - rejects_before

    def _completed(self, file: InputFile, batches: Iterator[RawBatch]) -> Iterator[RawBatch]:
        """The file's batches with what a look at all of them says; read twice if it is long."""
        if self.translation:
            batches = self.translation.batches(batches)
        start = list(islice(batches, 2))
        if not self.survey or not start or start[0].is_json:
            yield from chain(start, batches)
            return
        again = Reader(self.folder, lambda *_: None, translation=self.translation)
        whole = iter(start) if len(start) == 1 else again._read(file)
        complete = self.survey.look(file, whole)
        yield from map(complete, chain(start, batches))

    def _document(self, file: InputFile, stream: IO[bytes]) -> Iterator[RawBatch]:
        """A file that is one document, as one row."""
        if self.read_document is None:
            raise BrokenFileError("unknown_format")
        content = stream.read(DOCUMENT_BYTES + 1)
        if len(content) > DOCUMENT_BYTES:
            raise BrokenFileError("bad_document", f"it is longer than {DOCUMENT_BYTES:,} bytes")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise BrokenFileError("wrong_encoding", f"line {line}: save it as UTF-8") from None
        row = json.dumps(self.read_document(text), ensure_ascii=False)
        yield from _json_batch(file, pa.array([row], pa.large_string()), np.array([1]))

    def _text(self, _: InputFile, stream: IO[bytes]) -> Iterator[RawBatch]:
        """No rows: a note is none, and one with addresses in it is a list without a header."""
        if _PERSON.search(stream.read(KEPT_LIMIT)):
            raise BrokenFileError(
                "no_header", "a text with addresses; save it as CSV with a header"
            )
        yield from ()

    # JSON ---------------------------------------------------------------------------------------

    def _json(self, file: InputFile, stream: IO[bytes]) -> Iterator[RawBatch]:
        start = _without_bom(stream.read(CHUNK_BYTES))
        if start.lstrip().startswith(b"["):
            start = self._in_utf8(file, start + _remainder(stream))
            elements = _array_elements(start)
            if elements is not None:
                numbers = np.arange(1, len(elements) + 1)
                yield from _json_batch(file, *self._shallow(file, elements, numbers))
                return
        elif not _begins_with_a_record(start) and file.path.endswith(DOCUMENT_ENDINGS):
            start = self._in_utf8(file, start + _remainder(stream))
            if _is_one_object(start):
                document = pa.array([start.decode()], pa.large_string())
                yield from self._documents(file, *self._shallow(file, document, np.array([1])))
                return
        rest, line = b"", 1
        while start or (start := stream.read(CHUNK_BYTES)):
            data, start = rest + start, b""
            cut = data.rfind(b"\n") + 1
            rest = data[cut:]
            if cut:
                yield from self._json_lines(file, data[:cut], line)
                line += data.count(b"\n", 0, cut)
            if len(rest) > LINE_LIMIT:
                text = rest[:KEPT_OF_A_BAD_LINE].decode("utf-8", "backslashreplace")
                self.rejects.append(Reject(file.path, line, "value_too_long", "", text))
                rest, line = after_this_line(stream.read(CHUNK_BYTES), stream), line + 1
        if rest:
            yield from self._json_lines(file, rest + b"\n", line)

    def _json_lines(self, file: InputFile, data: bytes, first_line: int) -> Iterator[RawBatch]:
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + 1
        offsets = np.concatenate([[0], ends]).astype(np.int64)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        lines = pa.Array.from_buffers(pa.large_binary(), len(ends), buffers)
        numbers = np.arange(first_line, first_line + len(ends))
        try:
            texts = lines.cast(pa.large_string())
        except pa.ArrowInvalid:
            texts, numbers = self._decodable(file, lines, numbers)
        texts, numbers = self._shallow(file, texts, numbers)
        if _are_all_objects(data, offsets):
            yield from self._documents(file, texts, numbers)
            return
        texts = pc.utf8_trim(texts, WHITESPACE)
        filled = pc.not_equal(texts, "")
        if not pc.all(filled).as_py():
            texts, numbers = texts.filter(filled), numbers[filled.to_numpy(zero_copy_only=False)]
        yield from self._documents(file, texts, numbers)

    def _documents(self, file: InputFile, texts: Any, numbers: Any) -> Iterator[RawBatch]:
        """Documents as rows; those that only hold rows, such as a saved API response, unpacked."""
        if self.envelopes and len(numbers):
            keys = "|".join(re.escape(key) for key in self.envelopes)
            opening = rf'^\s*\{{\s*"({keys})"\s*:\s*[\[{{]'
            # A document alone in its file may name its rows anywhere; lines name them first.
            suspects = pc.match_substring_regex(texts, opening)
            if len(numbers) == 1 or pc.any(suspects).as_py():
                texts, numbers = self._unpack(file, texts, numbers)
            elif self._unpacked[file.path]:
                numbers = numbers + self._unpacked[file.path]
        if self.declared_keys and len(numbers):
            texts = with_declared_keys(texts, self.declared_keys)
        yield from _json_batch(file, texts, numbers)

    def _unpack(self, file: InputFile, texts: Any, numbers: Any) -> tuple[Any, Any]:
        """The rows that documents hold. Those of one line are numbered on, as if in lines."""
        path = {key: f'doc, \'$."{key}"' for key in (*self.document_keys, *self.envelopes)}
        is_row = " and ".join(f"json_exists({path[key]}')" for key in self.document_keys)
        rows = " ".join(
            f"when json_type({path[key]}') = 'ARRAY' then json_extract({path[key]}[*]') "
            f"when json_type({path[key]}') = 'OBJECT' then [json_extract({path[key]}')]"
            for key in self.envelopes
        )
        lines = pa.table({"doc": texts, "line": pa.array(numbers, pa.int64())})
        connection = _session()
        connection.register("lines", lines)
        unpacked = connection.execute(
            f"""
            with held as (
                select doc, line, case when not json_valid(doc) then null
                    when {is_row or "false"} then null {rows} end as rows from lines
            ),
            counted as (
                select *, coalesce(sum(len(rows) - 1) over (order by line
                    rows between unbounded preceding and 1 preceding), 0) as before from held
            )
            select unnest(coalesce(rows::varchar[], [doc])) as doc,
                line + before + generate_subscripts(coalesce(rows::varchar[], [doc]), 1) - 1
                    as line,
                (select coalesce(sum(len(rows) - 1), 0) from held) as more
            from counted order by line
            """
        ).to_arrow_table()
        connection.unregister("lines")
        before = self._unpacked[file.path]
        if unpacked.num_rows:
            self._unpacked[file.path] += int(unpacked["more"][0].as_py())
        documents = unpacked["doc"].combine_chunks().cast(pa.large_string())
        return documents, unpacked["line"].to_numpy().astype(np.int64) + before

    def _decodable(self, file: InputFile, lines: Any, numbers: Any) -> tuple[Any, Any]:
        """The lines as text; those that are neither UTF-8 nor Windows-1252 are rejected."""
        texts, kept = [], []
        for content, number in zip(lines.to_pylist(), numbers.tolist(), strict=True):
            try:
                texts.append(self._decoded(file, [content])[0])
                kept.append(number)
            except UnicodeDecodeError:
                text = content.decode("utf-8", "backslashreplace").strip(WHITESPACE)
                self.rejects.append(Reject(file.path, number, "bad_encoding", "", text))
        return pa.array(texts, pa.large_string()), np.array(kept, dtype=np.int64)

    def _in_utf8(self, file: InputFile, document: bytes) -> bytes:
        """A document as UTF-8, read as Windows-1252 where it is none."""
        try:
            return self._decoded(file, [document])[0].encode()
        except UnicodeDecodeError as error:
            raise BrokenFileError("wrong_encoding", "neither UTF-8 nor Windows-1252") from error

    def _decoded(self, file: InputFile, values: list[bytes]) -> list[str]:
        """The values of one row: UTF-8, else all of them Windows-1252, and counted."""
        try:
            return [value.decode() for value in values]
        except UnicodeDecodeError:
            texts = [value.decode("cp1252") for value in values]
        self.recoded[file.path] += 1
        return texts

    def _shallow(self, file: InputFile, texts: Any, numbers: Any) -> tuple[Any, Any]:
        """The documents without those that are nested deeper than anything is."""
        opened = occurrences(texts, "[") + occurrences(texts, "{")
        suspects = np.flatnonzero(opened > DEPTH_LIMIT)
        deep = [i for i in suspects if _is_deep(texts[i].as_buffer().to_pybytes())]
        if not deep:
            return texts, numbers
        for index in deep:
            text = texts[index].as_py().strip(WHITESPACE)
            self.rejects.append(Reject(file.path, int(numbers[index]), "nested_too_deep", "", text))
        kept = np.ones(len(numbers), dtype=bool)
        kept[deep] = False
        return chosen([texts], kept)[0], numbers[kept]

    # CSV ----------------------------------------------------------------------------------------

    def _csv(self, file: InputFile, stream: IO[bytes]) -> Iterator[RawBatch]:
        start, stream = excel_text(stream.read(WHOLE_LIMIT + 1), stream, WHOLE_LIMIT + 1)
        start, sep = without_sep_line(_without_bom(start))
        if not start.strip():
            return
        if bare := self.translation.headers_of(first_line(start)) if self.translation else ():
            header, delimiter, number = bare, "\t", 0
            start = "\t".join(bare).encode() + b"\n" + start
        else:
            header, delimiter = csv_header(start, sep)
            number = 2 if sep else 1
        if self.keeps_refused and not self.translation and is_headless(header):
            raise BrokenFileError("no_header", "its first line holds values rather than names")
        self.check_header(file, header)
        self.headed.add(file.path)
        for records in csv_records(
            start, stream, len(header), delimiter, number, has_quotes=not bare
        ):
            for line, text in records.broken:
                self.rejects.append(Reject(file.path, line, "bad_csv_line", "", text))
            columns, lines = records.columns, records.lines
            try:
                texts = [column.cast(pa.string()) for column in columns]
            except pa.ArrowInvalid:
                texts, lines = self._decodable_rows(file, header, columns, lines)
            for batch in _column_batch(file, header, texts, lines):
                yield replace(batch, delimiter=delimiter)

    def _decodable_rows(
        self, file: InputFile, header: tuple[str, ...], columns: list[Any], numbers: Any
    ) -> tuple[list[Any], Any]:
        good: list[list[str]] = []
        kept: list[int] = []
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        for values, number in zip(rows, numbers.tolist(), strict=True):
            try:
                good.append(self._decoded(file, list(values)))
                kept.append(number)
            except UnicodeDecodeError:
                shown = [value.decode("utf-8", "backslashreplace") for value in values]
                text = json.dumps(dict(zip(header, shown, strict=True)), ensure_ascii=False)
                self.rejects.append(Reject(file.path, number, "bad_encoding", "", text))
        by_column = list(zip(*good, strict=True)) if good else [()] * len(header)
        texts = [pa.array(list(values), pa.string()) for values in by_column]
        return texts, np.array(kept, dtype=np.int64)

    # Parquet ------------------------------------------------------------------------------------

    def _parquet(self, file: InputFile, stream: IO[bytes]) -> Iterator[RawBatch]:
        try:
            parquet = pq.ParquetFile(stream, page_checksum_verification=True)
            header = tuple(parquet.schema_arrow.names)
            self.check_header(file, header)
            self.headed.add(file.path)
            line = 1
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
                numbers = np.arange(line, line + batch.num_rows)
                line += batch.num_rows
                if any(pa.types.is_nested(kind) for kind in batch.schema.types):
                    texts = [json.dumps(row, default=str) for row in batch.to_pylist()]
                    yield from _json_batch(file, pa.array(texts, pa.large_string()), numbers)
                else:
                    texts = [_as_text(column) for column in batch.columns]
                    typed = frozenset(i for i, c in enumerate(batch.columns) if not _is_text(c))
                    for read in _column_batch(file, header, texts, numbers):
                        yield replace(read, typed=typed)
        except pa.ArrowNotImplementedError as error:
            raise BrokenFileError(
                "unreadable_file", "a kind of Parquet that is not read"
            ) from error
        except (pa.ArrowInvalid, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk or the connection, not the file
            detail = "damaged, cut short, or no Parquet file; write it again"
            raise BrokenFileError("unreadable_file", detail) from error


def _are_all_objects(data: bytes, offsets: Any) -> bool:
    """Whether each line begins as an object, so that none is empty and none needs trimming."""
    return bool((np.frombuffer(data, np.uint8)[offsets[:-1]] == ord("{")).all())


def _is_text(column: Any) -> bool:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return not (pa.types.is_primitive(kind) or pa.types.is_decimal(kind))


def _as_text(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        column = pa.array(
            [
                None if value is None else value.decode("utf-8", "backslashreplace")
                for value in column.to_pylist()
            ],
            pa.string(),
        )
    return pc.fill_null(column.cast(pa.string()), "")


def _without_bom(data: bytes) -> bytes:
    """UTF-8's mark is dropped; UTF-16 and UTF-32 are not read."""
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:200].count(0) > len(data[:200]) // 3:
        raise BrokenFileError("wrong_encoding", NO_TEXT)
    return data


def _remainder(stream: IO[bytes]) -> bytes:
    """The rest of a file that can only be understood whole."""
    rest = stream.read(DOCUMENT_FILE_LIMIT)
    if stream.read(1):
        raise BrokenFileError(
            "unreadable_file", "one JSON document of over 500 MB; write one object per line"
        )
    return rest


def _is_deep(document: bytes) -> bool:
    """Whether lists and objects, all of them closed, stand in each other deeper than the limit."""
    brackets = _STRINGS.sub(b"", document).translate(None, _NO_BRACKETS)
    codes = np.frombuffer(brackets, np.uint8)
    opening = (codes == ord("[")) | (codes == ord("{"))
    steps = np.where(opening, 1, -1)
    depth = np.cumsum(steps)
    return bool(len(depth)) and int(depth.max()) > DEPTH_LIMIT and int(depth[-1]) == 0


def _begins_with_a_record(data: bytes) -> bool:
    """Whether the first line with anything in it is a document of its own."""
    first, broken, _ = data.lstrip().partition(b"\n")
    return not broken or _is_json(first)


def _session() -> duckdb.DuckDBPyConnection:
    """This thread's session for JSON: to open one takes longer than to read a small file."""
    if not hasattr(_of_this_thread, "session"):
        _of_this_thread.session = connect()
    session: duckdb.DuckDBPyConnection = _of_this_thread.session
    return session


def _is_json(data: bytes) -> bool:
    """Whether this is one JSON value; by an engine that does not mind how deep it goes."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    row = _session().execute("select json_valid(?)", [text]).fetchone()
    return bool(row and row[0])


def _array_elements(data: bytes) -> Any | None:
    """The elements of a JSON array as documents, or None where the file is in fact lines."""
    text = data.decode()
    session = _session()
    valid = session.execute("select json_valid(?)", [text]).fetchone()
    if not (valid and valid[0]):
        first = text.lstrip().split("\n", 1)[0].strip()
        if first == "[" or first.endswith((",", "{")):
            raise BrokenFileError("bad_json_file", "a JSON array that does not end well")
        return None
    rows = session.execute("select unnest(json_extract(?, '$[*]'))::varchar", [text])
    elements = rows.to_arrow_table().column(0).combine_chunks()
    return elements.cast(pa.large_string())


def _is_one_object(data: bytes) -> bool:
    """Whether the text is one pretty-printed object rather than one object per line."""
    return data.lstrip().startswith(b"{") and b"\n" in data.strip() and _is_json(data)


def _json_batch(file: InputFile, texts: Any, numbers: Any) -> Iterator[RawBatch]:
    if len(texts):
        yield RawBatch(_table(file, numbers, {"_raw": texts.cast(pa.large_string())}))


def _column_batch(
    file: InputFile, header: tuple[str, ...], texts: list[Any], numbers: Any
) -> Iterator[RawBatch]:
    if len(numbers):
        columns = {f"c{index}": text for index, text in enumerate(texts)}
        yield RawBatch(_table(file, numbers, columns), header)


def _table(file: InputFile, numbers: Any, columns: dict[str, Any]) -> pa.Table:
    names = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(len(numbers), dtype=np.int32)), pa.array([file.path])
    )
    lines = pa.array(numbers, pa.int64())
    return pa.table({"_file": names.cast(pa.string()), "_line": lines, **columns})


def _are_alike(one: RawBatch, other: RawBatch) -> bool:
    """Whether two batches may be judged as one."""
    return replace(one, table=None) == replace(other, table=None)


def _joined(batches: list[RawBatch]) -> RawBatch:
    """One batch of several. In one piece: the engine takes a piece at a time, however small."""
    joined = pa.concat_tables([batch.table for batch in batches])
    return replace(batches[0], table=joined.combine_chunks())
