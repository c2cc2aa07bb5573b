"""Files on disk: content hashes, taking away, free space.

Belongs here: the small file operations that a crash-safe swap is made of. Does not belong here:
knowledge of what is published.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.errors import RegularsError

CHUNK = 1 << 20
FREE_FACTOR = 3  # RELIABILITY O2: three times the largest file must be free


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def remove(path: Path) -> bool:
    """Remove a file, link or folder if it is there; says whether it was."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
        return True
    if path.is_symlink() or path.exists():
        path.unlink()
        return True
    return False


def remove_database(path: Path) -> bool:
    """Remove a DuckDB file with its log and spill folder; says whether anything was there."""
    removed = [remove(each) for each in (Path(f"{path}.wal"), Path(f"{path}.tmp"), path)]
    return any(removed)


def require_free_disk(
    folder: Path,
    files: tuple[Path, ...],
    work: str = "publishing",
    outcome: str = "what was published before is untouched",
) -> None:
    """Refuse to start `work` when the disk could fill up half-way; `outcome` is what is left then.

    Raises:
        RegularsError: less than three times the largest of `files` is free.
    """
    largest = max((path.stat().st_size for path in files if path.exists()), default=0)
    free = shutil.disk_usage(folder).free
    if free < FREE_FACTOR * largest:
        raise RegularsError(
            f"The disk that holds {folder} has {_megabytes(free)} MB free; {work} safely needs "
            f"{_megabytes(FREE_FACTOR * largest)} MB.",
            f"Free some space and try again; {outcome}.",
        )


@contextmanager
def disk_errors_explained(folder: Path) -> Iterator[None]:
    """Turn "no space left" of any layer into a sentence for people.

    Raises:
        RegularsError: the disk filled up within the block.
    """
    try:
        yield
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not full and "No space left on device" not in str(error):
            raise
        raise RegularsError(
            f"The disk that holds {folder} is full.",
            "Free some space and run again; what was published before is untouched.",
        ) from error


def _megabytes(size: int) -> str:
    return f"{-(-size // 1_000_000):,}"
