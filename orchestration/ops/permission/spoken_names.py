"""What the name of a column, a trait, an event or a file says about permission.

Belongs here: names of columns beside the declared ones and of files, as list exports have them
(Mailchimp's `UNSUB_TIME`, `cleaned_members_export.csv`), of a person's traits and of events that a
site tracks (`Email Unsubscribed`). Does not belong here: what stands in them (`meanings`).
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from orchestration.ops.permission import unspaced_names
from orchestration.ops.permission.status_words import (
    REFUSALS,
    Meaning,
    folded,
    status_words,
    unaccented,
)

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
# A name that holds one of these speaks of a way out, or in. Without accents, in lower case.
_REFUSING = re.compile(
    r"\b(opt(s|ed)? ?outs?|unsub\w*|do ?not|dont|dnd|dnc|no ?(more )?(newsletters?|e?mails?|sms|"
    r"marketing)|suppress\w*|(hard ?)?bounce[sd]?|(black|block)list\w*|abgemeldet\w*|abmeld\w*|"
    r"abbestell\w*|kein(e|en)? (newsletter|werbung|e?mails?)|desabonn\w*|desinscri\w*|"
    r"ne pas|(de )?bajas?|desuscri\w*|descadastr\w*|disiscri\w*|disabbona\w*|afgemeld\w*|"
    r"uitgeschreven|wypisan\w*|avregistr\w*|avanmal\w*|afmeldt?|frameldt?|odhlas\w*|"
    r"erasures?|(gdpr|dsgvo|rgpd|lgpd|ccpa) (\w+ )*(eras\w*|delet\w*|forg\w*|remov\w*|"
    r"gelosch\w*|losch\w*|efface\w*|borrad\w*|cancell\w*|verwijder\w*|objec\w*|withdr\w*|"
    r"revok\w*|den(y|ied)|refus\w*|restrict\w*|anonym\w*))\b|"
    r"^((is|was) )?(erased|anonymi[sz]ed|forgotten)( (at|on|date|time))?$"
)
_CHOOSING = re.compile(
    r"\b(opt(s|ed)? ?ins?|subscribed?|subscribes|subscribers?|subscriptions?|consent\w*|gdpr|"
    r"newsletters?|nieuwsbrief|e?mail marketing|marketing (e?mails?|sms)|"
    r"accepts? (e?mails?|sms|marketing)|accepts? (e?mail|sms) marketing|"
    r"(receives?|wants?|gets?) (e?mails?|sms|marketing|news|offers)|"
    r"(can|may) (we )?(e?mail|sms|text|contact|send)|"
    r"(marketing|e?mail|sms) (allowed|ok|permission|permitted)|einwilligung\w*|"
    r"zustimmung\w*|abonniert|abonnent|angemeldet|abonnee?|inscrite?|accord|suscrit[oa]|"
    r"suscripcion|consentimiento|iscritt[oa]|iscrizione|consenso|inscrit[oa]|assinante|"
    r"aangemeld|ingeschreven|toestemming|zgoda|prenumer\w*|samtyck\w*|samtykke\w*|tilmeldt|"
    r"souhlas|odebira)\b"
)
# Of such names, those of a list of people to leave alone, and of people who asked to be erased.
_LISTED = ("suppress", "black", "block", "dn", "do")
_ERASED = re.compile(r"eras|forgotten|anonym|^(gdpr|dsgvo|rgpd|lgpd|ccpa) ")
# `not_unsubscribed`, `opt in or opt out`: a plain yes in these is no no.
_EITHER = re.compile(r"\b(not|never|non) (unsub|opt|desab|desins|disisc|abge)|\bopt(ed)? ?in\b")
# Words for yes that a list of those who left may have in its name: `verified_unsubs.csv`.
_ANYBODY = frozenset(
    ("member", "active", "confirmed", "verified", "valid", "approved", "accepted", "deliverable")
)
# What such a name may go on to speak of instead: `unsubscribe_url`, `subscription_plan`.
_OTHER_THINGS = frozenset(
    (
        *("url", "link", "token", "page", "rate", "id", "ids", "ip", "count", "number", "source"),
        *("method", "form", "version", "text", "wording", "plan", "type", "price", "name", "list"),
        *("lists", "language", "frequency", "interval", "product", "campaign", "clicks", "opens"),
        *("soft", "resubscribed", "resubscribe", "cc", "region", "latitude", "longitude"),
    )
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


# Events and traits of a site: which channel a name speaks of, and that it speaks of permission.
_CHANNEL_NAMES = {
    "sms": frozenset({"sms", "text", "texts", "texting"}),
    "push": frozenset({"push"}),
    "ads": frozenset({"ads", "advertising", "cookie", "cookies", "tracking", "targeting"}),
    "email": frozenset(
        ("email", "emails", "mail", "mails", "mailing", "newsletter", "newsletters", "spam")
    ),
}
# Scripts that put no blanks between words; Hangul also as letters, which it is taken apart into.
_UNSPACED = "\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_PERMISSION_NAMES = frozenset(
    ("marketing", "consent", "permission", "communication", "communications", "messaging")
).union(*_CHANNEL_NAMES.values())
_CAN_BE_ENDED = frozenset(
    ("newsletter", "newsletters", "consent", "permission", "subscription", "marketing")
)
# `email_enabled`, `agreed_to_marketing`, `marketing`
_ALLOWING = frozenset({"enabled", "allowed", "agreed", "accepted", "preferences", "marketing"})
# As a person's trait these are of what the shop sells or of its own groups.
_OTHER_TRAITS = frozenset({"status", "subscription", "subscriptions", "subscriber"})


def event_reason(event: str) -> str:
    """Why a tracked event of this name ends a channel; empty where it does not.

    A click on the way out (`Unsubscribe Link Clicked`) is none yet: scanners click too.
    """
    words = _words(event)
    kind, _, reason = column_kind(event).partition("/")
    if "soft" in words and "bounce" in folded(event):
        return ""
    if kind == "flag":
        return reason
    if "spam" in words and {"marked", "reported", "complaint", "report"} & set(words):
        return str(Meaning.SPAM_REPORT)
    if not _PERMISSION_NAMES & set(words):
        return ""
    # Beside what can be ended, `cancelled` and `rejected` end it; an email that failed does not.
    is_ended = bool(_CAN_BE_ENDED & set(words))
    known = status_words().meanings
    meanings = [known.get(word) for word in words if is_ended or word not in _CELLS_ONLY]
    reason = next((_as_reason(meaning) for meaning in meanings if meaning in REFUSALS), "")
    return "unsubscribed" if reason and is_ended else reason


def trait_kind(trait: str) -> str:
    """The kind of statement (see `meanings`) that a trait of this name makes; empty for none."""
    words = _words(trait)
    if len(words) == 1 and words[0] in _OTHER_TRAITS:
        return ""
    is_allowed = bool(_ALLOWING & set(words)) and set(words) <= _PERMISSION_NAMES | _ALLOWING | {
        "to"
    }
    return column_kind(trait) or ("choice" if is_allowed else "")


def is_permission(trait: str) -> bool:
    """Whether a trait of this name may hold others about permission."""
    words = set(_words(trait))
    return bool(words & (_PERMISSION_NAMES | _ALLOWING)) or bool(column_kind(trait))


def named_channel(name: str) -> str:
    """The channel that the name of a column, event or trait speaks of; empty without one."""
    words = set(_words(name))
    channel = next((each for each, names in _CHANNEL_NAMES.items() if names & words), "")
    return channel or unspaced_names.channel(name)


def column_kind(column: str) -> str:
    """The kind of statement (see `meanings`) that a column of this name makes; empty for none."""
    name = " ".join(_words(column))
    if _STATE.match(name) or name == "status":
        return "list"
    reason = _reason(name)
    if not reason and not _is_of_other_things(name):
        reason = _spoken_reason(name)
        if reason and _EITHER.search(name):
            return "list"
        if not reason and (
            _CHOOSING.search(name) or unspaced_names.holds(name, unspaced_names.CHOOSING)
        ):
            return "choice"
    return f"flag/{reason}" if reason else ""


def file_reason(file: str) -> str:
    """Why everybody in a list of this name is to be left alone; empty where it does not say so.

    A folder's name speaks for all files in it.
    """
    reasons = (_part_reason(part) for part in reversed(PurePosixPath(file).parts))
    return next((reason for reason in reasons if reason), "")


def _part_reason(name: str) -> str:
    parts = [word for word in _words(name) if not word.isdigit()]
    runs = {
        size: [" ".join(parts[start : start + size]) for start in range(len(parts) - size + 1)]
        for size in range(1, 5)
    }
    # `do not email`, `no longer subscribed`: words that turn a name round, and are part of it.
    longer = (_meaning(run, is_stem_enough=False) for size in (4, 3, 2) for run in runs[size])
    whole = next((meaning for meaning in longer if meaning in REFUSALS), None)
    if whole is not None:
        return _as_reason(whole)
    words = [*runs[2], *runs[1]]
    meanings = [_meaning(word) for word in words if word not in _ANYBODY]
    spoken = _spoken_reason(" ".join(parts))
    if re.search(r"\b(do ?not|dont|ne pas|no more)\b", " ".join(parts)):
        return spoken
    if _NOT & set(parts) or Meaning.GRANTED in meanings:
        return ""
    reason = next((_as_reason(meaning) for meaning in meanings if meaning in REFUSALS), "")
    return reason or spoken


def _spoken_reason(name: str) -> str:
    match = _REFUSING.search(name)
    if match is None:
        return "unsubscribed" if unspaced_names.holds(name, unspaced_names.REFUSING) else ""
    if "bounce" in match[0]:
        return "hard_bounce"
    is_left_alone = match[0].startswith(_LISTED) or bool(_ERASED.search(match[0]))
    return "manual" if is_left_alone else "unsubscribed"


def _is_of_other_things(name: str) -> bool:
    return bool(_OTHER_THINGS & set(name.split())) or unspaced_names.holds(
        name, unspaced_names.OTHER_THINGS
    )


def _words(name: str) -> list[str]:
    plain = unaccented(_split_capitals(unicodedata.normalize("NFC", name)))
    return _WORD.findall(plain)


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
        meanings = (status_words().meanings.get(stem) for stem in stems if stem not in _CELLS_ONLY)
        meaning = next((each for each in meanings if each in REFUSALS), None)
    return meaning


def _as_reason(meaning: Meaning | None) -> str:
    return "unsubscribed" if meaning in (Meaning.DENIED, Meaning.REVOKED) else str(meaning)


def _split_capitals(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
