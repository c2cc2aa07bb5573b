"""The published file as pages read it: each request one build, whatever is published meanwhile.

Belongs here: opening a build once, a connection per request, closing it when nobody reads it any
more. Does not belong here: what is asked (`queries`).

A process that opens a path twice gets the file that it had the first time, also after a swap. So
each build is opened under a name of its own, a hard link, which is taken away as soon as the build
is open: nothing of an old build stays on the disk, however this process ends.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.duckdb import connect
from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.home.scratch import SERVING, scratch_folder, sweep
from orchestration.published.reader import LOCKED, QUERY_MEMORY, not_published
from orchestration.report.figures import Build, read_build

Origin = tuple[int, int, int]


@dataclass
class Opened:
    """One build: the session that holds it open, and how many requests read it."""

    origin: Origin
    build: Build
    session: duckdb.DuckDBPyConnection
    readers: int = 0


class Builds:
    """What is published in a home, build by build.

    Args:
        home: whose.
        timezone: whose days and months count.
        file: gives the file to read of what is published now, such as a masked copy; the published
            file itself unless given.
    """

    def __init__(self, home: Home, timezone: str, file: Callable[[], Path] | None = None) -> None:
        """Open nothing yet; take away what a killed process left."""
        self._home = home
        self._timezone = timezone
        self._file = file or (lambda: home.published)
        self._lock = threading.Lock()
        self._newest: Opened | None = None
        if home.root.exists():
            sweep(home.root, SERVING)

    @contextmanager
    def reading(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, Build]]:
        """A connection to the build that is published now, and which build that is.

        Raises:
            RegularsError: nothing is published yet, or it cannot be opened.
        """
        opened = self._take()
        try:
            with opened.session.cursor() as connection:
                yield connection, opened.build
        finally:
            self._give_back(opened)

    def close(self) -> None:
        """Close what nobody reads."""
        with self._lock:
            newest, self._newest = self._newest, None
            _close_if_idle(newest)

    def _take(self) -> Opened:
        with self._lock:
            if not self._home.published.exists():
                raise not_published(self._home)
            facts = self._home.published.stat()
            # Asked before it is opened: a swap in between is seen by the next request.
            origin = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
            if self._newest is None or self._newest.origin != origin:
                older, self._newest = self._newest, self._open(origin)
                _close_if_idle(older)
            self._newest.readers += 1
            return self._newest

    def _give_back(self, opened: Opened) -> None:
        with self._lock:
            opened.readers -= 1
            if opened is not self._newest:
                _close_if_idle(opened)

    def _open(self, origin: Origin) -> Opened:
        try:
            with scratch_folder(self._home.root, SERVING) as folder:
                path = folder / "build.duckdb"
                _link(self._file(), path)
                session = connect(path, read_only=True, at_most=QUERY_MEMORY, **LOCKED)
                session.execute("set lock_configuration = true")
                return Opened(origin, read_build(session, self._timezone), session)
        except duckdb.Error as error:
            raise RegularsError(
                "The published file cannot be read.",
                "Run `regulars doctor`; a new `regulars run` replaces the file.",
            ) from error


def _link(file: Path, path: Path) -> None:
    """The file under another name; a copy where the disk knows no hard links."""
    try:
        os.link(file, path)
    except OSError:
        shutil.copyfile(file, path)


def _close_if_idle(opened: Opened | None) -> None:
    if opened is not None and not opened.readers:
        opened.session.close()
