"""Names by which a platform may take an audience for one of a theme that is nobody's business.

Belongs here: which names of a segment leave the house, and the words of the seed `flagged_words` in
them. Does not belong here: what a segment's values are of people (segment_traits.py).

Ad platforms stop accounts over the name of an audience. A segment is judged by its name and label,
the fields of its context and of its plain context, and what the settings call it at destinations.
A trade that needs such a word (a pharmacy) says why in the segment's own file:
`'flagged_themes': {'health': 'We are a pharmacy.'}`. For ads that counts for nothing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ingestion.config import Settings
from orchestration.ops.permission.status_words import unaccented
from orchestration.published.checks import CheckResult
from orchestration.quality.segment_traits import Judged
from orchestration.run.dbt import DBT_PROJECT, SEGMENT

SEED = DBT_PROJECT / "seeds" / "flagged_words.csv"
ADS = ("ads", "sell_share")  # channel or purposes
OVERRIDE = "flagged_themes"
_NAMING = re.compile(r"name|audience|list|label|title|prefix|suffix", re.IGNORECASE)
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


def names_of(
    segment: str, meta: Mapping[str, Any], fields: Iterable[str], settings: Settings
) -> Iterator[tuple[str, str]]:
    """Every name of a segment that leaves, with what it is."""
    yield "name", segment
    yield "label", str(meta.get("label") or "")
    for each in fields:
        yield f"context field `{each}`", each
    plain = meta.get("plain_context")
    for each in plain if isinstance(plain, Mapping) else ():
        yield f"plain context field `{each}`", str(each)
    own = settings.segments.get(segment)
    chosen = own.destinations if own and own.destinations is not None else meta.get("destinations")
    for place in chosen or ():
        if place in settings.destinations:
            yield f"destination `{place}`", place
            options = settings.destinations[place].options
            for name in _names_in(options, segment, set(settings.segments)):
                yield f"audience name at `{place}`", name


def _names_in(options: Mapping[str, Any], segment: str, others: set[str]) -> Iterator[str]:
    """What a destination's options call an audience; what is another segment's by key stays out."""
    for option, value in options.items():
        if not _NAMING.search(option):
            continue
        if isinstance(value, Mapping):
            yield from (
                str(name) for key, name in value.items() if key == segment or key not in others
            )
        else:
            yield from map(str, value if isinstance(value, list) else [value])


def faults_of(
    segment: str, meta: Mapping[str, Any], fields: Iterable[str], settings: Settings
) -> list[tuple[str, str]]:
    """Sentences about the flagged words of a segment's names, each with what to do."""
    reasons = meta.get(OVERRIDE) or {}
    channels = {*(meta.get("channels") or ()), meta.get("channel"), meta.get("purpose")}
    is_ads = not channels.isdisjoint(ADS)
    faults = []
    for what, text in names_of(segment, meta, fields, settings):
        for word in flagged(text):
            if is_ads:
                todo = "Give it another name; for ads no reason counts, since the platform judges."
            elif _is_reason(reasons, word.theme):
                continue
            else:
                todo = (
                    "Give it another name; or, where your trade needs it, write in the segment's"
                    f" file '{OVERRIDE}': {{'{word.theme}': 'why'}}."
                )
            sentence = (
                f"The {what} of the segment {segment} has the word `{word.word}`, which platforms"
                f" take for the theme {word.theme}."
            )
            faults.append((sentence, todo))
    return faults


def _is_reason(reasons: Any, theme: str) -> bool:
    reason = reasons.get(theme) if isinstance(reasons, Mapping) else None
    return isinstance(reason, str) and bool(reason.strip())


def check_segment_words(judged: Iterable[Judged], settings: Settings) -> list[CheckResult]:
    """One result per segment; none of them can be released by a person."""
    results = []
    for each in judged:
        faults = faults_of(each.segment, each.meta, each.fields, settings)
        results.append(
            CheckResult(
                kind="contract",
                name=f"contract.segment_words.{each.segment}",
                table=f"segments.{SEGMENT}{each.segment}",
                passed=not faults,
                observed=float(len(faults)),
                sentence=" ".join(dict.fromkeys(sentence for sentence, _ in faults)),
                hint=" ".join(dict.fromkeys(hint for _, hint in faults)),
            )
        )
    return results
