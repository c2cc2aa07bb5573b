"""The swap: an audited candidate becomes the published file, and its Parquet copies with it.

Belongs here: the order of steps that lets a kill at any point leave the old or the new, never a
mixture, and the clearing up afterwards. Does not belong here: building or judging a candidate.

Data flow: published.candidate.duckdb -> published.versions/<build>/*.parquet -> published.duckdb
-> the link `published` to that version's folder.

The DuckDB file is one rename. The Parquet copies are a folder per version; `published` is a link to
the current one and is replaced by a rename too. A reader of several Parquet files resolves the link
once and keeps one version; the version before stays until the next swap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from ingestion.duckdb import connect, literal, name
from ingestion.errors import CheckFailedError
from orchestration.home.layout import OWNER_ONLY, Home
from orchestration.home.whole_file import fsync
from orchestration.published.audit import AuditLog, require_audit
from orchestration.published.candidate import Candidate, is_whole
from orchestration.published.files import (
    disk_errors_explained,
    remove,
    remove_database,
    require_free_disk,
)
from orchestration.published.reader import read_build

PARTIAL = ".partial"
FOLDER_MODE = 0o700

# Named in the order in which they are reached; tests kill the process at each.
STEPS = ("audited", "parquet_half", "parquet_written", "swapped", "linked", "tidied")


def publish(
    home: Home, log: AuditLog, candidate: Candidate, on_step: Callable[[str], None] | None = None
) -> None:
    """Make an audited candidate the published file.

    Args:
        home: whose published file it becomes.
        log: who keeps the audit records.
        candidate: a file built by `build_candidate` in this home.
        on_step: told the name of each step of `STEPS` once it is done.

    Raises:
        CheckFailedError: these very bytes have no audit record with every check passed.
        RegularsError: too little free disk.
    """
    reached = on_step or (lambda _step: None)
    before = _signature(candidate.path)
    require_audit(log, candidate)
    require_free_disk(home.root, (candidate.path,))
    reached("audited")
    with disk_errors_explained(home.root):
        version = _write_parquet(home, candidate, reached)
    reached("parquet_written")
    if _signature(candidate.path) != before:
        raise CheckFailedError(
            "The candidate changed while it was being published.",
            "Nothing was published; what was published before, if anything, stays as it is.",
        )
    candidate.path.chmod(OWNER_ONLY)
    fsync(candidate.path)
    candidate.path.replace(home.published)
    fsync(home.root)
    reached("swapped")
    _link(home, version)
    reached("linked")
    _drop_old_versions(home, keep=2)
    reached("tidied")


def clear_half_built(home: Home) -> None:
    """Remove the half-built files of killed runs, and finish a swap that was cut off in the middle.

    Only to be called by whoever holds the home's lock.
    """
    if not is_whole(home.candidate):
        remove_database(home.candidate)  # a whole one can still be judged and published
    for left in versions_dir(home).glob(f"*{PARTIAL}"):
        remove(left)
    for left in home.root.glob(f"{home.published_dir.name}{PARTIAL}"):
        remove(left)
    if not home.published.exists():
        return
    version = versions_dir(home) / _version_name(*read_build(home.published)[:2])
    if version.is_dir() and home.published_dir.resolve() != version.resolve():
        _link(home, version)


def versions_dir(home: Home) -> Path:
    """Where the folders of Parquet copies lie, one per version; `published` links to one."""
    return home.root / "published.versions"


def _write_parquet(home: Home, candidate: Candidate, reached: Callable[[str], None]) -> Path:
    """Write the copies aside and rename the finished folder into place."""
    final = versions_dir(home) / _version_name(candidate.build_id, candidate.run_id)
    if final.is_dir():  # whole, because it got its name last: the same run publishes once more
        return final
    partial = final.with_name(final.name + PARTIAL)
    remove(partial)
    partial.mkdir(parents=True, mode=FOLDER_MODE)
    try:
        _copy_tables(candidate, partial, reached)
        fsync(partial)
        partial.rename(final)
    except BaseException:
        remove(partial)
        raise
    fsync(final.parent)
    return final


def _copy_tables(candidate: Candidate, folder: Path, reached: Callable[[str], None]) -> None:
    with connect(candidate.path, read_only=True) as connection:
        for number, table in enumerate(candidate.tables):
            path = folder / f"{table.schema}.{table.name}.parquet"
            connection.execute(
                f"copy {name(table.schema, table.name)} to {literal(path)} (format parquet,"
                f" compression zstd, kv_metadata {{build_id: '{candidate.build_id}'}})"
            )
            path.chmod(OWNER_ONLY)
            fsync(path)
            if number == len(candidate.tables) // 2:
                reached("parquet_half")


def _link(home: Home, version: Path) -> None:
    """Point `published` at a version, by one rename."""
    aside = home.published_dir.with_name(home.published_dir.name + PARTIAL)
    remove(aside)
    aside.symlink_to(version.relative_to(home.root), target_is_directory=True)
    if home.published_dir.is_dir() and not home.published_dir.is_symlink():
        # A real folder stands there only if something wrote into it before the first publish.
        home.published_dir.rename(versions_dir(home) / f"before-first{PARTIAL}")
    aside.replace(home.published_dir)
    fsync(home.root)


def _drop_old_versions(home: Home, keep: int) -> None:
    current = home.published_dir.resolve()
    versions = sorted(
        (path for path in versions_dir(home).iterdir() if path.is_dir()),
        key=lambda path: (path == current, path.stat().st_mtime_ns),
        reverse=True,
    )
    for path in versions[keep:]:
        remove(path)


def _version_name(build_id: str, run_id: str) -> str:
    return f"{build_id[:16]}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"


def _signature(path: Path) -> tuple[int, int, int]:
    if not path.exists():
        raise CheckFailedError("There is no candidate to publish.", "Build one first.")
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
