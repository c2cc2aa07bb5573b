"""The words of themes that are nobody's business, in names however they are written.

Belongs here: the seed `flagged_words` and how a name is held against it. Does not belong here:
which names are (segment_words.py: of audiences; segment_traits.py: of traits).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from orchestration.ops.permission.status_words import unaccented
from orchestration.run.dbt import DBT_PROJECT

SEED = DBT_PROJECT / "seeds" / "flagged_words.csv"
_ANY_ENDING = "*"


@dataclass(frozen=True, slots=True)
class FlaggedWord:
    """A word of the seed: as it is compared, its theme, and whether any ending may follow."""

    word: str
    theme: str
    has_endings: bool

    def is_in(self, words: str) -> bool:
        """Whether it stands in words that have a blank before and after each."""
        return f" {self.word}{'' if self.has_endings else ' '}" in words


@cache
def flagged_words(seed: Path = SEED) -> tuple[FlaggedWord, ...]:
    """The words as they stand in the seed."""
    with seed.open(encoding="utf-8", newline="") as file:
        return tuple(
            FlaggedWord(
                unaccented(row["word"].removesuffix(_ANY_ENDING)),
                row["theme"],
                row["word"].endswith(_ANY_ENDING),
            )
            for row in csv.DictReader(file)
        )


def flagged(text: str) -> tuple[FlaggedWord, ...]:
    """The flagged words in a name, however it is written: `DiabetesCare`, `diabetes_care`."""
    split = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])", " ", text)
    words = " ".join(re.findall(r"[^\W_]+", unaccented(split)))
    return tuple(each for each in flagged_words() if each.is_in(f" {words} "))
