"""Files of every form, cut into rows with their line numbers, nothing lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import SourceError
from ingestion.files import csv_records, folder
from ingestion.files import reader as files
from ingestion.files.folder import InputFolder
from ingestion.files.reader import Reader
from ingestion.landing.batch import Reject

Row = tuple[int, Any]


def read(shop: Any, name: str = "x") -> tuple[list[Row], list[Reject], Reader]:
    """All rows below input/x as (line, document or tuple), the rejects, the reader."""
    source = InputFolder.at(shop.input)
    reader = Reader(source, lambda _file, _header: None)
    rows: list[Row] = []
    for batch in reader.batches(source.files(name)):
        columns = batch.table.to_pydict()
        if batch.is_json:
            values: list[Any] = [json.loads(text) for text in columns["_raw"]]
        else:
            width = len(batch.header or ())
            values = list(zip(*(columns[f"c{i}"] for i in range(width)), strict=True))
        rows += zip(columns["_line"], values, strict=True)
    return rows, reader.rejects, reader


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_json_lines(shop: Any, ending: str) -> None:
    shop.write(f"x/2026/01/a.jsonl{ending}", '\ufeff{"a":1}\r\n\n  \n{"a":"é"}\n{"a":3}')
    rows, rejects, reader = read(shop)
    assert rows == [(1, {"a": 1}), (4, {"a": "é"}), (5, {"a": 3})]
    assert not rejects
    assert reader.rows == {f"x/2026/01/a.jsonl{ending}": 3}


def test_many_small_files_are_one_piece_for_the_engine(shop: Any) -> None:
    """It takes a piece at a time: a thousand of one row each took a thousand times as long."""
    for number in range(20):
        shop.write(f"x/{number:02}.json", f'[{{"a":{number}}}]')
    source = InputFolder.at(shop.input)
    [batch] = Reader(source, lambda _file, _header: None).batches(source.files("x"))
    assert batch.table.num_rows == 20
    assert {column.num_chunks for column in batch.table.columns} == {1}


def test_json_lines_over_many_chunks(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CHUNK_BYTES", 7)
    monkeypatch.setattr(folder, "WHOLE_LIMIT", 16)
    expected = [(number, {"n": number}) for number in range(1, 60)]
    text = "".join(f'{{"n":{number}}}\n' for number in range(1, 60))
    shop.write("x/a.jsonl", text)
    assert read(shop)[0] == expected
    shop.write("x/a.jsonl.gz", text)
    assert read(shop)[0] == expected + expected


def test_a_line_of_no_known_encoding_costs_only_itself(shop: Any) -> None:
    shop.write("x/a.jsonl", b'{"a":1}\n{"a":"\x81"}\n{"a":2}\n')
    rows, rejects, reader = read(shop)
    assert rows == [(1, {"a": 1}), (3, {"a": 2})]
    assert [(r.line, r.reason) for r in rejects] == [(2, "bad_encoding")]
    assert rejects[0].raw_text == '{"a":"\\x81"}'
    assert reader.rows == {"x/a.jsonl": 3}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "1760000000.gz", "a.json.zst"])
def test_a_file_that_is_one_json_array(shop: Any, name: str) -> None:
    shop.write(f"x/{name}", '[\n {"a": 1},\n {"a": [2, 3]}, 7\n]\n')
    assert read(shop)[0] == [(1, {"a": 1}), (2, {"a": [2, 3]}), (3, 7)]


def test_an_empty_array_and_one_pretty_object(shop: Any) -> None:
    shop.write("x/a.json", "[]")
    shop.write("x/b.json", '{\n  "a": 1\n}\n')
    shop.write("x/c.json", '{"a": 2}\n{"a": 3}\n')
    assert [value for _, value in read(shop)[0]] == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_a_first_line_that_only_looks_like_an_array(shop: Any) -> None:
    shop.write("x/a.jsonl", '[1]\n{"a": 1}\n')
    assert read(shop)[0] == [(1, [1]), (2, {"a": 1})]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", b'[{"a": 1},\n {"a": 2}', "bad_json_file"),
        ("a.jsonl", '{"a": 1}'.encode("utf-16"), "wrong_encoding"),
        ("a.jsonl", '{"a": 1}'.encode("utf-16-le"), "wrong_encoding"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16"), "wrong_encoding"),
        ("a.parquet", b"PAR1 but no more", "unreadable_file"),
        ("a.parquet", b"", "unreadable_file"),
        ("a.xlsx", b"PK", "unknown_format"),
        ("a.jsonl.bz2", b"BZh9", "unknown_format"),
    ],
)
def test_files_that_are_of_no_use(shop: Any, name: str, content: bytes, reason: str) -> None:
    shop.write(f"x/{name}", content)
    shop.write("x/good.jsonl", '{"a": 1}\n')
    rows, rejects, reader = read(shop)
    assert rows == [(1, {"a": 1})]
    assert [(r.file, r.line, r.reason) for r in rejects] == [(f"x/{name}", 0, reason)]
    assert reader.broken == {f"x/{name}": reason}


def damaged(data: bytes) -> dict[str, bytes]:
    """A good archive, broken in every way that happens."""
    flipped = bytearray(data)
    flipped[-5] ^= 0xFF
    return {
        "half": data[: len(data) // 2],
        "without its end": data[:-3],
        "empty": b"",
        "followed by junk": data + b"junk",
        "begun twice": data + data[:12],
        "not an archive": b'{"a": 1}\n',
        "a wrong checksum": bytes(flipped),
    }


@pytest.mark.parametrize("damage", sorted(damaged(b"x" * 40)))
@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_a_damaged_archive_gives_no_row_at_all(
    shop: Any, monkeypatch: pytest.MonkeyPatch, ending: str, damage: str
) -> None:
    monkeypatch.setattr(folder, "WHOLE_LIMIT", 1000)  # also where it does not fit in memory
    text = b"".join(b'{"n": %d}\n' % number for number in range(3000))
    params = zstandard.ZstdCompressor(write_checksum=True)
    packed = gzip.compress(text) if ending == "gz" else params.compress(text)
    shop.write_bytes(f"x/a.jsonl.{ending}", damaged(packed)[damage])
    rows, rejects, _ = read(shop)
    assert rows == []
    assert [r.reason for r in rejects] == ["truncated_archive"]


def test_archives_of_several_members(shop: Any) -> None:
    shop.write_bytes("x/a.jsonl.gz", gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"a":2}\n'))
    assert read(shop)[0] == [(1, {"a": 1}), (2, {"a": 2})]


CSV = 'a,b\n1,"two\nlines"\n\n3\n4,5\n6,7,8\n"q ""x"" , y",9\n'


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.zst"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_records_know_their_lines(shop: Any, ending: str, newline: str) -> None:
    shop.write(f"x/a.{ending}", CSV.replace("\n", newline))
    rows, rejects, reader = read(shop)
    assert rows == [
        (2, ("1", f"two{newline}lines")),
        (6, ("4", "5")),
        (8, ('q "x" , y', "9")),
    ]
    assert [(r.line, r.reason, r.raw_text) for r in rejects] == [
        (5, "bad_csv_line", "3"),
        (7, "bad_csv_line", "6,7,8"),
    ]
    assert reader.rows == {f"x/a.{ending}": 5}


def test_csv_in_blocks(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WHOLE_LIMIT", 100)
    monkeypatch.setattr(csv_records, "BLOCK_BYTES", 256)
    text = "n,t\n" + "".join(
        f"{n}\n" if n % 50 == 0 else f'{n},"x{chr(10) if n % 7 == 0 else ""}"\n'
        for n in range(1, 400)
    )
    physical, expected, bad = 2, [], []
    for n in range(1, 400):
        (bad if n % 50 == 0 else expected).append((physical, n))
        physical += 2 if n % 50 and n % 7 == 0 else 1
    shop.write("x/a.csv", text)
    rows, rejects, _ = read(shop)
    assert [(line, int(values[0])) for line, values in rows] == expected
    assert [(r.line, int(r.raw_text)) for r in rejects] == bad


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiters_and_bom(shop: Any, delimiter: str) -> None:
    shop.write("x/a.csv", "\ufeffa,b\n1,2\n".replace(",", delimiter))
    assert read(shop)[0] == [(2, ("1", "2"))]


def test_csv_line_of_no_known_encoding(shop: Any) -> None:
    shop.write("x/a.csv", b"a,b\n1,caf\x81\n2,tea\n")
    rows, rejects, _ = read(shop)
    assert rows == [(3, ("2", "tea"))]
    assert [(r.line, r.reason, r.raw_text) for r in rejects] == [
        (2, "bad_encoding", '{"a": "1", "b": "caf\\\\x81"}')
    ]


def rows_of(first: int, last: int) -> str:
    return "".join(f"{n},name {n},{n * 2}\n" for n in range(first, last + 1))


OPEN_QUOTES = {
    "at the end of a name": ('6,"name 6,12\n', [6]),
    "that begins a line": ('"6,name 6,12\n', [6]),
    "twice": ('6,"name 6,12\n' + rows_of(7, 9) + '10,"name 10,20\n', [6, 10]),
    "before a sound one": ('6,"name 6,12\n' + rows_of(7, 9) + '10,"name, 10",20\n', [6]),
    "before inches": ('6,"name 6,12\n' + rows_of(7, 9) + '10,a 10",20\n', [6]),
    "before a line that ends in one": ('6,"name 6,12\n' + rows_of(7, 9) + '10,name 10,20"\n', [6]),
}


@pytest.mark.parametrize("block", [64, csv_records.BLOCK_BYTES])
@pytest.mark.parametrize("kind", sorted(OPEN_QUOTES))
def test_a_quote_left_open_costs_its_own_line_only(
    shop: Any, monkeypatch: pytest.MonkeyPatch, kind: str, block: int
) -> None:
    if block == 64:
        monkeypatch.setattr(csv_records, "BLOCK_BYTES", block)
        monkeypatch.setattr(csv_records, "RECORD_LIMIT", 4096)
        monkeypatch.setattr(files, "WHOLE_LIMIT", block)
        monkeypatch.setattr(folder, "WHOLE_LIMIT", block)
    text, bad = OPEN_QUOTES[kind]
    last = max(6, text.count("\n") + 5)
    shop.write("x/a.csv", "id,name,double\n" + rows_of(1, 5) + text + rows_of(last + 1, 100))
    rows, rejects, reader = read(shop)
    assert [(r.line, r.reason) for r in rejects] == [(n + 1, "bad_csv_line") for n in bad]
    assert [line for line, _ in rows] == [n + 1 for n in range(1, 101) if n not in bad]
    assert [int(values[0]) for _, values in rows] == [n for n in range(1, 101) if n not in bad]
    assert reader.rows == {"x/a.csv": 100}


def test_text_of_several_lines_stays_one_value(shop: Any) -> None:
    """Commas in it, an empty line and doubled quotes as well, beside a line with an open quote."""
    text = 'dear shop,\n\n"" a, b and c,\nthe end, yours\n'
    shop.write("x/a.csv", f'id,text,n\n1,"{text}",5\n2,"open,6\n3,"{text}",7\n')
    rows, rejects, _ = read(shop)
    said = text.replace('""', '"')
    assert rows == [(2, ("1", said, "5")), (8, ("3", said, "7"))]
    assert [(r.line, r.raw_text) for r in rejects] == [(7, '2,"open,6')]


def test_a_header_with_a_quote_left_open_is_its_first_line(shop: Any) -> None:
    shop.write("x/a.csv", 'id,"name\n1,a\n2,b\n')
    assert [values for _, values in read(shop)[0]] == [("1", "a"), ("2", "b")]


CELL = st.text('ab",;\n\t é', max_size=6)


@settings(max_examples=150, deadline=None)
@given(table=st.lists(st.tuples(CELL, CELL, CELL), max_size=12), block=st.integers(1, 80))
def test_csv_as_python_writes_it_comes_back_whole(
    table: list[tuple[str, str, str]], block: int
) -> None:
    """In blocks of any size; each record with the line it begins on."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    expected = []
    for row in [("x", "y", "z"), *table]:
        line = out.getvalue().count("\n") + 1
        writer.writerow(row)
        if any(row) and line > 1:
            expected.append((line, row))
    data = out.getvalue().encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_records, "BLOCK_BYTES", block)
        patch.setattr(csv_records, "_holds_records", lambda *_: False)
        stream = io.BytesIO(data)
        found = []
        for records in csv_records.csv_records(stream.read(block), stream, 3, ","):
            assert not records.broken
            columns = [[value.as_py().decode() for value in column] for column in records.columns]
            found += zip(records.lines.tolist(), zip(*columns, strict=True), strict=True)
    assert found == expected


def test_many_open_quotes_cost_little(shop: Any) -> None:
    shop.write("x/a.csv", "id,name\n" + "".join(f'{n},"x""y\n' for n in range(60_000)))
    started = time.perf_counter()
    rows, rejects, reader = read(shop)
    assert time.perf_counter() - started < 30
    assert len(rows) + len(rejects) == reader.rows["x/a.csv"] == 60_000


@pytest.mark.parametrize("content", ["", "\n\n", "a,b\n", "a,b"])
def test_csv_without_rows(shop: Any, content: str) -> None:
    shop.write("x/a.csv", content)
    assert read(shop)[:2] == ([], [])


def test_parquet_of_plain_and_nested_columns(shop: Any) -> None:
    plain = pa.table(
        {
            "i": pa.array([1, None]),
            "d": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
            "t": pa.array([0, None], pa.timestamp("us", tz="UTC")),
            "s": pa.array(["x", "y"]).dictionary_encode(),
            "f": pa.array([17850.0, 2.5]),
        }
    )
    (shop.input / "x").mkdir(parents=True)
    pq.write_table(plain, shop.input / "x" / "a.parquet")
    pq.write_table(pa.table({"a": [{"b": [1]}]}), shop.input / "x" / "b.parquet")
    rows, rejects, _ = read(shop)
    assert not rejects
    assert rows[0][1][:2] == ("1", "1.50")
    assert rows[0][1][2].startswith("1970-01-01 00:00:00")
    assert rows[0][1][3:] == ("x", "17850")
    assert rows[1][1] == ("", "", "", "y", "2.5")
    assert rows[2] == (1, {"a": {"b": [1]}})


@pytest.mark.parametrize("limit", [folder.WHOLE_LIMIT, 16])
@pytest.mark.parametrize("kind", ["half", "without its end", "a flipped page"])
def test_a_damaged_parquet_file_says_what_to_do(
    shop: Any, monkeypatch: pytest.MonkeyPatch, kind: str, limit: int
) -> None:
    """Read whole or as a stream: its footer or the checksum of its pages gives it away."""
    monkeypatch.setattr(folder, "WHOLE_LIMIT", limit)
    table = pa.table({"n": [str(number) for number in range(2000)]})
    good = pa.BufferOutputStream()
    pq.write_table(table, good, compression="none", write_page_checksum=True)
    data = good.getvalue().to_pybytes()
    middle = len(data) // 3
    flipped = data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]
    contents = {"half": data[: len(data) // 2], "without its end": data[:-3]}
    shop.write("x/a.parquet", contents.get(kind, flipped))
    rows, rejects, reader = read(shop)
    assert not rows
    assert [(r.line, r.reason) for r in rejects] == [(0, "unreadable_file")]
    assert rejects[0].field == "damaged, cut short, or no Parquet file; write it again"
    assert reader.broken == {"x/a.parquet": "unreadable_file"}


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_disk_that_fails_in_the_middle_stops_the_source(
    shop: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A file that could not be read to its end is not a broken file."""

    class FailingDisk(io.BytesIO):
        def read(self, *_args: Any) -> bytes:
            raise OSError(5, "Input/output error")

    @contextmanager
    def failing(*_args: Any) -> Iterator[Any]:
        yield pa.PythonFile(FailingDisk(b"a,b\n1,2\n"), mode="r")

    monkeypatch.setattr(folder, "WHOLE_LIMIT", 4)
    monkeypatch.setattr(InputFolder, "_stream", failing)
    shop.write(f"x/{name}", "a,b\n1,2\n")
    with pytest.raises(SourceError, match="could not be read"):
        read(shop)


def test_hidden_files_and_notes_are_left_alone(shop: Any) -> None:
    for name in (".a.jsonl", "_temporary/a.jsonl", "_SUCCESS", "README.md", "mapping.yml"):
        shop.write(f"x/{name}", "?")
    assert read(shop)[:2] == ([], [])


def test_a_folder_behind_a_url() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/inbox/x/2026/a.jsonl.gz", gzip.compress(b'{"a": 1}\n'))
    memory.pipe_file("/inbox/x/b.csv", b"a,b\n1,2\n")
    source = InputFolder.at("memory://inbox")
    reader = Reader(source, lambda _file, _header: None)
    batches = list(reader.batches(source.files("x")))
    assert sum(batch.table.num_rows for batch in batches) == 2
    assert reader.rows == {"x/2026/a.jsonl.gz": 1, "x/b.csv": 1}
    assert {file.path for file in source.files("x")} == set(reader.rows)
