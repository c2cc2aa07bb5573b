"""What a word about permission means: one list for every source, `seeds/status_words.csv`.

Belongs here: comparing words and looking them up. Does not belong here: where a source says them
(`fact_queries`) and what becomes of a meaning in one column or another (`meanings`).

Words are compared without case, accents and blanks, so `Opted out`, `opt-out` and `OPT_OUT` are
one, and `désabonné` is `DESABONNE`. A refusal is found whatever signs stand around it. Any other
word has to stand alone: `!active`, `-1` and `yes?` are words that nobody has told us.
"""

from __future__ import annotations

import csv
import re
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
_ZERO = re.compile(r"[+-]?0+([.,]0*)?(e[+-]?[0-9]+)?")
_ZERO_DATE = re.compile(r"0+[-/.]0+[-/.]0+([ t]0+:0+(:0+([.]0+)?)?z?)?")
_QUOTES = "\"'`´‘’“”„«»"
_OVERLAY = 1  # Unicode's class of signs that strike a letter through


class Meaning(StrEnum):
    """What a word says. `yes` and `no` answer what their column asks."""

    GRANTED = "granted"
    UNSUBSCRIBED = "unsubscribed"
    HARD_BOUNCE = "hard_bounce"
    SPAM_REPORT = "spam_report"
    MANUAL = "manual"
    GPC = "gpc"
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
        Meaning.GPC,
        Meaning.DENIED,
        Meaning.REVOKED,
    }
)
SILENT = frozenset({Meaning.REQUESTED, Meaning.NEVER_ASKED, Meaning.NO_STATEMENT})


@dataclass(frozen=True)
class StatusWords:
    """The list, by folded and by plain word, and a number that changes with it."""

    meanings: dict[str, Meaning]
    plain_meanings: dict[str, Meaning]
    fingerprint: int

    def meaning(self, word: str | None) -> Meaning | None:
        """What a word says; an empty one says nothing, None is a word that nobody has told us."""
        text = (word or "").strip().casefold()
        if not text or _ZERO_DATE.fullmatch(text):
            return Meaning.NO_STATEMENT
        if _ZERO.fullmatch(text):
            return self.meanings["0"]
        lenient = self.meanings.get(folded(text))
        return lenient if lenient in REFUSALS else self.plain_meanings.get(plain(text))


def folded(word: str) -> str:
    """A word as names and refusals are compared: its letters and digits."""
    return "".join(letter for letter in unaccented(word) if letter.isalnum())


def plain(word: str) -> str:
    """A word as anything but a refusal is compared: every sign that may change its sense stays."""
    text = re.sub(r"(?<=[^\W\d_])[-‐](?=[^\W\d_])", "", unaccented(word))
    text = "".join(letter for letter in text if letter != "_" and not letter.isspace())
    return text.strip(_QUOTES)


def unaccented(word: str) -> str:
    """A word in small letters without accents; signs and blanks stay."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    return "".join(
        letter
        for letter in text.translate(_PLAIN)
        if unicodedata.combining(letter) <= _OVERLAY and unicodedata.category(letter) != "Cf"
    )


@cache
def status_words(seed: Path = SEED) -> StatusWords:
    """The list as it stands in the seed."""
    content = seed.read_bytes()
    rows = list(csv.DictReader(content.decode("utf-8").splitlines()))
    return StatusWords(
        {folded(row["word"]): Meaning(row["meaning"]) for row in rows},
        {plain(row["word"]): Meaning(row["meaning"]) for row in rows},
        zlib.crc32(content),
    )
