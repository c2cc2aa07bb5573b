"""What DuckDB, as pinned, does with a damaged log of writes and a full disk (RELIABILITY X2, X3).

A store that opens may have lost its last commits without a word. What must hold then is that what
is left is a beginning: nothing from the middle is gone. The raw store's list of files read is
written after the rows it speaks of, so a beginning never calls a file read whose rows are gone, and
the next run reads it again. 10 damages of each kind by default, 40 by `make soak`.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

TRIALS = 40 if os.environ.get("REGULARS_SOAK") else 10
COMMITS = 60

# Acknowledged commits, then gone without closing, as after kill -9: all of it lies in the log.
WRITER = """
import os, sys, duckdb
db = duckdb.connect(sys.argv[1])
db.execute("set wal_autocheckpoint = '1TB'")
db.execute("create table t (n integer, filler varchar)")
for n in range(int(sys.argv[2])):
    db.execute("insert into t select $1, repeat(chr(97 + $1 % 26), 200) from range(20)", [n])
print("acknowledged", flush=True)
os._exit(9)
"""

# Until the disk is full: the last number printed was acknowledged.
FILLER = """
import os, sys, duckdb
db = duckdb.connect(sys.argv[1])
db.execute("create table t (n integer, filler varchar)")
db.execute("checkpoint")
try:
    for n in range(10_000):
        db.execute("insert into t select $1, md5(range::varchar || $1) from range(20000)", [n])
        print(n, flush=True)
except duckdb.Error as error:
    print(type(error).__name__, flush=True)
os._exit(9)
"""


def cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data) // 10, len(data) - 1) :]


def flip(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def blank(data: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(data) - 512)
    data[start : start + 512] = bytes(512)


DAMAGES: dict[str, Callable[[bytearray, random.Random], None]] = {
    "its tail cut off": cut,
    "one bit flipped": flip,
    "512 zero bytes": blank,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("written") / "store.duckdb"
    command = [sys.executable, "-c", WRITER, str(store), str(COMMITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "acknowledged"
    assert store.with_name("store.duckdb.wal").stat().st_size > 10_000
    return store


def commits_in(store: Path) -> list[tuple[int, int]]:
    """The commits that are there, and the rows of each."""
    with duckdb.connect(str(store)) as connection:
        query = "select n, count(*) from t group by n order by n"
        found: list[tuple[int, int]] = connection.execute(query).fetchall()
        return found


@pytest.mark.parametrize("kind", sorted(DAMAGES))
def test_what_a_damaged_log_leaves_is_a_beginning(written: Path, tmp_path: Path, kind: str) -> None:
    dice = random.Random(f"{duckdb.__version__} {kind}")
    outcomes: Counter[str] = Counter()
    for trial in range(TRIALS):
        store = tmp_path / f"{trial}.duckdb"
        shutil.copy(written, store)
        log = bytearray(written.with_name("store.duckdb.wal").read_bytes())
        DAMAGES[kind](log, dice)
        store.with_name(f"{store.name}.wal").write_bytes(log)
        try:
            found = commits_in(store)
        except duckdb.CatalogException:  # not even the table is left
            found = []
        except duckdb.Error:
            outcomes["refuses to open"] += 1
            continue
        assert found == [(n, 20) for n in range(len(found))], "a commit in the middle is gone"
        lost = COMMITS - len(found)
        outcomes["opens whole" if not lost else "opens with commits missing"] += 1
    print(f"\nX2 DuckDB {duckdb.__version__}, {kind}, {TRIALS} trials: {dict(outcomes)}")
    assert outcomes.total() == TRIALS


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB; needs a system and a user that may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if not mount:
        pytest.skip("no mount here")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_keeps_what_was_acknowledged(small_disk: Path, tmp_path: Path) -> None:
    store = small_disk / "store.duckdb"
    command = [sys.executable, "-c", FILLER, str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    *acknowledged, failure = done.stdout.split()
    assert failure.endswith("Exception") or failure.endswith("Error"), done.stdout[-200:]
    for file in small_disk.iterdir():  # opened where there is room, as after making some
        shutil.copy(file, tmp_path / file.name)
    found = commits_in(tmp_path / "store.duckdb")
    print(
        f"\nX3 DuckDB {duckdb.__version__}, disk of 24 MiB: {failure} after "
        f"{len(acknowledged)} batches acknowledged, {len(found)} there on reopening"
    )
    assert len(acknowledged) > 3
    assert found[: len(acknowledged)] == [(int(n), 20_000) for n in acknowledged]
