"""`python -m ingestion SOURCE`: one source alone, and what its README says is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.__main__ import main
from ingestion.config import REPOSITORY
from ingestion.registry import api_sources

PACKAGE = REPOSITORY / "ingestion"


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A folder with one rate that can be used and one that cannot, and the shipped settings."""
    monkeypatch.setenv("REGULARS_CONFIG", str(REPOSITORY / "regulars.toml"))
    folder = tmp_path / "input" / "rates"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("date,currency,rate\n2026-01-01,EUR,0.85\n,EUR,0.9\n", "utf-8")
    place = ["--input", str(tmp_path / "input"), "--out", str(tmp_path)]
    return ["rates", *place, "--as-of", "2026-07-01"]


def test_a_source_is_read_alone_and_once(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    assert "2 received, 1 loaded, 1 quarantined, 0 duplicate" in capsys.readouterr().out
    assert main(arguments) == 0
    assert "0 received" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dlt", "input", "raw.duckdb"]


def test_an_error_is_a_sentence_and_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KLAVIYO_API_KEY", raising=False)
    place = ["--out", str(tmp_path), "--as-of", "2026-07-01"]
    assert main(["klaviyo", *place]) == 2
    assert "KLAVIYO_API_KEY is not set" in capsys.readouterr().err
    assert main(["rates", "--input", str(tmp_path / "nowhere"), *place]) == 2


def test_the_readme_names_every_part_and_no_other() -> None:
    text = (PACKAGE / "README.md").read_text("utf-8")
    table = text.partition("## Layout")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name.strip(" `/") for cell in cells for name in cell.split(",")}
    there = {path.name for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    within = {name for name in named if "/" in name}
    assert named - within == there - {"__init__.py", "__pycache__"}
    assert all((PACKAGE / name).exists() for name in within)


def test_no_code_outside_names_an_api_source() -> None:
    """A further API is one file: the machinery asks the registry."""
    machinery = [PACKAGE / f"{name}.py" for name in ("pipelines", "registry", "settings_file")]
    machinery += [PACKAGE / "config.py", *(PACKAGE / "apis").glob("*.py")]
    for folder in ("defs", "health", "run", "scaffold", "host"):
        machinery += (REPOSITORY / "orchestration" / folder).rglob("*.py")
    names = api_sources()
    assert len(names) >= 2
    found = [
        path.name
        for path in machinery
        if path.name != "shop_currency.py"  # which raw tables hold orders
        for name in names
        if f'"{name}"' in path.read_text("utf-8") or f".{name}" in path.read_text("utf-8")
    ]
    assert not found
