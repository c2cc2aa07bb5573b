"""The RFM groups of this shop: the seed `rfm_groups`, where names and their words stand.

Belongs here: reading the seed. Does not belong here: judging it (run/rfm_settings.py), which cells
are of which group (the seed `rfm_group_map`).

Data flow: dbt_project/seeds/rfm_groups.csv -> names for dbt, conditions and checks, words for
pages.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from ingestion.config import REPOSITORY
from ingestion.errors import UsageError

SEED = REPOSITORY / "dbt_project/seeds/rfm_groups.csv"
COLUMNS = ("rfm_segment", "words", "acts_as")


class Group(NamedTuple):
    """One line: the group's name, what people read of it, whose rules hold for it, its line."""

    name: str
    words: str
    acts_as: str
    line: int


def rfm_groups(seed: Path = SEED) -> list[Group]:
    """Every line of the seed in its order, unjudged.

    Raises:
        UsageError: it cannot be read or has other columns.
    """
    return [
        Group(row["rfm_segment"], row["words"], row["acts_as"], line)
        for line, row in read_lines(seed, COLUMNS)
    ]


def group_names() -> list[str]:
    """The names of the shop's groups, best first."""
    return [group.name for group in rfm_groups()]


def group_words() -> dict[str, str]:
    """What people read of each group, by name."""
    return {group.name: group.words for group in rfm_groups()}


def read_lines(seed: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The lines of a seed with their numbers in the file.

    Raises:
        UsageError: it cannot be read or has other columns.
    """
    try:
        with seed.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restval="")
            lines = [(reader.line_num, line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{seed} cannot be read.", "Write it in UTF-8, or take ours.") from error
    if tuple(reader.fieldnames or ()) != columns:
        raise UsageError(f"{seed} must begin with the columns {', '.join(columns)}.", "Mend it.")
    return lines
