"""Looking for what is left of somebody: every byte of a home, in every usual encoding (A8).

Belongs here: the search that the tests of erasure and of canaries share. Does not belong here: what
may be there.

A DuckDB file, a SQLite file and Parquet compress or split texts, so beside the bytes every text of
every table is asked too.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import duckdb


def forms(value: str) -> dict[str, bytes]:
    """A value as it may stand in a file, by the name of the encoding."""
    plain = value.encode()
    return {
        "plain": plain,
        "upper case": value.upper().encode(),
        "in a link": quote(value, safe="").encode(),
        "MD5": hashlib.md5(plain, usedforsecurity=False).hexdigest().encode(),
        "SHA-1": hashlib.sha1(plain, usedforsecurity=False).hexdigest().encode(),
        "SHA-256": hashlib.sha256(plain).hexdigest().encode(),
        "UTF-16": value.encode("utf-16-le"),
        **{f"base64, {lead} before": _base64(plain, lead) for lead in range(3)},
    }


def traces(home: Path, values: Iterable[str], *, skip: Iterable[str] = ()) -> list[str]:
    """Where something of the values is left: file (table and column) and encoding, never a value.

    Args:
        home: the folder that is searched.
        values: identifiers, each long enough to be nobody else's.
        skip: names of entries of the folder that are left out.
    """
    wanted = {value: forms(value) for value in values}
    left_out = set(skip)
    found = set()
    for path in sorted(home.rglob("*")):
        place = path.relative_to(home)
        if path.is_symlink() or not path.is_file() or place.parts[0] in left_out:
            continue
        content = path.read_bytes()
        contents = [content]
        if path.suffix == ".gz":
            contents.append(gzip.decompress(content))
        for name in _hits(contents, wanted):
            found.add(f"{place}: {name}")
        for where, text in _texts(path, content):
            for name in _hits([text.encode(errors="surrogatepass")], wanted):
                found.add(f"{place} {where}: {name}")
    return sorted(found)


def _base64(plain: bytes, lead: int) -> bytes:
    """The characters that stand in every base64 text in which the value begins at this place."""
    encoded = base64.b64encode(b"\0" * lead + plain)
    first = -(-lead * 8 // 6)
    last = (lead + len(plain)) * 8 // 6
    return encoded[first:last]


def _hits(contents: Iterable[bytes], wanted: Mapping[str, Mapping[str, bytes]]) -> Iterator[str]:
    for content in contents:
        for encodings in wanted.values():
            yield from (name for name, form in encodings.items() if form in content)


def _texts(path: Path, content: bytes) -> Iterator[tuple[str, str]]:
    """Every text of a database or Parquet file, with its table and column."""
    if content[:16] == b"SQLite format 3\0":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            tables = file.execute("select name from sqlite_master where type = 'table'").fetchall()
            for (table,) in tables:
                for row in file.execute(f'select * from "{table}"'):
                    yield table, "\n".join(str(value) for value in row if value is not None)
    elif content[8:12] == b"DUCK":
        yield from _of_duckdb(path)
    elif content[:4] == b"PAR1":
        with duckdb.connect() as memory:
            rows = memory.execute("select t::varchar from read_parquet(?) t", [str(path)])
            yield "rows", "\n".join(str(row[0]) for row in rows.fetchall())


def _of_duckdb(path: Path) -> Iterator[tuple[str, str]]:
    with duckdb.connect(str(path), read_only=True) as file:
        tables = file.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        for schema, table in tables:
            rows = file.execute(f'select t::varchar from "{schema}"."{table}" t').fetchall()
            yield f"{schema}.{table}", "\n".join(str(row[0]) for row in rows)
