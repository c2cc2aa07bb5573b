"""What a shop may say of RFM, held against what the models can use, before any work.

Belongs here: the cut points of scores (`models.rfm_fixed_cuts`) and the seeds `rfm_groups` and
`rfm_group_map`. Does not belong here: scores and groups (dbt_project/macros/marts_rfm.sql).
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from ingestion.errors import UsageError
from ingestion.vocabulary import RFM_GROUPS
from orchestration.segments.rendering import DBT_PROJECT
from orchestration.words import rfm_groups as own

SEED = DBT_PROJECT / "seeds" / "rfm_group_map.csv"
COLUMNS = ("recency_step", "strength_step", "rfm_segment")
STEPS = range(1, 6)
MEASURES = {"r": "days", "f": "orders", "m": "the shop's currency"}
# Whoever bought as often as anybody and gave all of it back has this strength at most.
STRENGTH_WITHOUT_MONEY = 3
FOR_WHO_KEPT = ("champions", "loyal", "previously_loyal")
# What reports call people and buyers without a group.
NO_GROUP = ("prospects", "unknown")
MAX_WORDS = 120
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_AGAIN = "Mend it in regulars.toml and run again."


def check_cuts(models: Mapping[str, Any], default_buckets: int) -> None:
    """Hold `models.rfm_buckets` against the steps there are, and the fixed cuts against it.

    Args:
        models: the section [models] of the settings, each value of its own kind.
        default_buckets: `rfm_buckets` where the shop does not say.

    Raises:
        UsageError: there are too many or few scores, a measure is unknown, or its cut points are
            no numbers, too many or few, or do not rise.
    """
    buckets = models.get("rfm_buckets", default_buckets)
    if buckets not in STEPS[1:]:
        raise UsageError(
            f"The setting `models.rfm_buckets` must be a whole number from 2 to {STEPS[-1]}.",
            _AGAIN,
        )
    count = int(buckets) - 1
    for measure, cuts in models.get("rfm_fixed_cuts", {}).items():
        if measure not in MEASURES:
            raise UsageError(
                f"The setting `models.rfm_fixed_cuts` has a measure `{measure}` that there is not;"
                f" there are: {', '.join(f'{m} ({unit})' for m, unit in MEASURES.items())}.",
                _AGAIN,
            )
        if not _are_cuts(cuts, count):
            raise UsageError(
                f"The setting `models.rfm_fixed_cuts.{measure}` must be a list of {count} numbers"
                f" in {MEASURES[measure]}, each above the one before it.",
                _AGAIN,
            )


def _are_cuts(cuts: Any, count: int) -> bool:
    return (
        isinstance(cuts, list)
        and len(cuts) == count
        and all(type(cut) in (int, float) and math.isfinite(cut) for cut in cuts)
        and all(before < after for before, after in pairwise(cuts))
    )


def check_group_map(seed: Path = SEED, groups: Path = own.SEED) -> None:
    """Hold the shop's groups against what a name is, and their map against the cells it must have.

    Args:
        seed: the map, a group for each cell.
        groups: the groups there are.

    Raises:
        UsageError: one of both cannot be read; a group has no name that can be used, no words or
            acts as none there is; a line of the map has an unknown cell or group, or one of the
            best groups where nothing needs to have been kept; a cell is missing or there twice.
    """
    acts_as = _checked_groups(groups)
    cells: set[tuple[str, str]] = set()
    for number, line in own.read_lines(seed, COLUMNS):
        cell, group = (line["recency_step"], line["strength_step"]), line["rfm_segment"]
        fault = _fault(cell, group, cells, acts_as)
        if fault:
            raise UsageError(f"{seed}, line {number}: {fault}.", "Mend that line and run again.")
        cells.add(cell)
    missing = [(str(r), str(s)) for r in STEPS for s in STEPS if (str(r), str(s)) not in cells]
    if missing:
        raise UsageError(
            f"{seed} has no line for the cell {', '.join(missing[0])} (recency_step, strength_step)"
            f"; it needs one for each of the {len(STEPS) ** 2} cells.",
            "Add the line and run again.",
        )


def _checked_groups(seed: Path) -> dict[str, str]:
    """Whose rules hold for each group, by name."""
    acts_as: dict[str, str] = {}
    for group in own.rfm_groups(seed):
        fault = _fault_of_group(group, acts_as)
        if fault:
            raise UsageError(
                f"{seed}, line {group.line}: {fault}.", "Mend that line and run again."
            )
        acts_as[group.name] = group.acts_as
    return acts_as


def _fault_of_group(group: own.Group, earlier: Mapping[str, str]) -> str:
    """What is wrong with a group, without a full stop; empty where nothing is."""
    name = _as_written(group.name)
    if not _NAME.fullmatch(group.name):
        return (
            f"{name} is no name for an RFM group; take up to 40 of the letters a to z, digits and _"
            f", a letter first"
        )
    if group.name in NO_GROUP:
        return f"{name} is what reports call people without an RFM group; take another name"
    if group.name in earlier:
        return f"the RFM group {name} is there twice"
    words = group.words
    if not words.strip() or len(words) > MAX_WORDS or not words.isprintable():
        return (
            f"the RFM group {name} needs words that people read of it, up to {MAX_WORDS} characters"
            " that can be printed"
        )
    if group.acts_as not in RFM_GROUPS:
        return (
            f"{_as_written(group.acts_as)} is no RFM group whose rules {name} could follow"
            f"{_right_words(group.acts_as, RFM_GROUPS)}"
        )
    return ""


def _as_written(text: str) -> str:
    """A word as a shop wrote it, cut, with nothing in it that a terminal would obey."""
    return f"`{json.dumps(text[:40])[1:-1]}`"


def _right_words(word: str, words: Iterable[str]) -> str:
    """The nearest of the right words, and all of them."""
    words = list(words)
    near = difflib.get_close_matches(word, words, 1)
    return (
        f"; did you mean {near[0]}? There are: {', '.join(words)}"
        if near
        else (f"; there are: {', '.join(words)}")
    )


def _fault(
    cell: tuple[str, str], group: str, cells: set[tuple[str, str]], acts_as: Mapping[str, str]
) -> str:
    """What is wrong with a line of the map, without a full stop; empty where nothing is."""
    steps = [str(step) for step in STEPS]
    if any(step not in steps for step in cell):
        return f"the steps of a cell are {steps[0]} to {steps[-1]}"
    if group not in acts_as:
        return f"{_as_written(group)} is no RFM group of this shop{_right_words(group, acts_as)}"
    if cell in cells:
        return f"the cell {', '.join(cell)} is there twice"
    if acts_as[group] in FOR_WHO_KEPT and int(cell[1]) <= STRENGTH_WITHOUT_MONEY:
        return (
            f"`{group}` needs a strength_step above {STRENGTH_WITHOUT_MONEY}, because whoever gave"
            f" everything back can have {STRENGTH_WITHOUT_MONEY}"
        )
    return ""
