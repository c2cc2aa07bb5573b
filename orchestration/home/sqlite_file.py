"""Looking into a SQLite file without making or changing it, whatever its path is called.

Belongs here: the read-only session. Does not belong here: opening the operational store to work on
it (`orchestration.ops.store`), what stands in any file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote


@contextmanager
def read_only_sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    """A session that only reads; closed when the block ends.

    Raises:
        sqlite3.Error: there is no such file, or it cannot be read.
    """
    # In a URI `?`, `#` and `%` end or change a path that is not quoted.
    address = f"file:{quote(os.fsencode(path))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        yield connection
