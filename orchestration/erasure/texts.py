"""A person's values as they may stand in texts and files, and looking for them.

Belongs here: the forms of a value. Does not belong here: what is done where one is found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from ingestion.forgetting.forms import is_address, is_unmistakable
from ingestion.forgetting.hidden import digests, in_base64
from ingestion.forgetting.mentions import written
from orchestration.ops.tombstones import Erasable

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Texts:
    """The values of a person that can be told within any text, ids included."""

    values: tuple[str, ...]
    digests: tuple[str, ...] = ()

    @classmethod
    def of(cls, subject: Erasable) -> Texts:
        """Ids and identifiers of the person; a word that a text may have by chance is none."""
        values = {*subject.ids, *(value for _, value in subject.keys)}
        known = tuple(sorted(filter(is_unmistakable, values)))
        return cls(known, tuple(sorted({each for key in subject.keys for each in digests(*key)})))

    @cached_property
    def addresses(self) -> Texts:
        """Those alone that are written like an address or a full number."""
        return Texts(tuple(filter(is_address, self.values)), self.digests)

    @cached_property
    def pattern(self) -> str:
        """A regular expression of DuckDB's for any of them as a whole, in any case and as in a
        link: `ann@example.com` is not in `joann@example.com`."""
        before = r"(^|[^A-Za-z0-9._+@-]|%[0-9A-Fa-f]{2}|\\[nrt])"
        after = r"($|[^A-Za-z0-9_.@-]|[.]($|[^A-Za-z0-9]))"
        return f"(?i){before}({self._any}){after}{self._in_base64}"

    @cached_property
    def _any(self) -> str:
        plain = {form for value in self.values for form in (value, quote(value, safe=""))}
        forms = {re.escape(form) for form in plain | set(self.digests)}
        forms |= {form for value in self.values for form in written(value)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        return "|".join(form.replace(r"\-", "-") for form in longest_first)

    @cached_property
    def _in_base64(self) -> str:
        """Their characters in base64, as further alternatives: within any text, in their case."""
        cores = {core for value in self.values for core in in_base64(value)}
        return f"|(?-i:{'|'.join(re.escape(core) for core in sorted(cores))})" if cores else ""

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        before = r"(?:(?<![A-Za-z0-9._+@-])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
        after = r"(?![A-Za-z0-9_@-]|[.][A-Za-z0-9])"
        return re.compile(f"(?i){before}(?:{self._any}){after}{self._in_base64}")

    @cached_property
    def _anywhere(self) -> re.Pattern[bytes]:
        """In bytes, where one text may stand right before another."""
        return re.compile(f"(?i){self._any}{self._in_base64}".encode())

    def are_in(self, text: str) -> bool:
        """Whether a text has one of them."""
        return bool(self.values) and self._compiled.search(text) is not None

    def without(self, text: str) -> str:
        """The text with a word in the place of each."""
        return self._compiled.sub("forgotten", text) if self.values else text

    def are_in_file(self, path: Path) -> bool:
        """Whether a file's bytes may have one of them, in any case or as in a link."""
        if not self.values:
            return False
        overlap, tail = max(64, *(5 * len(value.encode()) for value in self.values)), b""
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                if self._anywhere.search(tail + chunk):
                    return True
                tail = chunk[-overlap:]
        return False
