"""How large an answer to an assistant may be, and the sentence that says what was cut off.

Belongs here: cutting a document of lists, mappings and values until it fits. Does not belong here:
what is in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ingestion.errors import UsageError

ENTRIES = 200  # of a list of rows
LETTERS = 2_000  # of one text
CHARACTERS = 60_000  # of the whole answer
WIDTH = 1_000  # of a list of plain values, such as the columns of a row, and of a mapping
DEPTH = 20
_FEW_ENTRIES, _FEWEST_LETTERS = 5, 20


def bounded(answer: Mapping[str, Any]) -> str:
    """The answer as JSON, with `cut_off` where it is not whole; money and moments as text.

    Lists of rows are shortened until the whole fits, and where that is not enough texts.

    Raises:
        UsageError: not even one row of each list fits.
    """
    entries, letters = ENTRIES, LETTERS
    while True:
        cutter = _Cutter(entries, letters)
        content = cutter.cut(answer)
        if cutter.has_cut:
            content["cut_off"] = (
                f"This is not the whole answer: lists end after {entries} entries and texts after"
                f" {letters:,} characters. Ask for less, such as fewer columns, one person or"
                " another LIMIT."
            )
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        if len(text) <= CHARACTERS:
            return text
        if entries > _FEW_ENTRIES:
            entries = max(_FEW_ENTRIES, int(entries * min(0.7, CHARACTERS / len(text))))
        elif letters > _FEWEST_LETTERS:
            entries, letters = max(1, entries // 2), letters // 2
        else:
            raise UsageError("The answer is too large.", "Ask for fewer columns or one person.")


class _Cutter:
    """Cuts one document to lists of so many rows and texts of so many letters."""

    def __init__(self, entries: int, letters: int) -> None:
        self._entries = entries
        self._letters = letters
        self.has_cut = False

    def cut(self, value: Any, depth: int = 0) -> Any:
        """The value as JSON has it."""
        if depth > DEPTH:
            self.has_cut = True
            return "…"
        if isinstance(value, Mapping):
            kept = self._first(list(value.items()), WIDTH)
            return {self._text(str(key)): self.cut(each, depth + 1) for key, each in kept}
        if isinstance(value, list | tuple):
            is_of_rows = all(isinstance(each, Mapping | list | tuple) for each in value)
            kept = self._first(value, self._entries if is_of_rows else WIDTH)
            return [self.cut(each, depth + 1) for each in kept]
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        return self._text(str(value))

    def _first(self, values: Sequence[Any], count: int) -> Sequence[Any]:
        self.has_cut |= len(values) > count
        return values[:count]

    def _text(self, text: str) -> str:
        if len(text) <= self._letters:
            return text
        self.has_cut = True
        return text[: self._letters] + "…"
