"""The matching form of an identifier: one function, so two spellings of one address are one value.

Belongs here: pure functions from what a source wrote to what is compared (`identifier_value`).
Models, consent facts and the send gate all call these; a second spelling rule anywhere would let an
opt-out miss the address it is about. Does not belong here: whether a value is trustworthy
(placeholders, shared values), or how a destination wants it hashed.

A value without a matching form gives None: the caller counts or quarantines it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import idna
import phonenumbers

from ingestion.vocabulary import IDENTIFIER_TYPES

MAX_LOCAL = 64
MAX_DOMAIN = 253
MAX_PHONE_TEXT = 64
MAX_OTHER = 512

_ASCII_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*")
# Never part of an address; they show that the text is a list, a header or a display name.
_NOT_IN_LOCAL = re.compile(r'[\s\x00-\x1f\x7f()<>\[\],;:\\"@]')
_WITH_ZERO = re.compile(r"\+?[0-9]{8,}[.]0")
_WITH_EXPONENT = re.compile(r"(\+?[0-9]+)(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_TYPES_VERBATIM = frozenset(IDENTIFIER_TYPES) - {"email", "phone"}


def match_email(value: str | None) -> str | None:
    """The address trimmed, in NFKC, lower-cased, its domain in IDNA; None if it is no address.

    Dots and `+suffix` stay: they mean the same person at one provider only.
    """
    if not value:
        return None
    text = _fold(value)
    local, at, domain = text.rpartition("@")
    domain = domain.rstrip(".")
    if not at or not local or len(local) > MAX_LOCAL or _NOT_IN_LOCAL.search(local):
        return None
    ascii_domain = _domain(domain)
    return f"{local}@{ascii_domain}" if ascii_domain else None


def match_phone(value: str | None, default_country: str | None) -> str | None:
    """The number in E.164 where it is possible, else None.

    A number without a country code is read as one of `default_country` (ISO 3166, two letters).
    A number with an extension is None: behind one switchboard sit many people.
    """
    if not value:
        return None
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", value)).strip()
    if not text or len(text) > MAX_PHONE_TEXT or "@" in text:
        return None
    text = _spelt_out(text)
    return _phone(text, (default_country or "").strip().upper() or None)


def phone_readings(value: str | None, *countries: str | None) -> tuple[str, ...]:
    """Every number in E.164 that a text may mean, read by each country in turn, each once.

    A record's own country comes first, then the shop's: the first reading is the number that the
    record means. A refusal counts for all of them.
    """
    numbers = (match_phone(value, country) for country in countries)
    return tuple(dict.fromkeys(number for number in numbers if number))


def match_identifier(
    identifier_type: str, value: str | None, default_country: str | None
) -> str | None:
    """The matching form of any identifier type; types other than email and phone stay verbatim."""
    if identifier_type == "email":
        return match_email(value)
    if identifier_type == "phone":
        return match_phone(value, default_country)
    if identifier_type not in _TYPES_VERBATIM or not value:
        return None
    text = value.strip()
    return text if text and len(text) <= MAX_OTHER and "\x00" not in text else None


def _spelt_out(text: str) -> str:
    """The digits of a number as spreadsheets write it: `447700900123.0`, `4.47700900123E+11`.

    Empty where its exponent leaves digits out, for nobody knows them.
    """
    if _WITH_ZERO.fullmatch(text):
        return text[:-2]
    match = _WITH_EXPONENT.fullmatch(text)
    if match is None:
        return text
    whole, rest, exponent = match[1], match[2] or "", int(match[3])
    is_exact = len(rest) >= exponent and not rest[exponent:].strip("0")
    return whole + rest[:exponent] if is_exact else ""


def _fold(value: str) -> str:
    """NFKC and lower case until nothing changes, so that folding twice is folding once."""
    if value.isascii():
        return value.strip().lower()
    once = unicodedata.normalize("NFKC", _INVISIBLE.sub("", value)).lower()
    return unicodedata.normalize("NFKC", once).lower().strip()


@lru_cache(maxsize=65_536)
def _domain(domain: str) -> str | None:
    if len(domain) > MAX_DOMAIN:
        return None
    if _ASCII_DOMAIN.fullmatch(domain):
        return domain
    if domain.isascii():
        return None
    try:
        encoded = idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None
    return encoded if _ASCII_DOMAIN.fullmatch(encoded) and len(encoded) <= MAX_DOMAIN else None


@lru_cache(maxsize=65_536)
def _phone(text: str, country: str | None) -> str | None:
    """E.164; none where that form read again would be another, as for a row of zeros."""
    written = _e164(text, country)
    return written if written and _e164(written, None) == written else None


def _e164(text: str, country: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number)
    # "Possible locally" lacks the area code: two people in two towns would share it.
    if number.extension or possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
