"""Names by which a platform may take an audience for one of a theme that is nobody's business.

Belongs here: which names of a segment leave the house, and the sentence where one has a flagged
word. Does not belong here: finding the words (flagged_words.py), what a segment's values are of
people (segment_traits.py).

Ad platforms stop accounts over the name of an audience. A segment is judged by its name and label,
the fields of its context and of its plain context, and what the settings call it at destinations.
A trade that needs such a word (a pharmacy) says why in the segment's own file:
`'flagged_themes': {'health': 'We are a pharmacy.'}`. For ads that counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ingestion.config import Settings
from orchestration.published.checks import CheckResult
from orchestration.quality.flagged_words import flagged
from orchestration.quality.segment_traits import Judged, contract

ADS = ("ads", "sell_share")  # channel or purposes
OVERRIDE = "flagged_themes"
_NAMING = re.compile(r"name|audience|list|label|title|prefix|suffix", re.IGNORECASE)


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
    for destination in chosen or ():
        if destination in settings.destinations:
            yield f"destination `{destination}`", destination
            options = settings.destinations[destination].options
            for name in _names_in(options, segment, set(settings.segments)):
                yield f"audience name at `{destination}`", name


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
    return [
        contract(
            "segment_words",
            each.segment,
            faults_of(each.segment, each.meta, each.fields, settings),
        )
        for each in judged
    ]
