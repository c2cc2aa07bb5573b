"""Files of a home that are only kept for a time.

Belongs here: deleting them once they are old. Does not belong here: making them, or what a run
killed half-way left.
"""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta

from orchestration.home.layout import Home


def delete_old_exports(home: Home, *, days: int, at: datetime) -> int:
    """Delete what was written for people who asked what is held about them, after `days`.

    Only plain files are: whatever else somebody puts there is theirs. The folder is made private
    again, as others may have been let in meanwhile.

    Args:
        home: the shop's home.
        days: how long such a file stays.
        at: now, naive UTC.

    Returns: how many files.
    """
    count = 0
    folder = home.subject_exports
    if folder.is_dir() and not folder.is_symlink():
        folder.chmod(0o700)
    for path in sorted(folder.glob("*")):
        facts = path.lstat()
        written = datetime.fromtimestamp(facts.st_mtime, UTC).replace(tzinfo=None)
        if stat.S_ISREG(facts.st_mode) and written < at - timedelta(days=days):
            path.unlink()
            count += 1
    return count
