"""Files that only their owner reads and that are there whole or not at all.

Belongs here: making one, and forcing one to the disk. Does not belong here: what stands in it, or
files that a library writes itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from orchestration.home.layout import OWNER_ONLY

PART = ".part"  # a file that is being written, or that a killed process left


def private_file(path: Path) -> BinaryIO:
    """A new file of bytes, its owner's only.

    Raises:
        FileExistsError: something lies there, perhaps a link to another file.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, OWNER_ONLY)
    return os.fdopen(descriptor, "wb")


def fsync(path: Path) -> None:
    """Force a file, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A stream whose content appears at `path` at once when the block ends, or not at all."""
    beside = path.with_name(f"{path.name}{PART}")
    # Whatever lies there is taken away and not written into: it could be a link to another file.
    beside.unlink(missing_ok=True)
    try:
        with private_file(beside) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
