"""Cut points and the map of groups: what the models cannot use is one sentence, before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingestion.config import Settings
from ingestion.errors import UsageError
from orchestration.run.dbt import check_settings
from orchestration.run.rfm_settings import SEED, check_group_map

LINES = SEED.read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        (
            {"rfm_fixed_cuts": {"r": [90, 30, 180, 365]}},
            "cuts.r` must be a list of 4 num",
        ),
        ({"rfm_fixed_cuts": {"f": [1, 1, 2, 3]}}, "numbers in orders, each above the one before"),
        ({"rfm_fixed_cuts": {"m": [10, 20, 30]}}, "a list of 4 numbers in the shop's currency"),
        ({"rfm_fixed_cuts": {"r": [1, 2, 3]}, "rfm_buckets": 5}, "4 numbers in days"),
        ({"rfm_fixed_cuts": {"r": [1, 2, 3, 4]}, "rfm_buckets": 3}, "2 numbers in days"),
        ({"rfm_fixed_cuts": {"r": ["30", "90", "180", "365"]}}, "rfm_fixed_cuts.r` must be"),
        ({"rfm_fixed_cuts": {"r": "30, 90, 180, 365"}}, "rfm_fixed_cuts.r` must be"),
        ({"rfm_fixed_cuts": {"r": [1, 2, 3, True]}}, "rfm_fixed_cuts.r` must be"),
        ({"rfm_fixed_cuts": {"m": [1, 2, 3, float("inf")]}}, "rfm_fixed_cuts.m` must be"),
        ({"rfm_fixed_cuts": {"days": [1, 2, 3, 4]}}, "a measure `days` that there is not"),
        ({"rfm_fixed_cuts": [30, 90, 180, 365]}, "rfm_fixed_cuts` must be a table"),
        ({"rfm_buckets": 10}, "rfm_buckets` must be a whole number from 2 to 5"),
        ({"rfm_buckets": 4.5}, "rfm_buckets` must be a whole number from 2 to 5"),
    ],
)
def test_cuts_that_cannot_be_are_refused(models: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=r"regulars\.toml") as refused:
        check_settings(Settings(models=models))
    assert sentence in str(refused.value)


def test_cuts_that_rise_are_taken() -> None:
    cuts = {"r": [30, 90, 180, 365], "m": [-0.5, 0, 9.99, 100]}
    check_settings(Settings(models={"rfm_fixed_cuts": cuts}))
    check_settings(Settings(models={"rfm_fixed_cuts": {"f": [1, 3]}, "rfm_buckets": 3}))


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([*LINES[:-1], "1,5,champoins"], "line 26: `champoins` is no RFM group; the groups are ch"),
        ([*LINES[:-1], "1,6,dormant"], "line 26: the steps of a cell are 1 to 5"),
        ([*LINES[:-1], "1,4,dormant"], "line 26: the cell 1, 4 is there twice"),
        (LINES[:-1], "no line for the cell 1, 5"),
        ([*LINES[:-5], "1,1,loyal", *LINES[-4:]], "line 22: `loyal` needs a strength_step above 3"),
        (["recency,strength,rfm_segment", *LINES[1:]], "must begin with the columns recency_step"),
        ([*LINES[:-1], "1,5"], "line 26: `` is no RFM group"),
    ],
)
def test_a_map_that_cannot_be_is_refused(tmp_path: Path, lines: list[str], sentence: str) -> None:
    seed = tmp_path / "rfm_group_map.csv"
    seed.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(UsageError) as refused:
        check_group_map(seed)
    assert sentence in str(refused.value)


def test_a_shop_may_move_cells_to_other_groups(tmp_path: Path) -> None:
    seed = tmp_path / "rfm_group_map.csv"
    text = SEED.read_text("utf-8").replace("promising", "new").replace("4,4,loyal", "4,4,champions")
    seed.write_text(text, "utf-8")
    check_group_map(seed)
