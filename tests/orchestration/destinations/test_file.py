"""The file destination: formats, places, whole files, and spreadsheets that run nothing (SEC6)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import fsspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.errors import RegularsError
from orchestration.destinations.base import Audience, Batch, Payload, Row
from orchestration.destinations.file import create
from orchestration.destinations.tables import safe_cell, write_csv
from orchestration.home.layout import Home
from orchestration.home.whole_file import whole_file
from orchestration.words.spreadsheets import FORMULA
from tests.orchestration.destinations.doubles import files_below

NOW = datetime(2026, 6, 1, 12)
COLUMNS = ("customer_id", "phone", "reason")
PAYLOADS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "＝1+1",
    "＠x",
    "'=1",
]


def original_cell(cell: str) -> str:
    """The text that `safe_cell` was given: without the apostrophe before a formula."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell[1:]) else cell


def read_csv(stream: TextIO) -> Iterator[dict[str, str]]:
    """Rows of a file by `write_csv`, every text as it was (an absent value reads as empty)."""
    for row in csv.DictReader(stream):
        yield {original_cell(name): original_cell(cell) for name, cell in row.items()}


def _batch(*rows: Row, number: int = 1) -> Batch:
    return Batch("run0000123", "vip", number, NOW, COLUMNS, rows)


def _row(number: int, operation: str = "added", reason: str = "because") -> Row:
    payload = {"customer_id": f"c{number}", "phone": "+447700900123", "reason": reason}
    return Row(f"k{number}", f"c{number}", 1, operation, payload)  # type: ignore[arg-type]


def test_changes_and_audience_lie_where_they_should(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    destination = create("file", {}, home)
    destination.deliver(_batch(_row(1), _row(2, "updated"), _row(3, "removed")))
    destination.deliver(_batch(_row(4), number=2))
    destination.finish(Audience("run0000123", "vip", NOW, COLUMNS, [_row(1).payload]))
    folder = home.delivered / "file" / "vip"
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    run = "20260601T120000-run00001"
    assert names == [
        f"{run}/added-2.csv",
        f"{run}/added.csv",
        f"{run}/removed.csv",
        f"{run}/updated.csv",
        "audience.csv",
    ]
    for path in folder.rglob("*.csv"):
        assert path.stat().st_mode & 0o077 == 0
    text = (folder / "audience.csv").read_text("utf-8")
    assert text == '"customer_id","phone","reason"\n"c1","+447700900123","because"\n'


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("protocol", ["file", "memory"])
def test_every_format_on_any_file_system(tmp_path: Path, kind: str, protocol: str) -> None:
    url = str(tmp_path / "out") if protocol == "file" else f"memory://{tmp_path.name}-{kind}"
    destination = create("file", {"url": url, "format": kind}, Home(tmp_path))
    members = [_row(1, reason="=1+1").payload, {**_row(2).payload, "phone": None}]
    destination.finish(Audience("run1", "vip", NOW, COLUMNS, iter(members)))
    content = fsspec.open(f"{url}/vip/audience.{kind}", "rb").open().read()
    assert _read(kind, content) == [
        ("c1", "+447700900123", "=1+1"),
        ("c2", "" if kind == "csv" else None, "because"),
    ]


def _read(kind: str, content: bytes) -> list[tuple[Any, ...]]:
    if kind == "parquet":
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
    elif kind == "jsonl":
        rows = [json.loads(line) for line in content.decode().splitlines()]
    else:
        rows = list(read_csv(io.StringIO(content.decode(), newline="")))
    return [tuple(row[column] for column in COLUMNS) for row in rows]


@pytest.mark.parametrize("protocol", ["file", "memory"])
def test_a_failure_half_way_leaves_the_old_file(tmp_path: Path, protocol: str) -> None:
    url = str(tmp_path / "out") if protocol == "file" else f"memory://half-{tmp_path.name}"
    destination = create("file", {"url": url}, Home(tmp_path))
    place = f"{url}/vip/audience.csv"
    destination.finish(Audience("run1", "vip", NOW, COLUMNS, [_row(1).payload]))
    before = fsspec.open(place, "rb").open().read()

    def breaking() -> Iterator[Payload]:
        yield _row(2).payload
        raise OSError(28, "No space left on device")

    with pytest.raises(RegularsError, match="cannot be written"):
        destination.finish(Audience("run2", "vip", NOW, COLUMNS, breaking()))
    assert fsspec.open(place, "rb").open().read() == before


def test_an_unreachable_place_is_one_sentence_without_values(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    destination = create("file", {"url": str(tmp_path / "out")}, Home(tmp_path))
    with pytest.raises(RegularsError) as caught:
        destination.deliver(_batch(_row(1)))
    assert "447700" not in str(caught.value)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_formula_is_text_and_comes_back(payload: str) -> None:
    cell = safe_cell(payload)
    assert cell.startswith("'")
    assert original_cell(cell) == payload


@pytest.mark.parametrize("text", ["+447700900123", "-12.50", "1e5", "hello", "a=b", "'quoted'", ""])
def test_phones_numbers_and_plain_text_stay(text: str) -> None:
    assert safe_cell(text) == text


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(COLUMNS),
            st.text(max_size=12) | st.sampled_from(PAYLOADS),
            min_size=3,
            max_size=3,
        ),
        max_size=5,
    )
)
def test_any_text_makes_the_round_trip_and_no_cell_is_a_formula(rows: list[dict[str, str]]) -> None:
    stream = io.StringIO(newline="")
    assert write_csv(stream, COLUMNS, rows) == len(rows)
    stream.seek(0)
    assert list(read_csv(stream)) == rows
    for row in rows:
        for value in row.values():
            cell = safe_cell(value)
            is_number = cell.lstrip("+-").replace(".", "", 1).isdigit()
            assert is_number or not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0"))


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept", "utf-8")
    home = Home(tmp_path / "home")
    folder = home.delivered / "file" / "seg"
    folder.mkdir(parents=True)
    (folder / "audience.csv.part").symlink_to(precious)
    (folder / "audience.csv").symlink_to(precious)
    with whole_file(folder / "audience.csv") as stream:
        stream.write(b"new")
    assert precious.read_text("utf-8") == "kept"
    assert not (folder / "audience.csv").is_symlink()
    assert (folder / "audience.csv").read_bytes() == b"new"


def test_an_interrupted_batch_can_be_taken_back(tmp_path: Path) -> None:
    destination = create("file", {}, Home(tmp_path / "home"))
    destination.deliver(_batch())
    before = files_below(tmp_path)
    destination.deliver(_batch(_row(1), _row(2)))
    destination.deliver(_batch())
    assert files_below(tmp_path) == before
