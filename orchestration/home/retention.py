"""Files of a home that are only kept for a time.

Belongs here: deleting them once they are old. Does not belong here: making them, or what a run
killed half-way left.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestration.home.layout import Home


def delete_old_exports(home: Home, *, days: int, at: datetime) -> int:
    """Delete what was written for people who asked what is held about them, after `days`.

    Args:
        home: the shop's home.
        days: how long such a file stays.
        at: now, naive UTC.

    Returns: how many files.
    """
    count = 0
    for path in sorted(home.subject_exports.glob("*")):
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)
        if written < at - timedelta(days=days):
            path.unlink()
            count += 1
    return count
