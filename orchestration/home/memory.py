"""How much memory this process takes for a home, and where what does not fit is put meanwhile.

Belongs here: holding DuckDB's sessions to the settings, and the folder `.spill-…` of the home that
goes with this process. Does not belong here: the sessions (ingestion/duckdb.py).
"""

from __future__ import annotations

import atexit
import shutil
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from ingestion.memory import bound
from ingestion.settings_place import memory_limit
from orchestration.home.layout import Home
from orchestration.home.scratch import SPILL, scratch_folder, sweep


class _Folder:
    """The folder of the home that this process works on; it is gone when the process ends."""

    def __init__(self) -> None:
        self._held = ExitStack()
        self._root: Path | None = None
        self._folder: Path | None = None

    def of(self, root: Path) -> Path | None:
        """The folder, made where it is first asked for; None where nothing can be made."""
        if root != self._root or self._folder is None or not self._folder.exists():
            self.close()
            self._root = root
            try:
                self._folder = self._held.enter_context(scratch_folder(root, SPILL))
            except OSError:  # no home yet, or one that may only be read
                self._folder = None
        return self._folder

    def close(self) -> None:
        """Take it away."""
        self._held.close()
        self._folder = None


_folder = _Folder()
atexit.register(_folder.close)


def bound_memory(home: Home) -> None:
    """From here on, every DuckDB session of this process and of its dbt keeps to the settings."""
    bound(memory_limit(), partial(_folder.of, home.root))


def clear_spill(home: Home) -> None:
    """Take away what sessions of killed processes had put on the disk: rows, so personal data.

    Only to be called under the lock, once no dbt of a killed run is at work.
    """
    sweep(home.root, SPILL)
    for store in (home.raw, home.warehouse):
        shutil.rmtree(f"{store}.tmp", ignore_errors=True)
