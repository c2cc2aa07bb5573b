"""A person's interactions and stages as the few lines that somebody reads.

Belongs here: which rows of `marts.fct_interactions` become one line, and its words, and the stage
that somebody entered between them. Does not belong here: reading the rows (explain) and laying them
out (view).

Rows of one day and channel that follow one another are one block; in a block each kind is one line,
so an evening of looking around is "looked at 14 products", and a message is told with its steps.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestration.words.amounts import counted, exact

Row = Mapping[str, Any]

NAMED = 3  # products, searches or campaigns that a line names before it counts the rest
_DID = {
    "visit": "visited",
    "product_viewed": "looked at",
    "product_added": "put in the cart",
    "product_removed": "took out of the cart",
    "product_added_to_wishlist": "saved",
    "product_reviewed": "reviewed",
    "product_shared": "shared",
    "review": "reviewed",
    "order_placed": "ordered",
    "order_cancelled": "cancelled an order",
    "order_returned": "sent goods back",
    "signed_up": "signed up",
    "loyalty_joined": "joined the loyalty programme",
}
_STEP = "message_"
JOURNEY = "journey"  # where a stage stands, since it is on no channel


@dataclass(frozen=True)
class Line:
    """One line of the timeline: when it began, on which channel, and what happened in words."""

    occurred_at: datetime
    channel: str
    words: str


@dataclass(frozen=True)
class Timeline:
    """How it began, and the latest lines, the newest first."""

    first_touch: Line | None
    first_looked_at: Line | None
    latest: list[Line]


def timeline(
    first_touch: Sequence[Row],
    first_looked_at: Sequence[Row],
    latest: Sequence[Row],
    products: Mapping[str, str],
    stages: Sequence[Row] = (),
) -> Timeline:
    """The lines of a person.

    Args:
        first_touch: their first interaction, or nothing.
        first_looked_at: the first view of a product, or nothing.
        latest: their interactions, the newest first.
        products: names of products by id.
        stages: the stages they were in, as `marts.fct_customer_journey_stages` has them.
    """
    return Timeline(
        next(iter(lines(first_touch, products)), None),
        next(iter(lines(first_looked_at, products)), None),
        _newest_first([*lines(latest, products), *map(_entered, stages)]),
    )


def lines(rows: Iterable[Row], products: Mapping[str, str]) -> list[Line]:
    """Rows, the newest first, folded into lines, the newest first."""
    folded_lines: list[Line] = []
    for (_, channel), block in itertools.groupby(rows, key=_block):
        kinds: dict[tuple[str | None, ...], list[Row]] = {}
        for row in block:
            kinds.setdefault(_fold(row), []).append(row)
        for folded in kinds.values():
            first = folded[-1]
            folded_lines.append(Line(first["occurred_at"], channel, _words(folded[::-1], products)))
    return _newest_first(folded_lines)


def _newest_first(lines: Iterable[Line]) -> list[Line]:
    return sorted(
        lines, key=lambda line: (line.occurred_at, line.channel, line.words), reverse=True
    )


def _entered(stage: Row) -> Line:
    """That somebody entered a stage, and why."""
    reason = f" ({stage['entry_reason']})" if stage.get("entry_reason") else ""
    return Line(stage["entered_at"], JOURNEY, f"entered {stage['stage']}{reason}")


def _block(row: Row) -> tuple[object, str]:
    return row["occurred_at"].date(), str(row["channel"])


def _fold(row: Row) -> tuple[str | None, ...]:
    """What one line is about: the message with all its steps, or the kind of event."""
    if str(row["kind"]).startswith(_STEP):
        return _STEP, row["message_kind"], row["campaign_id"] or row["flow_id"]
    return (row["kind"], row["order_id"] if row["kind"].startswith("order_") else None)


def _words(rows: Sequence[Row], products: Mapping[str, str]) -> str:
    """One sentence for rows that are folded, the oldest first."""
    first = rows[0]
    kind = str(first["kind"])
    if kind.startswith(_STEP):
        return _message(rows)
    if kind == "visit":
        return _visits(rows)
    if kind == "products_searched":
        searches = [f"“{query}”" for row in rows if (query := _detail(row).get("query"))]
        return (
            f"searched {_some(searches, 'time') or ''}".strip() if searches else _times(kind, rows)
        )
    if kind.startswith("order_") and kind in _DID:
        amount = exact(first["value"], first["currency"] or "")
        worth = "" if first["value"] is None else f" for {amount}"
        return f"{_DID[kind]}{worth}" + (
            f" in store {first['store_id']}" if first["store_id"] else ""
        )
    names = [name for row in rows if (name := _product(row, products))]
    if kind in _DID and names:
        return f"{_DID[kind]} {_some(names, 'product')}"
    return _times(kind, rows)


def _message(rows: Sequence[Row]) -> str:
    """What became of a message: each step once, in the order they happened."""
    steps = dict.fromkeys(str(row["kind"]).removeprefix(_STEP).replace("_", " ") for row in rows)
    first = rows[0]
    what = str(first["message_kind"] or "message").replace("_", " ")
    campaign = first["campaign_id"] or first["flow_id"]
    return f"{what}{f' ({campaign})' if campaign else ''}: {', '.join(steps)}"


def _visits(rows: Sequence[Row]) -> str:
    """How often, from where and how many pages."""
    details = [_detail(row) for row in rows]
    sources = list(dict.fromkeys(str(each["source"]) for each in details if each.get("source")))
    pages = sum(int(each.get("pages") or 0) for each in details)
    parts = [
        *(source.replace("_", " ") for source in sources),
        *([counted(pages, "pages")] * (pages > 0)),
    ]
    return _times("visit", rows) + (f" ({', '.join(parts)})" if parts else "")


def _times(kind: str, rows: Sequence[Row]) -> str:
    words = _DID.get(kind, kind.replace("_", " "))
    return words if len(rows) == 1 else f"{words} {len(rows)} times"


def _some(names: Sequence[str], unit: str) -> str:
    """The names, or how many with the first few."""
    different = list(dict.fromkeys(names))
    if len(different) <= NAMED:
        return ", ".join(different)
    return f"{counted(len(different), unit + 's')}: {', '.join(different[:NAMED])} …"


def _product(row: Row, products: Mapping[str, str]) -> str | None:
    detail = _detail(row)
    return (
        products.get(str(row["product_id"]))
        or row["product_id"]
        or detail.get("name")
        or detail.get("sku")
    )


def _detail(row: Row) -> dict[str, Any]:
    content = json.loads(row["detail"] or "{}")
    return content if isinstance(content, dict) else {}
