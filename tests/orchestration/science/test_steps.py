"""The steps between dbt's two calls: one that fails leaves nothing, and its error no value."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import yaml

from ingestion.config import Shop
from orchestration.home.layout import Home
from orchestration.run.dbt import DBT_PROJECT
from orchestration.science.parquet import write_tables
from orchestration.science.steps import STEPS, Outcome, Step, run_step

AS_OF = dt.datetime(2026, 6, 30, 12)
ROW = pa.table({"customer_id": ["a"]})


def test_a_failure_takes_the_steps_files_away_and_no_others(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    write_tables(home, {"one": ROW, "two": ROW, "of_another_step": ROW})

    def fails(*_: object) -> dict[str, str | int]:
        write_tables(home, {"one": ROW})
        raise ValueError("ann@shop.example")

    step = Step("odd", "Fails.", ("one", "two"), (), fails)
    assert run_step(step, home, AS_OF, Shop()) == Outcome({}, "ValueError")
    assert [path.name for path in home.science.iterdir()] == ["of_another_step.parquet"]


def test_a_step_that_ends_says_its_verdict(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    step = Step("plain", "Ends.", ("one",), (), lambda *_: {"people": 3})
    assert run_step(step, home, AS_OF, Shop()) == Outcome({"people": 3})


def test_every_file_is_a_table_that_dbt_knows_and_of_one_step() -> None:
    text = (DBT_PROJECT / "models/staging/science/_science__sources.yml").read_text()
    tables = [table["name"] for table in yaml.safe_load(text)["sources"][0]["tables"]]
    files = [file for step in STEPS for file in step.files]
    assert sorted(files) == sorted(tables)
    assert len({step.name for step in STEPS}) == len(STEPS)
