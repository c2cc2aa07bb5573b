"""How ad platforms want identifiers written and hashed: a list of rules per platform, by version.

A platform compares hashes, so one sign too many matches nobody, and the hash of nothing or of half
a number matches whoever else sent the same. A value that the rule does not allow gives an empty
text, which is never sent. A rule that has been used is never changed: a new one is added behind it.
Whoever was sent under an older one is removed under that one too.

Belongs here: pure functions from the matching form (`ingestion.functions.identifiers`) to what is
sent. Does not belong here: the matching form itself, what a row looks like (each destination).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_HASH = re.compile(r"[0-9a-f]{64}")
_AROUND = " \t\r\n\0\x0b."  # what Meta's own client takes off both ends
_WRITTEN_BETWEEN_DIGITS = re.compile(r"[\s().\-/\u2010-\u2015]")
_REGION = re.compile(r"[A-Z]{2}")
_SPACE = re.compile(r"\s")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_E164 = re.compile(r"\+([1-9][0-9]{6,14})")


@dataclass(frozen=True, slots=True)
class Rule:
    """How one platform wants identifiers, from one day on.

    Attributes:
        platform: whose.
        version: counted up with each change.
        normalisers: by identifier type; each gives an empty text for what cannot be sent.
    """

    platform: str
    version: int
    normalisers: Mapping[str, Callable[[str], str]]

    def hashed(self, identifier_type: str, value: object) -> str:
        """The SHA-256 of a value in lower-case hex; empty where there is nothing to send.

        What is such a hash already stays as it is.
        """
        text = str(value or "").strip()
        if _HASH.fullmatch(text):
            return text
        normal = self.normalisers[identifier_type](text)
        return hashlib.sha256(normal.encode()).hexdigest() if normal else ""


def trimmed_email(value: str) -> str:
    """Trimmed and in lower case; dots and `+suffix` stay, at every provider."""
    text = value.strip(_AROUND).lower()
    local, at, domain = text.rpartition("@")
    return text if at and local and domain else ""


def digits_with_country(value: str) -> str:
    """The digits of a number with its country code: no plus, no zeros in front.

    A number that does not say its country is none: read by a guess it would be a stranger's.
    """
    text = _WRITTEN_BETWEEN_DIGITS.sub("", value)
    if text.startswith("00"):
        text = f"+{text[2:]}"
    match = _E164.fullmatch(text)
    return match[1] if match else ""


def google_email(value: str) -> str:
    """In lower case; at Gmail without dots and `+suffix`, which lead to the same box there."""
    local, at, domain = value.strip().lower().partition("@")
    if not at or "@" in domain or _SPACE.search(local + domain):
        return ""
    if domain in _GMAIL:
        local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}" if local and domain else ""


def e164(value: str) -> str:
    """A number with its plus and country code; one that does not say its country is none."""
    digits = digits_with_country(value)
    return f"+{digits}" if digits else ""


def lower_case(value: str) -> str:
    """A name, trimmed and in lower case; accents and punctuation stay."""
    return value.strip().lower()


def region_code(value: object) -> str:
    """A country by its two letters, in upper case; sent as it is."""
    text = str(value or "").strip().upper()
    return text if _REGION.fullmatch(text) else ""


def postal_code(value: object) -> str:
    """A postal code, trimmed; sent as it is."""
    return str(value or "").strip()


META = (Rule("meta", 1, {"email": trimmed_email, "phone": digits_with_country}),)
GOOGLE = (
    Rule(
        "google",
        1,
        {
            "email": google_email,
            "phone": e164,
            "given_name": lower_case,
            "family_name": lower_case,
        },
    ),
)
