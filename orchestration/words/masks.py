"""Somebody written so that nobody else learns who it is.

Belongs here: masks. Does not belong here: deciding who is masked.
"""

from __future__ import annotations

import re

DOT = "•••"
# How texts write the sign of an address, and numbers to call: seven digits of any script and more,
# with whatever is neither letter, digit, comma nor semicolon between them.
AT = r"(?:@|＠|﹫|%40|&#0*64;|&#x0*40;|&commat;|[(\[{]\s*at\s*[)\]}])"
DIGITS = 7
_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")


def mask(email: str | None, first_name: str | None, last_name: str | None) -> str:
    """Somebody as m•••@e•••.com, else as initials, else as a visitor."""
    if email and "@" in email:
        local, _, domain = email.rpartition("@")
        host, _, ending = domain.rpartition(".")
        return f"{local[:1]}{DOT}@{(host or ending)[:1]}{DOT}{'.' + ending if host else ''}"
    names = [(name or "").strip() for name in (first_name, last_name)]
    initials = [f"{name[0].upper()}." for name in names if name]
    return " ".join(initials) if initials else "Somebody without a name"


def without_addresses(text: str) -> str:
    """A text in which any email address is masked, should one have slipped in."""
    return _ADDRESS.sub(lambda address: mask(address.group(), None, None), text)
