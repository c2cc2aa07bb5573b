"""What a word comes to in the column that holds it: a status, a reason to keep still, or no fact.

Belongs here: the rule of each kind of column, the unknown among them. Does not belong here: what
words mean (`status_words`) and where they stand (`fact_queries`).

A statement names its column as `<kind>:<name>`. The kinds:
- `list`: the state a list or a system keeps of an address; it can say no, never yes.
- `log`: a consent log's status; the only kind that can say yes, or that somebody was asked.
- `banner`: a cookie banner's answer for a category.
- `signal`: a browser's privacy signal, on or off.
- `flag/<reason>`: a column whose name says no, such as `unsubscribed_at`; anything in it does too.
- `choice`: a column whose name says yes, such as `newsletter`; a yes, a time or an amount in it is
  no fact, anything else a no.

Whatever is not plainly a yes, or plainly no statement, is a no.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingestion.vocabulary import CHANNELS, EVERY, PURPOSES
from orchestration.ops.permission.status_words import SILENT, Meaning, StatusWords, folded

UNKNOWN_OPT_OUT = "unknown_opt_out"
REQUESTED = str(Meaning.REQUESTED)
DAMAGED = "damaged row"
_PURPOSE_SPELLINGS = {
    "personalization": "personalisation",
    "advertising": "ads",
    "advertisement": "ads",
    "sellorshare": "sell_share",
    "sale": "sell_share",
    "newsletter": "marketing",
    "promotional": "marketing",
}
_CHANNEL_SPELLINGS = {"mail": "email", "text": "sms", "textmessage": "sms", "webpush": "push"}
_EVERYTHING = frozenset({"", "all", "any", "every", "everything", "alle", "tous", "todos"})
_SHOWN = 30
_AMOUNT = re.compile(r"[0-9]+([.,][0-9]+)?")
_MOMENT = re.compile(
    r"(?=[0-9a-z])(?=.*[0-9]{4})([0-9\s.,:/+-]|am|pm|t|z|utc|gmt|"
    r"(mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)*"
)


@dataclass(frozen=True)
class Reading:
    """What a word comes to; no `result` is no fact. `is_known`: whether the list has the word."""

    result: str | None
    is_known: bool = True


_NOTHING = Reading(None)


def read_status(said_in: str, word: str | None, words: StatusWords) -> Reading:
    """What `word` comes to in the column `said_in`."""
    kind, _, reason = said_in.partition(":")[0].partition("/")
    meaning = words.meaning(word)
    if kind == "flag":
        return _flag(meaning, reason)
    if kind == "log" and meaning is Meaning.NEVER_ASKED:
        # A list that says so reports a state; whoever writes it into a log makes a statement.
        return Reading("denied")
    if kind == "log" and meaning is Meaning.REQUESTED:
        return Reading(REQUESTED)
    if meaning in SILENT:
        return _NOTHING
    if kind == "choice":
        return _choice(meaning, (word or "").strip().lower())
    kinds = {"signal": _signal, "banner": _banner, "log": _log, "list": _list}
    return kinds[kind](meaning)


def read_channel(word: str | None) -> Reading:
    """The channel meant; an unknown one is every channel."""
    return _named(word, CHANNELS, _CHANNEL_SPELLINGS)


def read_purpose(word: str | None) -> Reading:
    """The purpose meant; an unknown one is every purpose."""
    if (word or "").startswith("group:"):
        return Reading(word)
    return _named(word, PURPOSES, _PURPOSE_SPELLINGS)


def shown_word(word: str | None) -> str:
    """A word as a person may read it: short, and never what could be an address or a number."""
    text = " ".join((word or "").split())
    if "@" in text or sum(letter.isdigit() for letter in text) > len("2026"):
        return "(masked)"
    return text[:_SHOWN].lower()


def _flag(meaning: Meaning | None, reason: str) -> Reading:
    if meaning is Meaning.NO or meaning in SILENT or meaning is Meaning.GRANTED:
        return _NOTHING
    return Reading(reason)


def _signal(meaning: Meaning | None) -> Reading:
    return _NOTHING if meaning is Meaning.NO else Reading("gpc", meaning is not None)


def _choice(meaning: Meaning | None, text: str) -> Reading:
    if meaning is None and (_AMOUNT.fullmatch(text) or _MOMENT.fullmatch(text)):
        return _NOTHING
    return _list(meaning)


def _list(meaning: Meaning | None) -> Reading:
    if meaning is None:
        return Reading(UNKNOWN_OPT_OUT, is_known=False)
    if meaning in (Meaning.GRANTED, Meaning.YES):
        return _NOTHING
    if meaning in (Meaning.NO, Meaning.DENIED, Meaning.REVOKED):
        return Reading("unsubscribed")
    return Reading(str(meaning))


def _log(meaning: Meaning | None) -> Reading:
    if meaning is None:
        return Reading(UNKNOWN_OPT_OUT, is_known=False)
    return Reading({Meaning.YES: "granted", Meaning.NO: "denied"}.get(meaning, str(meaning)))


def _banner(meaning: Meaning | None) -> Reading:
    if meaning in (Meaning.GRANTED, Meaning.YES):
        return Reading("granted")
    return Reading("denied", meaning is not None)


def _named(word: str | None, known: tuple[str, ...], spellings: dict[str, str]) -> Reading:
    text = folded(word or "")
    names = {folded(name): name for name in known} | spellings
    if text in names:
        return Reading(names[text])
    return Reading(EVERY, text in _EVERYTHING)
