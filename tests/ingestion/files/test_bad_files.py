"""One bad file among good ones: bounded in time and memory, named, put aside; the rest loads."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from ingestion.config import Quarantine, Settings
from ingestion.errors import SourceError, UsageError
from ingestion.files import folder
from ingestion.files import reader as files
from ingestion.files.ledger import read_ledger

SECONDS = 60


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path may not be long
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def a_loop(path: Path) -> None:
    path.with_suffix(".other").symlink_to(path)
    path.symlink_to(path.with_suffix(".other"))
    path.with_suffix(".other").rename(path.with_name(".other"))
    path.unlink()
    path.symlink_to(path)


def linked_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


NO_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a pipe": (a_pipe, "a pipe, not a file"),
    "a socket": (a_socket, "a socket, not a file"),
    "a link to a device": (linked_to("/dev/zero"), "a device, not a file"),
    "a link to nowhere": (linked_to("gone.jsonl"), "a link that leads nowhere"),
    "a link to itself": (a_loop, "a link that leads nowhere"),
    "a link to its own folder": (linked_to("."), "a link to a folder"),
    "a folder": (Path.mkdir, "a folder, not a file"),
}


@pytest.mark.parametrize(
    ("kind", "ending"),
    [*((kind, "jsonl") for kind in sorted(NO_FILES)), ("a pipe", "csv"), ("a pipe", "jsonl.gz"),
     ("a link to a device", "parquet"), ("a link to itself", "gz"), ("a folder", "csv")],
)  # fmt: skip
def test_what_has_a_files_name_and_is_none(shop: Any, make: Any, kind: str, ending: str) -> None:
    shop.settings = Settings()
    make_it, problem = NO_FILES[kind]
    shop.write("web/good.jsonl", make.lines(make.event("m")))
    make_it(shop.input / "web" / f"bad.{ending}")
    started = time.monotonic()
    if "leads nowhere" in problem:  # a file may be meant, and its rows would be missed
        with pytest.raises(
            SourceError, match=rf"web/bad\.{ending} cannot be read \(unreadable_file"
        ):
            shop.run("web")
        shop.settings = Settings(quarantine=Quarantine(accept=("web/bad.*",)))
    assert make.four(shop.run("web")["events"]) == (2, 1, 1, 0)
    assert time.monotonic() - started < SECONDS
    ((file, line, reason, why),) = shop.quarantine("web")
    assert (file, line, reason) == (f"web/bad.{ending}", 0, "unreadable_file")
    assert why.startswith(problem)
    assert make.four(shop.run("web")["events"]) == (0, 0, 0, 0)


def test_a_file_put_right_is_read_and_leaves_quarantine(shop: Any, make: Any) -> None:
    shop.write("web/good.jsonl", make.lines(make.event("m")))
    bad = shop.input / "web" / "bad.jsonl"
    bad.symlink_to(shop.input / "web" / ".later")
    shop.settings = Settings(quarantine=Quarantine(accept=("web/bad.jsonl",)))
    assert make.four(shop.run("web")["events"]) == (2, 1, 1, 0)
    shop.write("web/.later", make.lines(make.event("n")))
    assert make.four(shop.run("web")["events"]) == (1, 1, 0, 0)
    assert shop.quarantine("web") == []


def test_a_file_without_permission_is_named_and_read_once_it_has_it(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for rather than tried, because the super-user may read everything."""
    shop.settings = Settings()
    shop.write("web/good.jsonl", make.lines(make.event("m")))
    shop.write("web/bad.jsonl", make.lines(make.event("n")))
    with monkeypatch.context() as patch:
        patch.setattr(folder.os, "access", lambda path, _: not path.endswith("bad.jsonl"))
        with pytest.raises(SourceError, match=r"web/bad\.jsonl cannot be read \(unreadable_file"):
            shop.run("web")
        shop.settings = Settings(quarantine=Quarantine(accept=("web/bad.jsonl",)))
        assert make.four(shop.run("web")["events"]) == (2, 1, 1, 0)
    assert shop.quarantine("web")[0][:4] == (
        "web/bad.jsonl",
        0,
        "unreadable_file",
        "no permission to read it",
    )
    assert make.four(shop.run("web")["events"]) == (1, 1, 0, 0)
    assert shop.quarantine("web") == []


def test_a_folder_that_cannot_be_opened_is_named(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.settings = Settings()
    shop.write("web/good.jsonl", make.lines(make.event("m")))
    shop.write("web/2026/a.jsonl", make.lines(make.event("n")))
    scan = os.scandir

    def refusing(path: str) -> Any:
        if str(path).endswith("2026"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(SourceError, match=r"web/2026 cannot be read \(unreadable_file"):
        shop.run("web")
    shop.settings = Settings(quarantine=Quarantine(accept=("web/2026",)))
    assert make.four(shop.run("web")["events"]) == (2, 1, 1, 0)
    why = "a folder that cannot be opened (permission denied)"
    assert shop.quarantine("web") == [("web/2026", 0, "unreadable_file", why)]


def test_a_folder_that_spark_wrote_is_read(shop: Any, make: Any) -> None:
    shop.write("web/day.jsonl/part-0.jsonl", make.lines(make.event("m")))
    shop.write("web/day.jsonl/_SUCCESS", "")
    assert make.four(shop.run("web")["events"]) == (1, 1, 0, 0)


def test_a_mapping_that_is_no_file_is_told(shop: Any) -> None:
    (shop.input / "orders").mkdir(parents=True)
    os.mkfifo(shop.input / "orders" / "mapping.yml")
    with pytest.raises(UsageError, match=r"orders/mapping.yml cannot be read: a pipe"):
        shop.run("orders")


def nested(depth: int, opening: str = '{"a":', closing: str = "}") -> str:
    return opening * depth + "1" + closing * depth


NESTED = [
    (nested(100_000), "nested_too_deep"),
    (nested(100_000, "[", "]"), "nested_too_deep"),
    (nested(100_000, '{\n"a":', "\n}"), "nested_too_deep"),
    (f'{{"messageId": "n", "properties": {nested(5000)}}}', "nested_too_deep"),
    (f"[{nested(100_000)}]", "nested_too_deep"),
    ("[" * 100_000, "bad_json"),
    ('{"a":' * 100_000, "bad_json"),
]


@pytest.mark.parametrize("suffix", ["json", "jsonl", "json.gz"])
def test_json_nested_deeper_than_anything_is(shop: Any, make: Any, suffix: str) -> None:
    good = [make.event(f"m{number}") for number in range(len(NESTED))]
    shop.write("web/good.jsonl", make.lines(*good))
    # Lines of JSON, each broken, are another matter.
    written = {
        f"web/bad{number}.{suffix}": (content, reason)
        for number, (content, reason) in enumerate(NESTED)
        if not ("\n" in content and suffix == "jsonl")
    }
    for path, (content, _) in written.items():
        shop.write(path, content)
    counts = shop.run("web")["events"]
    assert make.four(counts) == (len(good) + len(written), len(good), len(written), 0)
    held = [(file, why) for file, _, why, _ in shop.quarantine("web")]
    assert sorted(held) == [(path, reason) for path, (_, reason) in written.items()]


def test_brackets_in_texts_are_no_nesting(shop: Any, make: Any) -> None:
    event = make.event("m", properties={"name": "[" * 5000 + '"\\' + "]" * 5000})
    wide = make.event("n", properties={"products": [{"a": []} for _ in range(2000)]})
    shop.write("web/a.jsonl", make.lines(event, wide))
    assert make.four(shop.run("web")["events"]) == (2, 2, 0, 0)


PEAK = """
import resource, sys
from ingestion.files.reader import Reader
from ingestion.files.folder import InputFolder
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
folder = InputFolder.at(sys.argv[1])
reader = Reader(folder, lambda _file, _header: None)
for batch in reader.batches(folder.files("x")):
    del batch
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
print(grown, sum(reader.rows.values()), *sorted(f"{r.file}:{r.reason}" for r in reader.rejects))
"""


def read_apart(shop: Any) -> tuple[int, int, list[str]]:
    """Read input/x in a process of its own: megabytes it grew by, rows, what was put aside."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(shop.input)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    grown, rows, *rejects = done.stdout.split()
    return int(grown), int(rows), rejects


@pytest.mark.parametrize("name", ["bomb.jsonl.gz", "bomb.csv.gz", "bomb.json.zst", "bomb.gz"])
def test_an_archive_that_unpacks_to_gigabytes(shop: Any, name: str) -> None:
    """A thousand megabytes and a half without a single line break."""
    shop.write("x/good.jsonl", '{"a": 1}\n')
    pack = gzip.compress if name.endswith("gz") else zstandard.compress
    shop.write_bytes(f"x/{name}", pack(b"0" * 10_000_000) * 150)
    grown, rows, rejects = read_apart(shop)
    assert rejects == [f"x/{name}:unreadable_file"]
    assert rows == 2
    assert grown < 700


@pytest.mark.parametrize("name", ["long.jsonl", "long.csv", "long.json"])
def test_a_line_without_an_end_costs_itself(shop: Any, name: str) -> None:
    """Not packed, so nothing else gives it away."""
    good = "a,b\n1,2\n" if name.endswith("csv") else '{"a": 1}\n'
    with (shop.write(f"x/{name}", good)).open("ab") as out:
        for _ in range(200):
            out.write(b"0" * 1_000_000)
        out.write(b"\n" + good.splitlines()[-1].encode())
    grown, rows, rejects = read_apart(shop)
    reason = "bad_csv_line" if name.endswith("csv") else "value_too_long"
    assert rejects == [f"x/{name}:{reason}"]
    assert rows == 3
    assert grown < 700


def test_one_document_of_a_gigabyte_is_put_aside(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.settings = Settings()
    monkeypatch.setattr(files, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(files, "DOCUMENT_FILE_LIMIT", 2000)
    shop.write("web/a.json", json.dumps([make.event(f"m{n}") for n in range(100)]))
    shop.write("web/b.json", make.lines(*(make.event(f"m{n}") for n in range(100))))
    with pytest.raises(SourceError, match=r"web/a\.json cannot be read \(unreadable_file"):
        shop.run("web")
    shop.settings = Settings(quarantine=Quarantine(accept=("web/a.json",)))
    assert make.four(shop.run("web")["events"]) == (101, 100, 1, 0)
    assert shop.quarantine("web")[0][:3] == ("web/a.json", 0, "unreadable_file")


def contacts(good: int, bad: int) -> str:
    rows = [f"p{n}@shop.example,2026-01-01" for n in range(good)]
    return "email,created_at\n" + "\n".join(
        [*rows, *(f",2026-01-{n:02}" for n in range(1, bad + 1))]
    )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"a.csv": (0, 9), "b.csv": (500, 0)}, r"not one of the 9 rows of contacts/a\.csv"),
        ({"a.csv": (0, 5), "b.csv": (500, 0)}, r"not one of the 5 rows of contacts/a\.csv"),
        ({"a.csv": (4, 5)}, r"5 of 9 rows cannot be used, which is more than 50%.*contacts/a\.csv"),
        ({"a.csv": (3, 2), "b.csv": (1, 4)}, r"6 of 10 rows .* no_identifier in email"),
        ({"a.csv": (2, 3)}, r"3 of 5 rows cannot be used, which is more than 50%"),
        ({"a.csv": (0, 1), "b.csv": (1, 0)}, r"the only row of contacts/a\.csv"),
    ],
)
def test_a_source_that_is_more_bad_than_good_stops(
    shop: Any, make: Any, written: dict[str, tuple[int, int]], told: str
) -> None:
    shop.settings = Settings()
    for name, counts in written.items():
        shop.write(f"contacts/{name}", contacts(*counts))
    with pytest.raises(SourceError, match=told) as caught:
        shop.run("contacts")
    assert "[quarantine] in regulars.toml" in str(caught.value)
    assert read_ledger(shop.raw, "contacts") == {}, "the files are read again by the next run"
    shop.settings = Settings(quarantine=Quarantine(accept=("contacts/*",)))
    good, bad = (sum(counts) for counts in zip(*written.values(), strict=True))
    accepted = shop.run("contacts")["contacts"]
    assert accepted.received == good + bad
    assert accepted.loaded + accepted.duplicate == good


@pytest.mark.parametrize(
    "written",
    [
        {"a.csv": (5, 5)},
        {"a.csv": (1, 1)},
    ],
)
def test_a_few_bad_rows_beside_good_ones_stop_nothing(
    shop: Any, written: dict[str, tuple[int, int]]
) -> None:
    shop.settings = Settings()
    for name, counts in written.items():
        shop.write(f"contacts/{name}", contacts(*counts))
    assert shop.run("contacts")["contacts"].loaded == sum(good for good, _ in written.values())


def test_half_bad_is_accepted_by_its_own_setting(shop: Any, make: Any) -> None:
    shop.settings = Settings(quarantine=Quarantine(max_source_share=0.95))
    shop.write("contacts/a.csv", contacts(1, 9))
    assert make.four(shop.run("contacts")["contacts"]) == (10, 1, 9, 0)


def test_the_only_new_file_cannot_be_read(shop: Any, make: Any) -> None:
    """A day's export cut short is no day without rows; a stray file of another kind is none."""
    shop.settings = Settings()
    shop.write("web/a.jsonl", make.lines(make.event("m")))
    shop.run("web")
    shop.write("web/photo.jpg", "x")
    assert make.four(shop.run("web")["events"]) == (1, 0, 1, 0)
    whole = shop.write("web/b.jsonl.gz", make.lines(make.event("n"))).read_bytes()
    shop.write_bytes("web/b.jsonl.gz", whole[:-4])
    with pytest.raises(SourceError, match=r"web/b\.jsonl\.gz cannot be read \(truncated_archive"):
        shop.run("web")
    shop.write_bytes("web/b.jsonl.gz", whole)
    assert make.four(shop.run("web")["events"]) == (1, 1, 0, 0)
    shop.write_bytes("web/other.jsonl", '{"a": 1}'.encode("utf-16"))
    with pytest.raises(SourceError, match=r"web/other\.jsonl cannot be read \(wrong_encoding"):
        shop.run("web")
    shop.write("web/c.jsonl", make.lines(make.event("o")))
    assert make.four(shop.run("web")["events"]) == (2, 1, 1, 0), "named beside a good one"
    shop.write("web/table.xlsx", "x")
    shop.write("feedback/table.xlsx", "x")
    assert make.four(shop.run("web")["events"]) == (1, 0, 1, 0)
    with pytest.raises(SourceError, match=r"feedback/table\.xlsx"):
        shop.run("feedback")


def test_a_header_that_is_a_row_of_data_is_not_quoted(shop: Any) -> None:
    shop.settings = Settings()
    shop.write("consents/a.csv", "email,ann@people.example,email,marketing,granted,2026-01-01\n")
    with pytest.raises(SourceError, match=r"no_header in ") as caught:
        shop.run("consents")
    assert "ann@" not in str(caught.value)
