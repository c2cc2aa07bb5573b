"""How many parts a text message is sent in: GSM-7 or UCS-2, counted as carriers count.

Belongs here: the count alone, pure. Does not belong here: what the limit is (`compose`).

The alphabet is that of 3GPP TS 23.038: a letter of its extension takes two places, and is never
cut in two; nor are the two code units of a letter beyond UTF-16's first plane. One single letter
outside of the alphabet makes the whole message UCS-2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
# Places of a message that is alone, and of each part of one that is not.
_PLACES = {"gsm7": (160, 153), "ucs2": (70, 67)}


@dataclass(frozen=True, slots=True)
class TextLength:
    """How long a text message is. `units`: septets of GSM-7, or code units of UCS-2."""

    alphabet: Literal["gsm7", "ucs2"]
    units: int
    parts: int


def text_length(text: str) -> TextLength:
    """The length of a text message; an empty one has no part."""
    is_gsm = all(letter in BASIC or letter in EXTENSION for letter in text)
    alphabet: Literal["gsm7", "ucs2"] = "gsm7" if is_gsm else "ucs2"
    widths = [_width(letter, is_gsm=is_gsm) for letter in text]
    alone, each = _PLACES[alphabet]
    units = sum(widths)
    if units <= alone:
        return TextLength(alphabet, units, 1 if units else 0)
    return TextLength(alphabet, units, _parts(widths, each))


def outside_gsm(text: str) -> str:
    """The letters that make a message UCS-2, each once, in their order."""
    return "".join(dict.fromkeys(c for c in text if c not in BASIC and c not in EXTENSION))


def _width(letter: str, *, is_gsm: bool) -> int:
    if is_gsm:
        return 2 if letter in EXTENSION else 1
    return 2 if ord(letter) > 0xFFFF else 1


def _parts(widths: Iterable[int], places: int) -> int:
    parts, filled = 1, 0
    for width in widths:
        if filled + width > places:
            parts, filled = parts + 1, 0
        filled += width
    return parts
