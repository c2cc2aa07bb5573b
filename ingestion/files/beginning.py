"""The beginning of a file: the names in its header or its first document, and nothing more of it.

Belongs here: that one look. Does not belong here: what the names mean (`recognised/`), reading
whole files (`reader.py`).
"""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.files.csv_records import csv_header, without_sep_line
from ingestion.files.excel import excel_text
from ingestion.files.folder import BrokenFileError, InputFile, InputFolder

HEAD_BYTES = 64 * 1024
# A page of an API is one document, which has to be read to its first row.
DOCUMENT_BYTES = 1024 * 1024
ENVELOPES = ("orders", "order", "data")
BYTE_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Beginning:
    """The names that a file begins with, whether they are those of a document, and of a table in
    text its first line as it stands, since not every one begins with names; or the reason why no
    names could be read."""

    header: tuple[str, ...]
    is_json: bool = False
    line: str = ""
    problem: str = ""


def beginning_of(folder: InputFolder, file: InputFile) -> Beginning | None:
    """How the file begins; None where that cannot be told, which its reader will say."""
    return _looked_at(folder.fs, file)


@lru_cache(maxsize=100_000)
def _looked_at(fs: Any, file: InputFile) -> Beginning | None:
    try:
        if file.format == "parquet":
            return Beginning(_parquet_names(fs, file)) if not file.codec else None
        if file.format == "csv":
            head = _head(fs, file, HEAD_BYTES)
            return Beginning(_csv_names(head), line=first_line(head))
        return Beginning(_document_keys(_head(fs, file, DOCUMENT_BYTES)), is_json=True)
    except BrokenFileError as error:
        return Beginning((), problem=error.reason)
    except (OSError, ValueError, zlib.error, pa.ArrowException, RecursionError):
        return None


def _head(fs: Any, file: InputFile, size: int) -> bytes:
    """The first plain bytes; of an archive as many as its own first bytes unpack to."""
    with fs.open(file.url, "rb") as stream:
        if not file.codec:
            return bytes(stream.read(size))
        if file.codec == "gzip":
            return zlib.decompressobj(31).decompress(stream.read(size), size)
        with pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), file.codec) as plain:
            return bytes(plain.read(size))


def _parquet_names(fs: Any, file: InputFile) -> tuple[str, ...]:
    with fs.open(file.url, "rb") as stream:
        return tuple(pq.ParquetFile(stream).schema_arrow.names)


def _csv_names(head: bytes) -> tuple[str, ...]:
    even = head[: len(head) // 2 * 2]  # half a sign of UTF-16 at the end is no damage
    start, _ = excel_text(even.removeprefix(BYTE_MARK), io.BytesIO(), len(even))
    start, delimiter = without_sep_line(start)
    return csv_header(start, delimiter)[0] if start.strip() else ()


def first_line(start: bytes) -> str:
    """The first line of what a file begins with."""
    line = start.removeprefix(BYTE_MARK).split(b"\n", 1)[0]
    return line.rstrip(b"\r").decode("utf-8", "replace")


def _document_keys(head: bytes) -> tuple[str, ...]:
    text = head.removeprefix(BYTE_MARK).decode("utf-8", "replace").lstrip()
    if text.startswith("["):
        text = text[1:].lstrip()
    return _keys(text)


def _keys(text: str) -> tuple[str, ...]:
    """The keys of the first document, or of the first row that it only holds."""
    for envelope in ENVELOPES:
        compact = text[:200].replace(" ", "").replace("\n", "").replace("\r", "")
        for opening in (f'{{"{envelope}":[', f'{{"{envelope}":{{'):
            if compact.startswith(opening):
                inner = text[text.index(opening[-1], text.index(":")) :].lstrip("[ \r\n\t")
                return _keys_of(inner)
    return _keys_of(text)


def _keys_of(text: str) -> tuple[str, ...]:
    document, _ = json.JSONDecoder().raw_decode(text)
    return tuple(document) if isinstance(document, dict) else ()
