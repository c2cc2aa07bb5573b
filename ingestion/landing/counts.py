"""What a run did with the rows of a table, in numbers and in sentences.

Belongs here: counts and how they are said. Does not belong here: deciding about rows (`intake.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# What was done to a value that is not kept as it was written.
Loss = Literal["emptied", "cut", "undecided"]


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
        undecided: per column, those of them that may be either of two days.
        cut: per column, numbers of stored rows with more digits than are kept.
        recoded: rows that were not UTF-8 and were read as Windows-1252.
        source_remarks: what the source itself says of this reading, a sentence each.
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
    undecided: Mapping[str, int] = field(default_factory=dict)
    cut: Mapping[str, int] = field(default_factory=dict)
    recoded: int = 0
    source_remarks: tuple[str, ...] = ()

    @property
    def values_emptied(self) -> int:
        """All values that could not be read and were left empty."""
        return sum(self.emptied.values())

    def remarks(self) -> list[str]:
        """What a person should know beyond the number of rows, a sentence each."""
        sentences = list(self.source_remarks)
        if self.emptied:
            verb = "was" if self.values_emptied == 1 else "were"
            what = _number(self.values_emptied, "value")
            where = _by_column(self.emptied)
            sentences.append(f"{what} could not be read and {verb} left empty ({where})")
        if self.undecided:
            what = _number(sum(self.undecided.values()), "date")
            sentences.append(
                f"{what} of those may be either of two days ({_by_column(self.undecided)}): write "
                "them as 1990-02-01, or say their pattern under `formats` in a mapping"
            )
        if self.cut:
            what = _number(sum(self.cut.values()), "number")
            sentences.append(f"{what} with more digits than are kept ({_by_column(self.cut)})")
        if self.recoded:
            verb = "was not UTF-8 and was" if self.recoded == 1 else "were not UTF-8 and were"
            sentences.append(f"{_number(self.recoded, 'row')} {verb} read as Windows-1252")
        return sentences


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _by_column(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


@dataclass
class Tally:
    """Counts kept while rows are judged; `new` and `bad` are checked against the tables later."""

    received: int = 0
    new: int = 0
    bad: int = 0
    duplicate: int = 0
    ignored: set[str] = field(default_factory=set)
    emptied: Counter[str] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    recoded: int = 0
    source_remarks: list[str] = field(default_factory=list)

    def losses(self, loss: Loss) -> Counter[str]:
        """The values, by column, to which this was done."""
        return {"emptied": self.emptied, "cut": self.cut, "undecided": self.undecided}[loss]
