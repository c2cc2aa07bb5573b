"""What a word about permission means: one list for every source, `seeds/status_words.csv`.

Belongs here: comparing words and looking them up. Does not belong here: where a source says them
(`fact_queries`) and what becomes of a meaning in one column or another (`meanings`).

Words are compared without case, accents, blanks and punctuation, so `Opted out`, `opt-out` and
`OPT_OUT` are one, and `désabonné` is `DESABONNE`.
"""

from __future__ import annotations

import csv
import unicodedata
import zlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from ingestion.config import REPOSITORY

SEED = REPOSITORY / "dbt_project" / "seeds" / "status_words.csv"
# Letters that Unicode does not take apart into a letter and its accent.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})


class Meaning(StrEnum):
    """What a word says. `yes` and `no` answer what their column asks."""

    GRANTED = "granted"
    UNSUBSCRIBED = "unsubscribed"
    HARD_BOUNCE = "hard_bounce"
    SPAM_REPORT = "spam_report"
    MANUAL = "manual"
    DENIED = "denied"
    REVOKED = "revoked"
    REQUESTED = "requested"
    NEVER_ASKED = "never_asked"
    NO_STATEMENT = "no_statement"
    YES = "yes"
    NO = "no"


REFUSALS = frozenset(
    {
        Meaning.UNSUBSCRIBED,
        Meaning.HARD_BOUNCE,
        Meaning.SPAM_REPORT,
        Meaning.MANUAL,
        Meaning.DENIED,
        Meaning.REVOKED,
    }
)
SILENT = frozenset({Meaning.REQUESTED, Meaning.NEVER_ASKED, Meaning.NO_STATEMENT})


@dataclass(frozen=True)
class StatusWords:
    """The list, by folded word, and a number that changes with it."""

    meanings: dict[str, Meaning]
    fingerprint: int

    def meaning(self, word: str | None) -> Meaning | None:
        """What a word says; an empty one says nothing, None is a word that nobody has told us."""
        text = folded(word or "")
        if not text.strip("0"):
            # Nothing but punctuation or MySQL's zero date; one 0 alone is an answer.
            return self.meanings.get(text, Meaning.NO_STATEMENT)
        return self.meanings.get(text)


def folded(word: str) -> str:
    """A word as it is compared."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    letters = (letter for letter in text.translate(_PLAIN) if letter.isalnum())
    return "".join(letters)


@cache
def status_words(seed: Path = SEED) -> StatusWords:
    """The list as it stands in the seed."""
    content = seed.read_bytes()
    rows = csv.DictReader(content.decode("utf-8").splitlines())
    meanings = {folded(row["word"]): Meaning(row["meaning"]) for row in rows}
    return StatusWords(meanings, zlib.crc32(content))
