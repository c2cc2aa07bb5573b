"""What waits for a person, in numbers, each with the address where it is decided.

Belongs here: counting for Today. Does not belong here: making plans, which takes a while
(`plans`), and deciding (orchestration/activation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.activation.people import targets_in
from orchestration.ops.permission.untold import Untold
from orchestration.report.ledger import WAITING, Delivery
from orchestration.serve.pages.page import Asked
from orchestration.serve.pages.queries import Row


@dataclass(frozen=True)
class Waiting:
    """So many of something. `noun`: in the plural; `words`: what is true of them, and what to do;
    `path`: where they are shown.
    """

    count: int
    noun: str
    words: str
    path: str


def what_waits(
    asked: Asked,
    deliveries: Sequence[Delivery],
    untold: Sequence[Untold],
    quarantine: Sequence[Row],
) -> list[Waiting]:
    """Everything that waits, what a person decides first; empty where nothing does."""
    kinds = (
        Waiting(
            plans_to_approve(asked, deliveries),
            "plans",
            "to destinations that take a yes: making them shows which would send something",
            "/plans/waiting",
        ),
        Waiting(_rows(deliveries, "unknown"), "rows", WAITING["unknown"], "/health#destinations"),
        Waiting(_rows(deliveries, "dead"), "rows", WAITING["dead"], "/health#destinations"),
        Waiting(
            sum(row["row_count"] for row in quarantine),
            "rows",
            "in quarantine: regulars quarantine list shows which",
            "/health#quarantine",
        ),
        Waiting(
            sum(each.count for each in untold),
            "refusals",
            "without a destination's answer: the next sync asks or tells it again",
            "/health#caveats",
        ),
    )
    return [each for each in kinds if each.count]


def plans_to_approve(asked: Asked, deliveries: Sequence[Delivery]) -> int:
    """Pairs of a segment and a destination that does not send by itself, where the segment has
    people or the destination was sent some before.
    """
    filled = {row["segment"] for row in asked.rows("segment_sizes")}
    sent = {(each.segment, each.destination) for each in deliveries if each.operations}
    return sum(
        not asked.settings.destinations[target.destination].send
        and (target.segment in filled or (target.segment, target.destination) in sent)
        for target in targets_in(asked.connection, asked.settings)
    )


def _rows(deliveries: Sequence[Delivery], state: str) -> int:
    words = WAITING[state]
    return sum(
        count for each in deliveries for state_words, count in each.waiting if state_words == words
    )
