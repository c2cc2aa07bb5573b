"""What `regulars new` makes works as it is: it lints, types, parses and is found."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingestion.config import REPOSITORY
from ingestion.errors import UsageError
from orchestration.scaffold.scaffold import KINDS, scaffold

TOOLS = Path(sys.executable).parent
PYTHON_KINDS = ("source", "destination")


def _run(command: Sequence[str | Path], folder: Path, **environment: str) -> str:
    result = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_was_made_and_what_comes_next(tmp_path: Path, kind: str) -> None:
    lines = scaffold(kind, "big_spenders", tmp_path)
    made = [line.removeprefix("Made ") for line in lines if line.startswith("Made ")]
    assert made
    assert all((tmp_path / place).read_text("utf-8").strip() for place in made)
    assert re.match(r"Next: \S*bin/regulars (run|plan)", lines[-1])
    assert not any("{" in line for line in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_overwritten(tmp_path: Path, kind: str) -> None:
    lines = scaffold(kind, "big_spenders", tmp_path)
    place = tmp_path / lines[0].removeprefix("Made ")
    place.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="already there; nothing was written"):
        scaffold(kind, "big_spenders", tmp_path)
    assert place.read_text("utf-8") == "mine"


def test_a_models_name_is_free_in_the_whole_project() -> None:
    with pytest.raises(UsageError, match="already there"):
        scaffold("model", "dim_customers")
    with pytest.raises(UsageError, match="already there"):
        scaffold("segment", "seg_vip")


def test_a_segment_may_be_named_with_or_without_its_prefix(tmp_path: Path) -> None:
    scaffold("segment", "seg_big_spenders", tmp_path)
    assert (tmp_path / "dbt_project/models/segments/seg_big_spenders.sql").exists()


@pytest.mark.parametrize(
    "name",
    ["", "Big", "big-spenders", "big__spenders", "1st", "a/b", "../x", "class", "ä", "x" * 41],
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not a name") as caught:
        scaffold("source", name, tmp_path)
    assert caught.value.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_only_known_kinds_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be made"):
        scaffold("dashboard", "x", tmp_path)


@pytest.mark.parametrize("kind", PYTHON_KINDS)
def test_python_that_is_made_passes_lint_and_types(tmp_path: Path, kind: str) -> None:
    scaffold(kind, "big_spenders", tmp_path)
    (path,) = tmp_path.rglob("big_spenders.py")
    settings = REPOSITORY / "pyproject.toml"
    _run([TOOLS / "ruff", "check", "--no-cache", "--config", settings, path], REPOSITORY)
    _run(
        [TOOLS / "ruff", "format", "--check", "--no-cache", "--config", settings, path], REPOSITORY
    )
    _run([TOOLS / "mypy", "--config-file", settings, path], REPOSITORY)


def test_a_source_declares_its_table(tmp_path: Path) -> None:
    scaffold("source", "big_spenders", tmp_path)
    (path,) = tmp_path.rglob("big_spenders.py")
    spec = importlib.util.spec_from_file_location("big_spenders", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.SOURCE.name == "big_spenders"
    assert [table.name for table in module.SOURCE.tables] == ["big_spenders"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the dbt project with one new model and one new segment in it."""
    root = tmp_path_factory.mktemp("copy")
    skipped = shutil.ignore_patterns("target", "logs", "__pycache__")
    shutil.copytree(REPOSITORY / "dbt_project", root / "dbt_project", ignore=skipped)
    for kind in ("model", "segment"):
        scaffold(kind, "big_spenders", root)
    return root / "dbt_project"


def test_models_that_are_made_are_parsed_described_and_tested(project: Path) -> None:
    home = project.parent / "home"
    places = ("--project-dir", project, "--profiles-dir", project, "--target-path", home / "target")
    command = [TOOLS / "dbt", "--quiet", "parse", *places, "--log-path", home / "logs"]
    _run(command, project, REGULARS_HOME=str(home))
    nodes = json.loads((home / "target" / "manifest.json").read_text("utf-8"))["nodes"]
    model = nodes["model.regulars.big_spenders"]
    segment = nodes["model.regulars.seg_big_spenders"]
    assert (model["schema"], segment["schema"]) == ("marts", "segments")
    assert all(node["description"].startswith("One row per") for node in (model, segment))
    assert segment["config"]["meta"]["segment"]["label"] == "Big spenders"
    tested = {
        p for n in nodes.values() if n["resource_type"] == "test" for p in n["depends_on"]["nodes"]
    }
    assert {"model.regulars.big_spenders", "model.regulars.seg_big_spenders"} <= tested


def test_sql_that_is_made_passes_lint(project: Path) -> None:
    made = sorted(path.relative_to(project) for path in project.rglob("*big_spenders.sql"))
    for name in ("pyproject.toml", ".sqlfluff"):
        if (REPOSITORY / name).exists():
            shutil.copyfile(REPOSITORY / name, project.parent / name)
    _run([TOOLS / "sqlfluff", "lint", "--disable-progress-bar", *made], project)
