"""Private folders for work that is not finished, and deleting those of killed processes.

Belongs here: making one, and telling one that is still in use from one that was left. Does not
belong here: what is put into it.

Whoever works in such a folder holds the operating system's lock on a file in it, which the kernel
drops when the process ends: a process id could be another's by now, or of another container.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.home.layout import OWNER_ONLY, Home

LOCK = ".lock"
BACKUP = "backup"  # in the home
MASKING = "masking"  # there too
SERVING = "serving"  # there too
SPILL = "spill"  # there too
PULSE = "pulse"  # there too
SHELLS = "shells"  # there too
RESTORE = "regulars-restoring"  # beside it


@contextmanager
def scratch_folder(parent: Path, kind: str) -> Iterator[Path]:
    """A folder `.KIND-…` in `parent`, its owner's only, which is gone when the block ends.

    Raises:
        OSError: nothing can be made there.
    """
    folder, descriptor = _make(parent, kind)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep_home(home: Home) -> int:
    """Take away what killed backups, restores, masked copies and pages left: copies of stores."""
    inside = sum(sweep(home.root, kind) for kind in (BACKUP, MASKING, SERVING, PULSE, SHELLS))
    return inside + sweep(home.root.parent, RESTORE)


def sweep(parent: Path, kind: str) -> int:
    """Take away the folders of that kind in which nobody works any more; returns how many."""
    count = 0
    for folder in sorted(parent.glob(f".{kind}-*")):
        if folder.is_symlink() or not folder.is_dir():
            continue
        try:
            descriptor = _lock(folder)
        except OSError:  # somebody works in it, or it is another user's
            continue
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)
        count += 1
    return count


def _make(parent: Path, kind: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{kind}-", dir=parent))
        try:
            descriptor = _lock(folder)
        except (BlockingIOError, FileNotFoundError):
            continue  # a sweep came between the two; it takes the folder away
        if (folder / LOCK).exists():
            return folder, descriptor
        os.close(descriptor)


def _lock(folder: Path) -> int:
    """The open file that holds the folder's lock.

    Raises:
        BlockingIOError: somebody holds it, perhaps another thread of this process.
        OSError: the folder cannot be used.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(folder / LOCK, flags, OWNER_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
