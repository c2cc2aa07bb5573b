"""Text that may have come from anywhere, made fit for a terminal.

Names of products, columns and people are written by strangers. Escape sequences could rewrite what
the terminal shows or hide a link, and invisible characters turn words round; here they become a
visible mark. The console that all commands print through does so for everything it writes.

Belongs here: that rule. Does not belong here: pages (they escape by themselves), data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment

from ingestion.errors import redact

NAME_LENGTH = 60
# Control characters but for the end of a line and the tab, and what is there without being seen or
# changes the direction of what is.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)


def plain(text: str) -> str:
    """The text with a mark in place of each character that steers a terminal or is not seen."""
    return _UNSEEN.sub("\ufffd", text)


def shown_name(name: str) -> str:
    """A name found in an input, such as a column's: no address, not longer than a line has room."""
    shown = " ".join(plain(redact(name)).split())
    return shown if len(shown) <= NAME_LENGTH else f"{shown[: NAME_LENGTH - 1]}…"


class PlainConsole(Console):
    """A console that writes nothing but plain text and its own styles."""

    def render(self, *args: Any, **options: Any) -> Iterable[Segment]:
        """Everything that is printed passes here, in whatever it is wrapped."""
        for segment in super().render(*args, **options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)
