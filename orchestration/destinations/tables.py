"""Rows as CSV, JSON Lines or Parquet bytes; CSV is safe to open in a spreadsheet.

Belongs here: writing tables of payloads. Does not belong here: where they go.

Spreadsheets run some texts as formulas (words/spreadsheets). Such a text gets an apostrophe in
front, and so does one that begins with apostrophes and then such a sign, so that taking one
apostrophe away restores every text exactly. Plain numbers and E.164 phones begin with + or - too,
are no formulas, and stay as they are. Every field is quoted. JSON Lines and Parquet are for
machines and are never changed.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Literal, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.destinations.base import Payload
from orchestration.words.spreadsheets import FORMULA

Format = Literal["csv", "jsonl", "parquet"]
_PLAIN_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?")
_CHUNK = 50_000


def safe_cell(value: object) -> str:
    """A value as spreadsheet text that is never a formula."""
    text = "" if value is None else str(value)
    if FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def write_csv(stream: TextIO, columns: Sequence[str], rows: Iterable[Payload]) -> int:
    """Write a header and the rows (RFC 4180, UTF-8 decided by the stream); returns their number."""
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([safe_cell(column) for column in columns])
    count = 0
    for row in rows:
        writer.writerow([safe_cell(row.get(column)) for column in columns])
        count += 1
    return count


def write_jsonl(stream: TextIO, columns: Sequence[str], rows: Iterable[Payload]) -> int:
    """Write one JSON object per line, with every column."""
    count = 0
    for row in rows:
        line = {column: row.get(column) for column in columns}
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        count += 1
    return count


def write_parquet(stream: Any, columns: Sequence[str], rows: Iterable[Payload]) -> int:
    """Write text columns, a group of rows at a time."""
    schema = pa.schema([pa.field(column, pa.string()) for column in columns])
    count = 0
    iterator = iter(rows)
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        while chunk := list(islice(iterator, _CHUNK)):
            arrays = [
                pa.array([_text(row.get(column)) for row in chunk], pa.string())
                for column in columns
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(chunk)
    return count


def write_table(stream: Any, kind: Format, columns: Sequence[str], rows: Iterable[Payload]) -> int:
    """Write rows in the given format to a binary stream; returns their number."""
    if kind == "parquet":
        return write_parquet(stream, columns, rows)
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=False)
    count = (write_csv if kind == "csv" else write_jsonl)(text, columns, rows)
    text.flush()
    text.detach()
    return count


def _text(value: object) -> str | None:
    return None if value is None else str(value)
