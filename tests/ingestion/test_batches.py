"""Rows come to the same however few of them are held at once."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings
from ingestion.demo.world import make_world
from ingestion.demo.write import write_all_files
from ingestion.files import reader
from ingestion.files.folder import InputFolder
from ingestion.pipelines import RunContext, run_source
from tests.ingestion.conftest import AS_OF

OF_THE_LOAD = ("_dlt_load_id", "_dlt_id")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    write_all_files(make_world(20), folder, ".jsonl")
    web = next((folder / "input" / "web").rglob("*.jsonl"))
    lines = web.read_text("utf-8").splitlines(keepends=True)
    # Lines that come again in another file, and one that is no document
    web.with_name("again.jsonl").write_text("".join(lines[:200]) + "{no\n", "utf-8")
    return folder / "input"


def _rows(files: Path, home: Path, source: str) -> dict[str, object]:
    """What a source's run counted, and its tables."""
    folder = InputFolder.at(str(files))
    context = RunContext(home / "raw.duckdb", home / "dlt", "run", AS_OF, Settings(), folder)
    counts: dict[str, object] = {f"counts of {c.table}": c for c in run_source(source, context)}
    with duckdb.connect(str(context.raw_path)) as connection:
        for table in (*(t.removeprefix("counts of ") for t in counts), "quarantine"):
            shown = connection.execute(
                f"select columns(name -> name not in {OF_THE_LOAD}) from raw_{source}.{table}"
                " order by all"
            )
            counts[table] = shown.fetchall()
    return counts


@pytest.mark.parametrize(("source", "rows"), [("web", 200), ("contacts", 2)])
def test_the_tables_do_not_depend_on_the_size_of_batches(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, rows: int
) -> None:
    whole = _rows(files, tmp_path / "whole", source)
    monkeypatch.setattr(reader, "BATCH_ROWS", rows)
    monkeypatch.setattr(reader, "CHUNK_BYTES", 20_000)
    assert _rows(files, tmp_path / "batches", source) == whole
    assert sum(len(table) for table in whole.values() if isinstance(table, list)) > 2 * rows
