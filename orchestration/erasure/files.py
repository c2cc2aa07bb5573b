"""Every other file of a home without one person.

Belongs here: what lies beside the four stores: delivered files, exports, logs, working folders,
Dagster's history. Does not belong here: the stores themselves, and the shop's own input files and
backups, which are named and left as they are.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.duckdb import name
from ingestion.forgetting.forms import is_address
from ingestion.settings_place import engine
from orchestration.erasure.texts import Texts
from orchestration.home.layout import Home
from orchestration.home.lock import hold
from orchestration.home.scratch import sweep_home
from orchestration.home.whole_file import PART, whole_file
from orchestration.ops.tombstones import Erasable
from orchestration.published.files import remove, remove_database
from orchestration.published.swap import versions_dir
from orchestration.spark.store import spark_store

_SQLITE = b"SQLite format 3\x00"
BACKUP_ENDINGS = (".age",)
_KINDS = {"device_id": "device", "login_id": "login", "user_id": "login"}
SENDERS_WAIT_SECONDS = 12 * 3_600.0  # a paced send is over by then


def erase_from_files(home: Home, subject: Erasable) -> dict[str, int]:
    """Take the person out of all other files; how many files of each kind changed or went."""
    rows = _Rows(subject)
    done = Counter[str]()
    done["unfinished backups"] += sweep_home(home)  # plain copies of stores, left by a kill
    done["masked.duckdb"] += remove_database(home.masked)
    done["warehouse.duckdb"] += remove_database(home.warehouse)
    done["spark"] += spark_store(home, engine()).remove()
    done["ops.before-migration.sqlite"] += remove(home.ops_before_migration)
    for path in sorted(home.subject_exports.glob("*")):
        if path.name.startswith(tuple(f"{each}-" for each in subject.ids)):
            done["subject_exports"] += remove(path)
    # Compressed, and made anew by whoever needs them.
    for path in sorted(home.ops_export.glob("*.parquet")):
        if path.stem != "run_context":
            done["ops_export"] += remove(path)
    for path in sorted(home.science.glob("*.parquet")):
        done["science"] += remove(path)
    done["review"] += remove(home.review)
    done["delivered"] += erase_from_delivered(home, subject)
    for path in _further(home):
        kind = path.relative_to(home.root).parts[0]
        if path.suffix == ".parquet":
            done[kind] += _without_rows(path, rows)
        elif rows.texts.are_in_file(path):
            done[kind] += _without(home, path, rows.texts)
    return {kind: count for kind, count in sorted(done.items()) if count}


def erase_from_delivered(home: Home, subject: Erasable) -> int:
    """Take the person out of what was delivered into the home; how many files changed or went.

    A removal that a destination in the home took later stands there too, with its address. Nobody
    sends meanwhile: what a sender wrote between the reading and the writing would be lost.

    Raises:
        BusyError: somebody still sends after `SENDERS_WAIT_SECONDS`.
    """
    rows = _Rows(subject)
    with hold(home.sending_lock, SENDERS_WAIT_SECONDS):
        unfinished = sum(remove(path) for path in sorted(home.delivered.rglob(f"*{PART}")))
        paths = [path for path in sorted(home.delivered.rglob("*")) if path.is_file()]
        return unfinished + sum(_without_rows(path, rows) for path in paths)


def left_as_they_are(home: Home, location: str) -> list[str]:
    """What is not rewritten and is refused at the next load or restore instead."""
    left = []
    if location:
        left.append(f"the input files in {location}")
    if home.demo.is_dir():
        left.append(f"the pretend shop's own files in {home.demo}")
    others = sorted(path.name for path in _further(home) if _is_a_stranger(path))
    if others:
        left.append(f"database files that are none of the home's own: {', '.join(others)}")
    backups = [path for path in home.root.rglob("*") if path.suffix in BACKUP_ENDINGS]
    if backups:
        left.append(f"{len(backups)} backups in {home.root}")
    left.append("backups and copies elsewhere, and what destinations keep of their own")
    return left


def _further(home: Home) -> Iterator[Path]:
    """Files that nothing above took care of."""
    own = {
        *(home.raw, home.published, home.mark, home.lock, home.sending_lock),
        *(home.root / f"{home.ops.name}{ending}" for ending in ("", "-wal", "-shm")),
    }
    folders = (
        *(home.demo, home.delivered, home.erasures, home.inbox),
        *(versions_dir(home), home.published_dir),
    )
    for path in sorted(home.root.rglob("*")):
        if path.is_symlink() or not path.is_file() or path in own or path.suffix in BACKUP_ENDINGS:
            continue
        if not any(path.is_relative_to(folder) for folder in folders):
            yield path


def _is_a_stranger(path: Path) -> bool:
    """Whether it is a database that somebody put there, or that an engine could not read."""
    return ".duckdb" in path.name or ".damaged-" in path.name


def _without(home: Home, path: Path, texts: Texts) -> bool:
    """One file without the person: a working file goes, a history keeps the rest."""
    if not path.exists():  # a log that its database has taken in meanwhile
        return False
    if _is_a_stranger(path):
        return False
    disposable = (home.dlt, home.dbt, home.ops_export)
    if any(path.is_relative_to(folder) for folder in disposable):
        return remove(path)
    with path.open("rb") as stream:
        is_sqlite = stream.read(len(_SQLITE)) == _SQLITE
    if is_sqlite:
        _scrub_sqlite(path, texts)
        return True
    if path.name.endswith(("-wal", "-shm")):
        return _without(home, path.with_name(path.name[:-4]), texts)
    text = path.read_bytes().decode(errors="surrogateescape")
    with whole_file(path) as stream:
        stream.write(texts.without(text).encode(errors="surrogateescape"))
    return True


def _scrub_sqlite(path: Path, texts: Texts) -> None:
    """Put a word in the place of each value in every text of a SQLite file, and write it anew."""
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as file:
        file.create_function("without_person", 1, _of_any(texts))
        file.execute("pragma secure_delete = on")
        tables = file.execute("select name from sqlite_master where type = 'table'").fetchall()
        file.execute("begin immediate")
        for (table,) in tables:
            for _, column, *_ in file.execute(f"pragma table_info({name(table)})").fetchall():
                target = name(column)
                changed = f"without_person({target})"
                file.execute(
                    f"update {name(table)} set {target} = {changed}"
                    f" where typeof({target}) = 'text' and {target} is not {changed}"
                )
        file.execute("commit")
        compact(file)


def compact(file: sqlite3.Connection) -> bool:
    """Write a SQLite file anew and fold its log into it; whether no reader stood in the way."""
    file.execute("vacuum")
    return bool(file.execute("pragma wal_checkpoint(truncate)").fetchone()[0] == 0)


def _of_any(texts: Texts):  # type: ignore[no-untyped-def]
    return lambda value: texts.without(value) if isinstance(value, str) else value


def _without_rows(path: Path, rows: _Rows) -> bool:
    """A file of rows without those of the person, and without what others' say of them; whether
    there was anything."""
    if path.suffix == ".parquet":
        return _parquet_without(path, rows)
    text = path.read_bytes().decode(errors="surrogateescape")
    without = {".csv": rows.of_csv, ".jsonl": rows.of_lines}.get(path.suffix, rows.texts.without)
    after = without(text)
    if after == text:
        return False
    with whole_file(path) as stream:
        stream.write(after.encode(errors="surrogateescape"))
    return True


def _parquet_without(path: Path, rows: _Rows) -> bool:
    table = pq.read_table(path)
    before = table.to_pylist()
    after = list(rows.without(before))
    if after == before:
        return False
    with whole_file(path) as stream:
        pq.write_table(pa.Table.from_pylist(after, table.schema), stream, compression="zstd")
    return True


class _Rows:
    """Rows of a delivered file, of which those of one person go."""

    def __init__(self, subject: Erasable) -> None:
        self.texts = Texts.of(subject)
        self._ids = frozenset(subject.ids)
        self._keys = frozenset((kind, value.casefold()) for kind, value in subject.keys)
        self._addresses = frozenset(value for _, value in self._keys if is_address(value))

    def of_csv(self, text: str) -> str:
        """A CSV file's text without them; as it was where nothing of it is theirs."""
        read = list(csv.reader(io.StringIO(text, newline="")))
        head, before = (read[0], read[1:]) if read else ([], [])
        width = max((len(row) for row in read), default=0)
        names = [*head, *(f"further {number}" for number in range(len(head), width))]
        after = self.without([dict(zip(names, row, strict=False)) for row in before])
        cells = [list(row.values()) for row in after]
        if cells == before:
            return text
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerows([head, *cells])
        return stream.getvalue()

    def of_lines(self, text: str) -> str:
        """A JSON Lines file's text without them."""
        return "".join(map(self._line, text.splitlines(keepends=True)))

    def without(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """The rows of others, in which what names the person is replaced."""
        for row in rows:
            if not any(self._is_theirs(column, value) for column, value in row.items()):
                yield {column: self._rest(value) for column, value in row.items()}

    def _line(self, line: str) -> str:
        try:
            content = json.loads(line)
        except ValueError:
            return self.texts.without(line)
        if not isinstance(content, dict):
            return self.texts.without(line)
        after = list(self.without([content]))
        if after == [content]:
            return line
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in after)

    def _is_theirs(self, column: str, value: Any) -> bool:
        """By an id or an address as the whole of any column, by another identifier in its own."""
        if not isinstance(value, str):
            return False
        whole = value.removeprefix("'")  # which keeps spreadsheets from running it
        kind = column.strip().lower().removesuffix("_address")
        return (
            whole in self._ids
            or whole.casefold() in self._addresses
            or (_KINDS.get(kind, kind), whole.casefold()) in self._keys
        )

    def _rest(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._rest(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._rest(inner) for inner in value]
        is_text = isinstance(value, str) and not value.isdecimal()  # amounts and ids of others
        return self.texts.without(value) if is_text else value
