"""What the name of a column or a file says about permission, as list exports name them.

Belongs here: names of columns beside the declared ones and of files, such as Mailchimp's
`UNSUB_TIME` and `cleaned_members_export.csv`. Does not belong here: what stands in them
(`meanings`).
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import PurePosixPath

from orchestration.ops.status_words import REFUSALS, Meaning, folded, status_words

_PREFIXES = ("is", "has", "was", "email", "sms", "mail", "newsletter", "date", "datetime")
_ENDINGS = (
    *("at", "on", "time", "date", "timestamp", "datetime", "reason", "reasonother", "datum"),
    *("campaignid", "campaigntitle", "campaign", "source", "flag", "utc"),
)
_STATE = re.compile(
    r"^((e?mail|sms|newsletter|subscriber|subscription|((e?mail|sms) )?marketing) (status|state)|"
    r"((e?mail|sms|newsletter) )?(marketing )?(consent|permission|subscription) (status|state)|"
    r"((e?mail|sms|newsletter) )?(marketing )?(consent|permission)|marketingstate)$"
)
_CHOICE = re.compile(
    r"^(accepts? (e?mail |sms )?marketing|(e?mail |sms |marketing )?opt ?in|newsletter|"
    r"(marketing|newsletter|e?mail|sms) (allowed|ok)|wants? newsletter|"
    r"consent given|subscribed( to newsletter)?|email subscribed)$"
)
# Words for no in a cell that in a name may mean anything: `left_handers.csv`, `lapsed_customers`.
_CELLS_ONLY = frozenset(
    (
        *("end", "left", "clean", "leave", "dead", "hard", "permanent", "lapsed", "expired"),
        *("inactive", "cancel", "cancelled", "canceled", "failed", "rejected", "stop"),
        *("stopped", "quit", "remove", "removed", "removal", "archived", "frozen", "onhold"),
        *("disabled", "deactivated", "deleted", "erased", "forgotten", "invalid", "departed"),
        *("junk", "excluded", "quarantined", "deceased", "unreachable", "baja", "parar"),
        *("avsluta", "inactief", "inaktiv", "inactif", "inattivo", "inativo", "inactivo"),
    )
)
_STEM = 8  # letters from which a longer word is the same one: `Abgemeldete`, `unsubscribers`
_NOT = frozenset({"no", "not", "non", "without", "excl", "excluding", "except", "ohne", "sans"})


def column_kind(column: str) -> str:
    """The kind of statement (see `meanings`) that a column of this name makes; empty for none."""
    plain = " ".join(re.findall(r"[^\W_]+", _split_capitals(column).lower()))
    if _CHOICE.match(plain):
        return "choice"
    if _STATE.match(plain):
        return "list"
    reason = _reason(plain)
    return f"flag/{reason}" if reason else ""


def file_reason(file: str) -> str:
    """Why everybody in a list of this name is to be left alone; empty where it does not say so."""
    stem = PurePosixPath(file).name.split(".")[0]
    parts = re.findall(r"[^\W\d_]+", _split_capitals(stem).lower())
    pairs = [" ".join(pair) for pair in pairwise(parts)]
    meanings = [_meaning(part) for part in (*pairs, *parts)]
    if _NOT & set(parts) or Meaning.GRANTED in meanings:
        return ""
    return next((_as_reason(meaning) for meaning in meanings if meaning in REFUSALS), "")


def _reason(plain: str) -> str:
    """The refusal a name says: `unsub time`, `is blocked`, `opted out on`."""
    words = plain.split()
    for start in range(len(words)):
        if start and words[start - 1] not in _PREFIXES:
            break
        for end in range(len(words), start, -1):
            if end < len(words) and "".join(words[end:]) not in _ENDINGS:
                continue
            meaning = _meaning(" ".join(words[start:end]), is_stem_enough=False)
            if meaning in REFUSALS:
                return _as_reason(meaning)
    return ""


def _meaning(name: str, *, is_stem_enough: bool = True) -> Meaning | None:
    text = folded(name)
    meaning = None if text in _CELLS_ONLY else status_words().meanings.get(text)
    if meaning is None and is_stem_enough and len(text) >= _STEM:
        stems = (text[:length] for length in range(len(text) - 1, _STEM - 2, -1))
        found = (status_words().meanings.get(stem) for stem in stems if stem not in _CELLS_ONLY)
        meaning = next((each for each in found if each in REFUSALS), None)
    return meaning


def _as_reason(meaning: Meaning | None) -> str:
    return "unsubscribed" if meaning in (Meaning.DENIED, Meaning.REVOKED) else str(meaning)


def _split_capitals(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
