"""Addresses and phone numbers that a text only has as a hash or in base64, as advertising does.

Belongs here: the hashes of an identifier, base64 at its three places, and what a run of characters
may hide. Does not belong here: who is forgotten, or looking through rows (`raw_rows`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

DIGEST = "digest"  # in the place of a type of identifier
# Such a run in a text, for Python and DuckDB alike. Base64 of an address has no other characters,
# in the alphabet for links neither.
RUN = r"[A-Za-z0-9+/]{16,}={0,2}"
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
_HASHES = ("md5", "sha1", "sha256")
_LENGTHS = (32, 40, 64)
_READABLE = re.compile(rb"[\x20-\x7e]{6,}")
_SHORTEST = 9  # of a value in base64; the characters of a shorter one stand in texts by chance


def digests(kind: str, value: str) -> set[str]:
    """The usual hashes of an address or a phone number in its matching form, in hex."""
    if kind == "email":
        written = {value}
    elif kind == "phone":
        written = {value, value.lstrip("+"), f"00{value.lstrip('+')}"}
    else:
        return set()
    return {hashlib.new(name, text.encode()).hexdigest() for name in _HASHES for text in written}


def in_base64(value: str) -> set[str]:
    """The characters of a value that stand in each base64 text in which it is, by its place."""
    plain = value.encode()
    if len(plain) < _SHORTEST:
        return set()
    cores = set()
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + plain).decode()
        cores.add(encoded[-(-lead * 8 // 6) : (lead + len(plain)) * 8 // 6])
    return cores


def digests_in(run: str) -> set[str]:
    """Hashes that may stand in a run."""
    return {digest.lower() for digest in _HEX.findall(run) if len(digest) in _LENGTHS}


def decoded(run: str) -> Iterator[str]:
    """Readable texts that a run is the base64 of, wherever in it they begin."""
    if _HEX.fullmatch(run):
        return
    body = run.rstrip("=")
    for start in range(4):
        part = body[start:]
        try:
            content = base64.b64decode(part[: len(part) - len(part) % 4] + _rest(part))
        except (binascii.Error, ValueError):
            continue
        for text in _READABLE.findall(content):
            yield text.decode()


def _rest(part: str) -> str:
    """The last characters with what they lack; a single one says nothing."""
    left = len(part) % 4
    return part[len(part) - left :] + "=" * (4 - left) if left > 1 else ""
