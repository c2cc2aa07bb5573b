"""How much memory a DuckDB session of this process may hold, and where the rest is put meanwhile.

Belongs here: those two facts, which are known before anything as heavy as DuckDB is loaded. Does
not belong here: the sessions (duckdb.py), and what the settings say (settings_place.py).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

# What one session may hold in memory, for this process and for dbt, which it starts.
MEMORY_VARIABLE = "REGULARS_MEMORY_LIMIT"
# Of whatever works in batches, so that more would gain it nothing.
BATCH_MEMORY = "2GB"
_UNITS = {"MB": 10**6, "GB": 10**9}


class _Spill:
    """The folder, once `bound` said how to get it, and a number for each session in memory."""

    def __init__(self) -> None:
        self.folder: Callable[[], Path | None] | None = None
        self.numbers = count(1)


_spill = _Spill()


def bound(limit: str, folder: Callable[[], Path | None]) -> None:
    """Bound the memory of every session from here on, and of the dbt that this process starts.

    Args:
        limit: such as `4GB`; empty for DuckDB's own, four fifths of the machine's.
        folder: gives the folder in which what does not fit is put until the session ends; None
            where there is no such folder.
    """
    os.environ[MEMORY_VARIABLE] = limit
    _spill.folder = folder


def memory_limit(own: str = "") -> str:
    """What a session may hold: its own limit or everybody's, whichever is less; empty for none."""
    limits = [limit for limit in (own, os.environ.get(MEMORY_VARIABLE, "")) if limit]
    return min(limits, key=_bytes, default="")


def spill_folder(file: Path | None) -> str | None:
    """The folder of one database of this process.

    Args:
        file: what the database is; None for one in memory.

    Returns:
        Empty for a database in memory that has nowhere to put anything; None for DuckDB's own.
    """
    if _spill.folder is None:
        return None
    folder = _spill.folder()
    if folder is None:
        return None if file else ""
    # Sessions of one file in one process are one database, with one folder.
    known = hashlib.md5(str(file).encode(), usedforsecurity=False).hexdigest()
    return str(folder / f"{os.getpid()}-{known if file else next(_spill.numbers)}")


def _bytes(limit: str) -> int:
    number, unit = re.split(r"(?=[MG]B$)", limit)
    return int(number) * _UNITS[unit]
