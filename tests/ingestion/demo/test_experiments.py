"""The pretend shop's tests of letters: one arm per person, as in the truth, with their lift."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.demo.world import make_world
from ingestion.demo.write import write_demo
from ingestion.sources.experiments import GROUPS


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("experiments")
    write_demo(make_world(4_000, seed=1), folder)
    return folder


def table(shop: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        con.execute(f"create view told as from read_csv('{shop}/input/experiments/*.csv')")
        for name in ("experiments", "holdouts", "identifiers", "exposures", "campaigns"):
            con.execute(f"create view true_{name} as from '{shop}/truth/{name}/*.parquet'")
        return con.execute(query).fetchall()


def test_everybody_is_in_one_group_of_an_experiment(shop: Path) -> None:
    groups = table(shop, 'select distinct "group" from told')
    assert {group for (group,) in groups} == set(GROUPS)
    twice = "select 1 from told group by experiment_id, identifier_value having count(*) > 1"
    assert table(shop, twice) == []


def test_the_files_say_what_was_drawn(shop: Path) -> None:
    told = table(
        shop,
        """
        select i.person_id, t.experiment_id, t."group" from told t
        join true_identifiers i
            on i.identifier_type = 'email' and i.identifier_value = t.identifier_value
        order by all
        """,
    )
    drawn = table(shop, 'select person, experiment_id, "group" from true_holdouts order by all')
    assert told == drawn


def test_the_truth_counts_groups_and_the_planted_lift_is_there(shop: Path) -> None:
    known = table(
        shop, "select experiment_id, treatment, holdout from true_experiments order by all"
    )
    told = table(
        shop,
        """
        select experiment_id, count(*) filter (where "group" = 'treatment'),
            count(*) filter (where "group" = 'holdout')
        from told group by all order by all
        """,
    )
    assert known == told
    planted, found = table(
        shop,
        "select sum(lift * treatment)::double, sum(extra_visits)::double from true_experiments",
    )[0]
    assert found == pytest.approx(planted, abs=4 * planted**0.5), "four standard deviations"
    assert planted > 100
    held_out = "select count(*) from true_exposures where not is_treated and caused_visit"
    assert table(shop, held_out) == [(0,)]
