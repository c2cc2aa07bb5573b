"""Which values can be told within a text, and which fields of a document hold an identifier.

Belongs here: the form of a value, the names of fields. Does not belong here: looking for values
(`raw_rows`), or who is forgotten.

A login or a device comes from a browser, so it may be a word of our own, as `marketing`. Such a
value says who somebody is only where it is the whole of a field that holds identifiers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from ingestion.forgetting.hidden import RUN

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|\+[0-9]{7,15}")
_NUMBER = re.compile(r"[0-9]{7,}")
_LONG = re.compile(r"(?=.*[0-9])\S{12,}")
# Of events, profiles and consents; compared without case, underscores and spaces.
_FIELDS = frozenset(
    {
        *("userid", "anonymousid", "previousid", "externalid", "identifiervalue", "email"),
        *("valuea", "valueb", "loyaltyid", "customerref", "customerid", "profileid", "phone"),
        *("phonenumber", "deviceid", "login", "fingerprint", "paymentfingerprint", "endpoint"),
        *("shopifycustomerid", "klaviyoprofileid", "orderscustomerid", "publisherlogin"),
    }
)
_KEYED = re.compile(r'"([A-Za-z_ ]{1,40})"\s*:\s*"((?:[^"\\]|\\.)*)"')


def is_address(value: str) -> bool:
    """Whether it is written like an address or like a full phone number."""
    return _ADDRESS.fullmatch(value) is not None


def is_unmistakable(value: str) -> bool:
    """Whether it can be told within any text: an address, a number, or long and with a digit."""
    return is_address(value) or bool(_NUMBER.fullmatch(value) or _LONG.fullmatch(value))


def holds_identifiers(field: str) -> bool:
    """Whether a document's field of this name says who somebody is."""
    return field.replace("_", "").replace(" ", "").lower() in _FIELDS


def telling(value: Any, field: str = "") -> Iterator[str]:
    """The texts and numbers of a document that may say who somebody is, trimmed."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from telling(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from telling(inner, field)
    elif isinstance(value, str | int):
        text = str(value).strip()
        if text and (holds_identifiers(field) or not is_plain(text) or re.search(RUN, text)):
            yield text


def is_plain(text: str) -> bool:
    """Whether it is a word or a short value that stands in texts by chance."""
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return not ("@" in normal or "%40" in normal or is_unmistakable(normal) or _dials(normal))


def _dials(text: str) -> bool:
    return sum(sign.isdigit() for sign in text) >= 7 and not any(map(str.isalpha, text))


def keyed(text: str) -> set[str]:
    """Values of a text's fields that hold identifiers, where it is JSON or was meant to be."""
    return {value.strip() for field, value in _KEYED.findall(text) if holds_identifiers(field)}
