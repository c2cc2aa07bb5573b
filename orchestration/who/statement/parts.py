"""What the sections of a statement are made of and share.

Belongs here: sections, what goes with a person's rows, and masking what is not the person's own.
Does not belong here: what a section tells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingestion.config import Settings
from orchestration.words.masks import AT, DIGITS, DOT

Row = Mapping[str, Any]
Rows = Sequence[Row]
Tables = Mapping[str, Rows]
Own = Callable[[object], str]

_WORD = r"[^\s@<>\"',;()]+"
_ADDRESS = re.compile(
    rf"{_WORD}\s*{AT}\s*{_WORD}"
    rf"|(?<!\d)(?!\d{{4}}-\d\d-\d\d(?!\d))\+?\d(?:(?:(?![,;])[\W_]){{0,4}}\d){{{DIGITS - 1},}}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Section:
    """A heading with sentences and a table of texts; either may be empty."""

    title: str
    sentences: Sequence[str] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = field(default_factory=list)


@dataclass(frozen=True)
class Statement:
    """The whole of it: whose, by whom, of when, and the sections in their order."""

    title: str
    about: str
    sections: list[Section]


@dataclass(frozen=True)
class Asked:
    """What goes with a person's rows.

    `permitted`: the gate's reason and receipt by channel and purpose. `segments`: rows of
    `dim_segments` by name. `link`: one by which this person unsubscribes, where there is one.
    `products`: names of products by id.
    """

    settings: Settings
    at: datetime
    as_of: datetime | None
    permitted: Mapping[tuple[str, str], tuple[str, str | None]]
    segments: Mapping[str, Row]
    link: str = ""
    products: Mapping[str, str] = field(default_factory=dict)


def own_only(tables: Tables) -> Own:
    """A text with every address and number masked that is not the person's own."""
    own = {str(row["identifier_value"]).lower() for row in own_identifiers(tables)}

    def masked(match: re.Match[str]) -> str:
        text = match[0]
        digits = "+" + "".join(str(unicodedata.decimal(each)) for each in re.findall(r"\d", text))
        return text if text.lower() in own or digits in own else DOT

    return lambda value: _ADDRESS.sub(masked, str(value))


def own_identifiers(tables: Tables) -> list[Row]:
    """Identifiers of this person alone; of somebody whom no run knows yet, those of the facts."""
    rows = tables.get("marts.bridge_customer_identifiers", ())
    identifiers = [row for row in rows if not row.get("is_shared")]
    if rows:
        return identifiers
    keys = {
        (row["identifier_type"], row["identifier_value"]): row
        for name in ("ops.consent_events", "ops.suppressions", "ops.consent_requests")
        for row in tables.get(name, ())
    }
    return [keys[key] for key in sorted(keys)]
