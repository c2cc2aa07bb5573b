"""Addresses and phone numbers as people and programs write them within a text or around one.

Belongs here: the patterns that find them, for Python and DuckDB alike, and what a find may mean.
Does not belong here: their matching form (`functions.identifiers`), who is forgotten.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

import phonenumbers

# In a link, in a link within a link, in JSON, and as wide letters have it.
_AT = r"(?:@|＠|﹫|%(?:25)*40|\\u0040)"
_DOT = r"(?:\.|．|。|｡)"  # no class of signs: bytes are searched for it too
_AROUND = frozenset({"Ps", "Pe", "Pi", "Pf", "Po", "Zs", "Zl", "Zp"})


def _punctuation() -> str:
    """Signs and spaces beyond ASCII that surround an address, as a part of a class of signs."""
    codes = [
        code
        for code in range(0x80, 0x10000)
        if unicodedata.category(chr(code)) in _AROUND and chr(code) not in "＠﹫．"
    ]
    parts, start = [], codes[0]
    for code, following in zip(codes, [*codes[1:], 0], strict=True):
        if following != code + 1:
            parts.append(f"{chr(start)}-{chr(code)}")
            start = following
    return "".join(parts)


_SIGNS = _punctuation()
_LOCAL = rf"[^\s\"'<>(),;:\\@/?&=|{_SIGNS}＠﹫]+"
_LABEL = rf"[^\s\"'<>(),;:\\@/?&=|%.!*#{{}}\[\]$+~^`{_SIGNS}＠﹫．]+"
# An address or a full number anywhere in a text, as it is or as in a link; a line break that JSON
# spells out belongs to it.
MENTION = (
    rf"(?:\\(?:[bfnrt]|u[0-9a-fA-F]{{4}}))?{_LOCAL}{_AT}{_LABEL}(?:{_DOT}{_LABEL})+|\+[0-9]{{8,15}}"
)
# A number with spaces or other signs in it, or as it is dialled within its country.
_BREAKS = "\u00a0\u2007\u2009\u202f\u2010\u2011\u2012\u2013\u2014"
_BREAK = rf"(?:[ ()./-]|{'|'.join(_BREAKS)})"
DIALLED = (
    rf"[+＋(0]{_BREAK}{{0,2}}[0-9](?:{_BREAK}{{0,3}}[0-9]){{6,14}}"
    rf"|[1-9][0-9]{{1,3}}(?:{_BREAK}{{1,2}}[0-9]{{2,4}}){{2,4}}"
)
_DIALLED_DIGITS = 9
# A text without any of these has no mention.
HAS_MENTION = rf"{_AT}|\+[0-9]{{8}}"
_FIGURE = re.compile(r"[12][0-9]{3}[-./][01]?[0-9][-./][0-3]?[0-9]\b|[0-9]+[.][0-9]+$")
_ESCAPED = re.compile(r"\\(?:[bfnrt]|u[0-9a-fA-F]{4})")
_NAMED = re.compile(r"[^<>@]*<([^<>]+)>")
_SCHEME = re.compile(r"(?i)^(?:mailto|tel|sms):(?://)?")
_LAST = re.compile(r"""[\s"'<>(),;:\\/?&=|]""")


def is_figure(text: str) -> bool:
    """Whether what looks like a dialled number begins with a day or is a decimal fraction."""
    return _FIGURE.match(text) is not None


def written(value: str) -> Iterator[str]:
    """Patterns of the further ways in which a text has a value: in links, JSON and with spaces."""
    if "@" in value:
        local, _, domain = (re.escape(part) for part in value.rpartition("@"))
        dotted = domain.replace(r"\.", _DOT)
        yield f"{local}{_AT}{dotted}"
    elif value.startswith("+"):
        yield f"{_BREAK}{{0,2}}".join([r"(?:\+|＋|00)?", *value[1:]])
        yield from _national(value)


def _national(number: str) -> Iterator[str]:
    """The number as it is dialled in its own country, or nothing where that is too short."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return
    form = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    digits = [sign for sign in form if sign.isdecimal()]
    if len(digits) >= _DIALLED_DIGITS:
        yield f"{_BREAK}{{0,2}}".join(digits)


def unwrapped(text: str) -> str:
    """A value without what people put around it: `Ann <a@b>`, `“a@b”`, `mailto:a@b`."""
    plain = decoded_link(text).strip()
    named = _NAMED.fullmatch(plain)
    plain = _SCHEME.sub("", named[1] if named else plain).partition("?")[0]
    first, last = 0, len(plain)
    while first < last and _is_around(plain[first]):
        first += 1
    while first < last and _is_around(plain[last - 1]):
        last -= 1
    return _SCHEME.sub("", plain[first:last])


def meanings(mention: str) -> Iterator[str]:
    """What a mention of an address may mean: as it stands, and without what may not be its own."""
    plain = decoded_link(mention)
    bare = _ESCAPED.sub("", plain, count=1) if plain.startswith("\\") else plain
    for form in (plain, bare, _LAST.split(bare)[-1]):
        yield form
        yield form.lstrip("*`[{.")  # no address begins so; one may begin with a dash or a line


def decoded_link(text: str) -> str:
    """The text with the signs of links and of JSON as they are, in NFKC where it is not ASCII."""
    plain = text.replace("\\u0040", "@")
    for _ in range(3):
        if "%" not in plain:
            break
        plain = unquote(plain)
    return plain if plain.isascii() else unicodedata.normalize("NFKC", plain)


def _is_around(sign: str) -> bool:
    return sign != "+" and (unicodedata.category(sign) in _AROUND or sign == "`")
