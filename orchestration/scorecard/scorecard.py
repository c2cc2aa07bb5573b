"""The scorecard: the published identities and every rival's, measured against the same truth.

Belongs here: the order of work, and the card as plain data. Does not belong here: SQL of a measure
or a rule, and layout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ingestion.duckdb import connect
from orchestration.home.kind import first_moment, is_demo
from orchestration.home.layout import Home
from orchestration.published.reader import read_build
from orchestration.run.pretend_clock import shop_moment
from orchestration.scorecard import inputs, measures
from orchestration.scorecard.measures import Connection, Pairs, Score
from orchestration.scorecard.rivals import RIVALS, find

OURS = "regulars"
TROUBLES = (
    "shared_tablet",
    "family_device",
    "household_card",
    "placeholder",
    "role_address",
    "recycled_phone",
    "typo",
    "dormant_address",
    "second_address",
    "several_devices",
)


@dataclass(frozen=True)
class TroubleScore:
    """How a method fares with the people who have one kind of trouble.

    `merges` counts pairs of people who were taken for one and both own a value with the trouble.
    """

    trouble: str
    people: int
    pairs: Pairs
    merges: int


@dataclass(frozen=True)
class MethodScore:
    """How one way of telling people apart fares; None where a question does not apply to it."""

    name: str
    label: str
    pairs: Pairs
    b_cubed: Score
    merges: int
    best_email: Fraction | None
    kept_ids: Fraction | None
    troubles: tuple[TroubleScore, ...]


@dataclass(frozen=True)
class Scorecard:
    """Every method beside the others: ours first."""

    run_id: str
    people: int
    identifiers: int
    methods: tuple[MethodScore, ...]

    def as_dict(self) -> dict[str, Any]:
        """The card for a program to read."""
        return {
            "run_id": self.run_id,
            "people": self.people,
            "identifiers": self.identifiers,
            "methods": [_method_facts(method) for method in self.methods],
        }


def make_scorecard(
    home: Home, since: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> Scorecard:
    """Measure the home's published file and each rival's rule on the same evidence.

    Args:
        home: a home of the pretend shop, with something published and its warehouse.
        since: an older published file of that home, to see which identifiers kept their ids.
        say: told what is being worked on.

    Raises:
        UsageError: the home has no pretend shop, or `since` is no published file.
        RegularsError: nothing is published, or the warehouse is gone.
        BusyError: a run is working in the home.
    """
    inputs.require_truth(home)
    with connect() as board:
        inputs.load_truth(board, home)
        inputs.load_published(board, home)
        if since:
            inputs.load_before(board, since)
        if is_demo(home) and shop_moment(home) > first_moment(home):
            say(
                f"The truth is that of {first_moment(home):%Y-%m-%d %H:%M} UTC, the pretend shop's"
                " first moment; identifiers first shown later are not measured."
            )
        say("Measuring the published file ...")
        ours = _measure(board, OURS, "Regulars", published=True, since=since is not None)
        people, identifiers = measures.count_people(board), measures.count_elements(board)
        inputs.load_evidence(board, home)
        others = []
        for rival in RIVALS:
            say(f"Resolving and measuring: {rival.label} ...")
            find(board, rival)
            others.append(_measure(board, rival.name, rival.label))
    _, run_id, _ = read_build(home.published)
    return Scorecard(run_id, people, identifiers, (ours, *others))


def _measure(
    board: Connection, name: str, label: str, *, published: bool = False, since: bool = False
) -> MethodScore:
    """Every measure of what stands in `found`."""
    measures.tabulate(board)
    return MethodScore(
        name=name,
        label=label,
        pairs=measures.count_pairs(board),
        b_cubed=measures.b_cubed(board),
        merges=measures.count_merges(board),
        best_email=measures.best_email_accuracy(board) if published else None,
        kept_ids=measures.id_stability(board) if since else None,
        troubles=tuple(_measure_trouble(board, trouble) for trouble in TROUBLES),
    )


def _measure_trouble(board: Connection, trouble: str) -> TroubleScore:
    return TroubleScore(
        trouble=trouble,
        people=measures.count_people(board, trouble),
        pairs=measures.count_pairs(board, trouble),
        merges=measures.count_merges(board, trouble),
    )


def _method_facts(method: MethodScore) -> dict[str, Any]:
    return {
        "name": method.name,
        "label": method.label,
        "pairwise": _pair_facts(method.pairs),
        "b_cubed": _score_facts(method.b_cubed),
        "cross_person_merges": method.merges,
        "best_email_accuracy": _number(method.best_email),
        "id_stability": _number(method.kept_ids),
        "troubles": {
            one.trouble: {
                "people": one.people,
                "pairwise": _pair_facts(one.pairs),
                "cross_person_merges": one.merges,
            }
            for one in method.troubles
        },
    }


def _pair_facts(pairs: Pairs) -> dict[str, Any]:
    return {
        **_score_facts(pairs.score),
        "found_pairs": pairs.matched,
        "correct_pairs": pairs.correct,
        "joinable_pairs": pairs.joinable,
        "joined_pairs": pairs.joined,
    }


def _score_facts(score: Score) -> dict[str, float]:
    return {
        "precision": float(score.precision),
        "recall": float(score.recall),
        "f1": float(score.f1),
    }


def _number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
