"""Where a home lies, so that a copy of it can be told from the home itself.

Belongs here: what is looked at of a place, and when two are the same. Does not belong here: what
was recorded of it (ops/adoption).

A folder keeps its inode where it is renamed on its disk; a copy, a restored home and one that was
moved to another disk have another. The root of a disk has the same inode on each, and a machine may
have no id, as most containers: each is then told by what is left. Not told: a copy of a whole disk
or machine that is used in the place of the first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from orchestration.home.layout import Home

_MACHINE_ID = Path("/etc/machine-id")


@dataclass(frozen=True)
class Place:
    """A machine (a digest of its id, empty where it has none), a folder and its inode."""

    machine: str
    path: str
    inode: int
    is_mount: bool = False

    def holds(self, other: Place) -> bool:
        """Whether a home that was here and one that is in the other place are one."""
        if (self.machine, self.inode) != (other.machine, other.inode):
            return False
        return self.path == other.path or not (self.is_mount or other.is_mount or not self.inode)


def place_of(home: Home) -> Place:
    """Where the home lies now."""
    root = home.root.resolve()
    return Place(_machine(), str(root), root.stat().st_ino, root.is_mount())


def _machine() -> str:
    try:
        machine_id = _MACHINE_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(f"regulars:{machine_id}".encode()).hexdigest()[:16] if machine_id else ""
