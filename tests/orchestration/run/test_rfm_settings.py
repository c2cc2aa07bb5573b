"""Cut points and the map of groups: what the models cannot use is one sentence, before any work."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.config import Settings
from ingestion.errors import UsageError
from orchestration.run.dbt import check_settings, project_vars
from orchestration.run.rfm_settings import SEED, check_group_map
from orchestration.segments.rendering import Project, SegmentFaultError
from orchestration.words import rfm_groups

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
        (
            [*LINES[:-1], "1,5,champoins"],
            "line 26: `champoins` is no RFM group of this shop; did you",
        ),
        ([*LINES[:-1], "1,6,dormant"], "line 26: the steps of a cell are 1 to 5"),
        ([*LINES[:-1], "1,4,dormant"], "line 26: the cell 1, 4 is there twice"),
        (LINES[:-1], "no line for the cell 1, 5"),
        ([*LINES[:-5], "1,1,loyal", *LINES[-4:]], "line 22: `loyal` needs a strength_step above 3"),
        (["recency,strength,rfm_segment", *LINES[1:]], "must begin with the columns recency_step"),
        ([*LINES[:-1], "1,5"], "line 26: `` is no RFM group of this shop; there are: champions"),
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


def own_groups(folder: Path, *lines: str) -> Path:
    seed = folder / "rfm_groups.csv"
    seed.write_text("\n".join(["rfm_segment,words,acts_as", *lines]) + "\n", "utf-8")
    return seed


def own_map(folder: Path, **names: str) -> Path:
    """Our map with other names for its groups."""
    cells = [line.rsplit(",", 1) for line in LINES[1:]]
    seed = folder / "rfm_group_map.csv"
    lines = [LINES[0], *(f"{cell},{names.get(group, group)}" for cell, group in cells)]
    seed.write_text("\n".join(lines) + "\n", "utf-8")
    return seed


OURS = rfm_groups.SEED.read_text("utf-8").splitlines()[1:]


def test_a_shop_may_name_groups_as_it_likes(tmp_path: Path) -> None:
    groups = own_groups(tmp_path, "stamgasten,Onze trouwste klanten – é,champions", *OURS[1:])
    check_group_map(own_map(tmp_path, champions="stamgasten"), groups)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Stamgasten,Ours,champions", "line 2: `Stamgasten` is no name for an RFM group; take up"),
        ("2nd,Ours,champions", "`2nd` is no name for an RFM group"),
        ("x' or '1'='1,Ours,champions", "`x' or '1'='1` is no name for an RFM group"),
        ("a\x1b[2J,Ours,champions", r"`a\u001b[2J` is no name for an RFM group"),
        ("prospects,Ours,champions", "`prospects` is what reports call people without an RFM gro"),
        ("loyal,Ours,champions", "line 3: the RFM group `loyal` is there twice"),
        ("stamgasten,,champions", "`stamgasten` needs words that people read of it, up to 120"),
        ("stamgasten,\u202eevil,champions", "`stamgasten` needs words that people read of it"),
        ("stamgasten,Ours,champion", "`champion` is no RFM group whose rules `stamgasten` could "),
        ("stamgasten,Ours,champion", "follow; did you mean champions?"),
        ("stamgasten,Ours", "`` is no RFM group whose rules"),
    ],
)
def test_a_group_that_cannot_be_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    groups = own_groups(tmp_path, line, *OURS[1:])
    with pytest.raises(UsageError) as refused:
        check_group_map(own_map(tmp_path, champions="stamgasten"), groups)
    assert sentence in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_who_kept_nothing_is_in_no_group_that_acts_as_the_best(tmp_path: Path) -> None:
    groups = own_groups(tmp_path, *OURS[:-1], "slapers,Asleep,loyal")
    with pytest.raises(UsageError, match="`slapers` needs a strength_step above 3"):
        check_group_map(own_map(tmp_path, dormant="slapers"), groups)


def test_a_condition_knows_the_names_of_the_shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = own_groups(tmp_path, "stamgasten,Our best,champions", *OURS[1:])
    monkeypatch.setattr(rfm_groups.rfm_groups, "__defaults__", (groups,))
    project = Project({}, datetime(2026, 6, 1))

    def of(name: str) -> str:
        return project.render("seg_best", f"{{{{ rfm_group(of='{name}') }}}}")[0]

    with pytest.raises(SegmentFaultError, match="did you mean stamgasten"):
        of("stamgastn")
    with pytest.raises(SegmentFaultError, match='value "champions"'):
        of("champions")
    assert "in the RFM group stamgasten" in of("stamgasten")
    assert json.loads(project_vars(Settings()))["rfm_groups"][0] == "stamgasten"
    assert rfm_groups.group_words()["stamgasten"] == "Our best"
