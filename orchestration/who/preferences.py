"""What a person prefers and how to reach them, each with how it is known.

Belongs here: the rows of it, for the shop's own people. Does not belong here: reading them
(explain), laying them out (view), what a person may be sent (permission).

What was worked out is never called stated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from orchestration.words import codes

Row = dict[str, Any]

# Traits of `customer_traits` that are told, in this order; of each kind the strongest
_TASTES = {
    "interest_category": "Category",
    "interest_brand": "Brand",
    "interest_price_band": "Price band",
    "interest_size": "Size",
    "interest_fit": "Fit",
    "interest_colour": "Colour",
    "interest_topic": "Topic",
    "usual_order_value": "Half of their orders came to, or less",
    "highest_price_paid": "The most paid for one piece",
}
_STATED = {"size": "Size", "fit": "Fit", "colour": "Colour"}


@dataclass(frozen=True)
class Preferences:
    """Rows about one person as of the run: of `customer_preferences`, of
    `customer_channel_preferences` by rank, and what holds of `customer_traits`."""

    preferences: Row = field(default_factory=dict)
    channels: list[Row] = field(default_factory=list)
    traits: list[Row] = field(default_factory=list)


def lines(known: Preferences) -> Iterator[tuple[str, str, str]]:
    """What, its value, and how it is known."""
    for row in known.channels:
        yield (
            "Channel",
            codes.CHANNELS.get(row["channel"]) or codes.label(row["channel"]),
            _reached(row),
        )
    for name, words in _STATED.items():
        if known.preferences.get(name):
            kind = known.preferences.get(f"{name}_evidence_kind")
            yield words, str(known.preferences[name]), codes.EVIDENCE.get(str(kind), str(kind))
    for trait, words in _TASTES.items():
        rows = [row for row in known.traits if row["trait"] == trait]
        for row in sorted(rows, key=lambda row: (-(row.get("score") or 0), row["value"]))[:1]:
            kind = codes.EVIDENCE.get(str(row["evidence_kind"]), str(row["evidence_kind"]))
            last = row.get("stated_at")
            yield words, str(row["value"]), f"{kind}, last {last:%Y-%m-%d}" if last else kind


def _reached(row: Row) -> str:
    """How a channel is known to be one, and when it is answered."""
    if row["basis"] == "stated":
        known = codes.EVIDENCE["stated"]
    else:
        messages, reactions = row["message_count"], row["reaction_count"]
        known = f"measured: answered {reactions} of {messages} messages"
    if row.get("best_hour") is None:
        return known
    whose = "" if row.get("time_basis") == "own" else ", as the shop's people do"
    return f"{known}; best on {row['best_weekday']} at {row['best_hour']:02}:00{whose}"
