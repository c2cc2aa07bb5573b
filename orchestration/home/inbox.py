"""The home's inbox: what came by webhooks, as files that each run reads beside its input.

Belongs here: where a body lies, that it is on the disk before anybody is told so, and that the same
one is kept once. Does not belong here: whether it may come in (`serve/webhooks`), or reading it
(`ingestion`).

`inbox/<folder>/<sender>/<day>/<time>-<id>.json`: the first part is a folder of the input
(docs/formats.md), or one of the two below, which no run reads. A file is written aside, brought to
the disk and renamed; a name that begins with a dot is of one that was not finished.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from orchestration.home.whole_file import fsync, private_file

# Folders of the inbox that no source reads.
UNREAD = "unread"
REQUESTS = "requests"
_ENDING = ".json"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAME = re.compile(rf"(\d{{12}})-[0-9a-f]{{32}}{re.escape(_ENDING)}")


def body_id(*parts: bytes) -> str:
    """What makes a body the same one: 32 letters that depend on these parts alone."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:32]


class Inbox:
    """The inbox of one home, open for writing by one process."""

    def __init__(self, root: Path) -> None:
        """Look up what is there; files that were not finished are taken away."""
        self._root = root
        # By id the day, not the whole path: there may be a million.
        self._known: dict[int, str] = {}
        for path in _files(root):
            if path.name.startswith("."):
                path.unlink(missing_ok=True)
            elif path.name.endswith(_ENDING):
                self._note(path)

    def keep(
        self, folder: str, sender: str, kept_id: str, content: bytes, received_at: datetime
    ) -> tuple[str, bytes]:
        """Bring a body to the disk, once; returns its path below the inbox, and what lies there.

        Of an id that is there already it is what came first: a repetition says nothing new, not
        even that it is said later.

        Args:
            folder: a folder of the input, `UNREAD` or `REQUESTS`.
            sender: its name in the settings.
            kept_id: of `body_id`.
            content: what is kept.
            received_at: naive UTC.

        Raises:
            OSError: it is not on the disk.
        """
        day = self._known.get(int(kept_id, 16), "")
        if day:
            places = (self._root / folder / sender / day).glob(f"*-{kept_id}{_ENDING}")
            if first := next(places, None):
                return str(first.relative_to(self._root)), first.read_bytes()
        directory = self._root / folder / sender / f"{received_at:%Y-%m-%d}"
        _make(directory)
        name = f"{received_at:%H%M%S%f}-{kept_id}{_ENDING}"
        beside = directory / f".{name}"
        beside.unlink(missing_ok=True)
        try:
            with private_file(beside) as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(directory / name)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        fsync(directory)
        self._note(directory / name)
        return str((directory / name).relative_to(self._root)), content

    def _note(self, path: Path) -> None:
        _, _, kept_id = path.name.removesuffix(_ENDING).rpartition("-")
        try:
            self._known[int(kept_id, 16)] = sys.intern(path.parent.name)
        except ValueError:
            return  # somebody's own file


def newest_arrival(inbox: Path) -> datetime | None:
    """When the newest of what runs read came in, naive UTC; None where nothing lies there.

    Only each sender's last day is looked at: there may be a million files.
    """
    moments = []
    for sender in inbox.glob("*/*/"):
        if sender.parent.name in (UNREAD, REQUESTS):
            continue
        days = sorted(path.name for path in sender.iterdir() if _DAY.fullmatch(path.name))
        names = (path.name for path in (sender / days[-1]).iterdir()) if days else ()
        times = [named[1] for name in names if (named := _NAME.fullmatch(name))]
        if times:
            moments.append(f"{days[-1]} {max(times)}")
    form = "%Y-%m-%d %H%M%S%f"
    return datetime.strptime(max(moments), form) if moments else None  # noqa: DTZ007 - UTC


def waiting(inbox: Path) -> Counter[tuple[str, str]]:
    """How many bodies lie in the folders that no run reads, by folder and sender."""
    counts: Counter[tuple[str, str]] = Counter()
    for folder in (UNREAD, REQUESTS):
        for path in _files(inbox / folder):
            sender = path.relative_to(inbox / folder).parts[0]
            counts[folder, sender] += not path.name.startswith(".")
    return counts


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        yield from (Path(folder) / name for name in names)


def _make(folder: Path) -> None:
    """The folder and those above it, each of them noted on the disk in the one above."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    fsync(folder.parent)
