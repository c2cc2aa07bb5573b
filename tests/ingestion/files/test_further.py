"""The part of a source's files that is new since they were last read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from ingestion.files.folder import InputFile, InputFolder
from ingestion.files.further import FurtherRows, Position, read_further
from ingestion.sources.web import EVENTS, SOURCE


def line(number: int) -> str:
    return json.dumps(
        {
            "type": "page",
            "messageId": f"m{number}",
            "anonymousId": "d",
            "timestamp": "2026-06-01T10:00:00Z",
        }
    )


def read(folder: Path, known: dict[str, Position] | None = None) -> FurtherRows:
    positions = known or {}

    def of_file(file: InputFile) -> Position | None:
        return positions.get(file.path)

    return read_further(SOURCE, EVENTS, InputFolder.at(folder), of_file)


def ids(further: FurtherRows) -> list[str]:
    return sorted(further.rows["message_id"].to_pylist())


def web(folder: Path, name: str = "events.jsonl") -> Path:
    (folder / "web").mkdir(exist_ok=True)
    return folder / "web" / name


def test_lines_are_read_once_and_one_that_is_not_finished_waits(tmp_path: Path) -> None:
    file = web(tmp_path)
    file.write_text(f"{line(1)}\n{line(2)}\nnonsense\n{line(3)[:30]}")
    first = read(tmp_path)
    assert (ids(first), first.bad) == (["m1", "m2"], 1)
    with file.open("a") as stream:
        stream.write(f"{line(3)[30:]}\n{line(4)}")
    second = read(tmp_path, first.ends)
    assert (ids(second), second.bad) == (["m3", "m4"], 0), "the last one is whole without its end"
    assert read(tmp_path, second.ends).rows.num_rows == 0


def test_a_file_that_is_another_by_now_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = web(tmp_path)
    file.write_text(f"{line(1)}\n")
    first = read(tmp_path)
    file.write_text(f"{line(2)} {' ' * 50}\n{line(3)}\n")
    assert ids(read(tmp_path, first.ends)) == ["m2", "m3"]


def test_files_that_are_no_lines_are_read_whole(tmp_path: Path) -> None:
    web(tmp_path, "a.json").write_text(f"[{line(1)},\n{line(2)}]")
    web(tmp_path, "b.jsonl.gz").write_bytes(gzip.compress(f"{line(3)}\n".encode()))
    web(tmp_path, "c.csv").write_text(
        "type,messageId,anonymousId,timestamp\npage,m4,d,2026-06-01T10:00:00Z\npage,m5,d,2026"
    )
    first = read(tmp_path)
    assert ids(first) == ["m1", "m2", "m3", "m4"]
    assert read(tmp_path, first.ends).rows.num_rows <= 1, "only the table is looked at again"


def test_a_damaged_archive_is_counted_and_nothing_of_it_is_read(tmp_path: Path) -> None:
    web(tmp_path, "a.jsonl.gz").write_bytes(gzip.compress(line(1).encode())[:20])
    web(tmp_path).write_text(f"{line(2)}\n")
    further = read(tmp_path)
    assert (ids(further), further.bad) == (["m2"], 1)


def test_no_folder_and_an_empty_file_have_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path).rows.num_rows == 0
    web(tmp_path).touch()
    assert read(tmp_path).rows.num_rows == 0
