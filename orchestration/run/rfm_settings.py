"""What a shop may say of RFM, held against what the models can use, before any work.

Belongs here: the cut points of scores (`models.rfm_fixed_cuts`) and the seed `rfm_group_map`. Does
not belong here: scores and groups themselves (dbt_project/macros/marts_rfm.sql).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from ingestion.errors import UsageError
from ingestion.vocabulary import RFM_GROUPS
from orchestration.segments.rendering import DBT_PROJECT

SEED = DBT_PROJECT / "seeds" / "rfm_group_map.csv"
COLUMNS = ("recency_step", "strength_step", "rfm_segment")
STEPS = range(1, 6)
MEASURES = {"r": "days", "f": "orders", "m": "the shop's currency"}
# Whoever bought as often as anybody and gave all of it back has this strength at most.
STRENGTH_WITHOUT_MONEY = 3
FOR_WHO_KEPT = ("champions", "loyal", "previously_loyal")
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


def check_group_map(seed: Path = SEED) -> None:
    """Hold the map of groups against the words there are and the cells it must have.

    Raises:
        UsageError: it cannot be read, a line has an unknown cell or group, or one of the best
            groups where nothing needs to have been kept; a cell is missing or there twice.
    """
    lines = _lines(seed)
    cells: set[tuple[str, str]] = set()
    for number, line in lines:
        cell, group = (line["recency_step"], line["strength_step"]), line["rfm_segment"]
        fault = _fault(cell, group, cells)
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


def _lines(seed: Path) -> list[tuple[int, dict[str, str]]]:
    """The lines of the seed with their numbers in the file."""
    try:
        with seed.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restval="")
            lines = [(reader.line_num, line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{seed} cannot be read.", "Write it in UTF-8, or take ours.") from error
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise UsageError(f"{seed} must begin with the columns {', '.join(COLUMNS)}.", "Mend it.")
    return lines


def _fault(cell: tuple[str, str], group: str, cells: set[tuple[str, str]]) -> str:
    """What is wrong with a line, without a full stop; empty where nothing is."""
    steps = [str(step) for step in STEPS]
    if any(step not in steps for step in cell):
        return f"the steps of a cell are {steps[0]} to {steps[-1]}"
    if group not in RFM_GROUPS:
        return f"`{group}` is no RFM group; the groups are {', '.join(RFM_GROUPS)}"
    if cell in cells:
        return f"the cell {', '.join(cell)} is there twice"
    if group in FOR_WHO_KEPT and int(cell[1]) <= STRENGTH_WITHOUT_MONEY:
        return (
            f"`{group}` needs a strength_step above {STRENGTH_WITHOUT_MONEY}, because whoever gave"
            f" everything back can have {STRENGTH_WITHOUT_MONEY}"
        )
    return ""
