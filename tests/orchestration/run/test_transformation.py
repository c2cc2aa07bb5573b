"""What a failed dbt command is to people: names, counts and what to do, never a row."""

from __future__ import annotations

import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest

from ingestion.config import Settings, Shop
from ingestion.errors import UsageError
from orchestration.home.layout import Home
from orchestration.run import dbt
from orchestration.run.dbt import check_settings, failure_sentence, target_path


def home_after(tmp_path: Path, *results: dict[str, object]) -> Home:
    home = Home(tmp_path)
    target_path(home).mkdir(parents=True)
    (target_path(home) / "run_results.json").write_text(json.dumps({"results": results}), "utf-8")
    return home


def test_failed_nodes_are_named_and_counted(tmp_path: Path) -> None:
    home = home_after(
        tmp_path,
        {"unique_id": "model.regulars.dim_customers", "status": "success"},
        {"unique_id": "test.regulars.unique_x.1", "status": "fail", "failures": 3},
    )
    assert failure_sentence(home).startswith("1 dbt node(s) failed: test unique_x (3 rows).")


def test_a_seed_that_cannot_be_used_is_the_sentence(tmp_path: Path) -> None:
    """The macro has said which line and why; a model's name alone helps nobody."""
    message = (
        "Compilation Error in model int_x (models/int_x.sql)\n"
        "  identifier_limits: the limit of login per device is 0; it must be 1 or more\n"
        "  \n  > in macro sound_limit (macros/identity.sql)"
    )
    home = home_after(
        tmp_path, {"unique_id": "model.regulars.int_x", "status": "error", "message": message}
    )
    assert failure_sentence(home) == (
        "identifier_limits: the limit of login per device is 0; it must be 1 or more."
        " Nothing was published."
    )


def test_a_sentence_that_ends_keeps_its_one_full_stop(tmp_path: Path) -> None:
    message = "Compilation Error in model x\n  The segment x needs a purpose.\n"
    home = home_after(
        tmp_path,
        {"unique_id": "model.regulars.dim_segments", "status": "error", "message": message},
    )
    assert failure_sentence(home) == "The segment x needs a purpose. Nothing was published."


def test_changed_columns_ask_for_a_full_refresh(tmp_path: Path) -> None:
    message = "The source and target schemas on this incremental model are out of sync!"
    home = home_after(
        tmp_path,
        {"unique_id": "model.regulars.stg_a", "status": "error", "message": message},
    )
    assert "--full-refresh" in failure_sentence(home)


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    message = "IO Error: Could not write to file: No space left on device"
    home = home_after(
        tmp_path, {"unique_id": "model.regulars.a", "status": "error", "message": message}
    )
    assert failure_sentence(home).startswith("The disk is full.")


def test_no_results_point_to_the_log(tmp_path: Path) -> None:
    assert "dbt.log" in failure_sentence(Home(tmp_path))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"models": {"recent_buyr_days": 3}}, "models.recent_buyr_days"),
        ({"models": {"recent_buyer_days": "3"}}, "models.recent_buyer_days"),
        ({"models": {"recent_buyer_days": 2.5}}, "a whole number above zero, or `auto`"),
        ({"models": {"loyal_min_orders": 0}}, "models.loyal_min_orders"),
        ({"models": {"loyal_min_orders": True}}, "models.loyal_min_orders"),
        ({"models": {"overdue_gap_factor": "auto"}}, "models.overdue_gap_factor"),
        ({"models": {"double_opt_in": "false"}}, "models.double_opt_in"),
        ({"models": {"vip_top_share": True}}, "models.vip_top_share"),
        ({"models": {"internal_ips": "192.0.2.1"}}, "models.internal_ips"),
        ({"models": {"shop_currency": "EUR"}}, "models.shop_currency"),
        ({"segments": {"vipp": {"enabled": False}}}, "segments.vipp"),
        ({"segments": {"vip": {"destinations": ["fil"]}}}, "segments.vip.destinations"),
        ({"destinations": {"file": {"options": {"columns": ["nme"]}}}}, "options.columns"),
    ],
)
def test_a_typo_that_dbt_would_ignore_is_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        check_settings(Settings.model_validate(settings))


def test_what_the_project_knows_may_be_set() -> None:
    models = {"overdue_gap_factor": 2.5, "vip_top_share": 0.1, "double_opt_in": True}
    models |= {"internal_ips": ["192.0.2.1"], "review_max_identifiers": {"email": 5}}
    models |= {"loyal_min_orders": 6, "overdue_min_days": "auto"}
    place = {"file": {"options": {"columns": ["first_name", "lifetime_net_sales"]}}}
    segments = {"vip": {"destinations": ["file"]}, "at_risk": {}}
    told = {"models": models, "segments": segments, "destinations": place}
    check_settings(Settings.model_validate(told))


def test_processes_that_load_the_project_at_once_parse_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster's servers start together; each reads a whole manifest, and one of them wrote it."""
    home, parses = Home(tmp_path), tmp_path / "parses"

    def slow_parse(home: Home, *_: object) -> None:
        target_path(home).mkdir(exist_ok=True)
        with (target_path(home) / "manifest.json").open("w", encoding="utf-8") as file:
            file.write('{"nodes": ')
            file.flush()
            time.sleep(0.2)
            file.write("{}}")
        with parses.open("a") as file:
            file.write("parsed\n")

    monkeypatch.setattr(dbt, "run_dbt", slow_parse)

    def load() -> None:
        dbt.read_manifest(dbt.manifest_path(home, Settings()))

    processes = [multiprocessing.get_context("fork").Process(target=load) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert parses.read_text() == "parsed\n"


def test_a_parse_that_was_killed_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, changed = Home(tmp_path), Settings(shop=Shop(currency="JPY"))

    def parse(home: Home, *_: object) -> None:
        target_path(home).mkdir(exist_ok=True)
        (target_path(home) / "manifest.json").write_text('{"nodes": {}}', "utf-8")

    def killed_parse(home: Home, *_: object) -> None:
        (target_path(home) / "manifest.json").write_text('{"nodes', "utf-8")
        raise KeyboardInterrupt

    monkeypatch.setattr(dbt, "run_dbt", parse)
    dbt.manifest_path(home, Settings())
    monkeypatch.setattr(dbt, "run_dbt", killed_parse)
    with pytest.raises(KeyboardInterrupt):
        dbt.manifest_path(home, changed)
    monkeypatch.setattr(dbt, "run_dbt", parse)
    again = dbt.manifest_path(home, changed)
    assert dbt.read_manifest(again).models == ()


@pytest.mark.parametrize("damage", ["", '{"nodes": {'])
def test_a_cut_manifest_is_parsed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    home = Home(tmp_path)

    def parse(home: Home, *_: object) -> None:
        target_path(home).mkdir(exist_ok=True)
        (target_path(home) / "manifest.json").write_text('{"nodes": {}}', "utf-8")

    monkeypatch.setattr(dbt, "run_dbt", parse)
    dbt.manifest_path(home, Settings()).write_text(damage, "utf-8")
    assert dbt.read_manifest(dbt.manifest_path(home, Settings())).models == ()
