"""What a run did with the rows of a table, in numbers and in sentences.

Belongs here: counts and how they are said. Does not belong here: deciding about rows (`intake.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TableCounts:
    """What one run did with the rows of one table.

    Args:
        source: the source.
        table: the table of `raw_<source>`.
        received: rows read: loaded, quarantined and duplicate ones together.
        loaded: rows stored.
        quarantined: rows put aside with a reason.
        duplicate: exact repeats of rows already stored.
        ignored_columns: names in the input that nothing reads.
        withdrawn: rows of earlier runs left, because their source says everything and no longer
            them.
        emptied: per column, values of stored rows that could not be read and were left empty.
    """

    source: str
    table: str
    received: int
    loaded: int
    quarantined: int
    duplicate: int
    ignored_columns: tuple[str, ...] = ()
    withdrawn: int = 0
    emptied: Mapping[str, int] = field(default_factory=dict)

    @property
    def values_emptied(self) -> int:
        """All values that could not be read and were left empty."""
        return sum(self.emptied.values())

    def remarks(self) -> list[str]:
        """What a person should know beyond the number of rows, a sentence each."""
        found = []
        if self.emptied:
            number = self.values_emptied
            noun = "value" if number == 1 else "values"
            verb = "was" if number == 1 else "were"
            by_column = ", ".join(f"{name} {count:,}" for name, count in self.emptied.items())
            found.append(f"{number:,} {noun} could not be read and {verb} left empty ({by_column})")
        return found


@dataclass
class Tally:
    """Counts kept while rows are judged; `new` and `bad` are checked against the tables later."""

    received: int = 0
    new: int = 0
    bad: int = 0
    duplicate: int = 0
    ignored: set[str] = field(default_factory=set)
    emptied: Counter[str] = field(default_factory=Counter)
