"""The step that loads a source: what it tells Dagster and the terminal that waits."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster_dbt import DbtCliResource

from ingestion.errors import RefusedError, RegularsError, SourceError, UsageError
from ingestion.registry import SOURCES, api_sources
from orchestration.defs import ingestion
from orchestration.defs.dbt_command import dbt_command
from orchestration.defs.ingestion import source_assets
from orchestration.defs.resources import RunResource
from orchestration.host.launch import failure_of
from orchestration.run import console, reading
from orchestration.run.dbt import dbt_executable


def load(
    source: str, folder: Path, lines: list[str] | None = None
) -> tuple[dict[str, object], console.RunOutput]:
    """Run the step of a source with one table: its metadata and what was told."""
    run = RunResource(as_of="2026-07-01", input=str(folder))
    with console.listening([].append if lines is None else lines.append) as heard:
        done = dg.materialize([source_assets(source)], resources={"run": run})
    (table,) = done.asset_materializations_for_node(f"load_{source}")
    return {name: value.value for name, value in table.metadata.items()}, heard


def fail_with(
    failure: RegularsError, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[RegularsError, int]:
    """Run a source that always fails so: what is told of it, and how often it was tried."""
    tries = []
    (folder / "rates" / "a.csv").write_text("date,currency,rate\n2026-01-01,EUR,0.85\n", "utf-8")

    def fail(*_: object) -> None:
        tries.append(1)
        raise failure

    monkeypatch.setattr(reading, "enabled_sources", lambda _: ["shopify"])
    monkeypatch.setattr(reading, "run_source", fail)
    run = RunResource(as_of="2026-07-01", input=str(folder))
    with dg.DagsterInstance.ephemeral() as instance, console.listening([].append):
        done = dg.materialize(
            [source_assets("shopify")],
            resources={"run": run},
            instance=instance,
            raise_on_error=False,
        )
        return failure_of(instance, done.run_id), len(tries)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An input folder beside an empty home."""
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "home"))
    made = tmp_path / "input"
    (made / "rates").mkdir(parents=True)
    return made


def test_columns_that_no_table_knows_are_counted(folder: Path) -> None:
    rates = "date,currency,rate,mood,note\n2026-01-01,EUR,0.85,good,\n"
    (folder / "rates" / "a.csv").write_text(rates, "utf-8")
    metadata, heard = load("rates", folder)
    assert (metadata["received"], metadata["unknown columns ignored"]) == (1, 2)
    assert {table: len(names) for table, names in heard.ignored.items()} == {"rates/rates": 2}


def test_nothing_is_told_of_a_file_whose_columns_are_known(folder: Path) -> None:
    (folder / "rates" / "a.csv").write_text("date,currency,rate\n2026-01-01,EUR,0.85\n", "utf-8")
    metadata, heard = load("rates", folder)
    assert metadata["unknown columns ignored"] == 0
    assert heard.ignored == {}


def test_a_rule_taken_out_of_the_file_is_told(folder: Path) -> None:
    rules = folder / "identity_rules.csv"
    rules.write_text("rule,type_a,value_a\nblock,phone,+440000000000\n", "utf-8")
    assert load("identity_rules", folder)[0]["taken out"] == 0
    rules.write_text("rule,type_a,value_a\n", "utf-8")
    lines: list[str] = []
    assert load("identity_rules", folder, lines)[0]["taken out"] == 1
    assert "  identity_rules: 0 rows, 1 taken out" in lines


@pytest.mark.parametrize("kind", [RefusedError, UsageError])
def test_what_would_fail_the_same_way_again_is_not_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: type[RegularsError]
) -> None:
    """Refused credentials are told at once, by their own sentence, and not after two retries."""
    failure = kind("shopify: the credentials were refused.", "Check SHOPIFY_CLIENT_SECRET.")
    told, tries = fail_with(failure, folder, monkeypatch)
    assert (type(told), told.message) == (kind, "shopify: the credentials were refused.")
    assert told.hint == "Check SHOPIFY_CLIENT_SECRET."
    assert tries == 1


def test_what_may_go_well_another_time_is_tried_three_times_and_told_as_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "RETRY", dg.RetryPolicy(max_retries=2))
    failure = SourceError("shopify: it did not answer.", "Run again.")
    told, tries = fail_with(failure, folder, monkeypatch)
    assert (type(told), told.message, told.hint) == (
        SourceError,
        "shopify: it did not answer.",
        "Run again.",
    )
    assert tries == 3


def test_a_run_from_dagster_reads_no_other_files(folder: Path) -> None:
    """Nobody waits at a terminal: the launch pad may not name a folder of its own."""
    run = RunResource(as_of="2026-07-01", input=str(folder))
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            [source_assets("rates")],
            resources={"run": run},
            instance=instance,
            raise_on_error=False,
        )
        told = failure_of(instance, done.run_id)
    assert not done.success
    assert type(told) is UsageError
    assert told.message.startswith("A run from Dagster reads the input of the settings")
    assert not (folder.parent / "home" / "raw.duckdb").exists()


def test_no_run_configuration_names_another_dbt() -> None:
    seen = []

    @dg.asset
    def probe(dbt: DbtCliResource) -> None:
        seen.append(dbt.dbt_executable)

    config = {"resources": {"dbt": {"config": {"dbt_executable": "/bin/other"}}}}
    dg.materialize([probe], resources={"dbt": dbt_command()}, run_config=config)
    assert seen == [dbt_executable()]


def test_a_run_is_tagged_with_its_moment_its_starter_and_its_rows(folder: Path) -> None:
    (folder / "rates" / "a.csv").write_text("date,currency,rate\n2026-01-01,EUR,0.85\n", "utf-8")
    run = RunResource(as_of="2026-07-01", input=str(folder))
    with dg.DagsterInstance.ephemeral() as instance, console.listening([].append):
        done = dg.materialize([source_assets("rates")], resources={"run": run}, instance=instance)
        tags = instance.get_run_by_id(done.run_id).tags
    assert tags["regulars/as_of"] == "2026-07-01T00:00Z"
    assert tags["regulars/started_by"] == "cli"
    assert tags["regulars/rows"] == "1"


def test_the_launch_pad_explains_every_field() -> None:
    schema = RunResource.to_config_schema().as_field().config_type
    told = {name: field.description or "" for name, field in schema.fields.items()}
    assert set(told) == {"as_of", "input", "full_refresh", "send", "engine"}
    assert all(len(words.split()) > 8 for words in told.values()), told


def test_what_asks_an_api_is_tried_again_and_a_folder_is_not() -> None:
    again = {name for name in SOURCES if source_assets(name).op.retry_policy is not None}
    assert again == set(api_sources())
    assert again < set(SOURCES)
