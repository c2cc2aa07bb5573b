"""What the models of a home were last told of a run: its id and its "now".

Belongs here: reading it back from the export. Does not belong here: writing it (export.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

NAME = "run_context"


@dataclass(frozen=True)
class RunContext:
    """The run that wrote the export, and the moment that its files are of (naive UTC)."""

    run_id: str
    as_of: datetime


def last_context(folder: Path) -> RunContext | None:
    """The context in the folder of the export; None before the first."""
    path = folder / f"{NAME}.parquet"
    if not path.exists():
        return None
    (row,) = pq.read_table(path, columns=["run_id", "as_of"]).to_pylist()
    return RunContext(row["run_id"], row["as_of"])
