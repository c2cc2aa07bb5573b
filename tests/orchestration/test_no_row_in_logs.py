"""What an engine quotes of a row reaches no log, no file of results and no store of events."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import duckdb
import pytest
from sqlalchemy.exc import IntegrityError

from ingestion.config import REPOSITORY
from ingestion.errors import SourceError
from orchestration.defs import errors
from orchestration.run.dbt import dbt_executable
from orchestration.words.failures import reduced_message

CANARIES = ("zoe.canary@people.example", "+447700900123", "Zoe Canary Lane", "card_CANARY_42")

MODELS = {
    "people.sql": "select unnest([{rows}]) as told",
    "cast.sql": "select told::integer as n from {{{{ ref('people') }}}}",
    "date.sql": "select strptime(told, '%Y') as d from {{{{ ref('people') }}}}",
    "tested.sql": "select told from {{{{ ref('people') }}}}",
    "parts.yml": "models: [{{name: tested, columns: [{{name: told, data_tests: "
    "[{{accepted_values: {{arguments: {{values: [1]}}, config: {{severity: error}}}}}}]}}]}}]",
}


def project(folder: Path) -> None:
    """A dbt project of three models whose rows break a cast, a date and a test."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: tiny\nversion: 1.0.0\nprofile: tiny\nmodels: {+materialized: table}\n"
    )
    (folder / "profiles.yml").write_text(
        "tiny: {target: d, outputs: {d: {type: duckdb, path: w.duckdb, plugins: "
        "[{module: ingestion.functions.dbt_plugin}]}}}"
    )
    # Put together in the engine: a model's own text is code and stands in dbt's files.
    rows = ", ".join(f"reverse('{canary[::-1]}')" for canary in CANARIES)
    for name, text in MODELS.items():
        (folder / "models" / name).write_text(text.format(rows=rows))


def leaks(folder: Path, *texts: str) -> list[str]:
    """Where one of the planted values stands: plain, in capitals or as in an address."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "w.duckdb"]
    found = {str(path): path.read_bytes() for path in files}
    found |= {f"output {number}": text.encode() for number, text in enumerate(texts)}
    spelled = {v for c in CANARIES for v in (c, c.upper(), c.lower(), quote(c), quote(c, safe=""))}
    return [name for name, data in found.items() if any(s.encode() in data for s in spelled)]


@pytest.mark.parametrize("form", ["text", "json"])
def test_dbt_tells_of_a_failure_without_the_row(tmp_path: Path, form: str) -> None:
    project(tmp_path)
    command = [dbt_executable(), "--no-use-colors", "--log-format", form, "build", "--debug"]
    done = subprocess.run(
        [*command, "--log-path", "logs"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    results = (tmp_path / "target" / "run_results.json").read_text()
    assert done.returncode == 1
    assert "Conversion Error in column told (its words are left out" in results
    assert "Invalid Input Error (its words are left out" in results
    assert "Conversion Error in column told" in (tmp_path / "logs" / "dbt.log").read_text()
    assert leaks(tmp_path, done.stdout, done.stderr) == []


def failures() -> dict[str, Callable[[], None]]:
    """Ways to fail on a row, by the step that does."""

    def cast() -> None:
        with duckdb.connect() as connection:
            connection.execute("select t::integer from (select $1 as t)", [CANARIES[0]])

    def wrapped() -> None:
        try:
            cast()
        except duckdb.Error as error:
            raise ValueError(f"a batch with {CANARIES[2]}") from error

    def stored() -> None:
        raise IntegrityError("insert into t values (?)", {"a": CANARIES[1]}, Exception(CANARIES[3]))

    def missing() -> None:
        raise KeyError(CANARIES[2])

    def ours() -> None:
        raise SourceError("web: the disk is full.", "Make room.")

    def quoted() -> None:
        raise SourceError(f"web: Conversion Error: '{CANARIES[0]}' is no number.")

    return {f.__name__: f for f in (cast, wrapped, stored, missing, ours, quoted)}


@pytest.mark.parametrize("as_data", [True, False])
def test_dagster_keeps_of_a_failure_what_is_no_row(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], as_data: bool
) -> None:
    errors.leave_out_rows()

    def step(name: str, fail: Callable[[], None]) -> dg.AssetsDefinition:
        return dg.asset(name=name)(errors.errors_as_data(fail) if as_data else fail)

    assets = [step(name, fail) for name, fail in failures().items()]
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        result = dg.materialize(assets, instance=instance, raise_on_error=False)
        told = {
            event.step_key: event.event_specific_data.error.cause.message  # type: ignore
            for event in result.all_events
            if event.is_step_failure
        }
    out, err = capfd.readouterr()
    assert told["ours"].strip().endswith("SourceError: web: the disk is full.\nMake room.")
    assert "ConversionException in column t (its words are left out" in told["cast"]
    assert told["missing"].startswith("KeyError (its words are left out")
    assert "SourceError: web: Conversion Error (its words are left out" in told["quoted"]
    assert "STEP_FAILURE" in err
    assert leaks(tmp_path, out, err) == []


def test_the_whole_text_is_kept_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    message = f"KeyError: '{CANARIES[0]}'"
    assert CANARIES[0] not in reduced_message(KeyError, message)
    monkeypatch.setenv("REGULARS_TRACEBACK", "1")
    assert reduced_message(KeyError, message) == message
