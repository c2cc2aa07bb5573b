"""What an engine says of a failure, without what it quotes of a row (RELIABILITY SEC5).

`Conversion Error: Could not convert string 'ann@…' to INT32 when casting from source column phone`
becomes the kind of error and the column. Whoever writes an engine's words anywhere (a log, a file
of results, a store of events) sends them through here first; REGULARS_TRACEBACK=1 keeps them whole.

Belongs here: the reduction. Does not belong here: where the words are caught (`dbt.py` for
dbt, `orchestration/defs/errors.py` for Dagster).
"""

from __future__ import annotations

import os
import re
from typing import Any

from ingestion.errors import redact, tells_of_a_full_disk

KEEP = "REGULARS_TRACEBACK"
LEFT_OUT = "its words are left out, they may quote a row; REGULARS_TRACEBACK=1 keeps them"

# `Conversion Error: `, `duckdb.duckdb.ConversionException: `, `ValueError: `
_KIND = re.compile(
    r"\b(?:[A-Za-z_][\w.]*\.)?([A-Z][A-Za-z]+(?: [A-Za-z]+){0,2}? ?(?:Error|Exception)): "
)
# These speak of the statement or of the machine, never of a value in a row.
_HARMLESS = re.compile(
    r"^(?:Binder|Catalog|Parser|Out of Memory|OutOfMemory|Permission|Interrupt|Import|"
    r"ModuleNotFound|Syntax|Name|Attribute|NotImplemented|Recursion|Memory|FileNotFound|IO|"
    r"Dagster\w*|Compilation|Parsing|Dependency|Dbt\w*) ?(?:Error|Exception)$"
)
# An engine's own last words; what stands before them may be the value.
_COLUMN = re.compile(r"when casting from source column (\w{1,63})\s*(?:$|\n)")


def are_kept() -> bool:
    """Whether the person at the keyboard has asked for the whole text."""
    return bool(os.environ.get(KEEP))


def reduced(text: str) -> str:
    """The text up to the first engine's words, of which the kind and the column stay.

    Addresses are left out of what stays; a full disk is still told.
    """
    if are_kept() or not isinstance(text, str):
        return text
    for match in _KIND.finditer(text):
        if _HARMLESS.match(match[1]):
            continue
        before = redact(text[: match.start()])
        return f"{before}{match[1]}{what_stays(text[match.end() :])}"
    return text


def what_stays(words: str) -> str:
    """What may be told of an engine's words: the column, and that the disk is full."""
    columns = _COLUMN.findall(words)
    column = f" in column {columns[-1]}" if columns else ""
    full = "; no space left on device" if tells_of_a_full_disk(words) else ""
    return f"{column} ({LEFT_OUT}{full})"


def reduced_everywhere(value: Any) -> Any:
    """A document with every text in it reduced."""
    if isinstance(value, str):
        return reduced(value)
    if isinstance(value, dict):
        return {key: reduced_everywhere(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [reduced_everywhere(item) for item in value]
    return value
